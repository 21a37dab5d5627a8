"""Clips of frames: JSON lines, ``.npz`` archives of arrays, aeon's ``.ts``, recordings.

The first bytes decide which one a file is: ``PK`` an archive, ``{`` JSON, ``@`` or ``#`` a ``.ts``;
those of a recording are one clip, and the name of one begins a manifest (see its module).
"""

from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Any

from lmtool.audio.filterbank import Filterbank
from lmtool.audio.sound import is_sound
from lmtool.data.readers import timeseries
from lmtool.data.readers.arrays import ZIP, archive, beginning
from lmtool.data.readers.clips import Clip, label_names, numbers, same_width
from lmtool.data.readers.labelled import LabelledFile
from lmtool.data.readers.lines import holds_text, parsed, refuse
from lmtool.data.readers.manifest import (
    LABEL,
    Row,
    heard_of,
    hearing,
    looks_like_manifest,
    recording,
)
from lmtool.errors import InputError, option
from lmtool.signatures import START
from lmtool.text.reader import Line, display_name, read_lines

__all__ = ["read_frames"]

JSON = '{"label": "NAME", "frames": [[0.1, 0.2], ...]}'


def read_frames(
    path: str | Path,
    label: str | None = None,
    labelled: bool = True,
    width: int | None = None,
    filterbank: Filterbank | None = None,
) -> LabelledFile:
    """The clips of a file, read as they are asked for; ``-`` is standard input.

    ``label`` names the key of JSON lines, or a column; with ``labelled`` each clip must have a
    label. Sound goes through ``filterbank``, or one of the rate of the first file where there is
    none and no ``width``. All frames have ``width`` numbers, or as many as the first. Raises
    InputError, and ConfigError where soundfile is needed and absent.
    """
    name, start = display_name(path), beginning(path, START)
    if start.startswith(ZIP):
        file = LabelledFile(name, "arrays", archive(path, labelled))
    elif is_sound(start):
        file = alone(path, name, labelled, width, filterbank)
    else:
        file = in_lines(path, name, label, labelled, width, filterbank)
    width = file.filterbank.bands if file.filterbank else width
    return file._replace(records=same_width(file.records, "a frame", width))


def in_lines(
    path: str | Path,
    name: str,
    label: str | None,
    labelled: bool,
    width: int | None,
    filterbank: Filterbank | None,
) -> LabelledFile:
    """What the lines of a text are taken for, and its clips."""
    lines = filter(holds_text, read_lines(path))
    first = next(lines, None)
    if first is None:
        raise InputError(f"{name}: no clip in it; a line is: {JSON}")
    whole = chain([first], lines)
    if first.text.lstrip().startswith(("@", "#")):
        return LabelledFile(name, "series", timeseries.clips(whole, name, labelled))
    if looks_like_manifest(first.text):
        return in_manifest(whole, name, label, labelled, width, filterbank)
    key = label or "label"
    clips = (clip(line, key, labelled) for line in whole)
    return LabelledFile(name, f"JSON lines ({key}, frames)", clips)


def alone(
    path: str | Path, name: str, labelled: bool, width: int | None, filterbank: Filterbank | None
) -> LabelledFile:
    """A recording as the only clip."""
    if labelled:
        message = "is a recording without its label; give a list, a line is: file <TAB> label"
        raise InputError(f"{name}: {message}")
    row = recording(path)
    hear = hearing(row, filterbank, width)
    clips = (Clip((), hear.heard(row).frames, 1, name, name) for _ in range(1))
    return LabelledFile(name, "a recording", clips, hear.filterbank)


def in_manifest(
    lines: Iterator[Line],
    name: str,
    label: str | None,
    labelled: bool,
    width: int | None,
    filterbank: Filterbank | None,
) -> LabelledFile:
    """Those of the files that a manifest names."""
    form, ignored, hear, rows = heard_of(
        lines, name, LABEL if labelled else "", label, filterbank, width
    )

    def clip_of(row: Row) -> Clip:
        number, path = row.line.number, row.line.path
        labels = label_names(row.said, path, number) if labelled else ()
        return Clip(labels, hear(row).frames, number, path, row.file)

    return LabelledFile(name, form, map(clip_of, rows), hear.filterbank, ignored)


def clip(line: Line, key: str, labelled: bool) -> Clip:
    """One line of JSON."""
    labels, value = labels_and(line, key, labelled, "frames", JSON)
    if type(value) is not list:
        refuse(line, JSON, "'frames' is no list of frames")
    rows = numbers(value, line.path, line.number, "frame")
    return Clip(labels, rows, line.number, line.path)


def labels_and(
    line: Line, key: str, labelled: bool, source: str, form: str
) -> tuple[tuple[str, ...], Any]:
    """The labels of a line of JSON, and what it holds under ``source``."""
    value = parsed(line, form, spelled=False)
    if source not in value:
        refuse(line, form, f"no key {source!r}")
    if labelled and key not in value:
        refuse(line, form, f"no key {key!r} (name another one with {option('label')})")
    labels = label_names(value[key], line.path, line.number) if labelled else ()
    return labels, value[source]
