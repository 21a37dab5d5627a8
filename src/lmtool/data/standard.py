"""Frames as a network reads them: centred, with their differences, on one scale.

c = x - (1/T) sum_t x_t,  or x as it is                                (1)
f_t = [c_t, c_t - c_{t-1}],  or c_t alone;  the first difference is 0  (2)
z = (f - mean) / scale, both over all training frames                  (3)
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lmtool.arrays import Array
from lmtool.data.augment import Changes
from lmtool.data.examples import Augment

__all__ = ["Framing", "Standardisation", "centred", "with_differences"]

FLOAT = np.dtype(np.float32)
STILL, TINY = 1e-7, 1e-30  # what float32 cannot tell from no change
FARTHEST = 1e4  # scales from the mean: what is farther would only overflow

Constants = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Standardisation:
    """(3) as a part of a model: what each number of a frame is measured from, and in what unit.

    A number that never changes has the unit 1. Raises ValueError for constants that cannot be.
    """

    TENSORS = ("frames.mean", "frames.scale")

    mean: Constants  # (D,)
    scale: Constants  # (D,) above 0

    def __post_init__(self) -> None:
        shapes, types = {self.mean.shape, self.scale.shape}, {self.mean.dtype, self.scale.dtype}
        if len(shapes) > 1 or self.mean.ndim != 1 or not len(self.mean) or types != {FLOAT}:
            raise ValueError("its means and scales do not belong together")
        if not (np.isfinite(self.mean).all() and np.isfinite(self.scale).all()):
            raise ValueError("its means and scales are not finite numbers")
        if not (self.scale > 0).all():
            raise ValueError("its scales are not above 0")

    @classmethod
    def of(cls, blocks: Iterable[Array]) -> "Standardisation":
        """Over the rows of blocks (n, D), read once."""
        n, total, squares, origin = 0, np.zeros(1), np.zeros(1), None
        for block in blocks:
            x = block.astype(np.float64)
            origin = x[0] if origin is None else origin  # near the mean: nothing cancels
            n, total = n + len(x), total + (x - origin).sum(0)
            squares = squares + ((x - origin) ** 2).sum(0)
        if origin is None:
            raise ValueError("one frame at least expected")
        off = total / n
        deviation = np.sqrt(np.maximum(squares / n - off**2, 0))
        still = deviation <= STILL * np.maximum(np.abs(origin), TINY)
        scale = np.where(still, 1, deviation)
        return cls((origin + off).astype(FLOAT), scale.astype(FLOAT))

    @classmethod
    def from_tensors(cls, tensors: dict[str, NDArray[Any]]) -> "Standardisation":
        """The part out of a model file, its tensors taken out. Raises ValueError, KeyError."""
        mean, scale = (tensors.pop(name) for name in cls.TENSORS)
        return cls(mean, scale)

    def tensors(self) -> dict[str, NDArray[Any]]:
        """What a model file keeps."""
        return dict(zip(self.TENSORS, (self.mean, self.scale), strict=True))

    def __len__(self) -> int:
        return len(self.mean)

    def __call__(self, f: Array) -> Array:
        """(3): (T, D) -> (T, D) float32."""
        with np.errstate(over="ignore"):  # beyond what training frames held
            z = (f - self.mean) / self.scale
        near: Array = np.clip(z, -FARTHEST, FARTHEST).astype(FLOAT)
        return near


@dataclass(frozen=True, eq=False)
class Framing:
    """(1) to (3): what turns a clip x (T, F) into what a network reads, (T, D) float32."""

    standard: Standardisation
    centre: bool = False
    differences: bool = False

    def __post_init__(self) -> None:
        if self.differences and len(self.standard) % 2:
            raise ValueError("its frames have no differences beside them")

    @classmethod
    def of(cls, clips: Iterable[Array], centre: bool, differences: bool) -> "Framing":
        """That of training clips, read once."""
        standard = Standardisation.of(features(x, centre, differences) for x in clips)
        return cls(standard, centre, differences)

    @property
    def width(self) -> int:
        """F"""
        return len(self.standard) // (1 + self.differences)

    @property
    def outputs(self) -> int:
        """D"""
        return len(self.standard)

    def tensors(self) -> dict[str, NDArray[Any]]:
        """What a model file keeps beside ``centre`` and ``differences``."""
        return self.standard.tensors()

    def __call__(self, x: Array) -> Array:
        """(T, F) -> (T, D)."""
        return self.standard(features(x, self.centre, self.differences))

    def augment(self, changes: Changes) -> Augment | None:
        """What changes the features of clips as if the clips had been changed; None: nothing."""
        if not any(changes):
            return None
        F = self.width
        mean, scale = self.standard.mean[:F], self.standard.scale[:F]

        def augmented(sources: list[Array], rng: np.random.Generator) -> list[Array]:
            return [self(changes(z[:, :F] * scale + mean, scale, rng)) for z in sources]

        return augmented


def features(x: Array, centre: bool, differences: bool) -> Array:
    """(1) and (2)."""
    x = centred(x) if centre else x
    return with_differences(x) if differences else x


def centred(x: Array) -> Array:
    """(1)"""
    return np.asarray(x - x.mean(0))


def with_differences(x: Array) -> Array:
    """(2): (T, F) -> (T, 2 F)."""
    return np.concatenate([x, np.diff(x, axis=0, prepend=x[:1])], axis=1)
