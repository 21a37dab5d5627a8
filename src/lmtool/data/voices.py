"""The same said by another voice: longer or shorter throats, slower, with noise, parts unheard.

x'(t, f) = x(t, f / w), w uniform in 1 +- warp, f in Hz, linear between bands    (1)
then (1), (2), (4) of ``augment``: another length, gain, noise                   (2)
z' = 0 in masks: whole bands, whole stretches of time                            (3)

(1) is vocal tract length perturbation (Jaitly and Hinton 2013); (3) SpecAugment (Park et al. 2019).
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lmtool.arrays import Array
from lmtool.data.augment import Changes, stretched
from lmtool.data.spoken import Stacking, normalised, stacked

__all__ = ["Voices", "warped"]

MASKS = 2  # of each direction
SHORTEST = 20  # frames that a text of one letter may need


class Voices(NamedTuple):
    """How much utterances are changed in training; 0 leaves them alone."""

    stacking: Stacking
    changes: Changes  # stretch, gain, noise
    warp: float = 0.0
    band_mask: float = 0.0  # share of the bands that a mask hides at most
    time_mask: float = 0.0  # share of the frames
    centres: NDArray[np.float64] | None = None  # (F,) Hz of the bands; None: they are none

    def __call__(self, sources: list[Array], rng: np.random.Generator) -> list[Array]:
        """Frames (T, F) as they are read -> what a network reads, (T', n F)."""
        return [self.one(x, rng) for x in sources]

    def one(self, x: Array, rng: np.random.Generator) -> Array:
        """One utterance."""
        if self.warp and self.centres is not None:
            x = warped(x, self.centres, 1 + self.warp * rng.uniform(-1, 1))  # (1)
        if self.changes.stretch:
            x = stretched(x, 1 + self.changes.stretch * rng.uniform(-1, 1))
        rest = self.changes._replace(stretch=0.0)
        z = rest(normalised(x), np.ones(x.shape[1], np.float32), rng)  # (2)
        return stacked(self.masked(np.asarray(z, np.float32), rng), self.stacking.frames)

    def masked(self, z: Array, rng: np.random.Generator) -> Array:
        """(3), in place: z (T, F)."""
        for x, share in ((z.T, self.band_mask), (z, self.time_mask)):
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
