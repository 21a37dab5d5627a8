"""Clips of frames: JSON lines, ``.npz`` archives of arrays, aeon's ``.ts``.

The first bytes decide which one a file is: ``PK`` an archive, ``{`` JSON, ``@`` or ``#`` a ``.ts``.
"""

from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Any

from lmtool.data.readers import timeseries
from lmtool.data.readers.arrays import ZIP, archive, beginning
from lmtool.data.readers.clips import Clip, label_names, numbers, same_width
from lmtool.data.readers.labelled import LabelledFile
from lmtool.data.readers.lines import holds_text, parsed, refuse
from lmtool.errors import InputError, option
from lmtool.text.reader import Line, display_name, read_lines

__all__ = ["read_frames"]

JSON = '{"label": "NAME", "frames": [[0.1, 0.2], ...]}'


def read_frames(
    path: str | Path, label: str | None = None, labelled: bool = True, width: int | None = None
) -> LabelledFile:
    """The clips of a file, read as they are asked for; ``-`` is standard input.

    ``label`` names the key of JSON lines; with ``labelled`` each clip must have a label. All
    frames have ``width`` numbers, or as many as the first. Raises InputError.
    """
    name = display_name(path)
    if beginning(path, len(ZIP)) == ZIP:
        form, clips = "arrays", archive(path, labelled)
    else:
        form, clips = in_lines(path, name, label, labelled)
    return LabelledFile(name, form, same_width(clips, "a frame", width))


def in_lines(
    path: str | Path, name: str, label: str | None, labelled: bool
) -> tuple[str, Iterator[Clip]]:
    """What the lines of a text are taken for, and its clips."""
    lines = filter(holds_text, read_lines(path))
    first = next(lines, None)
    if first is None:
        raise InputError(f"{name}: no clip in it; a line is: {JSON}")
    whole = chain([first], lines)
    if first.text.lstrip().startswith(("@", "#")):
        return "series", timeseries.clips(whole, name, labelled)
    key = label or "label"
    return f"JSON lines ({key}, frames)", (clip(line, key, labelled) for line in whole)


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
