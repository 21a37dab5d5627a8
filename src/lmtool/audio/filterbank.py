"""Log-mel features of speech, equal to those of Kaldi's ``fbank`` without dither.

Frames of 25 ms every 10 ms; of a frame's W samples x_0 .. x_W-1, in the scale of int16:

y_i = x_i - mean(x);  z_i = y_i - 0.97 y_i-1,  z_0 = 0.03 y_0                 (1) pre-emphasis
w_i = (0.5 - 0.5 cos(2 pi i / (W - 1)))^0.85                                  (2) Povey's window
P_k = |sum_i w_i z_i exp(-2 pi sqrt(-1) i k / N)|^2,  k < N / 2               (3) N = 2^n >= W
m(f) = 1127 ln(1 + f / 700)                                                   (4) mel
log max(sum_k B_bk P_k, epsilon)                                              (5) band b

B_b is a triangle of height 1, the bands' corners being equal steps of (4) from 20 Hz to half the
rate (Povey et al. 2011; mel: O'Shaughnessy 1987).
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from lmtool.arrays import Array
from lmtool.audio.sound import RATES, Sound
from lmtool.errors import InputError

__all__ = ["BANDS", "Filterbank"]

BANDS = 40  # usually

WINDOW, SHIFT = 25, 10  # milliseconds
LOW = 20.0  # Hz
EMPHASIS, POWER = 0.97, 0.85
SCALE = 1 << 15  # of int16
EPSILON = float(np.finfo(np.float32).eps)
PIECE = 512  # frames at a time, counted from the first one: bits do not depend on how sound comes
MOST_BANDS = 512


@dataclass(frozen=True)
class Filterbank:
    """(1) to (5) as a part of a model: samples to frames (T, bands).

    Raises ValueError for a rate or bands that cannot be.
    """

    TENSOR = "filterbank"

    rate: int  # Hz
    bands: int = BANDS

    def __post_init__(self) -> None:
        if self.rate not in RATES or not 1 <= self.bands <= MOST_BANDS:
            raise ValueError("its filterbank has a rate or bands that cannot be")

    @classmethod
    def from_tensors(cls, tensors: dict[str, NDArray[Any]]) -> "Filterbank | None":
        """The part out of a model file, its tensor taken out; None without one. ValueError."""
        if cls.TENSOR not in tensors:
            return None
        values = tensors.pop(cls.TENSOR)
        if values.dtype != np.int32 or values.shape != (2,):
            raise ValueError("its filterbank is damaged")
        return cls(*values.tolist())

    def tensors(self) -> dict[str, NDArray[Any]]:
        """What a model file keeps."""
        return {self.TENSOR: np.array([self.rate, self.bands], np.int32)}

    def __str__(self) -> str:
        """``40 log-mel bands of 8,000 Hz``"""
        return f"{self.bands} log-mel bands of {self.rate:,} Hz"

    @property
    def centres(self) -> Array:
        """Hz where each band is loudest: (bands,)."""
        corners = np.linspace(mel(LOW), mel(self.rate / 2), self.bands + 2)
        return np.asarray(700 * np.expm1(corners[1:-1] / 1127))

    @property
    def width(self) -> int:
        """W"""
        return self.rate * WINDOW // 1000

    @property
    def shift(self) -> int:
        """Samples from frame to frame."""
        return self.rate * SHIFT // 1000

    def features(self, sound: Sound) -> Array:
        """(T, bands) float32 of sound (N,), T = 1 + (N - W) // shift.

        Raises InputError for another rate, and for less than a window.
        """
        return np.concatenate([*self.features_of([sound])])

    def features_of(self, blocks: Iterable[Sound]) -> Iterator[Array]:
        """The same of sound that comes in blocks, some frames at a time, to the same bits."""
        n, waiting = 0, np.zeros(0, np.float32)
        step, enough = PIECE * self.shift, (PIECE - 1) * self.shift + self.width
        for block in blocks:
            self.check(block.rate)
            n += len(block.samples)
            waiting = np.concatenate([waiting, block.samples])
            while len(waiting) >= enough:
                yield self.frames(waiting[:enough])
                waiting = waiting[step:]
        if n < self.width:
            message = f"has {n:,} samples, fewer than the {self.width} of a frame; leave it out"
            raise InputError(message)
        if len(waiting) >= self.width:
            yield self.frames(waiting)

    def check(self, rate: int) -> None:
        """Raises InputError for sound of another rate."""
        if rate != self.rate:
            ways = f"convert it: ffmpeg -i IN.wav -ar {self.rate} OUT.wav"
            raise InputError(f"has {rate:,} samples a second, but {self.rate:,} are wanted; {ways}")

    def frames(self, samples: Array) -> Array:
        """(N,) -> (T, bands)."""
        x = sliding_window_view(samples.astype(np.float64) * SCALE, self.width)[:: self.shift]
        y = x - x.mean(1, keepdims=True)
        z = y - EMPHASIS * np.concatenate([y[:, :1], y[:, :-1]], axis=1)  # (1)
        half = len(self.triangles)
        spectrum = np.fft.rfft(z * self.window, 2 * half)[:, :half]
        power = spectrum.real**2 + spectrum.imag**2  # (3)
        features: Array = np.log(np.maximum(power @ self.triangles, EPSILON))  # (5)
        return features.astype(np.float32)

    @cached_property
    def window(self) -> Array:
        """(2): (W,)"""
        i = np.arange(self.width)
        hann: Array = 0.5 - 0.5 * np.cos(2 * np.pi * i / (self.width - 1))
        return np.asarray(hann**POWER)

    @cached_property
    def triangles(self) -> Array:
        """B of (5): (N / 2, bands)."""
        half = 1 << (self.width - 1).bit_length() - 1
        at = mel(np.arange(half) * self.rate / (2 * half))[:, None]
        corners = np.linspace(mel(LOW), mel(self.rate / 2), self.bands + 2)
        left, top, right = corners[:-2], corners[1:-1], corners[2:]
        rising, falling = (at - left) / (top - left), (right - at) / (right - top)
        return np.asarray(np.maximum(np.minimum(rising, falling), 0))


def mel(f: Any) -> Any:
    """(4)"""
    return 1127 * np.log1p(f / 700)
