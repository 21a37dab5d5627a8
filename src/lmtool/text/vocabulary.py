"""Tokens and their ids."""

import hashlib
import heapq
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from itertools import repeat

import numpy as np
from numpy.typing import NDArray

from lmtool.display import Shown, counted
from lmtool.errors import ConfigError
from lmtool.settings import TextSettings
from lmtool.text import subwords
from lmtool.text.rows import Rows
from lmtool.text.specials import (
    EOS,
    EOS_ID,
    EOS_SPELLINGS,
    N_SPECIALS,
    NEVER_WORDS,
    UNK,
    UNK_ID,
)
from lmtool.text.subwords import Merges
from lmtool.text.tokenizers import TOKENIZERS, Tokenizer

__all__ = [
    "EOS",
    "EOS_ID",
    "EOS_SPELLINGS",
    "NEVER_WORDS",
    "N_SPECIALS",
    "UNK",
    "UNK_ID",
    "Vocabulary",
    "split_line",
]

REMEMBERED = 1 << 16  # words whose tokens are known by heart
SHORT = 50  # characters that these have at most


@dataclass(frozen=True, eq=False, repr=False)
class Vocabulary(Shown):
    """The V known tokens: ``<EOS>`` 0, ``<UNK>`` 1, then by falling count, ties by code point.

    A word is what stands between blanks, or a character; it is one token, or has several
    ``pieces``, all of them of its lower-cased spelling where the text is lower-cased.

    Specials in a text (characters are never special):
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
    merges: Merges = ()  # of subwords

    def __post_init__(self) -> None:
        _check_tokens(self.tokens, self.tokenizer)
        _check_merges(self.tokens, self.merges, self.tokenizer)
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
        tokenizer = TOKENIZERS[settings.tokens]
        if tokenizer.learn:
            learnt = tokenizer.learn(folded, settings.vocab_size, settings.min_count)
            return cls._of_learnt(folded, n_lines, settings, *learnt)
        if tokenizer.pieces:
            folded = _counted_tokens(folded, tokenizer.pieces((), ()))
        candidates = (
            (-n, word)
            for word, n in folded.items()
            if n >= settings.min_count and word not in NEVER_WORDS
        )
        ranked = heapq.nsmallest(settings.vocab_size, candidates)
        return cls._ranked(ranked, n_lines, sum(folded.values()), settings)

    @classmethod
    def _of_learnt(
        cls,
        words: Mapping[str, int],
        n_lines: int,
        settings: TextSettings,
        pieces: Sequence[str],
        merges: Merges,
    ) -> "Vocabulary":
        cutter = TOKENIZERS[settings.tokens].pieces
        assert cutter is not None
        counts = _counted_tokens(words, cutter(pieces, merges))
        ranked = sorted((-counts.get(piece, 0), piece) for piece in pieces)
        return cls._ranked(ranked, n_lines, sum(counts.values()), settings, merges)

    @classmethod
    def _ranked(
        cls,
        ranked: Sequence[tuple[int, str]],
        n_lines: int,
        n_tokens: int,
        settings: TextSettings,
        merges: Merges = (),
    ) -> "Vocabulary":
        kept = [-n for n, _ in ranked]
        return cls(
            tokens=(EOS, UNK, *(word for _, word in ranked)),
            counts=np.array([n_lines, n_tokens - sum(kept), *kept], np.int64),
            settings=settings,
            merges=merges,
        )

    def recounted(self, counts: Mapping[str, int], n_lines: int) -> "Vocabulary":
        """The same tokens, counted in another text: words as spelled, each with its count."""
        fresh, rows = np.zeros(len(self), np.int64), self.rows(counts)
        n = np.fromiter(counts.values(), np.int64, len(counts))
        np.add.at(fresh, rows.flat, np.repeat(n, rows.lengths))
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
        """12 hex digits which change with tokens, ids, merges, the tokenizer or the case."""
        merges = (subwords.spelled(self.merges),) if self.merges else ()
        text = "\n".join((self.settings.tokens, str(self.settings.lower), *self.tokens, *merges))
        return hashlib.sha256(text.encode()).hexdigest()[:12]

    @cached_property
    def _words(self) -> dict[str, int]:
        return {word: id_ for id_, word in enumerate(self.tokens) if id_ >= N_SPECIALS}

    def id(self, token: str) -> int:
        """The id of a token, ``<EOS>`` included; UNK_ID where there is none."""
        return EOS_ID if token == EOS else self._words.get(self.normalise(token), UNK_ID)

    def ids(self, tokens: Iterable[str]) -> list[int]:
        """The ids of tokens as ``split`` gives them; never EOS_ID."""
        spelled = map(self.normalise, tokens) if self.settings.lower else tokens
        return [*map(self._words.get, spelled, repeat(UNK_ID))]

    def normalise(self, word: str) -> str:
        """The spelling under which a word is looked up."""
        return word.lower() if self.settings.lower else word

    @property
    def several(self) -> bool:
        """Whether a word may have several tokens."""
        return self.tokenizer.pieces is not None

    @property
    def units(self) -> str:
        """What they are called: words, or tokens where a word may have several."""
        return "tokens" if self.several else "words"

    def words(self, line: str) -> list[str]:
        """The words of a line as spelled there, without ``<EOS>``."""
        return split_line(self.tokenizer, line)

    def pieces(self, word: str) -> list[str]:
        """The tokens of a word; where it is one, as spelled."""
        return self._cut(word) if self._cut else [word]

    @cached_property
    def _cut(self) -> Callable[[str], list[str]] | None:
        """``pieces`` of words that may have several."""
        if self.tokenizer.pieces is None:
            return None
        cut = self.tokenizer.pieces(self.tokens, self.merges)
        known = lru_cache(REMEMBERED)(lambda word: cut(self.normalise(word)))
        return lambda word: known(word) if len(word) <= SHORT else cut(self.normalise(word))

    def split(self, line: str) -> list[str]:
        """The tokens of a line without ``<EOS>``, those that are words as spelled there."""
        words = self.words(line)
        return [piece for word in words for piece in self._cut(word)] if self._cut else words

    def rows(self, words: Iterable[str]) -> Rows:
        """The ids of each word."""
        if self._cut is None:
            ids = np.array(self.ids(words), np.int32)
            return Rows(ids, np.arange(len(ids) + 1))
        return Rows.of(self.ids(self._cut(word)) for word in words)

    def sentence(self, tokens: Iterable[str]) -> NDArray[np.int32]:
        """What is predicted along tokens: their ids and EOS_ID, (T,)."""
        return np.array([*self.ids(tokens), EOS_ID], np.int32)

    def encode(self, line: str) -> list[int]:
        """The ids of a line without ``<EOS>``, one for each token of ``split``."""
        return self.ids(self.split(line))

    def decode(self, ids: Iterable[int]) -> str:
        """The text of ids; ``<EOS>`` leaves no trace."""
        return self.tokenizer.join(self.tokens[id_] for id_ in ids if id_ != EOS_ID)


def split_line(tokenizer: Tokenizer, line: str) -> list[str]:
    """The words of a line without a closing ``<EOS>``; none for a blank line.

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


def _counted_tokens(words: Mapping[str, int], cut: Callable[[str], list[str]]) -> dict[str, int]:
    """The counts of the tokens of words."""
    counts: Counter[str] = Counter()
    for word, n in words.items():
        for token in cut(word):
            counts[token] += n
    return counts


def _check_merges(tokens: tuple[str, ...], merges: Merges, tokenizer: Tokenizer) -> None:
    if tokenizer.learn is None and merges:
        raise ConfigError(f"vocabulary: a {tokenizer.name} needs no merges")
    if tokenizer.learn and not subwords.verified(merges, tokens[N_SPECIALS:]):
        raise ConfigError("vocabulary: its merges do not make its tokens")


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
