"""What a caller of a classifier hands over: texts, frames or vectors, alone or with labels."""

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from lmtool import arguments
from lmtool.audio.filterbank import Filterbank
from lmtool.audio.sound import is_sound, read_sound
from lmtool.data.readers.arrays import beginning
from lmtool.data.readers.clips import Clip, finite, same_width
from lmtool.data.readers.frames import read_frames
from lmtool.data.readers.labelled import LabelledFile
from lmtool.data.readers.vectors import grouped, read_vectors
from lmtool.errors import ConfigError, InputError, option
from lmtool.signatures import START

__all__ = ["NDIM", "Given", "given"]

NOUNS = {"frames": "a frame", "vector": "a vector"}
NDIM = {"frames": 2, "vector": 1}  # of a source
WANTED = {"frames": "an array (T, F) of frames", "vector": "an array (F,)"}


class Given(NamedTuple):
    """How sources are taken, of one kind of classifier."""

    sources: Callable[[Iterable[Any]], Iterator[Any]]
    labelled: Callable[[Any, str | None, str | None], Iterator[Any]]  # source, text, label
    unlabelled: Callable[[Any], Iterator[Any]]  # the sources of a file


class Reading(NamedTuple):
    """What a model reads."""

    reads: str  # frames, vector
    width: int | None
    filterbank: Filterbank | None = None  # what makes frames of recordings

    def file(self, *paths: Any, **options: Any) -> LabelledFile:
        """A file of them. Raises InputError."""
        known: dict[str, Any] = {"width": self.width, **options}
        if self.reads == "frames":
            known |= {"filterbank": self.filterbank}
        return (read_frames if self.reads == "frames" else read_vectors)(*paths, **known)


def given(reads: str, width: int | None, filterbank: Filterbank | None = None) -> Given:
    """That of a model that reads text, or frames or vectors of ``width`` numbers."""
    if reads == "text":
        return Given(arguments.lines, arguments.labelled, arguments.source)
    reading = Reading(reads, width, filterbank)
    return Given(partial(clips, reading), partial(labelled, reading), partial(unlabelled, reading))


def clips(reading: Reading, values: Iterable[Any]) -> Iterator[Clip]:
    """Arrays as clips, named by their places; clips of a file as they are. Raises InputError."""
    advice = f"[x] for one, {WANTED[reading.reads]}"
    if isinstance(values, np.ndarray) and values.ndim == NDIM[reading.reads]:
        raise InputError(f"sources: several are wanted, not one array; {advice}")
    found = arguments.items(values, "sources", "a list or another iterable of arrays", advice)
    return (clip(reading, x, f"sources[{index}]", index) for index, x in enumerate(found))


def clip(reading: Reading, value: Any, name: str, index: int, said: tuple[str, ...] = ()) -> Clip:
    """One of them. Raises InputError."""
    if isinstance(value, Clip):
        return value
    if isinstance(value, str | Path) and reading.filterbank is not None:
        return recording(reading, value)._replace(labels=said)
    try:
        x = np.asarray(value, np.float64)
    except (TypeError, ValueError, OverflowError):
        x = np.zeros(0)
    if x.ndim != NDIM[reading.reads] or not len(x):
        what = f"an array {x.shape}" if isinstance(value, np.ndarray) else arguments.kind(value)
        raise InputError(f"{name}: {WANTED[reading.reads]} is wanted, not {what}")
    rows = finite(np.atleast_2d(x), name, index, "frame")
    (found,) = same_width([Clip(said, rows, index, name)], NOUNS[reading.reads], reading.width)
    return found


def recording(reading: Reading, path: str | Path) -> Clip:
    """The clip of a recording. Raises InputError."""
    if not is_sound(beginning(path, START)):
        read_sound(path)  # it says what the file is instead
    found: Clip = next(reading.file(path, labelled=False).records)
    return found


def unlabelled(reading: Reading, path: Any) -> Iterator[Clip]:
    """The clips of a file, whose labels are ignored. Raises InputError."""
    return reading.file(arguments.path(path, "path"), labelled=False).records


def labelled(reading: Reading, source: Any, text: str | None, label: str | None) -> Iterator[Clip]:
    """Those of a file, of vectors with a file of labels beside them, or of pairs. InputError."""
    if text is not None:
        raise ConfigError(f"{option('text')}: there is no text in {reading.reads}; leave it out")
    if isinstance(source, str | Path):
        return of_files(reading, [source], label)
    pairs = list(arguments.items(source, "source", "a path or a list of pairs", "[(label, x)]"))
    if pairs and all(isinstance(one, str | Path) for one in pairs):
        return of_files(reading, pairs, label)
    if label is not None:
        raise ConfigError(f"{option('label')} names a key of a file")
    return (in_pair(reading, value, index) for index, value in enumerate(pairs))


def of_files(reading: Reading, paths: list[str | Path], label: str | None) -> Iterator[Clip]:
    """The records of files, one after the other."""
    if reading.reads == "frames":
        for path in paths:
            yield from reading.file(path, label=label).records
        return
    for vectors, labels in grouped(paths):
        yield from reading.file(vectors, labels, label=label).records


def in_pair(reading: Reading, value: Any, index: int) -> Clip:
    """One (label, array); several labels are a list."""
    name = f"source[{index}]"
    if not isinstance(value, tuple | list) or len(value) != 2:
        raise InputError(f"{name}: a pair (label, array) is wanted, not {arguments.kind(value)}")
    labels = value[0] if isinstance(value[0], tuple | list) else [value[0]]
    names = tuple(dict.fromkeys(arguments.text(one, f"{name}: label") for one in labels))
    return clip(reading, value[1], name, index, names)
