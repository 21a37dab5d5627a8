"""Files to lines: plain or gzipped, by name or from standard input, a line in memory at a time."""

import gzip
import io
import sys
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, NamedTuple, cast

from lmtool.errors import InputError

__all__ = ["STDIN", "Line", "display_name", "read_blocks", "read_lines"]

STDIN = "-"
GZIP_MAGIC = b"\x1f\x8b"
BLOCK = 1 << 16  # bytes at a time: few enough for the processor's cache
UTF8_BOM = b"\xef\xbb\xbf"
UTF16_BOMS = (b"\xff\xfe", b"\xfe\xff")  # the first one opens UTF-32 files, too


class Line(NamedTuple):
    """One line without its end; numbers count from 1."""

    text: str
    number: int
    path: str  # for messages


def read_lines(path: str | Path) -> Iterator[Line]:
    """The lines of a UTF-8 text file; ``-`` is standard input, gzip is recognised.

    A line ends at LF or CR LF and nowhere else; the last one may lack its end. A byte order mark
    at the start is dropped. Byte offsets in messages count from 0, in the unpacked text.
    Raises InputError: missing, unreadable, not UTF-8, binary, damaged gzip.
    """
    name = display_name(path)
    with _opened(path, name) as stream:
        yield from _lines(stream, name)


def read_blocks(path: str | Path) -> Iterator[str]:
    """The same lines, some thousands at a time: each block is whole lines, each ended by LF."""
    name = display_name(path)
    with _opened(path, name) as stream:
        yield from _blocks(stream, name)


@contextmanager
def _opened(path: str | Path, name: str) -> Iterator[io.BufferedReader]:
    """The bytes of a file or of standard input; whatever goes wrong becomes an InputError."""
    try:
        with _stream(path) as stream:
            yield stream
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        message = "not a whole gzip file: damaged, cut short, or named .gz by mistake"
        raise InputError(f"{name}: {message}; make it anew or rename it") from error
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path
        reason = getattr(error, "strerror", None) or str(error)
        raise InputError(f"{name}: cannot be read: {reason}; check the path") from error


def display_name(path: str | Path) -> str:
    """The path as a message may show it: control characters escaped, ``-`` spelled out."""
    name = "standard input" if str(path) == STDIN else str(path)
    return name if name.isprintable() else repr(name)


@contextmanager
def _stream(path: str | Path) -> Iterator[io.BufferedReader]:
    if str(path) == STDIN:
        yield _unpacked(_standard_input(), suffix="")
        return
    with open(path, "rb") as stream:
        yield _unpacked(stream, Path(path).suffix)


def _standard_input() -> io.BufferedReader:
    stream: BinaryIO = sys.stdin.buffer
    if isinstance(stream, io.BufferedReader):
        return stream
    return io.BufferedReader(cast(io.RawIOBase, stream))  # a stand-in, which may lack peek


def _unpacked(stream: io.BufferedReader, suffix: str) -> io.BufferedReader:
    if suffix.lower() != ".gz" and not stream.peek(2).startswith(GZIP_MAGIC):
        return stream
    return io.BufferedReader(cast(io.RawIOBase, gzip.GzipFile(fileobj=stream, mode="rb")))


def _lines(stream: io.BufferedReader, name: str) -> Iterator[Line]:
    offset = 0
    for number, raw in enumerate(stream, start=1):
        text = _decoded(raw, name, number, offset)
        offset += len(raw)
        if text:  # empty: nothing but a byte order mark
            text = text[:-2] if text.endswith("\r\n") else text.removesuffix("\n")
            yield Line(text, number, name)


def _blocks(stream: io.BufferedReader, name: str) -> Iterator[str]:
    first, offset = 1, 0
    while lines := stream.readlines(BLOCK):
        try:
            text = "" if first == 1 else b"".join(lines).decode()
        except UnicodeDecodeError:
            text = ""
        if not text or "\0" in text:  # line by line, for the mark at the start or the exact message
            text = "".join(_by_line(lines, name, first, offset))
        text = text.replace("\r\n", "\n")
        yield text if text.endswith("\n") or not text else text + "\n"
        first, offset = first + len(lines), offset + sum(map(len, lines))


def _by_line(lines: list[bytes], name: str, first: int, offset: int) -> Iterator[str]:
    for number, raw in enumerate(lines, start=first):
        yield _decoded(raw, name, number, offset)
        offset += len(raw)


def _decoded(raw: bytes, name: str, number: int, offset: int) -> str:
    """One line with its end; ``offset`` is the place of its first byte in the text."""
    bare = raw
    if number == 1:
        _refuse_utf16(raw, name)
        bare = raw.removeprefix(UTF8_BOM)
    if b"\0" in raw:
        raise InputError(f"{name}:{number}: looks binary (a NUL byte); a text file is needed")
    try:
        return bare.decode()
    except UnicodeDecodeError as error:
        at = offset + len(raw) - len(bare) + error.start
        message = f"not UTF-8: byte 0x{bare[error.start]:02x} at offset {at}; convert the file"
        raise InputError(f"{name}:{number}: {message}: iconv -f LATIN1 -t UTF-8") from error


def _refuse_utf16(raw: bytes, name: str) -> None:
    if raw.startswith(UTF16_BOMS):
        code = "UTF-32" if raw.startswith(b"\xff\xfe\0\0") else "UTF-16"
        raise InputError(f"{name}:1: is {code}, not UTF-8; convert it: iconv -f {code} -t UTF-8")
