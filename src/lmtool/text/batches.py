"""Ids to batches: a pure function of the step number.

The stream of N ids is read as a ring. Stream b of B reads position b N / B + s T + t at time t of
step s, so it runs on into the text of stream b + 1, and its state can be carried for ever.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = ["Segment", "segment"]

Ids = NDArray[np.int32]


class Segment(NamedTuple):
    """targets[t, b] follows inputs[t, b]."""

    inputs: Ids  # (T, B)
    targets: Ids  # (T, B)


def segment(ids: Ids, step: int, T: int, B: int) -> Segment:
    """The batch of a step from ids (N,)."""
    N = len(ids)
    starts = np.arange(B, dtype=np.int64) * N // B + step * T
    positions = (starts + np.arange(T + 1, dtype=np.int64)[:, None] - 1) % N
    window = np.asarray(ids[positions], np.int32)  # (T + 1, B)
    return Segment(window[:-1], window[1:])
