"""What kinds of model that label whole sequences have in common."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from lmtool.arrays import Array
from lmtool.data.batch import Batch
from lmtool.inference.classify import LabelJudge
from lmtool.inference.measures import fit_temperature
from lmtool.kinds.base import Estimate, Kind, Material, Memory
from lmtool.kinds.fits import Fit, memory_of
from lmtool.kinds.fits import planned as for_these
from lmtool.models import classifier
from lmtool.nn.cells import CELLS, cell_of
from lmtool.nn.noise import Noise
from lmtool.nn.parameters import Parameters
from lmtool.nn.stack import States
from lmtool.settings import TrainSettings
from lmtool.settings.classifier import PooledSettings
from lmtool.workers import Workers

__all__ = ["classifier_of", "initialise", "planned", "temperature_of"]


def planned(
    fits: Sequence[Fit], settings: Any, recipe: TrainSettings, material: Material, speed: float
) -> tuple[Any, TrainSettings]:
    """Sizes, epochs and batch that follow the number of examples; members fill the time."""
    labelling = "sigmoid" if material.parts.labels.several else "full"
    settings = replace(settings, labelling=labelling)
    return for_these(fits, work_of_a_pass, settings, recipe, material, speed)


def work_of_a_pass(settings: PooledSettings, material: Material) -> float:
    """Floating-point operations of training one network on all examples once."""
    E, H, ways = settings.embed or 1, settings.hidden or 1, 1 + settings.both
    known = settings.cell in CELLS
    products = cell_of(settings).products(E, H) if known else H * (E + H)
    steps = float(material.train.steps())
    features: int = material.parts.sizes().features
    return 6.0 * steps * (ways * products + E * (1 + features))


def shapes(settings: PooledSettings, parts: Any) -> Any:
    """Of one network's weights."""
    return classifier.shapes(settings, parts.sizes())


def initialise(
    parameters: Parameters, settings: PooledSettings, material: Material, rng: np.random.Generator
) -> None:
    """Fresh weights of one network."""
    n = len(material.train.rows)
    classifier.initialise(parameters, settings, material.parts.labels.counts, n, rng)


def judge(material: Material, recipe: TrainSettings, workers: Workers, units: int) -> LabelJudge:
    """By the labels' probabilities."""
    held = material.valid.examples(1, 0)
    return LabelJudge(held, material.parts.labels.several, workers, units)


def learn(
    settings: PooledSettings,
    parts: Any,
    recipe: TrainSettings,
    weights: Mapping[str, Array],
    gradients: Parameters,
    batch: Batch,
    state: States,
    noise: Noise,
    estimate: Estimate | None,
) -> tuple[float, States]:
    """-ln p of the labels of a batch."""
    smoothing = recipe.smoothing or 0.0
    given = settings, weights, gradients, batch, noise, smoothing
    return classifier.loss_and_gradients(*given), state


def memory(settings: PooledSettings, recipe: TrainSettings, material: Material) -> Memory:
    """Weights, moments, gradients; and for the longest batch sources, tapes and n-grams."""
    P = sum(map(math.prod, shapes(settings, material.parts).values()))
    E, H = settings.embed or 1, (settings.hidden or 1) * (2 if settings.both else 1)
    features = 2 * material.parts.sizes().features
    one = 4 * E + features + (settings.layers or 1) * 16 * H
    return memory_of(P, one, settings, recipe, material)


def temperature_of(card: dict[str, Any], settings: PooledSettings, several: bool) -> float:
    """The temperature of a card, once it and the labels are verified. Raises ValueError."""
    temperature = card["temperature"]
    if type(temperature) is not float or not 0 < temperature < math.inf:
        raise ValueError("its temperature is damaged")
    if several != (settings.labelling == "sigmoid"):
        raise ValueError("its labels contradict its settings")
    return temperature


def complete(
    model: Any, judge: LabelJudge, measures: dict[str, float]
) -> tuple[Any, dict[str, float], str]:
    """The temperature that the validation examples want."""
    temperature = fit_temperature(*judge.predicted(model))
    parts = model.parts._replace(temperature=float(temperature))
    return replace(model, parts=parts), measures, ""


classifier_of = partial(  # what else a kind of classifier is made of goes here
    Kind,
    writes="label",
    verbs=("classify", "evaluate"),
    shapes=shapes,
    judge=judge,
    learn=learn,
    n_outputs=lambda parts: len(parts.labels),
    memory=memory,
    complete=complete,
)
