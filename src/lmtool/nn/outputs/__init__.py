"""The tables of output layers: a new one is a new file and a line here."""

from lmtool.nn.outputs import classes, crf, full, sampled, sigmoid
from lmtool.nn.outputs.base import (
    Chain,
    Draw,
    Labelling,
    Output,
    OutputWeights,
    Rules,
    Sampler,
    Softmax,
    Tagging,
)

__all__ = [
    "LABELLINGS",
    "OUTPUTS",
    "SOFTMAXES",
    "TAGGINGS",
    "Chain",
    "Draw",
    "Labelling",
    "Output",
    "OutputWeights",
    "Rules",
    "Sampler",
    "Softmax",
    "Tagging",
]

OUTPUTS: dict[str, Output] = {
    output.name: output for output in (full.OUTPUT, sampled.OUTPUT, classes.OUTPUT)
}
SOFTMAXES: dict[str, Softmax] = {"full": full.SOFTMAX, "classes": classes.SOFTMAX}
LABELLINGS: dict[str, Labelling] = {
    labelling.name: labelling for labelling in (full.LABELLING, sigmoid.LABELLING)
}
TAGGINGS: dict[str, Tagging] = {
    tagging.name: tagging for tagging in (crf.TAGGING, full.TAGGING, sigmoid.TAGGING)
}
