"""Running text to batches: a pure function of the step number, so training can stop anywhere."""

from typing import NamedTuple

import numpy as np

from lmtool.arrays import Ids
from lmtool.data.batch import Batch

__all__ = ["Segment", "Stream", "segment"]


class Segment(NamedTuple):
    """T steps of B streams; the targets are the inputs one position later."""

    inputs: Ids  # (T, B)
    targets: Ids  # (T, B)


def segment(ids: Ids, step: int, T: int, B: int) -> Segment:
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


class Stream:
    """A language model's data: ``batch`` streams of ids (N,), N > 0, ``bptt`` steps of each."""

    def __init__(self, ids: Ids, batch: int, bptt: int) -> None:
        self.ids, self._B, self._T = ids, batch, bptt

    @property
    def steps_a_pass(self) -> int:
        """N / (T B), rounded up."""
        return -(-len(self.ids) // (self._T * self._B))

    @property
    def tokens(self) -> int:
        """N."""
        return len(self.ids)

    @property
    def tokens_a_step(self) -> float:
        """T B."""
        return float(self._T * self._B)

    @property
    def targets_a_step(self) -> float:
        """Each token is one."""
        return self.tokens_a_step

    def batch(self, step: int) -> Batch:
        """(T, B) inputs and their targets, as ``segment`` gives them."""
        inputs, targets = segment(self.ids, step, self._T, self._B)
        return Batch(None, None, inputs, targets, inputs.size)
