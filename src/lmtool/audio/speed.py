"""The same said faster or slower, as a tape is played: another length, another pitch.

y_n = sum_i x_i c h(c (n s - i)),  c = min(1, 1 / s)                          (1)
h(t) = sinc(t) cos^2(pi t / 2L) for |t| < L                                   (2)

s is the speed, a fraction p / q: y_n and y_n+q weigh samples alike, p further on.
"""

import math
from fractions import Fraction

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from lmtool.arrays import Array
from lmtool.audio.sound import Sound

__all__ = ["at_speed"]

REACH = 16  # L: samples on each side
FINEST = 100  # q
SLOWEST, FASTEST = 0.25, 4.0


def at_speed(sound: Sound, speed: float) -> Sound:
    """(1): N samples become N / speed, at the same rate; 1 gives the sound itself.

    Raises ValueError for a speed that nobody speaks at.
    """
    if not SLOWEST <= speed <= FASTEST:
        raise ValueError(f"a speed of {SLOWEST} to {FASTEST} expected, not {speed}")
    s = Fraction(speed).limit_denominator(FINEST)
    if s == 1:
        return sound
    reach = math.ceil(REACH * max(1.0, speed))
    n = int(len(sound.samples) / s)
    windows = sliding_window_view(np.pad(sound.samples, reach), 2 * reach + 1)
    y = np.empty(n, np.float32)
    for phase in range(min(s.denominator, n)):
        first, part = divmod(phase * s.numerator, s.denominator)
        some = y[phase :: s.denominator]
        seen = windows[first :: s.numerator][: len(some)]
        some[...] = np.einsum("ij,j->i", seen, weights(part / s.denominator, float(s), reach))
    return Sound(y, sound.rate)


def weights(part: float, speed: float, reach: int) -> Array:
    """(2) around a place that lies ``part`` behind a sample: (2 reach + 1,)."""
    c = min(1.0, 1 / speed)
    t = c * (part - np.arange(-reach, reach + 1))
    near = np.where(np.abs(t) < REACH, np.cos(np.pi * t / (2 * REACH)) ** 2, 0)
    return np.asarray(c * np.sinc(t) * near, np.float32)
