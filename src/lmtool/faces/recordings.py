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
from lmtool.audio.sound import is_sound, read_blocks, shown
from lmtool.data.readers.arrays import NPY, ZIP, beginning, frames_of
from lmtool.data.readers.clips import finite
from lmtool.data.readers.lines import holds_text
from lmtool.data.readers.manifest import FORM, TEXT, Row, of_sound, read_manifest
from lmtool.data.readers.utterances import read_utterances
from lmtool.errors import ConfigError, InputError
from lmtool.inference.transcribe import Piece, Recording
from lmtool.signatures import START
from lmtool.text.reader import display_name, read_lines

__all__ = ["Hearing", "Take", "one", "opened", "takes"]

OnError = Callable[[Exception], None]


class Hearing(NamedTuple):
    """What a model hears."""

    filterbank: Filterbank | None  # None: frames
    width: int


class Take(NamedTuple):
    """A recording that is not read yet."""

    name: str
    number: int  # of its line, from 1
    read: Callable[[], Iterable[Piece]]  # raises InputError, ConfigError
    reference: str | None = None
    speaker: str | None = None


def opened(takes: Iterable[Take], on_error: OnError | None = None) -> Iterator[Recording]:
    """The recordings, each piece read when it is asked for, and once.

    Of one that cannot be read ``on_error`` is told, and its last piece says so; without, it raises.
    """
    for take in takes:
        yield Recording(take.name, read(take, on_error), take.reference, take.speaker)


def read(take: Take, on_error: OnError | None) -> Iterator[Piece]:
    """The pieces of a recording, one at least."""
    try:
        yield from take.read()
    except (InputError, ConfigError) as error:
        if on_error is None:
            raise
        on_error(error)
        yield Piece(0.0, None, broken=True)


def takes(hearing: Hearing, path: str | Path, labelled: bool = False) -> Iterator[Take]:
    """Those of a file: a manifest, JSON lines, frames or a recording. Raises InputError.

    With ``labelled`` what is said must be known.
    """
    start = beginning(path, START)
    if is_sound(start) or start.startswith((NPY, ZIP)):
        if labelled:
            name = display_name(path)
            message = "is a recording without its text; give a list, a line is"
            raise InputError(f"{name}: {message}: {FORM}")
        return iter([one(hearing, path)])
    lines = filter(holds_text, read_lines(path))
    first = next(lines, None)
    if first is None:
        raise InputError(f"{display_name(path)}: no recording in it; a line is: {FORM}")
    if first.text.lstrip().startswith("{"):
        return in_json(hearing, path, labelled)
    wanted = TEXT if labelled else ""
    rows = read_manifest(chain([first], lines), display_name(path), wanted).rows
    return (of_row(hearing, row) for row in rows)


def one(hearing: Hearing, value: Any, name: str = "source") -> Take:
    """A file of sound or of frames, or an array (T, F) of frames. Raises InputError."""
    if isinstance(value, Take):
        return value
    if isinstance(value, str | Path):
        path = Path(arguments.path(value, name))
        return Take(shown(value), 1, partial(pieces_of, hearing, path))
    try:
        x = np.asarray(value, np.float64)
    except (TypeError, ValueError, OverflowError):
        x = np.zeros(0)
    if x.ndim != 2:
        message = "a path, or an array (T, F) of frames, is wanted"
        raise InputError(f"{name}: {message}, not {arguments.kind(value)}")
    return Take(name, 1, partial(of_frames, hearing, finite(x, name, 1, "frame"), name))


def of_row(hearing: Hearing, row: Row) -> Take:
    """That of a manifest's line."""

    def read() -> Iterator[Piece]:
        try:
            yield from pieces_of(hearing, row.path)
        except (InputError, ConfigError) as error:
            raise type(error)(f"{row.line.path}:{row.line.number}: {error.args[0]}") from None

    return Take(row.file, row.line.number, read, row.said, row.speaker)


def in_json(hearing: Hearing, path: str | Path, labelled: bool) -> Iterator[Take]:
    """The frames of JSON lines."""
    for found in read_utterances(path, hearing.filterbank, hearing.width, labelled).records:
        read = partial(of_frames, hearing, found.source, found.name)
        yield Take(found.name, found.line, read, found.text, found.speaker)


def pieces_of(hearing: Hearing, path: Path) -> Iterator[Piece]:
    """The frames of a file, those of a long recording in pieces. Raises InputError, ConfigError."""
    if beginning(path, START).startswith((NPY, ZIP)):
        frames = finite(frames_of(path), display_name(path), 1, "frame")
        yield from of_frames(hearing, frames, str(path))
    elif hearing.filterbank is None:
        message = f"is no array; the model reads frames of {hearing.width} numbers: .npy, .npz"
        raise InputError(f"{display_name(path)}: {message}")
    else:
        for begin, part in pieces(read_blocks(path)):
            short = begin and len(part.samples) < hearing.filterbank.width
            yield Piece(begin, None if short else of_sound(hearing.filterbank, part, path))


def of_frames(hearing: Hearing, x: Array, name: str) -> list[Piece]:
    """Frames as they are. Raises InputError for others than the model reads."""
    if x.ndim != 2 or x.shape[1] != hearing.width or not len(x):
        raise InputError(f"{name}: frames (T, {hearing.width}) are wanted, not {x.shape}")
    return [Piece(0.0, np.asarray(x, np.float32))]
