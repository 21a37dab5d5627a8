"""aeon's ``.ts``: a line a clip, dimensions between colons, numbers between commas, label last."""

from collections.abc import Iterator

import numpy as np

from lmtool.arrays import Array
from lmtool.data.readers.clips import Clip, finite, label_names, refuse_at
from lmtool.data.readers.lines import LONGEST_JSON
from lmtool.errors import InputError
from lmtool.text.reader import Line

__all__ = ["clips"]

DATA = "@data"


def clips(lines: Iterator[Line], name: str, labelled: bool) -> Iterator[Clip]:
    """The clips below ``@data``. Raises InputError."""
    header = header_of(lines, name)
    has_label = header.get("@classlabel", "false").split()[:1] == ["true"]
    if labelled and not has_label:
        raise InputError(f"{name}: no labels in it (@classLabel is not true)")
    for line in lines:
        if not line.text.lstrip().startswith("#"):
            yield clip(line, has_label, labelled)


def header_of(lines: Iterator[Line], name: str) -> dict[str, str]:
    """What stands before ``@data``, in lower case."""
    header: dict[str, str] = {}
    for line in lines:
        word, _, value = line.text.strip().lower().partition(" ")
        if word == DATA:
            return header
        if word == "@timestamps" and value.strip() == "true":
            refuse_at(name, line.number, "time stamps are not read; write evenly spaced frames")
        if not word.startswith(("@", "#")):
            refuse_at(name, line.number, f"a header line begins with @, and {DATA} ends it")
        header[word] = value
    raise InputError(f"{name}: no line @data in it")


def clip(line: Line, has_label: bool, labelled: bool) -> Clip:
    """One line."""
    if len(line.text) > LONGEST_JSON:
        refuse_at(line.path, line.number, f"longer than {LONGEST_JSON >> 20} Mi characters")
    dimensions = line.text.split(":")
    label = dimensions.pop() if has_label else ""
    columns = [column(text, line) for text in dimensions]
    if not columns:
        refuse_at(line.path, line.number, "no numbers before the label")
    lengths = {len(one) for one in columns}
    if len(lengths) > 1:
        message = f"dimensions of different lengths: {', '.join(map(str, sorted(lengths)))}"
        refuse_at(line.path, line.number, message)
    frames = finite(np.stack(columns, axis=1), line.path, line.number, "frame")
    labels = label_names(label, line.path, line.number) if labelled else ()
    return Clip(labels, frames, line.number, line.path)


def column(text: str, line: Line) -> Array:
    """The numbers of one dimension (T,)."""
    values = text.split(",")
    try:
        return np.array(values, np.float64)
    except ValueError:
        wrong = next(value for value in values if not is_number(value)).strip()
    said = "a value is missing (?)" if wrong == "?" else f"{wrong[:40]!r} is no number"
    refuse_at(line.path, line.number, said)


def is_number(text: str) -> bool:
    """Whether numpy takes it for one."""
    try:
        float(text)
    except ValueError:
        return False
    return True
