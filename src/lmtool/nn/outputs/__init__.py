"""The tables of output layers: a new one is a new file and a line here."""

from lmtool.nn.outputs import classes, full, sampled, sigmoid
from lmtool.nn.outputs.base import Draw, Labelling, Output, OutputWeights, Sampler, Softmax

__all__ = [
    "LABELLINGS",
    "OUTPUTS",
    "SOFTMAXES",
    "Draw",
    "Labelling",
    "Output",
    "OutputWeights",
    "Sampler",
    "Softmax",
]

OUTPUTS: dict[str, Output] = {
    output.name: output for output in (full.OUTPUT, sampled.OUTPUT, classes.OUTPUT)
}
SOFTMAXES: dict[str, Softmax] = {"full": full.SOFTMAX, "classes": classes.SOFTMAX}
LABELLINGS: dict[str, Labelling] = {
    labelling.name: labelling for labelling in (full.LABELLING, sigmoid.LABELLING)
}
