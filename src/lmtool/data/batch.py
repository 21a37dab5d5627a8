"""What a training step reads."""

from typing import Any, NamedTuple, Protocol

import numpy as np

from lmtool.arrays import Array, Ids

__all__ = ["Batch", "Data"]


class Batch(NamedTuple):
    """B sequences side by side; what a kind does not have is None."""

    source: Array | None  # (S, B) ids, (S, B, F) frames, (1, B, F) a vector; padded at the front
    starts: Ids | None  # (B,) first real step of each source
    inputs: Ids | None  # (T, B) what a decoder reads
    targets: Ids  # (T, B) words, (S, B) tags, (1, B) a label, (M, B) several; -1 is padding
    n: int  # targets that count, of the whole batch and not of the shard
    spellings: Ids | None = None  # (S, B) rows of the letters of words

    def columns(self, some: slice) -> "Batch":
        """A shard: contiguous arrays of some of the B sequences."""

        def cut(x: Any) -> Any:
            if x is None:
                return None
            return np.ascontiguousarray(x[some] if x.ndim == 1 else x[:, some])

        source, starts, inputs, targets, spellings = map(
            cut, (self.source, self.starts, self.inputs, self.targets, self.spellings)
        )
        return Batch(source, starts, inputs, targets, self.n, spellings)


class Data(Protocol):
    """A stream (language models) or examples (all others)."""

    @property
    def tokens(self) -> int:
        """Of a pass."""
        ...

    @property
    def tokens_a_step(self) -> float:
        """Mean, padding left out."""
        ...

    @property
    def targets_a_step(self) -> float:
        """Mean of the targets that count."""
        ...

    def batch(self, step: int) -> Batch:
        """The batch of a step, a pure function of it."""
        ...
