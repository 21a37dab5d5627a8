"""Vectors with labels: ``.npy`` and a file of labels beside it, or JSON lines."""

from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path

from lmtool.data.readers.arrays import NPY, array, beginning
from lmtool.data.readers.clips import Clip, finite, label_names, numbers, same_width
from lmtool.data.readers.frames import labels_and
from lmtool.data.readers.labelled import LabelledFile
from lmtool.data.readers.lines import holds_text, refuse
from lmtool.errors import InputError
from lmtool.text.reader import Line, display_name, read_lines

__all__ = ["grouped", "read_vectors"]

JSON = '{"label": "NAME", "vector": [0.1, 0.2, ...]}'


def grouped(
    paths: Sequence[str | Path], texts: bool = False
) -> list[tuple[str | Path, str | Path | None]]:
    """Each ``.npy`` with the file of labels, or of texts, after it; other files alone.

    Raises InputError.
    """
    pairs: list[tuple[str | Path, str | Path | None]] = []
    left = iter(paths)
    for path in left:
        if beginning(path, len(NPY)) != NPY:
            pairs.append((path, None))
            continue
        labels = next(left, None)
        if labels is None:
            message = "no file of labels after it; name one, a label a line, a line for each row"
            if texts:
                message = 'no file of texts after it; name one, with lines "id <TAB> text"'
            raise InputError(f"{display_name(path)}: {message}")
        pairs.append((path, labels))
    return pairs


def read_vectors(
    path: str | Path,
    labels: str | Path | None = None,
    label: str | None = None,
    labelled: bool = True,
    width: int | None = None,
) -> LabelledFile:
    """The vectors of a file as clips of one frame; ``labels`` belongs to a ``.npy``.

    ``label`` names the key of JSON lines; with ``labelled`` each vector must have a label. All
    have ``width`` numbers, or as many as the first. Raises InputError.
    """
    name = display_name(path)
    if beginning(path, len(NPY)) == NPY:
        form, clips = "rows of an array", rows(path, name, labels, labelled)
    else:
        key = label or "label"
        form, clips = f"JSON lines ({key}, vector)", in_json(path, name, key, labelled)
    return LabelledFile(name, form, same_width(clips, "a vector", width))


def rows(path: str | Path, name: str, labels: str | Path | None, labelled: bool) -> Iterator[Clip]:
    """A row a vector, a line a label."""
    x = array(path)
    said = [()] * len(x) if labels is None or not labelled else labels_of(labels)
    if len(said) != len(x):
        message = f"{len(x):,} rows, but {len(said):,} labels in {display_name(str(labels))}"
        raise InputError(f"{name}: {message}; a line for each row is needed")
    for i, names in enumerate(said):
        yield Clip(names, finite(x[i : i + 1], name, i + 1, "vector"), i + 1, name)


def labels_of(path: str | Path) -> list[tuple[str, ...]]:
    """A label a line."""
    return [label_names(line.text, line.path, line.number) for line in read_lines(path)]


def in_json(path: str | Path, name: str, key: str, labelled: bool) -> Iterator[Clip]:
    """One object a line."""
    lines = filter(holds_text, read_lines(path))
    first = next(lines, None)
    if first is None:
        raise InputError(f"{name}: no vector in it; a line is: {JSON}")
    for line in chain([first], lines):
        yield vector(line, key, labelled)


def vector(line: Line, key: str, labelled: bool) -> Clip:
    """One line of JSON."""
    labels, value = labels_and(line, key, labelled, "vector", JSON)
    if type(value) is not list:
        refuse(line, JSON, "'vector' is no list of numbers")
    return Clip(labels, numbers([value], line.path, line.number, "vector"), line.number, line.path)
