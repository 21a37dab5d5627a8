"""Tokens and their ids."""

import hashlib
import heapq
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from lmtool.display import Shown, counted
from lmtool.errors import ConfigError
from lmtool.settings import TextSettings
from lmtool.text.tokenizers import TOKENIZERS, Tokenizer

__all__ = [
    "EOS",
    "EOS_ID",
    "N_SPECIALS",
    "UNK",
    "UNK_ID",
    "Vocabulary",
    "split_line",
]

EOS, UNK = "<EOS>", "<UNK>"
EOS_ID, UNK_ID = 0, 1
N_SPECIALS = 2
EOS_SPELLINGS = frozenset({"<EOS>", "<eos>", "</s>"})
NEVER_WORDS = EOS_SPELLINGS | {"<UNK>", "<unk>"}


@dataclass(frozen=True, eq=False, repr=False)
class Vocabulary(Shown):
    """The V known tokens: ``<EOS>`` 0, ``<UNK>`` 1, then by falling count, ties by code point.

    Specials in a text (only the word tokenizer can yield them):
    - ``<UNK>`` or ``<unk>`` is the unknown word;
    - ``<EOS>``, ``<eos>`` or ``</s>`` at the end of a line is that end, and is dropped; elsewhere
      it is an ordinary word which no vocabulary holds, so it becomes ``<UNK>``.

    ``counts[EOS_ID]`` is the number of lines, ``counts[UNK_ID]`` the number of unknown tokens; of
    tokens that are counted in another text the order stays.
    Raises ConfigError where tokens, counts or settings cannot be a vocabulary, so that one read
    from a file can be trusted once it exists. Compare vocabularies by ``digest``.
    """

    tokens: tuple[str, ...]  # V; a token may be any white space but LF if it is a character
    counts: NDArray[np.int64]  # (V,)
    settings: TextSettings

    def __post_init__(self) -> None:
        _check_tokens(self.tokens, self.tokenizer)
        _check_counts(self.counts, len(self.tokens))

    @classmethod
    def build(cls, lines: Iterable[str], settings: TextSettings) -> "Vocabulary":
        """The vocabulary of a text, read once; blank lines do not count."""
        tokenizer = TOKENIZERS[settings.tokens]
        n_lines = 0
        counts: Counter[str] = Counter()
        for line in lines:
            words = split_line(tokenizer, line)
            counts.update(words)
            n_lines += bool(words)
        return cls.from_counts(counts, n_lines, settings)

    @classmethod
    def from_counts(
        cls, counts: Mapping[str, int], n_lines: int, settings: TextSettings
    ) -> "Vocabulary":
        """The vocabulary of words as spelled, each with its count."""
        folded = _lowered(counts) if settings.lower else counts
        candidates = (
            (-n, word)
            for word, n in folded.items()
            if n >= settings.min_count and word not in NEVER_WORDS
        )
        ranked = heapq.nsmallest(settings.vocab_size, candidates)
        kept = [-n for n, _ in ranked]
        return cls(
            tokens=(EOS, UNK, *(word for _, word in ranked)),
            counts=np.array([n_lines, sum(folded.values()) - sum(kept), *kept], np.int64),
            settings=settings,
        )

    def recounted(self, counts: Mapping[str, int], n_lines: int) -> "Vocabulary":
        """The same tokens, counted in another text: words as spelled, each with its count."""
        fresh = np.zeros(len(self), np.int64)
        np.add.at(fresh, self.ids(counts), np.fromiter(counts.values(), np.int64, len(counts)))
        fresh[EOS_ID] = n_lines
        return replace(self, counts=fresh)

    def _parts(self) -> Iterator[str]:
        yield counted(self.n_tokens, "token")
        yield self.settings.tokens
        yield f"digest={self.digest!r}"

    def __len__(self) -> int:
        return len(self.tokens)

    @property
    def n_tokens(self) -> int:
        """V, the number of outputs of a model: the kept tokens and the two specials."""
        return len(self.tokens)

    @property
    def tokenizer(self) -> Tokenizer:
        """How a line becomes tokens."""
        return TOKENIZERS[self.settings.tokens]

    @cached_property
    def digest(self) -> str:
        """12 hex digits which change with the tokens, their ids, the tokenizer or the case."""
        text = "\n".join((self.settings.tokens, str(self.settings.lower), *self.tokens))
        return hashlib.sha256(text.encode()).hexdigest()[:12]

    @cached_property
    def _words(self) -> dict[str, int]:
        return {word: id_ for id_, word in enumerate(self.tokens) if id_ >= N_SPECIALS}

    def id(self, token: str) -> int:
        """The id of a token, ``<EOS>`` included; UNK_ID where there is none."""
        return EOS_ID if token == EOS else self._words.get(self.normalise(token), UNK_ID)

    def ids(self, words: Iterable[str]) -> list[int]:
        """The ids of words as ``split`` gives them; never EOS_ID."""
        id_of = self._words.get
        return [id_of(word, UNK_ID) for word in map(self.normalise, words)]

    def normalise(self, word: str) -> str:
        """The spelling under which a word is looked up."""
        return word.lower() if self.settings.lower else word

    def split(self, line: str) -> list[str]:
        """The tokens of a line as spelled there, without ``<EOS>``."""
        return split_line(self.tokenizer, line)

    def sentence(self, words: Iterable[str]) -> NDArray[np.int32]:
        """What is predicted along words: their ids and EOS_ID, (T,)."""
        return np.array([*self.ids(words), EOS_ID], np.int32)

    def encode(self, line: str) -> list[int]:
        """The ids of a line without ``<EOS>``, one for each token of ``split``."""
        return self.ids(self.split(line))

    def decode(self, ids: Iterable[int]) -> str:
        """The text of ids; ``<EOS>`` leaves no trace."""
        return self.tokenizer.join(self.tokens[id_] for id_ in ids if id_ != EOS_ID)


def split_line(tokenizer: Tokenizer, line: str) -> list[str]:
    """The tokens of a line without a closing ``<EOS>``; none for a blank line.

    ``"Todd met </s>"`` -> ``["Todd", "met"]``
    """
    tokens = tokenizer.split(line)
    if tokens and tokens[-1] in EOS_SPELLINGS:
        tokens.pop()
    return tokens


def _lowered(counts: Mapping[str, int]) -> dict[str, int]:
    """The counts of spellings which differ in case alone, added up."""
    lowered: Counter[str] = Counter()
    for word, n in counts.items():
        lowered[word.lower()] += n
    return lowered


def _check_tokens(tokens: tuple[str, ...], tokenizer: Tokenizer) -> None:
    if tokens[:N_SPECIALS] != (EOS, UNK):
        raise ConfigError(f"vocabulary: must begin with {EOS} {UNK}")
    if len(set(tokens)) != len(tokens):
        twice = next(token for token, n in Counter(tokens).items() if n > 1)
        raise ConfigError(f"vocabulary: {twice!r} occurs twice")
    for id_, token in enumerate(tokens[N_SPECIALS:], start=N_SPECIALS):
        if not _is_word(token, tokenizer):
            raise ConfigError(f"vocabulary: token {id_}, {token!r}, is not a {tokenizer.name}")


def _is_word(token: str, tokenizer: Tokenizer) -> bool:
    """Whether the token can come out of a line: whole, not special, no line end, UTF-8."""
    whole = bool(token) and "".join(tokenizer.split(token)) == token
    return whole and token not in NEVER_WORDS and "\n" not in token and _is_utf8(token)


def _is_utf8(token: str) -> bool:
    return token.isascii() or not any("\ud800" <= letter <= "\udfff" for letter in token)


def _check_counts(counts: NDArray[np.int64], V: int) -> None:
    if counts.shape != (V,) or counts.dtype != np.int64 or (counts < 0).any():
        raise ConfigError(f"vocabulary: {V} counts needed, int64 and none of them negative")
