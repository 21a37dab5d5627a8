"""Ids to batches: a pure function of the step number, so training can stop and go on anywhere."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from lmtool.arrays import Ids
from lmtool.data.batch import Batch

__all__ = ["Segment", "Stream", "segment"]


class Segment(NamedTuple):
    """T steps of B streams; the targets are the inputs one position later."""

    inputs: Ids  # (T, B)
    targets: Ids  # (T, B)


@dataclass(frozen=True, slots=True)
class Stream:
    """A corpus that a language model reads for ever: ids (N,), N > 0."""

    ids: Ids
    bptt: int  # T
    streams: int  # B

    @property
    def tokens(self) -> int:
        """N."""
        return len(self.ids)

    @property
    def tokens_a_step(self) -> int:
        """B * T."""
        return self.bptt * self.streams

    @property
    def targets_a_step(self) -> int:
        """Every token is one."""
        return self.tokens_a_step

    def batch(self, step: int) -> Batch:
        """A segment of the text."""
        inputs, targets = segment(self.ids, step, self.bptt, self.streams)
        return Batch(None, None, inputs, targets, inputs.size)


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
