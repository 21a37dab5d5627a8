"""Tokens and ids.

Id 0 is <EOS>, the end of a sentence and the first input; id 1 is <UNK>, every token outside the
vocabulary; then the tokens by falling count, ties by code point.

With the word tokenizer a literal ``<UNK>`` or ``<unk>`` in a text means the unknown word. A
literal ``<EOS>`` or ``</s>`` at the end of a line means the end of that line; anywhere else it
is a word outside the vocabulary. The char tokenizer sees characters only.
"""

import hashlib
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from lmtool.errors import ConfigError
from lmtool.settings import TextSettings
from lmtool.text.tokenizers import TOKENIZERS, Tokenizer

__all__ = ["EOS", "EOS_ID", "UNK", "UNK_ID", "Vocabulary"]

EOS, UNK = "<EOS>", "<UNK>"
EOS_ID, UNK_ID = 0, 1
END_MARKERS = frozenset({EOS, "</s>"})
MARKERS = END_MARKERS | {UNK, "<unk>"}  # never in the vocabulary as words


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """``tokens`` by id and their ``counts`` (V,) in the training text.

    counts[EOS_ID] is the number of lines, counts[UNK_ID] that of tokens outside the vocabulary.
    Raises ConfigError where the tokens are not distinct or do not begin with <EOS>, <UNK>.
    """

    tokens: tuple[str, ...]
    counts: NDArray[np.int64]
    settings: TextSettings
    _ids: dict[str, int] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if self.tokens[:2] != (EOS, UNK) or len(self.counts) != len(self.tokens):
            raise ConfigError(
                "a vocabulary begins with <EOS>, <UNK> and has a count for each token"
            )
        ids = {token: i for i, token in enumerate(self.tokens)}
        if len(ids) != len(self.tokens) or "" in ids:
            raise ConfigError("a vocabulary's tokens are distinct and not empty")
        if self.settings.tokens not in TOKENIZERS:
            raise ConfigError(f"--tokens {self.settings.tokens}: choose one of {[*TOKENIZERS]}")
        if self.tokenizer.markers:
            ids["<unk>"] = UNK_ID
            del ids[EOS]
        else:  # the markers' names cannot be met: every token is one character
            ids = {token: i for token, i in ids.items() if i > UNK_ID}
        object.__setattr__(self, "_ids", ids)

    @classmethod
    def build(cls, lines: Iterable[str], settings: TextSettings) -> "Vocabulary":
        """The most frequent tokens of the lines; blank lines do not count."""
        check(settings)
        counts: Counter[str] = Counter()
        n_lines = 0
        for line in lines:
            tokens = split_line(TOKENIZERS[settings.tokens], line)
            counts.update(tokens)
            n_lines += bool(tokens)
        return cls.from_counts(counts.items(), n_lines, settings)

    @classmethod
    def from_counts(
        cls, spelled: Iterable[tuple[str, int]], n_lines: int, settings: TextSettings
    ) -> "Vocabulary":
        """The vocab_size most frequent of the words (spelling, count), seen min_count times."""
        check(settings)
        counts: Counter[str] = Counter()
        for word, count in spelled:
            counts[word.lower() if settings.lower else word] += count
        enough = [item for item in counts.items() if item[1] >= max(1, settings.min_count)]
        if TOKENIZERS[settings.tokens].markers:
            enough = [item for item in enough if item[0] not in MARKERS]
        kept = sorted(enough, key=lambda item: (-item[1], item[0]))[: settings.vocab_size]
        n_unknown = counts.total() - sum(count for _, count in kept)
        tokens = (EOS, UNK, *(token for token, _ in kept))
        numbers = [n_lines, n_unknown, *(count for _, count in kept)]
        return cls(tokens, np.array(numbers, np.int64), settings)

    @property
    def tokenizer(self) -> Tokenizer:
        """How lines are cut."""
        return TOKENIZERS[self.settings.tokens]

    @property
    def n_tokens(self) -> int:
        """V, <EOS> and <UNK> included."""
        return len(self.tokens)

    @property
    def digest(self) -> str:
        """12 hexadecimal digits that name the tokens and their order."""
        return hashlib.sha256("\n".join(self.tokens).encode()).hexdigest()[:12]

    def __len__(self) -> int:
        return len(self.tokens)

    def id(self, token: str) -> int:
        """The token's id; UNK_ID where it is not in the vocabulary."""
        return self._ids.get(token, UNK_ID)

    def ids(self, tokens: Iterable[str]) -> list[int]:
        """The ids of tokens."""
        known = self._ids.get
        return [known(token, UNK_ID) for token in tokens]

    def split(self, line: str) -> list[str]:
        """The line's words as they are spelled, an end marker left out."""
        return split_line(self.tokenizer, line)

    def encode(self, line: str) -> list[int]:
        """The line's ids, without <EOS>."""
        return self.ids(map(self.normalise, self.split(line)))

    def normalise(self, word: str) -> str:
        """The spelling under which a word is looked up."""
        return word.lower() if self.settings.lower else word

    def decode(self, ids: Iterable[int]) -> str:
        """The text of ids, <EOS> left out."""
        return self.tokenizer.join(self.tokens[i] for i in ids if i != EOS_ID)


def split_line(tokenizer: Tokenizer, line: str) -> list[str]:
    """A line's words as they are spelled, an end marker left out."""
    words = tokenizer.split(line)
    if tokenizer.markers and words and words[-1] in END_MARKERS:
        del words[-1]
    return words


def check(settings: TextSettings) -> None:
    """Raises ConfigError for a value that cannot be meant."""
    if settings.tokens not in TOKENIZERS:
        raise ConfigError(f"--tokens {settings.tokens}: choose one of {', '.join(TOKENIZERS)}")
    if settings.vocab_size < 1 or settings.min_count < 1:
        raise ConfigError("--vocab-size and --min-count must be at least 1")
