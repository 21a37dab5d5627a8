"""Utterances: what was said as frames, with its text; of manifests, JSON lines or one recording.

The first bytes decide: those of a recording are one, ``{`` begins JSON lines
``{"frames": [[...], ...], "text": "..."}``, all else is a manifest (see the module ``manifest``).
"""

from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import Path
from typing import NamedTuple

from lmtool.arrays import Array
from lmtool.audio.filterbank import BANDS, Filterbank
from lmtool.audio.sound import is_sound
from lmtool.data.readers.arrays import beginning
from lmtool.data.readers.clips import numbers, refuse_at
from lmtool.data.readers.lines import holds_text, parsed, refuse, whole
from lmtool.data.readers.manifest import (
    FORM,
    TEXT,
    Heard,
    Row,
    heard_of,
    hearing,
    recording,
)
from lmtool.display import counted
from lmtool.errors import InputError
from lmtool.signatures import START
from lmtool.text.reader import Line, display_name, read_lines

__all__ = ["Utterance", "UtteranceFile", "describe", "read_utterances"]

JSON = '{"frames": [[0.1, 0.2], ...], "text": "..."}'


class Utterance(NamedTuple):
    """Frames and what is said in them."""

    source: Array  # (T, F) float32
    text: str | None  # one line without blanks around it, not empty; None where it is not known
    speaker: str | None
    seconds: float | None  # of sound
    name: str  # of its file, or ``set.jsonl:3``
    line: int  # counted from 1
    path: str  # for messages


class UtteranceFile(NamedTuple):
    """What a file was taken for, and its utterances, to be read once."""

    path: str  # for messages
    form: str  # ``a manifest (file, text)``
    records: Iterator[Utterance]
    filterbank: Filterbank | None  # None: its frames are no sound's
    ignored: tuple[str, ...] = ()  # columns


def read_utterances(
    path: str | Path,
    filterbank: Filterbank | None = None,
    width: int | None = None,
    labelled: bool = True,
    bands: int = BANDS,
) -> UtteranceFile:
    """The utterances of a file, read as they are asked for; ``-`` is standard input.

    Sound goes through ``filterbank``, or one of ``bands`` and the rate of the first file where
    there is none and no ``width``. All frames have ``width`` numbers, or as many as the first. With
    ``labelled`` each utterance must have a text; without, a manifest may name files alone and a
    recording is one itself. Raises InputError naming the line; ConfigError where soundfile is
    needed and absent.
    """
    name = display_name(path)
    if is_sound(beginning(path, START)):
        file = alone(path, name, filterbank, width, labelled, bands)
    else:
        lines: Iterator[Line] = filter(holds_text, read_lines(path))
        first = next(lines, None)
        if first is None:
            raise InputError(f"{name}: no utterance in it; a line is: {FORM}")
        lines = chain([first], lines)
        if first.text.lstrip().startswith("{"):
            said = (in_json(line, labelled) for line in lines)
            file = UtteranceFile(name, f"JSON lines ({TEXT}, frames)", said, None)
        else:
            file = in_manifest(lines, name, filterbank, width, labelled, bands)
    width = file.filterbank.bands if file.filterbank else width
    return file._replace(records=as_wide(file.records, width))


def describe(file: UtteranceFile, n: int, seconds: float = 0.0) -> str:
    """``train.tsv: 848 utterances, 42.0 minutes, a manifest (file, text), 40 log-mel bands ...``"""
    parts = [f"{file.path}: {counted(n, 'utterance')}", spoken(seconds), file.form]
    parts += [str(file.filterbank)] if file.filterbank else []
    unread = f"; not read: {', '.join(file.ignored)}" if file.ignored else ""
    return ", ".join(filter(None, parts)) + unread


def spoken(seconds: float) -> str:
    """``42.1 minutes``; nothing of no time."""
    if not seconds:
        return ""
    return f"{seconds:.1f} seconds" if seconds < 60 else f"{seconds / 60:.1f} minutes"


def as_wide(records: Iterable[Utterance], width: int | None) -> Iterator[Utterance]:
    """The utterances, if all have ``width`` numbers a frame, or as many as the first."""
    for one in records:
        width = width or one.source.shape[1]
        if one.source.shape[1] != width:
            message = f"{one.source.shape[1]} numbers a frame, but {width} are expected"
            refuse_at(one.path, one.line, message)
        yield one


def alone(
    path: str | Path,
    name: str,
    filterbank: Filterbank | None,
    width: int | None,
    labelled: bool,
    bands: int,
) -> UtteranceFile:
    """A recording by itself. Raises InputError where a text must be known."""
    if labelled:
        raise InputError(f"{name}: is a recording without its text; give a list, a line is: {FORM}")
    row = recording(path)
    hear = hearing(row, filterbank, width, bands)
    said = (utterance(row, hear.heard(row)) for _ in range(1))
    return UtteranceFile(name, "a recording", said, hear.filterbank)


def in_manifest(
    lines: Iterator[Line],
    name: str,
    filterbank: Filterbank | None,
    width: int | None,
    labelled: bool,
    bands: int,
) -> UtteranceFile:
    """Those of the files that a manifest names."""
    wanted = TEXT if labelled else ""
    form, ignored, hear, rows = heard_of(lines, name, wanted, None, filterbank, width, bands)
    said = (utterance(row, hear(row)) for row in rows)
    return UtteranceFile(name, form, said, hear.filterbank, ignored)


def utterance(row: Row, heard: Heard) -> Utterance:
    """What a file holds."""
    number, path = row.line.number, row.line.path
    return Utterance(heard.frames, row.said, row.speaker, heard.seconds, row.file, number, path)


def in_json(line: Line, labelled: bool) -> Utterance:
    """One line of JSON."""
    value = parsed(line, JSON, spelled=False)
    wanted = ("frames", "text") if labelled else ("frames",)
    for key in wanted:
        if key not in value:
            refuse(line, JSON, f"no key {key!r}")
    if type(value["frames"]) is not list:
        refuse(line, JSON, "'frames' is no list of frames")
    text, speaker = value.get("text") if labelled else None, value.get("speaker")
    if labelled and not isinstance(text, str):
        refuse(line, JSON, "'text' is no text")
    text = " ".join(whole(text, line, JSON).split()) if isinstance(text, str) else None
    if text == "":
        refuse(line, JSON, "the text is empty")
    frames = numbers(value["frames"], line.path, line.number, "frame")
    name, said_by = f"{line.path}:{line.number}", speaker if isinstance(speaker, str) else None
    return Utterance(frames, text, said_by, None, name, line.number, line.path)
