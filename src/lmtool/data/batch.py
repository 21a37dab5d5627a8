"""What a step learns from, and what gives it."""

from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from lmtool.arrays import Array, Ids
from lmtool.data.ragged import Ragged

__all__ = ["NO_NGRAM", "Batch", "Data", "unlabelled"]

NO_NGRAM = -1


class Batch(NamedTuple):
    """B sequences side by side; what is None does not occur in a model of that kind.

    A source is padded at its FRONT (ids with 0, frames with 0.0), so that its last step is the last
    of the array and a state that is reset at its first one knows nothing of the padding.
    """

    source: Array | None  # (S, B) int32 ids, (S, B, F) float32 frames, (1, B, F) a vector
    starts: Ids | None  # (B,) the first real step of each source
    inputs: Ids | None  # (T, B) what a decoder reads
    targets: Ids  # (T, B) words, (S, B) tags, (1, B) a label, (M, B) several as 0/1; -1 is padding
    n: int  # targets that count, of the whole batch and not of the shard: scale = 1 / n
    spellings: Ids | None = None  # (S, B) rows of ``letters``; padding is any
    ngrams: Ids | None = None  # (N, B) distinct runs of words in each source; -1 is padding
    letters: Ids | None = None  # (N, W) a row for each spelled word of all sources: case, letters
    drawn: Ids | None = None  # (K,) words that are no targets, for all B

    def columns(self, some: slice) -> "Batch":
        """A shard: contiguous arrays of some of the sequences; what is for all of them stays."""
        return Batch(
            source=shard(self.source, some),
            starts=None if self.starts is None else self.starts[some],
            inputs=shard(self.inputs, some),
            targets=np.ascontiguousarray(self.targets[:, some]),
            n=self.n,
            spellings=shard(self.spellings, some),
            ngrams=shard(self.ngrams, some),
            letters=self.letters,
            drawn=self.drawn,
        )

    def real(self) -> NDArray[np.bool_]:
        """(S, B): where the source is no padding. Raises ValueError without a source."""
        times, starts = self._steps()
        return np.greater_equal(times, starts)

    def keep(self) -> Array:
        """(S, B) float32: 0 at the first real step of each source, which resets the state, else 1.

        Raises ValueError without a source.
        """
        times, starts = self._steps()
        return np.not_equal(times, starts).astype(np.float32)

    def turn(self) -> NDArray[np.int64]:
        """(S, B): the steps along time that reverse each source in place, padding left alone.

        Its own inverse: S = 4, a start of 1 -> 0, 3, 2, 1. Raises ValueError without a source.
        """
        times, starts = self._steps()
        return np.where(times >= starts, starts + len(times) - 1 - times, times)

    def first(self) -> Ids:
        """(B,) the first real step of each source. Raises ValueError without a source."""
        if self.starts is None:
            raise ValueError("the batch has no source")
        return self.starts

    def _steps(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Steps (S, 1) and first real steps (1, B)."""
        if self.source is None or self.starts is None:
            raise ValueError("the batch has no source")
        return np.arange(len(self.source))[:, None], self.starts.astype(np.int64)[None]


def unlabelled(
    sources: Ragged,
    ngrams: Ragged | None = None,
    spellings: Ragged | None = None,
    letters: Ids | None = None,
) -> Batch:
    """A batch of all sources, to be read: without targets."""
    every = np.arange(len(sources))
    source, starts = sources.side_by_side(every, 0)
    wide = None if ngrams is None else ngrams.side_by_side(every, NO_NGRAM)[0]
    spelled = None if spellings is None else spellings.side_by_side(every, 0)[0]
    nothing = np.zeros((0, len(every)), np.int32)
    return Batch(source, starts, None, nothing, 0, spelled, wide, letters)


class Data(Protocol):
    """What training takes its batches from: a stream, or examples."""

    @property
    def steps_a_pass(self) -> int:
        """Steps that meet everything once."""

    @property
    def tokens(self) -> int:
        """Real steps in time of a pass, padding left out."""

    @property
    def tokens_a_step(self) -> float:
        """Those that a batch holds on average."""

    @property
    def targets_a_step(self) -> float:
        """Targets that a batch holds on average."""

    def batch(self, step: int) -> Batch:
        """The batch of a step, a pure function of its number."""


def shard(x: Array | None, some: slice) -> Array | None:
    """Some columns of (T, B) or (T, B, F)."""
    return None if x is None else np.ascontiguousarray(x[:, some])
