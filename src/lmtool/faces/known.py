"""What a caller hands over to measure a translator or a captioner: sources and their texts."""

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

from lmtool import arguments
from lmtool.data.readers.captions import read_captions
from lmtool.data.readers.clips import Clip
from lmtool.data.readers.parallel import read_parallel
from lmtool.errors import InputError

__all__ = ["captions", "translations"]

Record = tuple[Any, list[str]]  # a source, its texts
Files = list[str | Path]

TWO = "two paths, a path or a list of pairs"


def translations(
    given: Any, source: str | None = None, target: str | None = None
) -> Iterator[Record]:
    """Those of two files, of one that holds both, or of pairs (text, translation). InputError.

    ``source`` and ``target`` are columns of such a file.
    """
    read = partial(of_parallel, source=source, target=target)
    return records(given, read, lambda value, name: arguments.text(value, name))


def captions(given: Any, width: int | None, clip: Callable[[Any], Any]) -> Iterator[Record]:
    """Those of an array and its texts, of JSON lines, or of pairs (vector, text). InputError."""
    return records(given, lambda files: of_captions(files, width), lambda value, name: clip(value))


def records(
    given: Any, read: Callable[[Files], Iterator[Record]], source: Callable[[Any, str], Any]
) -> Iterator[Record]:
    """The records of files, or of pairs; a pair may have several texts in a list."""
    if isinstance(given, str | Path):
        return read([given])
    pairs = list(arguments.items(given, "source", TWO, "[(source, text)] is one"))
    if pairs and all(isinstance(one, str | Path) for one in pairs):
        if len(pairs) > 2:
            raise InputError(f"source: {TWO} is wanted, not {len(pairs)} paths")
        return read(pairs)
    return (record(value, f"source[{index}]", source) for index, value in enumerate(pairs))


def record(value: object, name: str, source: Callable[[Any, str], Any]) -> Record:
    """One (source, text) or (source, [text, ...])."""
    if not isinstance(value, tuple | list) or len(value) != 2:
        raise InputError(f"{name}: a pair (source, text) is wanted, not {arguments.kind(value)}")
    given, said = value
    texts = [said] if isinstance(said, str) else said
    found = arguments.lines(texts, f"{name}: texts", "one text or a list of them")
    known = [text for text in found if text.strip()]
    if not known:
        raise InputError(f"{name}: the text is empty")
    return source(given, f"{name}: source"), known


def of_parallel(files: Files, source: str | None, target: str | None) -> Iterator[Record]:
    """A record a pair."""
    found = read_parallel(files, source, target)
    return ((one.source, [one.target]) for one in found.records)


def of_captions(files: Files, width: int | None) -> Iterator[Record]:
    """A record a vector with texts."""
    path, beside = files[0], files[1] if len(files) > 1 else None
    found = read_captions(path, beside, width=width)
    texts: dict[int, list[str]] = {}
    for one in found.records:
        texts.setdefault(one.row, []).append(one.text)
    for row in sorted(texts):
        yield Clip((), found.vectors[row : row + 1], row + 1, str(path)), texts[row]
