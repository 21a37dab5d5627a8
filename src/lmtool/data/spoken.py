"""What turns frames of speech into what a network reads.

z_t = (x_t - m) / s                                                           (1)
y_u = [z_nu, z_nu+1 .. z_nu+n-1], the last frame again where the utterance ends        (2)

``bands``: m and s are the means and deviations of the utterance's bands, which takes out how loud a
voice is and what a microphone does to each band. ``halfway``: m lies halfway between those means
and the mean of all, s is the deviation from m of all: of a single word the mean of a band says
which word it is. (2) makes a step of n frames, as speech says no more than a few letters in so long
(Sak et al. 2015).
"""

from typing import Any, NamedTuple

import numpy as np

from lmtool.arrays import Array

__all__ = ["BANDS", "HALFWAY", "SCALES", "Stacking", "scale_of"]

BANDS, HALFWAY = "bands", "halfway"
STILL = 1e-5  # a deviation that says nothing


def of_bands(x: Array) -> tuple[Array, Array]:
    """m and s of each band: (F,), (F,)."""
    m = x.mean(0, dtype=np.float64)
    return m, np.sqrt(((x - m) ** 2).mean(0))


def of_halfway(x: Array) -> tuple[Array, Array]:
    """m of each band, s of all: (F,), ()."""
    m = (x.mean(0, dtype=np.float64) + x.mean(dtype=np.float64)) / 2
    return m, np.sqrt(((x - m) ** 2).mean())


SCALES = {BANDS: of_bands, HALFWAY: of_halfway}


class Stacking(NamedTuple):
    """(1) and (2): frames (T, F) -> (T / n, n F) float32, rounded up."""

    frames: int  # n
    scale: str = BANDS  # a key of SCALES

    def __call__(self, x: Array) -> Array:
        return self.stacked(self.scaled(x))

    def scaled(self, x: Array) -> Array:
        """(1): (T, F) float32; what never moves is 0."""
        m, s = SCALES[self.scale](x)
        return np.asarray((x - m) / np.where(s < STILL, 1, s), np.float32)

    def stacked(self, z: Array) -> Array:
        """(2): (T, F) -> (T / n, n F)."""
        (T, F), n = z.shape, self.frames
        short = -T % n
        whole = np.concatenate([z, np.repeat(z[-1:], short, axis=0)]) if short else z
        return whole.reshape(-1, n * F)

    def steps(self, T: int) -> int:
        """Of so many frames."""
        return -(-T // self.frames)


def scale_of(card: dict[str, Any]) -> str:
    """That which a model's card names; files of before there were two say nothing. ValueError."""
    scale = card.get("scale", BANDS)
    if type(scale) is not str or scale not in SCALES:
        raise ValueError("its frames are on no scale")
    return scale
