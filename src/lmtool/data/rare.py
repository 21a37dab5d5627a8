"""Words seen once in training, at times read as the unknown one, which else nothing would teach."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lmtool.arrays import Array
from lmtool.text.vocabulary import N_SPECIALS, UNK_ID, Vocabulary

__all__ = ["Rare"]

SHARE = 0.5  # Lample et al. 2016


@dataclass(frozen=True, slots=True, eq=False)
class Rare:
    """What augments the sources of taggers: a rare word becomes UNK_ID with probability ``share``.

    Its spelling stays.
    """

    rare: NDArray[np.bool_]  # (V,)
    share: float = SHARE

    @classmethod
    def of(cls, vocabulary: Vocabulary, share: float = SHARE) -> "Rare":
        """The words that the vocabulary counts once."""
        rare = vocabulary.counts == 1
        rare[:N_SPECIALS] = False
        return cls(rare, share)

    def __call__(self, sources: list[Array], rng: np.random.Generator) -> list[Array]:
        """Ids (n,) each -> the same with some of them unknown."""
        ids = np.concatenate(sources)
        gone = self.rare[ids] & (rng.random(len(ids), np.float32) < self.share)
        changed = np.where(gone, UNK_ID, ids).astype(np.int32)
        return np.split(changed, np.cumsum([len(source) for source in sources])[:-1])
