"""The vectors that a model reads words as."""

import difflib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from lmtool.arrays import Array
from lmtool.display import Shown, counted
from lmtool.errors import ConfigError, InputError, OptionError, option
from lmtool.models.words import MATRICES, TARGET, WordTable
from lmtool.text.vocabulary import Vocabulary

__all__ = ["Embeddings", "Worded", "embeddings", "tables_of"]

NEAR = 3  # spellings that a message names
LOOKED_AT = 200_000  # words whose spelling is compared, the most frequent ones
LONGEST = 60  # characters of a word that is compared


class Worded(Protocol):
    """A model that may have vectors of words."""

    @property
    def word_tables(self) -> Mapping[str, WordTable]: ...


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Embeddings(Shown):
    """``vectors[i]`` is that of ``words[i]``; ``<EOS>`` and ``<UNK>`` come first."""

    words: tuple[str, ...]  # V; in lower case where the model lower-cases
    vectors: Array  # (V, E) float32, not to be written; (V, K E) of K networks, side by side
    matrix: str = TARGET  # or source: words that are written, or read about
    vocabulary: Vocabulary | None = None  # by whose rules a word is looked up; None: as spelled
    matrices: tuple[str, ...] = (TARGET,)  # that the model has
    places: dict[str, int] = field(init=False)  # of the words

    def __post_init__(self) -> None:
        object.__setattr__(self, "places", {word: i for i, word in enumerate(self.words)})

    def __getitem__(self, word: str) -> Array:
        """The vector of a word. Raises InputError for one outside the vocabulary."""
        vector: Array = self.vectors[self.place(word)]
        return vector

    def __len__(self) -> int:
        return len(self.words)

    def _parts(self) -> Iterator[str]:
        yield counted(len(self.words), "word")
        yield f"vectors {' x '.join(f'{n:,}' for n in self.vectors.shape)}"

    def find(self, word: str) -> int | None:
        """The row of a word, its case folded as the model folds it; None where there is none."""
        tokens = self.tokens(word)
        return self.places.get(tokens[0]) if len(tokens) == 1 else None

    def tokens(self, word: str) -> list[str]:
        """The tokens that the model reads a word as, spelled as they are looked up."""
        if self.vocabulary is None or word in self.places:
            return [word]
        return [*map(self.vocabulary.normalise, self.vocabulary.pieces(word))]

    def place(self, word: str) -> int:
        """The row of a word. Raises InputError for an unknown one, with the nearest spellings."""
        found = self.find(word)
        if found is not None:
            return found
        tokens = self.tokens(word)
        if len(tokens) > 1 and all(token in self.places for token in tokens):
            some = " ".join(map(repr, tokens))
            raise InputError(f"{word!r}: the model reads it as {some}; ask for one of these")
        near = ", ".join(map(repr, self.near(word)))
        what = f"spelled like it: {near}" if near else "the model reads it as '<UNK>'"
        raise InputError(f"{word[:LONGEST]!r}: no such word in the vocabulary; {what}")

    def near(self, word: str) -> list[str]:
        """Known words that are spelled almost like it, whatever their case."""
        if len(word) > LONGEST:
            return []
        least, most = len(word) / 2, len(word) * 2
        some = (known for known in self.words[:LOOKED_AT] if least <= len(known) <= most)
        folded = dict[str, str]()
        for known in some:
            folded.setdefault(known.lower(), known)
        return [folded[x] for x in difflib.get_close_matches(word.lower(), folded, NEAR)]


def tables_of(model: object) -> Mapping[str, WordTable]:
    """The tables of any model. Raises ConfigError for one that has none."""
    tables: Mapping[str, WordTable] = getattr(model, "word_tables", {})
    if not tables:
        message = "reads and writes no words, or counts n-grams and has no network"
        raise ConfigError(f"word vectors: the model has none; it {message}")
    return tables


def embeddings(model: Worded, matrix: str | None = None) -> Embeddings:
    """Those of the model: each network has its own space, so several stand side by side.

    Where there are two matrices, those of the words that it reads about unless ``matrix`` says
    otherwise. Raises ConfigError for a model without any, OptionError for another name.
    """
    tables = tables_of(model)
    name = next(known for known in MATRICES if known in tables) if matrix is None else matrix
    if name not in tables:
        raise OptionError(f"{option('matrix')}: must be one of {', '.join(tables)}, not {name!r}")
    vocabulary, parts = tables[name]
    vectors = parts[0].view() if len(parts) == 1 else np.concatenate(parts, axis=1)
    vectors.flags.writeable = False
    return Embeddings(vocabulary.tokens, vectors, name, vocabulary, tuple(tables))
