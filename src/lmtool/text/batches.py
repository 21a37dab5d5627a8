"""Ids to batches: a pure function of the step number, so training can stop and go on anywhere."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = ["Segment", "segment"]


class Segment(NamedTuple):
    """T steps of B streams; the targets are the inputs one position later."""

    inputs: NDArray[np.int32]  # (T, B)
    targets: NDArray[np.int32]  # (T, B)


def segment(ids: NDArray[np.int32], step: int, T: int, B: int) -> Segment:
    """The batch of a step: contiguous (T, B) arrays out of ``ids`` (N,), N > 0.

    The corpus is a ring, read by B heads spaced evenly: at time t of this step, head b is at
    (b N // B + step T + t) mod N. Each stream runs on into the text of the next one, so the
    recurrent state carries over from step to step for ever.
    """
    N = len(ids)
    heads = np.arange(B) * N // B + step * T % N  # (B,)
    times = np.arange(T + 1)[:, None]  # (T + 1, 1): one more for the last target
    block = np.asarray(ids)[(heads + times) % N]  # (T + 1, B)
    return Segment(block[:-1], block[1:])
