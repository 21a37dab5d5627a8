"""The translator: reads text, writes text; what training goes by."""

import math
from functools import partial
from typing import Any

from numpy.typing import NDArray

from lmtool.inference.conditional import Parts, Translator
from lmtool.kinds.base import Table
from lmtool.kinds.conditional import conditional_of, planned, stored
from lmtool.kinds.fits import Fit, no_more_than
from lmtool.kinds.language_model import respelled, spelled
from lmtool.kinds.paired import translations
from lmtool.models.conditional import SOURCE_TABLE, TARGET_TABLE
from lmtool.settings.conditional import TranslatorSettings
from lmtool.text.vocabulary import EOS_ID

__all__ = ["KIND"]

FITS = (  # pairs
    Fit(1_000, 128, 8, 0.003, 0.3, 30, 3, smoothing=0.1),
    Fit(10_000, 192, 16, 0.003, 0.3, 15, 2, smoothing=0.1),
    Fit(100_000, 256, 16, 0.003, 0.3, 10, 1, smoothing=0.1),
    Fit(1_000_000, 384, 64, 0.001, 0.2, 3, 1, smoothing=0.1),
    Fit(math.inf, 512, 256, 0.001, 0.1, 1, 1, smoothing=0.1),
)
SOURCE = "source."  # before the tensors of its vocabulary


def restore(
    settings: TranslatorSettings, card: dict[str, Any], tensors: dict[str, NDArray[Any]]
) -> Parts:
    """The parts, verified."""
    return Parts(respelled(card, tensors, SOURCE), respelled(card, tensors))


KIND = conditional_of(
    name="translator",
    reads="text",
    verbs=("translate", "score", "sample", "next", "evaluate"),
    settings=TranslatorSettings,
    prepare=translations,
    plan=partial(planned, FITS),
    build=Translator,
    store=partial(stored, partial(spelled, prefix=SOURCE)),
    restore=restore,
    tables=(
        Table(TARGET_TABLE, ("inputs", "targets"), (EOS_ID,), drawn=True),
        Table(SOURCE_TABLE, ("source",), always=True),
    ),
    paced=partial(no_more_than, FITS),
)
