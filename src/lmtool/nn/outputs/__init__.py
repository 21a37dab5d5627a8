"""The table of output layers: a new one is a new file and one line here."""

from lmtool.nn.outputs import full, sampled
from lmtool.nn.outputs.base import Output, OutputWeights

__all__ = ["OUTPUTS", "Output", "OutputWeights"]

OUTPUTS: dict[str, Output] = {output.name: output for output in (full.OUTPUT, sampled.OUTPUT)}
