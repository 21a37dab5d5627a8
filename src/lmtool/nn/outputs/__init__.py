"""The table of output layers: a new one is a new file and one line here."""

from lmtool.nn.outputs import full, sampled
from lmtool.nn.outputs.base import Draw, Output, OutputWeights, Sampler

__all__ = ["OUTPUTS", "Draw", "Output", "OutputWeights", "Sampler"]

OUTPUTS: dict[str, Output] = {output.name: output for output in (full.OUTPUT, sampled.OUTPUT)}
