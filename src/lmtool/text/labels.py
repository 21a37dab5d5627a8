"""What texts are labelled with: a vocabulary without specials."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from lmtool.display import QUOTED, Shown, counted, quoted
from lmtool.errors import ConfigError, InputError

__all__ = ["Labelled", "Labels", "check_label"]

NUMBER = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?")
DIGITS = re.compile(r"([0-9]+)")
NOT_IN_A_NAME = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
LONGEST = 200  # characters; what is longer is a text
LISTED = 5  # names in a message


class Labelled(Protocol):
    """A text with its labels, and where it stands."""

    @property
    def labels(self) -> tuple[str, ...]:
        """One at least."""

    @property
    def line(self) -> int:
        """Counted from 1."""

    @property
    def path(self) -> str:
        """For messages."""


@dataclass(frozen=True, eq=False, repr=False)
class Labels(Shown):
    """The K known labels, K >= 2: numbers by value, other names as people sort (``a2`` < ``a10``).

    Raises ConfigError for names or counts that cannot be labels.
    """

    TENSORS = ("labels", "labels.counts", "labels.several")

    names: tuple[str, ...]  # K
    counts: NDArray[np.int64]  # (K,) examples with each
    several: bool  # whether a text can have more than one

    def __post_init__(self) -> None:
        if len(self.names) < 2:
            raise ConfigError(f"labels: two at least needed, not {len(self.names)}")
        if len(set(self.names)) != len(self.names):
            twice = next(name for name, n in Counter(self.names).items() if n > 1)
            raise ConfigError(f"labels: {twice!r} occurs twice")
        for name in self.names:
            if wrong := check_label(name):
                raise ConfigError(f"labels: {wrong}")
        counts = self.counts
        if counts.shape != (len(self),) or counts.dtype != np.int64 or (counts < 0).any():
            raise ConfigError(f"labels: {len(self)} counts needed, int64 and none of them negative")

    @classmethod
    def build(cls, records: Iterable[Labelled]) -> "Labels":
        """The labels of records, read once. Raises InputError where there are fewer than two."""
        counts: Counter[str] = Counter()
        several, record = False, None
        for record in records:
            counts.update(record.labels)
            several |= len(record.labels) > 1
        if record is None:
            raise InputError("there is no labelled text")
        if len(counts) < 2:
            message = f"every text has the label {next(iter(counts))!r}"
            raise InputError(f"{record.path}: {message}; two labels at least are needed")
        return cls.from_counts(counts, several)

    @classmethod
    def from_counts(cls, counts: Mapping[str, int], several: bool) -> "Labels":
        """The labels with so many examples each, in their order."""
        names = in_order(counts)
        return cls(tuple(names), np.array([counts[name] for name in names], np.int64), several)

    @classmethod
    def from_tensors(cls, tensors: Mapping[str, NDArray[Any]]) -> "Labels":
        """Those that ``tensors`` gave. Raises KeyError, ValueError or ConfigError for others."""
        spelled, counts, several = (tensors[name] for name in cls.TENSORS)
        if spelled.dtype != np.uint8 or spelled.ndim != 1 or counts.dtype != np.int64:
            raise ValueError("its labels are damaged")
        if several.dtype != np.uint8 or several.shape != (1,) or several[0] > 1:
            raise ValueError("its labels are damaged")
        names = tuple(spelled.tobytes().decode().split("\n"))
        return cls(names, counts, bool(several[0]))

    def tensors(self) -> dict[str, NDArray[Any]]:
        """What a model file keeps: UTF-8 bytes (n,), a name a line; counts (K,); several (1,)."""
        spelled = np.frombuffer("\n".join(self.names).encode(), np.uint8)
        several = np.array([self.several], np.uint8)
        return dict(zip(self.TENSORS, (spelled, self.counts, several), strict=True))

    def __len__(self) -> int:
        return len(self.names)

    def __str__(self) -> str:
        """``5 labels (1 .. 5)``, ``2 labels (neg, pos)``, ``30 labels (a, b, c, d, e, ...)``."""
        if self.numbers is not None and len(self) > 2:
            listed = f"{shown(self.names[0])} .. {shown(self.names[-1])}"
        else:
            more = ["..."][: max(0, len(self) - LISTED)]
            listed = ", ".join([*map(shown, self.names[:LISTED]), *more])
        return f"{counted(len(self), 'label')} ({listed})"

    def _parts(self) -> Iterator[str]:
        yield str(self)
        yield "several" if self.several else ""

    @cached_property
    def numbers(self) -> NDArray[np.float64] | None:
        """(K,) their values; None where some label is no number."""
        return values(self.names)

    @cached_property
    def _ids(self) -> dict[str, int]:
        return {name: id_ for id_, name in enumerate(self.names)}

    def id(self, name: str) -> int:
        """The id of a label. Raises KeyError."""
        return self._ids[name]

    def targets(self, record: Labelled) -> NDArray[np.int32]:
        """(1,) the label's id; with several (K,) 1 for each label that it has, else 0.

        Raises InputError for a label that is not known, or several where each text has one.
        """
        where = f"{record.path}:{record.line}"
        if new := next((name for name in record.labels if name not in self._ids), None):
            raise InputError(f"{where}: the label {new!r} is in no training text; {self} are known")
        ids = [self._ids[name] for name in record.labels]
        if not self.several and len(ids) != 1:
            raise InputError(f"{where}: {len(ids)} labels, but each training text has one")
        return (
            np.bincount(ids, minlength=len(self)).astype(np.int32)
            if self.several
            else (np.array(ids, np.int32))
        )


def check_label(name: str) -> str:
    """What is wrong with a label: that it is empty, too long or holds a line end; else nothing."""
    if not name.strip():
        return "a label is empty"
    if len(name) > LONGEST:
        return f"a label has {len(name):,} characters, at most {LONGEST} are allowed; is it a text?"
    if name != name.strip() or NOT_IN_A_NAME.search(name):
        return f"the label {name!r} has blanks around it or control characters in it"
    return ""


def shown(name: str) -> str:
    """A name within a message: whole if it is short and printable, else its beginning, quoted."""
    return name if len(name) <= QUOTED and name.isprintable() else quoted(name)


def in_order(names: Iterable[str]) -> list[str]:
    """Numbers by value, other names with the numbers in them by value; then by code point."""
    by_name = sorted(names)
    numbers = values(by_name)
    if numbers is not None:
        return [by_name[i] for i in np.argsort(numbers, kind="stable")]
    return sorted(by_name, key=natural)


def natural(name: str) -> list[tuple[int, str]]:
    """A key: ``a10`` -> (0, a), (2, 10), so that digits compare as numbers of any length."""
    pieces = [piece.lstrip("0") if i % 2 else piece for i, piece in enumerate(DIGITS.split(name))]
    return [(len(piece) if i % 2 else 0, piece) for i, piece in enumerate(pieces)]


def values(names: Iterable[str]) -> NDArray[np.float64] | None:
    """What names say as numbers; None where one is no finite number."""
    if not all(NUMBER.fullmatch(name) for name in names):
        return None
    numbers = np.array([float(name) for name in names])
    return numbers if np.isfinite(numbers).all() else None
