"""The vectors that a model reads words as."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from lmtool.arrays import Array
from lmtool.display import Shown, counted
from lmtool.errors import ConfigError, InputError
from lmtool.models.language_model import LanguageModel

__all__ = ["Embeddings", "embeddings"]


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Embeddings(Shown):
    """``vectors[i]`` is that of ``words[i]``; ``<EOS>`` and ``<UNK>`` come first."""

    words: tuple[str, ...]  # V; in lower case where the model lower-cases
    vectors: Array  # (V, E) float32, not to be written; (V, K E) of K networks, side by side

    def __getitem__(self, word: str) -> Array:
        """The vector of a word. Raises InputError for one outside the vocabulary."""
        if word not in self.words:
            message = "no such word in the vocabulary; the model reads it as '<UNK>'"
            raise InputError(f"{word!r}: {message}")
        vector: Array = self.vectors[self.words.index(word)]
        return vector

    def __len__(self) -> int:
        return len(self.words)

    def _parts(self) -> Iterator[str]:
        yield counted(len(self.words), "word")
        yield f"vectors {' x '.join(f'{n:,}' for n in self.vectors.shape)}"


def embeddings(model: LanguageModel) -> Embeddings:
    """Those of the model: each network has its own space, so several stand side by side.

    Raises ConfigError for a model without networks.
    """
    if not model.networks:
        raise ConfigError("word vectors: the model counts n-grams and has no network")
    parts = [network.parameters["embedding.weight"] for network in model.networks]
    vectors = parts[0].view() if len(parts) == 1 else np.concatenate(parts, axis=1)
    vectors.flags.writeable = False
    return Embeddings(model.vocabulary.tokens, vectors)
