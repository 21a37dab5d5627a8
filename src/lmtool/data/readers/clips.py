"""What readers of frames and of vectors give: rows of numbers with labels, verified."""

from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Any, NamedTuple, NoReturn

import numpy as np
from numpy.typing import NDArray

from lmtool.arrays import Array
from lmtool.errors import InputError
from lmtool.text.labels import check_label

__all__ = ["Clip", "finite", "label_names", "numbers", "refuse_at", "same_width", "unusable"]

MOST_COLUMNS = 1 << 16  # numbers a frame
NUMBERS = {int, float}  # no bool
LARGEST = 1e30  # squares of it still fit into float64, and it into float32
TOO_LARGE = f"a number is not finite, or larger than {LARGEST:g}"


class Clip(NamedTuple):
    """Frames (T, F) or a vector (1, F), float32 and finite, and their labels, each once."""

    labels: tuple[str, ...]  # none where they are not known
    source: Array
    line: int  # of the file, or the place within it; from 1
    path: str  # for messages
    file: str = ""  # of its own, where it has one

    @property
    def text(self) -> str:
        """Its name: ``takes/3.wav``, ``clips.jsonl:3``."""
        return self.file or f"{self.path}:{self.line}"


def refuse_at(path: str, place: int, message: str) -> NoReturn:
    """Raises InputError."""
    raise InputError(f"{path}:{place}: {message}; correct it, or leave it out")


def same_width(clips: Iterable[Clip], noun: str, width: int | None = None) -> Iterator[Clip]:
    """The clips, if all have ``width`` columns, or as many as the first. Raises InputError."""
    for clip in clips:
        columns = clip.source.shape[1]
        width = width or columns
        if columns != width:
            message = f"{columns} numbers {noun}, but {width} are expected"
            refuse_at(clip.path, clip.line, message)
        yield clip


def numbers(rows: list[Any], path: str, place: int, noun: str) -> Array:
    """(T, F) float32 out of lists of numbers. Raises InputError, naming the row as a ``noun``."""
    if not rows:
        refuse_at(path, place, f"no {noun} in it")
    for index, row in enumerate(rows, 1):
        if type(row) is not list:
            refuse_at(path, place, f"{noun} {index} is no list of numbers")
        if len(row) != len(rows[0]):
            message = f"{noun} {index} has {len(row)} numbers, the first one {len(rows[0])}"
            refuse_at(path, place, message)
    if strange := {*map(type, chain.from_iterable(rows))} - NUMBERS:
        row, value = next((i, x) for i, r in enumerate(rows, 1) for x in r if type(x) in strange)
        kind = "null" if value is None else type(value).__name__
        refuse_at(path, place, f"{noun} {row} holds what is no number: {kind}")
    try:
        return finite(np.array(rows, np.float64), path, place, noun)
    except OverflowError:
        refuse_at(path, place, TOO_LARGE)


def finite(rows: Array, path: str, place: int, noun: str) -> Array:
    """The same as float32. Raises InputError for NaN, infinities and absurd sizes."""
    if not rows.shape[1] or rows.shape[1] > MOST_COLUMNS:
        message = f"{rows.shape[1]} numbers a {noun}; 1 to {MOST_COLUMNS:,} are possible"
        refuse_at(path, place, message)
    bad = unusable(rows)
    if len(bad):
        which = f"{noun} {bad[0] + 1}: " if len(rows) > 1 else ""
        refuse_at(path, place, f"{which}{TOO_LARGE}")
    return rows.astype(np.float32)


def unusable(rows: Array) -> NDArray[np.intp]:
    """The rows that hold NaN, an infinity or an absurd size."""
    with np.errstate(invalid="ignore"):
        return np.flatnonzero(~(np.abs(rows.astype(np.float64)) <= LARGEST).all(1))


def label_names(value: Any, path: str, place: int) -> tuple[str, ...]:
    """Labels out of JSON: a text, a number, true or false, or a list of these; each once."""
    values = value if isinstance(value, list) else [value]
    names = [str(v).lower() if isinstance(v, bool) else spelled(v, path, place) for v in values]
    names = [name.strip() for name in names]
    if wrong := next(filter(None, map(check_label, names)), "" if names else "no label"):
        refuse_at(path, place, wrong)
    return tuple(dict.fromkeys(names))


def spelled(value: Any, path: str, place: int) -> str:
    """A text or a number as text."""
    if isinstance(value, str):
        return value
    if type(value) is int or (type(value) is float and np.isfinite(value)):
        return repr(value)
    kind = "null" if value is None else type(value).__name__
    refuse_at(path, place, f"a label is neither text nor number: {kind}")
