"""The recogniser: reads frames of speech, writes text; what training goes by."""

import math
from collections.abc import Mapping
from dataclasses import asdict
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lmtool.arrays import Array
from lmtool.audio.filterbank import Filterbank
from lmtool.data.augment import Changes
from lmtool.data.batch import Batch
from lmtool.data.examples import Examples
from lmtool.data.spoken import Stacking, scale_of
from lmtool.data.voices import Voice, Voices
from lmtool.inference.recogniser import Parts, Recogniser, SpeechJudge
from lmtool.kinds.base import Estimate, Kind, Material, Memory
from lmtool.kinds.fits import REACHED, Fit, memory_of, no_more_than, planned
from lmtool.kinds.language_model import respelled, spelled
from lmtool.kinds.spoken import prepare
from lmtool.models import recogniser
from lmtool.nn.noise import Noise
from lmtool.nn.parameters import Parameters
from lmtool.nn.stack import States
from lmtool.settings import TrainSettings
from lmtool.settings.recogniser import RecogniserSettings
from lmtool.workers import Workers

__all__ = ["KIND"]

VOICES: dict[str, Any] = {"stretch": 0.15, "warp": 0.1, "channel": 0.5}
FITS = (  # utterances
    Fit(200, 64, 4, 0.006, 0.2, 100, 1, **VOICES),
    Fit(5_000, 256, 16, 0.003, 0.3, 80, 1, **VOICES),
    Fit(math.inf, 320, 16, 0.002, 0.3, 30, 1, **VOICES),
)
SMALLER = (1.0, 0.75, 0.5)  # shares of the size, where time is short
ENOUGH = 10  # passes by the careful estimate of planning


def plan(
    settings: RecogniserSettings, recipe: TrainSettings, material: Material, speed: float
) -> tuple[RecogniserSettings, TrainSettings]:
    """Sizes, epochs and batch that follow the number of utterances, and the time where it is short.

    Labels without times are learnt late: a smaller network that hears all of it often is better
    than a larger one that hears it a few times.
    """
    for share in SMALLER:
        fits = [fit._replace(size=round(fit.size * share)) for fit in FITS]
        found: tuple[RecogniserSettings, TrainSettings] = planned(
            fits, work_of_a_pass, settings, recipe, material, speed
        )
        work = work_of_a_pass(found[0], material)
        if not recipe.seconds or REACHED * speed * recipe.seconds >= ENOUGH * work:
            break
    return found


def work_of_a_pass(settings: RecogniserSettings, material: Material) -> float:
    """Floating-point operations of training one network on all utterances once."""
    parameters: int = sum(math.prod(shape) for shape in shapes(settings, material.parts).values())
    steps: float = material.train.steps() / settings.stack
    return 6.0 * parameters * steps


def shapes(settings: RecogniserSettings, parts: Parts) -> Any:
    """Of one network's weights."""
    return recogniser.shapes(settings, parts.sizes())


def initialise(
    parameters: Parameters,
    settings: RecogniserSettings,
    material: Material,
    rng: np.random.Generator,
) -> None:
    """Fresh weights of one network."""
    recogniser.initialise(parameters, settings, rng)


def data(material: Material, recipe: TrainSettings) -> Examples:
    """Utterances of like length side by side, each time in another voice."""
    parts: Parts = material.parts
    changes = Changes(recipe.stretch or 0, recipe.gain or 0, recipe.noise or 0)
    centres = None if parts.filterbank is None else parts.filterbank.centres
    voices = Voices(parts.stacking, changes, Voice.of(recipe), centres)
    examples: Examples = material.train.heard(recipe.batch or 1, recipe.seed, voices)
    return examples


def judge(material: Material, recipe: TrainSettings, workers: Workers, units: int) -> SpeechJudge:
    """By the words of the best paths."""
    return SpeechJudge(material.valid.as_read(), material.parts.vocabulary, workers, units)


def learn(
    settings: RecogniserSettings,
    parts: Parts,
    recipe: TrainSettings,
    weights: Mapping[str, Array],
    gradients: Parameters,
    batch: Batch,
    state: States,
    noise: Noise,
    estimate: Estimate | None,
) -> tuple[float, States]:
    """-ln P of the texts of a batch."""
    return recogniser.loss_and_gradients(settings, weights, gradients, batch, noise), state


def memory(settings: RecogniserSettings, recipe: TrainSettings, material: Material) -> Memory:
    """Weights, moments, gradients; and for the longest batch frames and tapes."""
    P = sum(map(math.prod, shapes(settings, material.parts).values()))
    stack, sizes = recogniser.stack_of(settings), material.parts.sizes()
    one = 2 * sizes.features + 4 * stack.inputs + settings.layers * 16 * stack.outputs
    a_step = one + 6 * sizes.tokens  # of ln p and of messages
    return memory_of(P, -(-a_step // settings.stack), settings, recipe, material)


def store(model: Recogniser) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    """Filterbank and vocabulary."""
    parts = model.parts
    bank = {} if parts.filterbank is None else parts.filterbank.tensors()
    card = {
        "text": asdict(parts.vocabulary.settings),
        "bands": parts.bands,
        "scale": parts.stacking.scale,
    }
    return card, spelled(parts.vocabulary) | bank


def restore(
    settings: RecogniserSettings, card: dict[str, Any], tensors: dict[str, NDArray[Any]]
) -> Parts:
    """The parts, verified."""
    filterbank, bands = Filterbank.from_tensors(tensors), card["bands"]
    if type(bands) is not int or bands < 1 or (filterbank and filterbank.bands != bands):
        raise ValueError("the numbers of its frames are damaged")
    stacking = Stacking(settings.stack, scale_of(card))
    return Parts(filterbank, bands, stacking, respelled(card, tensors))


KIND = Kind(
    name="recogniser",
    reads="frames",
    writes="text",
    verbs=("transcribe", "evaluate"),
    settings=RecogniserSettings,
    prepare=prepare,
    plan=plan,
    build=Recogniser,
    shapes=shapes,
    initialise=initialise,
    data=data,
    judge=judge,
    learn=learn,
    n_outputs=lambda parts: parts.vocabulary.n_tokens,
    store=store,
    restore=restore,
    memory=memory,
    patient=True,
    paced=partial(no_more_than, FITS),
)
