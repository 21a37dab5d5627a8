"""The captioner: reads a vector, writes text; what training goes by."""

import math
from functools import partial
from typing import Any

from numpy.typing import NDArray

from lmtool.data.standard import Standardisation
from lmtool.inference.conditional import Captioner, VectorParts
from lmtool.kinds.base import Table
from lmtool.kinds.conditional import conditional_of, planned, stored
from lmtool.kinds.fits import Fit, no_more_than
from lmtool.kinds.language_model import respelled
from lmtool.kinds.paired import captions
from lmtool.models.conditional import TARGET_TABLE
from lmtool.settings.conditional import CaptionerSettings
from lmtool.text.vocabulary import EOS_ID

__all__ = ["KIND"]

FITS = (  # texts
    Fit(3_000, 128, 16, 0.002, 0.5, 30, 1, smoothing=0.1),
    Fit(100_000, 256, 32, 0.002, 0.5, 4, 1, smoothing=0.1),
    Fit(math.inf, 512, 128, 0.001, 0.3, 4, 1, smoothing=0.1),
)


def restore(
    settings: CaptionerSettings, card: dict[str, Any], tensors: dict[str, NDArray[Any]]
) -> VectorParts:
    """The parts, verified."""
    if settings.both or settings.attention != "none":
        raise ValueError("its settings contradict each other: a vector has one end and one step")
    return VectorParts(Standardisation.from_tensors(tensors), respelled(card, tensors))


KIND = conditional_of(
    name="captioner",
    reads="vector",
    verbs=("caption", "score", "sample", "next", "evaluate"),
    settings=CaptionerSettings,
    prepare=captions,
    plan=partial(planned, FITS),
    build=Captioner,
    store=partial(stored, Standardisation.tensors),
    restore=restore,
    tables=(Table(TARGET_TABLE, ("inputs", "targets"), (EOS_ID,), drawn=True),),
    paced=partial(no_more_than, FITS),
)
