"""The classifier of frames: what a clip shows; what training goes by."""

import math
from dataclasses import replace
from functools import partial
from typing import Any

from numpy.typing import NDArray

from lmtool.data.augment import Changes
from lmtool.data.examples import Examples
from lmtool.data.listening import Listening
from lmtool.data.readers.frames import read_frames
from lmtool.data.voices import Voice
from lmtool.errors import ConfigError, option
from lmtool.inference.classify import FrameClassifier, FrameParts
from lmtool.kinds import pooled
from lmtool.kinds.base import Material
from lmtool.kinds.clips import Reading, prepared, restored, store
from lmtool.kinds.fits import Fit, no_more_than
from lmtool.kinds.pooled import planned
from lmtool.settings import TrainSettings
from lmtool.settings.classifier import FrameSettings
from lmtool.settings.columns import columns

__all__ = ["KIND"]

FITS = (  # clips
    Fit(1_000, 64, 16, 0.004, 0.5, 60, 5, smoothing=0.1, stretch=0.2, gain=0.1, noise=0.05),
    Fit(10_000, 128, 32, 0.003, 0.4, 30, 3, smoothing=0.1, stretch=0.2, gain=0.1, noise=0.05),
    Fit(math.inf, 256, 64, 0.002, 0.3, 10, 2, smoothing=0.05, stretch=0.1, gain=0.1, noise=0.05),
)
VOICES: dict[str, Any] = {"stretch": 0.15, "warp": 0.15, "channel": 0.5}
SOUND_FITS = (  # recordings
    Fit(500, 64, 8, 0.003, 0.4, 80, 3, smoothing=0.1, **VOICES),
    Fit(10_000, 128, 16, 0.002, 0.4, 30, 3, smoothing=0.1, **VOICES),
    Fit(math.inf, 256, 64, 0.002, 0.3, 10, 2, smoothing=0.05, **VOICES),
)


def fits(material: Material) -> tuple[Fit, ...]:
    """Those of sound, or of other frames."""
    return SOUND_FITS if isinstance(material.parts.framing, Listening) else FITS


def prepare(corpus: Any, valid: Any, request: Any, folder: Any, init: None = None) -> Material:
    """Constants, labels, clips to train on and to validate on. Raises InputError."""
    settings = request.network
    read = partial(read_frames, label=request.columns.get("label"))
    reading = Reading(read, [(path,) for path in corpus], [(path,) for path in valid], "frames")
    return prepared(reading, request, settings.centre, settings.differences)


def plan(
    settings: FrameSettings, recipe: TrainSettings, material: Material, speed: float
) -> tuple[FrameSettings, TrainSettings]:
    """Sizes, epochs and batch that follow the number of clips; members fill the time."""
    framing = material.parts.framing
    if isinstance(framing, Listening):
        settings = replace(settings, centre=True, differences=False)
    else:
        settings = replace(settings, centre=framing.centre)
    return planned(fits(material), settings, recipe, material, speed)


def paced(
    asked: TrainSettings, recipe: TrainSettings, material: Material, steps: int
) -> TrainSettings:
    """No more passes than do good, however much time there is."""
    return no_more_than(fits(material), asked, recipe, material, steps)


def data(material: Material, recipe: TrainSettings) -> Examples:
    """Clips of like length side by side, each time somewhat different."""
    framing, mirror = material.parts.framing, columns(recipe.mirror or "", "mirror")
    if isinstance(framing, Listening):
        return heard(material, recipe, framing)
    for name in Voice._fields:
        if getattr(recipe, name):
            raise ConfigError(f"{option(name)}: these frames are no sound's; leave it out")
    if max(mirror, default=0) >= framing.width:
        message = f"there are {framing.width} columns, from 0; {max(mirror)} is none of them"
        raise ConfigError(f"{option('mirror')}: {message}")
    shares = (recipe.stretch or 0, recipe.gain or 0, recipe.noise or 0)
    augment = framing.augment(Changes(*shares, mirror))
    examples: Examples = material.train.examples(recipe.batch or 1, recipe.seed, augment)
    return examples


def heard(material: Material, recipe: TrainSettings, framing: Listening) -> Examples:
    """Recordings of like length side by side, each time in another voice."""
    if recipe.mirror:
        raise ConfigError(f"{option('mirror')}: sound has no columns to mirror; leave it out")
    changes = Changes(recipe.stretch or 0, recipe.gain or 0, recipe.noise or 0)
    voices = framing.voices(changes, Voice.of(recipe))
    examples: Examples = material.train.examples(recipe.batch or 1, recipe.seed, voices)
    return examples


def restore(
    settings: FrameSettings, card: dict[str, Any], tensors: dict[str, NDArray[Any]]
) -> FrameParts:
    """The parts, verified."""
    return restored(settings, card, tensors, bool(settings.centre), settings.differences)


KIND = pooled.classifier_of(
    name="frame classifier",
    reads="frames",
    settings=FrameSettings,
    prepare=prepare,
    plan=plan,
    build=FrameClassifier,
    initialise=pooled.initialise,
    data=data,
    store=store,
    restore=restore,
    patient=True,
    paced=paced,
)
