"""The classifier: reads text, writes a label; what training goes by."""

import math
from dataclasses import asdict, replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lmtool.data.examples import Examples
from lmtool.inference.classify import Classifier, Parts
from lmtool.kinds import pooled
from lmtool.kinds.base import Material, Table
from lmtool.kinds.fits import Fit, no_more_than
from lmtool.kinds.labelled import prepare
from lmtool.kinds.language_model import respelled, spelled
from lmtool.kinds.pooled import planned
from lmtool.models import classifier
from lmtool.models.classifier import NGRAMS, TABLES
from lmtool.nn.parameters import Parameters
from lmtool.settings import TrainSettings
from lmtool.settings.classifier import ClassifierSettings
from lmtool.text.labels import Labels
from lmtool.text.ngrams import Ngrams

__all__ = ["KIND"]

FITS = (
    Fit(300, 32, 8, 0.004, 0.3, 40, 3, word_drop=0.1),
    Fit(3_000, 64, 16, 0.004, 0.5, 12, 3, word_drop=0.2),
    Fit(30_000, 64, 64, 0.004, 0.5, 3, 3, word_drop=0.3),
    Fit(300_000, 128, 64, 0.003, 0.5, 2, 2, word_drop=0.0),
    Fit(math.inf, 256, 128, 0.003, 0.2, 2, 1, word_drop=0.05),
)
FEW = 30_000  # examples, up to which the n-grams start from naive Bayes
SOURCE = "source."  # before the tensors of its vocabulary


def plan(
    settings: ClassifierSettings, recipe: TrainSettings, material: Material, speed: float
) -> tuple[ClassifierSettings, TrainSettings]:
    """Sizes, epochs and batch that follow the number of examples; members fill the time."""
    ngrams = material.parts.ngrams
    settings = replace(settings, ngrams=0 if ngrams is None else 1 + len(ngrams.keys))
    return planned(FITS, settings, recipe, material, speed)


def initialise(
    parameters: Parameters,
    settings: ClassifierSettings,
    material: Material,
    rng: np.random.Generator,
) -> None:
    """Fresh weights of one network."""
    train = material.train
    pooled.initialise(parameters, settings, material, rng)
    if train.ngrams is not None and len(train.rows) <= FEW:
        evidence = classifier.naive_bayes(
            settings, train.ngrams, train.targets, train.rows, material.parts.sizes()
        )
        parameters[NGRAMS][...] = evidence


def data(material: Material, recipe: TrainSettings) -> Examples:
    """Examples of like length side by side."""
    examples: Examples = material.train.examples(recipe.batch or 1, recipe.seed)
    return examples


def store(model: Classifier) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    """Vocabulary, labels, n-grams and the temperature."""
    vocabulary, labels, ngrams, temperature = model.parts
    tensors = spelled(vocabulary, SOURCE)
    tensors |= labels.tensors() | ({} if ngrams is None else ngrams.tensors())
    return {"text": asdict(vocabulary.settings), "temperature": temperature}, tensors


def restore(
    settings: ClassifierSettings, card: dict[str, Any], tensors: dict[str, NDArray[Any]]
) -> Parts:
    """The parts, verified."""
    vocabulary = respelled(card, tensors, SOURCE)
    labels, ngrams = Labels.from_tensors(tensors), None
    if longest := settings.ngrams or 0:
        ngrams = Ngrams.from_tensors(tensors, vocabulary.n_tokens, longest)
    for name in [*labels.tensors(), *(ngrams.tensors() if ngrams is not None else {})]:
        del tensors[name]
    temperature = pooled.temperature_of(card, settings, labels.several)
    return Parts(vocabulary, labels, ngrams, temperature)


KIND = pooled.classifier_of(
    name="classifier",
    reads="text",
    settings=ClassifierSettings,
    prepare=prepare,
    plan=plan,
    build=Classifier,
    initialise=initialise,
    data=data,
    store=store,
    restore=restore,
    tables=tuple(Table((name,), (field,), always=True) for name, field in TABLES.items()),
    paced=partial(no_more_than, FITS),
)
