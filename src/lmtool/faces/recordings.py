"""What a caller of a recogniser hands over: recordings, manifests, frames."""

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from lmtool import arguments
from lmtool.arrays import Array
from lmtool.audio.filterbank import Filterbank
from lmtool.audio.pieces import pieces
from lmtool.audio.sound import Sound, is_sound, read_sound, shown
from lmtool.data.readers.arrays import NPY, ZIP, beginning, frames_of
from lmtool.data.readers.clips import finite
from lmtool.data.readers.lines import holds_text
from lmtool.data.readers.manifest import FORM, TEXT, Row, read_manifest
from lmtool.data.readers.utterances import read_utterances
from lmtool.errors import ConfigError, InputError
from lmtool.inference.transcribe import Piece, Recording
from lmtool.signatures import START
from lmtool.text.reader import display_name, read_lines

__all__ = ["How", "Take", "one", "opened", "takes"]

OnError = Callable[[Exception], None]


class How(NamedTuple):
    """What a model hears."""

    filterbank: Filterbank | None  # None: frames
    width: int


class Take(NamedTuple):
    """A recording that is not read yet."""

    name: str
    number: int  # of its line, from 1
    read: Callable[[], list[Piece]]  # raises InputError, ConfigError
    reference: str | None = None
    speaker: str | None = None


def opened(takes: Iterable[Take], on_error: OnError | None = None) -> Iterator[Recording]:
    """The recordings, each read when it is asked for.

    Of one that cannot be read ``on_error`` is told, and it has no pieces; without, it raises.
    """
    for take in takes:
        found: list[Piece] = []
        try:
            found = take.read()
        except (InputError, ConfigError) as error:
            if on_error is None:
                raise
            on_error(error)
        yield Recording(take.name, found or [Piece(0.0, None)], take.reference, take.speaker)


def takes(how: How, path: str | Path, labelled: bool = False) -> Iterator[Take]:
    """Those of a file: a manifest, JSON lines, frames or a recording. Raises InputError.

    With ``labelled`` what is said must be known.
    """
    start = beginning(path, START)
    if is_sound(start) or start.startswith((NPY, ZIP)):
        if labelled:
            name = display_name(path)
            message = "is a recording without its text; give a list, a line is"
            raise InputError(f"{name}: {message}: {FORM}")
        return iter([one(how, path)])
    lines = filter(holds_text, read_lines(path))
    first = next(lines, None)
    if first is None:
        raise InputError(f"{display_name(path)}: no recording in it; a line is: {FORM}")
    if first.text.lstrip().startswith("{"):
        return in_json(how, path, labelled)
    wanted = TEXT if labelled else ""
    rows = read_manifest(chain([first], lines), display_name(path), wanted).rows
    return (of_row(how, row) for row in rows)


def one(how: How, value: Any, name: str = "source") -> Take:
    """A file of sound or of frames, or an array (T, F) of frames. Raises InputError."""
    if isinstance(value, Take):
        return value
    if isinstance(value, str | Path):
        path = Path(arguments.path(value, name))
        return Take(shown(value), 1, partial(pieces_of, how, path))
    try:
        x = np.asarray(value, np.float64)
    except (TypeError, ValueError, OverflowError):
        x = np.zeros(0)
    if x.ndim != 2:
        message = "a path, or an array (T, F) of frames, is wanted"
        raise InputError(f"{name}: {message}, not {arguments.kind(value)}")
    return Take(name, 1, partial(of_frames, how, finite(x, name, 1, "frame"), name))


def of_row(how: How, row: Row) -> Take:
    """That of a manifest's line."""

    def read() -> list[Piece]:
        try:
            return pieces_of(how, row.path)
        except (InputError, ConfigError) as error:
            raise type(error)(f"{row.line.path}:{row.line.number}: {error.args[0]}") from None

    return Take(row.file, row.line.number, read, row.said, row.speaker)


def in_json(how: How, path: str | Path, labelled: bool) -> Iterator[Take]:
    """The frames of JSON lines."""
    for found in read_utterances(path, how.filterbank, how.width, labelled).records:
        read = partial(of_frames, how, found.source, found.name)
        yield Take(found.name, found.line, read, found.text, found.speaker)


def pieces_of(how: How, path: Path) -> list[Piece]:
    """The frames of a file, those of a long recording in pieces. Raises InputError, ConfigError."""
    if beginning(path, START).startswith((NPY, ZIP)):
        return of_frames(how, finite(frames_of(path), display_name(path), 1, "frame"), str(path))
    if how.filterbank is None:
        message = f"is no array; the model reads frames of {how.width} numbers: .npy, .npz"
        raise InputError(f"{display_name(path)}: {message}")
    sound = read_sound(path)
    try:
        how.filterbank.check(sound.rate)
        found = pieces(sound)
        if len(found) == 1:
            return [Piece(0.0, how.filterbank.features(sound))]
    except InputError as error:
        raise InputError(f"{display_name(path)}: {error.args[0]}") from None
    return [Piece(begin, features(how.filterbank, part)) for begin, part in found]


def features(filterbank: Filterbank, part: Sound) -> Array | None:
    """The frames of a piece; None for one shorter than a frame."""
    return filterbank.features(part) if len(part.samples) >= filterbank.width else None


def of_frames(how: How, x: Array, name: str) -> list[Piece]:
    """Frames as they are. Raises InputError for others than the model reads."""
    if x.ndim != 2 or x.shape[1] != how.width or not len(x):
        raise InputError(f"{name}: frames (T, {how.width}) are wanted, not {x.shape}")
    return [Piece(0.0, np.asarray(x, np.float32))]
