"""What turns frames of speech into what a network reads.

z_t = (x_t - m) / s, m and s the means and deviations of the utterance's own frames   (1)
y_u = [z_nu, z_nu+1 .. z_nu+n-1], the last frame again where the utterance ends        (2)

(1) takes out how loud a voice is and what a microphone does to each band; (2) makes a step of n
frames, as speech says no more than a few letters in so long (Sak et al. 2015).
"""

from typing import NamedTuple

import numpy as np

from lmtool.arrays import Array

__all__ = ["Stacking", "normalised", "stacked"]

STILL = 1e-5  # a deviation that says nothing


class Stacking(NamedTuple):
    """(1) and (2): frames (T, F) -> (T / n, n F) float32, rounded up."""

    frames: int  # n

    def __call__(self, x: Array) -> Array:
        return stacked(normalised(x), self.frames)

    def steps(self, T: int) -> int:
        """Of so many frames."""
        return -(-T // self.frames)


def normalised(x: Array) -> Array:
    """(1): (T, F); a band that never moves is 0."""
    m = x.mean(0, dtype=np.float64)
    s = np.sqrt(((x - m) ** 2).mean(0))
    return np.asarray((x - m) / np.where(s < STILL, 1, s), np.float32)


def stacked(z: Array, n: int) -> Array:
    """(2): (T, F) -> (T / n, n F)."""
    T, F = z.shape
    short = -T % n
    whole = np.concatenate([z, np.repeat(z[-1:], short, axis=0)]) if short else z
    return whole.reshape(-1, n * F)
