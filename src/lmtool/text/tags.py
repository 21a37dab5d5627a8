"""The tags that a model gives to words: BIOES where they say phrases, else those of the file."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from lmtool.display import Shown, counted
from lmtool.errors import ConfigError, InputError
from lmtool.text.labels import LISTED, LONGEST, NOT_IN_A_NAME, in_order, shown
from lmtool.text.schemes import (
    BIOES,
    IOB2,
    OUTSIDE,
    PLAIN,
    SCHEMES,
    Phrase,
    of_phrases,
    parted,
    phrases,
    written,
)

__all__ = ["TaggedWords", "Tags", "check_tag"]

MOST = 5_000  # tags: whatever has a row and a column for each stays small


class TaggedWords(Protocol):
    """The tags of a sentence, as they are spelled in any scheme, and where it stands."""

    @property
    def tags(self) -> tuple[str, ...]:
        """One a word."""

    @property
    def line(self) -> int:
        """Counted from 1."""

    @property
    def path(self) -> str:
        """For messages."""


@dataclass(frozen=True, eq=False, repr=False)
class Tags(Shown):
    """The K tags that are learnt, 2 <= K <= 5,000.

    Of phrases: O, then B, I, E and S of each type, seen or not, types as people sort. Plain ones:
    numbers by value, other names as people sort. Raises ConfigError for what cannot be these.
    """

    TENSORS = ("tags", "tags.counts", "tags.scheme")

    names: tuple[str, ...]  # K
    counts: NDArray[np.int64]  # (K,) words with each
    scheme: str  # of the file: one of SCHEMES, or PLAIN

    def __post_init__(self) -> None:
        if not 2 <= len(self.names) <= MOST:
            raise ConfigError(f"tags: {len(self.names):,} of them; 2 to {MOST:,} can be told apart")
        if wrong := next(filter(None, map(check_tag, self.names)), ""):
            raise ConfigError(f"tags: {wrong}")
        if len(set(self.names)) != len(self.names):
            twice = next(name for name, n in Counter(self.names).items() if n > 1)
            raise ConfigError(f"tags: {twice!r} occurs twice")
        if self.scheme not in (*SCHEMES, PLAIN):
            raise ConfigError(f"tags: no scheme is named {self.scheme!r}")
        if self.phrased and self.names != all_of(self.types):
            raise ConfigError("tags: not O and then B, I, E and S of each type")
        counts = self.counts
        if counts.shape != (len(self),) or counts.dtype != np.int64 or (counts < 0).any():
            raise ConfigError(f"tags: {len(self)} counts needed, int64 and none of them negative")

    @classmethod
    def build(cls, records: Iterable[TaggedWords], scheme: str) -> "Tags":
        """The tags of records, read once, from files of a scheme.

        Raises InputError where there is one tag, too many, or others than the scheme's.
        """
        counts: Counter[str] = Counter()
        record = None
        for record in records:
            counts.update(learnt(record, scheme))
        if record is None:
            raise InputError("there is no tagged text")
        if len(counts) < 2:
            message = f"every word has the tag {next(iter(counts))!r}"
            raise InputError(f"{record.path}: {message}; two tags at least are needed")
        if (n := len(names_of(counts, scheme))) > MOST:
            message = f"{n:,} different tags, at most {MOST:,} can be told apart"
            raise InputError(f"{record.path}: {message}; is it the column of the tags?")
        return cls.from_counts(counts, scheme)

    @classmethod
    def from_counts(cls, counts: Mapping[str, int], scheme: str) -> "Tags":
        """Of tags as they are learnt, with so many words each. Raises ConfigError."""
        names = names_of(counts, scheme)
        return cls(names, np.array([counts.get(name, 0) for name in names], np.int64), scheme)

    @classmethod
    def from_tensors(cls, tensors: Mapping[str, NDArray[Any]]) -> "Tags":
        """Those that ``tensors`` gave. Raises KeyError, ValueError or ConfigError for others."""
        spelled, counts, scheme = (tensors[name] for name in cls.TENSORS)
        if any(text.dtype != np.uint8 or text.ndim != 1 for text in (spelled, scheme)):
            raise ValueError("its tags are damaged")
        names = tuple(spelled.tobytes().decode().split("\n"))
        return cls(names, counts, scheme.tobytes().decode())

    def tensors(self) -> dict[str, NDArray[Any]]:
        """What a model file keeps: UTF-8 bytes (n,), a name a line; counts (K,); scheme (m,)."""
        spelled = np.frombuffer("\n".join(self.names).encode(), np.uint8)
        scheme = np.frombuffer(self.scheme.encode(), np.uint8)
        return dict(zip(self.TENSORS, (spelled, self.counts, scheme), strict=True))

    def __len__(self) -> int:
        return len(self.names)

    @property
    def n(self) -> int:
        """K."""
        return len(self.names)

    @property
    def phrased(self) -> bool:
        """Whether the tags say phrases."""
        return self.scheme != PLAIN

    @property
    def binary(self) -> bool:
        """Whether a word is something or is not: tags 0 and 1."""
        return not self.phrased and self.names == ("0", "1")

    @cached_property
    def types(self) -> tuple[str, ...]:
        """The types of phrases; none of plain tags, one empty one of letters alone."""
        found = [parted(name)[1] for name in self.names if name != OUTSIDE]
        return tuple(dict.fromkeys(found)) if self.phrased else ()

    def __str__(self) -> str:
        """``4 types (LOC, MISC, ORG, PER)``, ``45 tags (CC, CD, DT, EX, FW, ...)``"""
        if self.types == ("",):
            return "phrases without types"
        names, thing = (self.types, "type") if self.phrased else (self.names, "tag")
        listed = [*map(shown, names[:LISTED]), *["..."][: max(0, len(names) - LISTED)]]
        return f"{counted(len(names), thing)} ({', '.join(listed)})"

    def _parts(self) -> Iterator[str]:
        yield str(self)
        yield self.scheme

    @cached_property
    def _ids(self) -> dict[str, int]:
        return {name: id_ for id_, name in enumerate(self.names)}

    def id(self, name: str) -> int:
        """The id of a tag. Raises KeyError."""
        return self._ids[name]

    def encode(self, record: TaggedWords) -> NDArray[np.int32]:
        """(T,) the ids of a sentence's tags. Raises InputError for one that is not known."""
        names = learnt(record, self.scheme)
        if new := next((name for name in names if name not in self._ids), None):
            where, known = f"{record.path}:{record.line}", f"{self} are known"
            raise InputError(f"{where}: the tag {new!r} is in no training text; {known}")
        return np.array([self._ids[name] for name in names], np.int32)

    def decode(self, ids: Iterable[int]) -> tuple[str, ...]:
        """The names of ids, as they are learnt."""
        return tuple(self.names[id_] for id_ in ids)

    def iob2(self, ids: Iterable[int]) -> tuple[str, ...]:
        """What is written for ids: IOB2 of phrases, plain names as they are."""
        return self.spelled(self.decode(ids))

    def spelled(self, tags: Sequence[str]) -> tuple[str, ...]:
        """The same for names in any scheme, known or not: [I-PER, I-PER] -> (B-PER, I-PER)."""
        return written(phrases(tags), len(tags), IOB2) if self.phrased else tuple(tags)

    def phrase_ids(self, phrase: Phrase) -> list[int]:
        """The ids that say a phrase: (3, 5, PER) -> those of B-PER, E-PER. Raises KeyError."""
        n = phrase.end - phrase.start
        return [self._ids[name] for name in written([Phrase(0, n, phrase.type)], n, BIOES)]

    @cached_property
    def rules(self) -> tuple[NDArray[np.bool_], NDArray[np.bool_], NDArray[np.bool_]]:
        """Where tags may stand: first (K,), between (K, K) [before, after], last (K,)."""
        if not self.phrased:
            return np.ones(self.n, bool), np.ones((self.n, self.n), bool), np.ones(self.n, bool)
        parts = [parted(name) for name in self.names]
        starts = np.array([letter in "OBS" for letter, _ in parts])
        ends = np.array([letter in "OES" for letter, _ in parts])
        types = np.array([kind for _, kind in parts])
        between = ends[:, None] == starts
        between &= ends[:, None] | (types[:, None] == types)
        return starts, between, ends


def learnt(record: TaggedWords, scheme: str) -> tuple[str, ...]:
    """The tags of a sentence as they are learnt. Raises InputError for what says no phrase."""
    if scheme == PLAIN:
        return record.tags
    if odd := next((name for name in record.tags if not of_phrases(name)), None):
        where = f"{record.path}:{record.line}"
        raise InputError(f"{where}: the tag {odd!r} says no phrase, unlike those of {scheme}")
    return written(phrases(record.tags), len(record.tags), BIOES)


def names_of(counts: Iterable[str], scheme: str) -> tuple[str, ...]:
    """Tags as they are learnt, in their order; of phrases with those that did not occur."""
    if scheme == PLAIN:
        return tuple(in_order(counts))
    return all_of(in_order({parted(name)[1] for name in counts if name != OUTSIDE}))


def all_of(types: Iterable[str]) -> tuple[str, ...]:
    """The tags of phrases of these types: [PER] -> (O, B-PER, I-PER, E-PER, S-PER)."""
    tails = [f"-{kind}" if kind else "" for kind in types]
    return (OUTSIDE, *(letter + tail for tail in tails for letter in SCHEMES[BIOES]))


def check_tag(name: str) -> str:
    """What is wrong with a tag: that it is empty, too long or has white space; else nothing."""
    if not name or name.isspace():
        return "a tag is empty"
    if len(name) > LONGEST:
        return f"a tag has {len(name):,} characters, at most {LONGEST} are allowed; is it a text?"
    if NOT_IN_A_NAME.search(name) or name.split() != [name]:
        return f"the tag {name!r} has white space or control characters in it"
    return ""
