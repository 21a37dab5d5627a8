"""The classifier of vectors: one step, a network without recurrence; what training goes by."""

import math
from functools import partial
from typing import Any

from numpy.typing import NDArray

from lmtool.data.examples import Examples
from lmtool.data.readers.vectors import grouped, read_vectors
from lmtool.inference.classify import FrameParts, VectorClassifier
from lmtool.kinds import pooled
from lmtool.kinds.base import Material
from lmtool.kinds.clips import Reading, prepared, restored, store
from lmtool.kinds.fits import Fit, no_more_than
from lmtool.kinds.pooled import planned
from lmtool.settings import TrainSettings
from lmtool.settings.classifier import VectorSettings

__all__ = ["KIND"]

FITS = (  # vectors
    Fit(3_000, 64, 16, 0.003, 0.3, 40, 5, smoothing=0.1),
    Fit(30_000, 128, 32, 0.002, 0.3, 20, 3, smoothing=0.1),
    Fit(math.inf, 256, 128, 0.001, 0.2, 10, 2),
)


def prepare(corpus: Any, valid: Any, request: Any, folder: Any, init: None = None) -> Material:
    """Constants, labels, vectors to train on and to validate on. Raises InputError."""
    read = partial(read_vectors, label=request.columns.get("label"))
    return prepared(Reading(read, grouped(corpus), grouped(valid), "vectors"), request)


def data(material: Material, recipe: TrainSettings) -> Examples:
    """Vectors side by side."""
    examples: Examples = material.train.examples(recipe.batch or 1, recipe.seed)
    return examples


def restore(
    settings: VectorSettings, card: dict[str, Any], tensors: dict[str, NDArray[Any]]
) -> FrameParts:
    """The parts, verified."""
    return restored(settings, card, tensors)


KIND = pooled.classifier_of(
    name="vector classifier",
    reads="vector",
    settings=VectorSettings,
    prepare=prepare,
    plan=partial(planned, FITS),
    build=VectorClassifier,
    initialise=pooled.initialise,
    data=data,
    store=store,
    restore=restore,
    paced=partial(no_more_than, FITS),
)
