"""Other clips that mean the same: slower or faster, larger or smaller, mirrored, with noise.

x'(t) = x(t / r), r uniform in 1 +- stretch, linear between frames     (1)
x' = g x, g uniform in 1 +- gain                                       (2)
x'_k = -x_k for the named columns k, one time in two                   (3)
x' = x + noise s e, e standard normal, s the scale of each column      (4)
"""

from typing import NamedTuple

import numpy as np

from lmtool.arrays import Array

__all__ = ["Changes", "stretched"]


class Changes(NamedTuple):
    """How much clips are changed in training; 0 and () leave them alone."""

    stretch: float = 0.0
    gain: float = 0.0
    noise: float = 0.0
    mirror: tuple[int, ...] = ()

    def __call__(self, x: Array, scale: Array, rng: np.random.Generator) -> Array:
        """(1) to (4): x (T, F) -> (T', F); ``scale`` (F,)."""
        if self.stretch:
            x = stretched(x, 1 + self.stretch * rng.uniform(-1, 1))
        if self.gain:
            x = x * x.dtype.type(1 + self.gain * rng.uniform(-1, 1))
        if self.mirror and rng.random() < 0.5:
            x = x.copy()
            x[:, self.mirror] *= -1
        if self.noise:
            x = x + self.noise * scale * rng.standard_normal(x.shape, np.float32)
        return np.asarray(x)


def stretched(x: Array, ratio: float) -> Array:
    """(1): T frames become T times ``ratio``, first and last staying where they are."""
    n = max(1, round(len(x) * ratio))
    places = np.linspace(0, len(x) - 1, n)
    before = np.minimum(places.astype(np.intp), max(0, len(x) - 2))
    after = np.minimum(before + 1, len(x) - 1)
    share = (places - before).astype(x.dtype)[:, None]
    return np.asarray(x[before] * (1 - share) + x[after] * share)
