"""Manifests: a line a recording, named by its file, with what is said in it.

1. A table whose header names ``file`` and ``text`` or ``label``; ``speaker`` is read, other columns
   are ignored.
2. Lines ``file <TAB> text``.
3. Lines ``file`` alone, where nothing need be known of what is said.

Files are named from the folder of the manifest. They hold sound, or frames (T, F): a ``.npy``, or
the array ``frames`` of a ``.npz``; sound and frames do not mix.
"""

from collections.abc import Iterator
from functools import partial
from itertools import chain
from pathlib import Path
from typing import NamedTuple

from lmtool.arrays import Array
from lmtool.audio.filterbank import BANDS, Filterbank
from lmtool.audio.sound import Sound, read_blocks, read_sound
from lmtool.data.readers.arrays import frames_of
from lmtool.data.readers.clips import finite
from lmtool.data.readers.lines import refuse, whole
from lmtool.errors import ConfigError, InputError
from lmtool.signatures import SOUNDS
from lmtool.text.reader import STDIN, Line, display_name
from lmtool.text.tables import split_header, table_of

__all__ = ["FORM", "LABEL", "TEXT", "Heard", "Row", "heard_of", "hearing", "looks_like_manifest"]
__all__ += ["of_sound", "recording"]

FILE, TEXT, LABEL, SPEAKER = "file", "text", "label", "speaker"
FORM = "file <TAB> text"
ARRAYS = (".npy", ".npz")
LONGEST_NAME = 4096  # characters


class Row(NamedTuple):
    """A file and what is known of it."""

    file: str  # as it is written
    said: str | None  # not empty; None where nothing need be known
    speaker: str | None
    line: Line  # for messages

    @property
    def path(self) -> Path:
        """Where the file is."""
        folder = Path() if self.line.path == display_name(STDIN) else Path(self.line.path).parent
        return folder / self.file


class Manifest(NamedTuple):
    """What a file was taken for, and its rows, to be read once."""

    form: str
    rows: Iterator[Row]
    ignored: tuple[str, ...]  # columns


class Listed(NamedTuple):
    """A manifest, and how its files become frames."""

    form: str
    ignored: tuple[str, ...]
    hear: "Hearing"
    rows: Iterator[Row]


class Heard(NamedTuple):
    """A file as frames."""

    frames: Array  # (T, F) float32
    seconds: float | None  # of sound


def looks_like_manifest(line: str) -> bool:
    """Whether a first line is a manifest's: its header, or it begins with a file's name.

    "file<TAB>text" -> True; "takes/1.wav<TAB>Todd met Pete" -> True; "Todd met Pete" -> False
    """
    first = line.partition("\t")[0].strip().lower()
    return FILE in names_in(line) or (
        len(first) <= LONGEST_NAME and first.endswith((*SOUNDS, *ARRAYS))
    )


def read_manifest(
    lines: Iterator[Line], name: str, wanted: str = TEXT, column: str | None = None
) -> Manifest:
    """The rows of lines, blank ones left out.

    ``wanted`` is what has to be known, ``text``, ``label`` or nothing, where a text may still be;
    the text is the label where there is no other, and ``column`` names another one of a header.
    Raises InputError: no line, a header without a column, a line of another form, nothing said.
    """
    first = next(lines, None)
    if first is None:
        raise InputError(f"{name}: no recording in it; a line is: {FORM}")
    lines = chain([first], lines)
    if FILE in names_in(first.text):
        return in_table(lines, first, name, wanted, column)
    rows = map(partial(plain, wanted=wanted), lines)
    return Manifest(FORM if wanted else FILE, rows, ())


def names_in(line: str) -> list[str]:
    """The columns that a header names."""
    return [name.strip().lower() for name in split_header("", line)]


def plain(line: Line, wanted: str) -> Row:
    """``file <TAB> text``, or ``file``."""
    file, *said = line.text.split("\t")
    if len(said) > 1 and wanted:
        refuse(line, FORM, "more than two columns (name them in a first line: file, text, ...)")
    if not said and wanted:
        refuse(line, FORM, "no TAB in it")
    return row(line, file, said[0] if said else None, None, wanted)


def in_table(
    lines: Iterator[Line], first: Line, name: str, wanted: str, column: str | None
) -> Manifest:
    """The rows below a header."""
    columns = names_in(first.text)
    said = said_in(columns, wanted) if column is None else column.lower()
    header = first._replace(text=first.text.lower())
    table = table_of(chain([header], (line for line in lines if line is not first)), name)
    place = table.column(said) if wanted or said in columns else None
    file, speaker = columns.index(FILE), columns.index(SPEAKER) if SPEAKER in columns else None

    def read(values: list[str], number: int) -> Row:
        text = None if place is None else values[place]
        spoken = None if speaker is None else values[speaker].strip() or None
        return row(Line("", number, name), values[file], text, spoken, wanted)

    used = {file, place, speaker}
    ignored = tuple(c for i, c in enumerate(columns) if i not in used)
    form = f"a manifest ({', '.join((FILE, said) if wanted else (FILE,))})"
    return Manifest(form, (read(*record) for record in table.records), ignored)


def said_in(columns: list[str], wanted: str) -> str:
    """The column that says what is wanted."""
    return LABEL if wanted == LABEL and LABEL in columns else TEXT


def row(line: Line, file: str, said: str | None, speaker: str | None, wanted: str) -> Row:
    """The row, once its cells are verified. Raises InputError."""
    file = file.strip()
    if not file or len(file) > LONGEST_NAME or "\0" in file:
        refuse(line, FORM, "no file named" if not file else "no name of a file")
    if said is not None:
        said = " ".join(whole(said, line, FORM).split())
        if not said and wanted:
            refuse(line, FORM, f"the {wanted} is empty")
    return Row(file, said or None, speaker, line)


class Hearing(NamedTuple):
    """How files become frames: sound by a filterbank, arrays as they are."""

    filterbank: Filterbank | None  # None: the files hold frames

    def __call__(self, row: Row) -> Heard:
        """One file. Raises InputError and ConfigError, with the manifest's line."""
        try:
            return self.heard(row)
        except (InputError, ConfigError) as error:
            raise type(error)(f"{row.line.path}:{row.line.number}: {error.args[0]}") from None

    def heard(self, row: Row) -> Heard:
        """The same, with the file in messages alone."""
        path = row.path
        if is_array(row) != (self.filterbank is None):
            message = "frames among sound" if self.filterbank else "sound among frames"
            raise InputError(f"{display_name(path)}: {message}; give one of both alone")
        if self.filterbank is None:
            frames = finite(frames_of(path), display_name(path), 1, "frame")
            return Heard(frames, None)
        sound = read_sound(path)
        return Heard(of_sound(self.filterbank, sound, path), sound.seconds)


def hearing(
    first: Row, filterbank: Filterbank | None, width: int | None, bands: int = BANDS
) -> Hearing:
    """That of the file of a first row: its rate is the filterbank's, unless there is one.

    Frames of a given width and no filterbank are those of a model that has not heard sound. Raises
    InputError.
    """
    if is_array(first):
        return Hearing(None)
    where = f"{first.line.path}:{first.line.number}"
    if filterbank is None and width is not None:
        message = f"{first.file} is sound, but frames of {width} numbers are wanted"
        raise InputError(f"{where}: {message}; give frames as in training: .npy")
    return Hearing(filterbank or Filterbank(rate_of(first, where), bands))


def heard_of(
    lines: Iterator[Line],
    name: str,
    wanted: str,
    column: str | None,
    filterbank: Filterbank | None,
    width: int | None,
    bands: int = BANDS,
) -> Listed:
    """A manifest that names one file at least. Raises InputError."""
    form, rows, ignored = read_manifest(lines, name, wanted, column)
    first = next(rows, None)
    if first is None:
        raise InputError(f"{name}: nothing below its header; a line is: {FORM}")
    return Listed(form, ignored, hearing(first, filterbank, width, bands), chain([first], rows))


def recording(path: str | Path) -> Row:
    """A recording as the row of no manifest."""
    return Row(Path(path).name, None, None, Line("", 1, str(path)))


def rate_of(first: Row, where: str) -> int:
    """Of a file's sound. Raises InputError and ConfigError."""
    try:
        return next(iter(read_blocks(first.path))).rate
    except (InputError, ConfigError) as error:
        raise type(error)(f"{where}: {error.args[0]}") from None


def is_array(row: Row) -> bool:
    """Whether the file's name says that it holds frames."""
    return row.path.suffix.lower() in ARRAYS


def of_sound(filterbank: Filterbank, sound: Sound, path: str | Path) -> Array:
    """Features (T, bands). Raises InputError that names the file."""
    try:
        return filterbank.features(sound)
    except InputError as error:
        raise type(error)(f"{display_name(path)}: {error.args[0]}") from None
