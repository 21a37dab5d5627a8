"""What turns sound into what a classifier reads, as ``Framing`` does other frames."""

from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

from lmtool.arrays import Array
from lmtool.audio.filterbank import Filterbank
from lmtool.data.augment import Changes
from lmtool.data.spoken import Stacking
from lmtool.data.voices import Voice, Voices

__all__ = ["Listening"]


@dataclass(frozen=True)
class Listening:
    """Log-mel frames (T, F), put on a scale, n side by side: (T / n, n F).

    A part of a model. Raises ValueError for an n that cannot be.
    """

    filterbank: Filterbank
    stacking: Stacking

    def __post_init__(self) -> None:
        n = self.stacking.frames
        if type(n) is not int or n < 1:
            raise ValueError("its steps have no number of frames")

    @property
    def width(self) -> int:
        """F"""
        return self.filterbank.bands

    @property
    def outputs(self) -> int:
        """n F"""
        return self.width * self.stacking.frames

    def tensors(self) -> dict[str, NDArray[Any]]:
        """What a model file keeps beside n and the scale."""
        return self.filterbank.tensors()

    def __call__(self, x: Array) -> Array:
        """(T, F) -> (T / n, n F)."""
        return self.stacking(x)

    def voices(self, changes: Changes, voice: Voice) -> Voices:
        """What reads frames as if another voice had said the same."""
        return Voices(self.stacking, changes, voice, self.filterbank.centres)
