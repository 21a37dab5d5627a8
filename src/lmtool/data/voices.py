"""The same said by another voice: longer or shorter throats, slower, with noise, parts unheard.

x'(t, f) = x(t, f / w), w uniform in 1 +- warp, f in Hz, linear between bands    (1)
x'(t, f) = x(t, f) + c (e_0 b + e_1 cos pi b + e_2 sin pi b)                     (2)
then (1), (2), (4) of ``augment``: another length, gain, noise                   (3)
z' = 0 in masks: whole bands, whole stretches of time                            (4)

In (2), another microphone, b goes from -1 to 1 over the bands, e is standard normal and c the
channel's spread. (1) is vocal tract length perturbation (Jaitly and Hinton 2013); (4) SpecAugment
(Park et al. 2019).
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lmtool.arrays import Array
from lmtool.data.augment import Changes, stretched
from lmtool.data.spoken import Stacking

__all__ = ["Voice", "Voices", "coloured", "warped"]

MASKS = 2  # of each direction


class Voice(NamedTuple):
    """How much another voice differs; 0: not at all."""

    warp: float = 0.0
    channel: float = 0.0  # nats
    band_mask: float = 0.0  # share of the bands that a mask hides at most
    time_mask: float = 0.0  # share of the frames

    @classmethod
    def of(cls, recipe: Any) -> "Voice":
        """What a recipe says of it."""
        return cls(*(getattr(recipe, name) or 0.0 for name in cls._fields))


class Voices(NamedTuple):
    """How much utterances are changed in training; 0 leaves them alone."""

    stacking: Stacking
    changes: Changes  # stretch, gain, noise
    voice: Voice = Voice()
    centres: NDArray[np.float64] | None = None  # (F,) Hz of the bands; None: they are none

    def __call__(self, sources: list[Array], rng: np.random.Generator) -> list[Array]:
        """Frames (T, F) as they are read -> what a network reads, (T', n F)."""
        return [self.one(x, rng) for x in sources]

    def one(self, x: Array, rng: np.random.Generator) -> Array:
        """One utterance."""
        _, _, voice, centres = self
        if voice.warp and centres is not None:
            x = warped(x, centres, 1 + voice.warp * rng.uniform(-1, 1))  # (1)
        if voice.channel and centres is not None:
            x = coloured(x, voice.channel * rng.standard_normal(3))  # (2)
        if self.changes.stretch:
            x = stretched(x, 1 + self.changes.stretch * rng.uniform(-1, 1))
        rest = self.changes._replace(stretch=0.0)
        z = rest(self.stacking.scaled(x), np.ones(x.shape[1], np.float32), rng)  # (3)
        return self.stacking.stacked(self.masked(np.asarray(z, np.float32), rng))

    def masked(self, z: Array, rng: np.random.Generator) -> Array:
        """(4), in place: z (T, F)."""
        for x, share in ((z.T, self.voice.band_mask), (z, self.voice.time_mask)):
            for _ in range(MASKS if share else 0):
                width = int(rng.integers(0, int(share * len(x)) + 1))
                start = int(rng.integers(0, len(x) - width + 1))
                x[start : start + width] = 0
        return z


def warped(x: Array, centres: NDArray[np.float64], w: float) -> Array:
    """(1): x (T, F), bands around frequencies (F,)."""
    places = np.interp(centres / w, centres, np.arange(len(centres)))
    below = np.minimum(places.astype(np.intp), max(0, len(centres) - 2))
    above = np.minimum(below + 1, len(centres) - 1)
    share = (places - below).astype(x.dtype)
    return np.asarray(x[:, below] * (1 - share) + x[:, above] * share)


def coloured(x: Array, e: NDArray[np.float64]) -> Array:
    """(2): x (T, F), c e (3,)."""
    b = np.linspace(-1, 1, x.shape[1])
    shape = np.stack([b, np.cos(np.pi * b), np.sin(np.pi * b)])
    return np.asarray(x + (e @ shape).astype(x.dtype))
