"""Pairs of a source and a text to batches: what a conditional language model learns from."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from lmtool.arrays import Ids
from lmtool.data.batch import Batch
from lmtool.data.examples import NO_TARGET, Examples

__all__ = ["Pairs", "read_along"]


class Pairs(Examples):
    """Examples whose targets are texts, as ids that end in ``<EOS>``; several may share a source.

    Those of like length in both lie side by side. Texts begin together and are padded at their end.
    """

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.lengths = self.lengths + self.targets.lengths[self.rows]  # what a batch is sorted by

    @property
    def tokens(self) -> int:
        """Those that are written, ``<EOS>`` included."""
        return int(self.targets.lengths[self.rows].sum())

    def _side_by_side(self, some: NDArray[np.intp]) -> Batch:
        source, starts = self.sources.side_by_side(self.source_of[self.rows[some]], 0)
        targets = self.targets.from_the_top(self.rows[some], NO_TARGET)
        n = int(np.count_nonzero(targets >= 0))
        return Batch(source, starts, read_along(targets), targets, n)


def read_along(targets: Ids) -> Ids:
    """What a decoder reads where these are its targets (T, B): ``<EOS>``, then each but the last.

    Padding is read as ``<EOS>``, whose id is 0.
    """
    inputs = np.zeros_like(targets)
    inputs[1:] = np.maximum(targets[:-1], 0)
    return inputs
