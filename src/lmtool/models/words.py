"""The matrices of a model that have a row for each word."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from lmtool.arrays import Array
from lmtool.models.encoder import EMBEDDING
from lmtool.text.vocabulary import Vocabulary

__all__ = ["MATRICES", "SOURCE", "TARGET", "WordTable", "word_tables"]

SOURCE, TARGET = "source", "target"  # words that are read about; words that are written
MATRICES = {SOURCE: EMBEDDING, TARGET: "embedding.weight"}


class WordTable(NamedTuple):
    """Words, and the vectors that each network reads them as."""

    vocabulary: Vocabulary
    parts: tuple[Array, ...]  # (V, E), one a network


def word_tables(
    networks: Sequence[Mapping[str, Array]], vocabularies: Mapping[str, Vocabulary]
) -> dict[str, WordTable]:
    """The matrices by name, from the vocabularies by name; none without networks."""
    if not networks:
        return {}
    return {
        name: WordTable(vocabulary, tuple(one[MATRICES[name]] for one in networks))
        for name, vocabulary in vocabularies.items()
    }
