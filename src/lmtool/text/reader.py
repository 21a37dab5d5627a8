"""Files to lines: plain or gzip, ``-`` for standard input, strict UTF-8.

LF or CRLF ends a line; a byte order mark is dropped; a NUL byte, text in another encoding and a
broken archive are errors that name the file, the line and the byte.
"""

import contextlib
import gzip
import sys
import zlib
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import IO, NamedTuple

from lmtool.errors import InputError

__all__ = ["STDIN", "Line", "display_name", "read_lines"]

STDIN = "-"
BOM = b"\xef\xbb\xbf"
GZIP = b"\x1f\x8b"
UTF16 = (b"\xff\xfe", b"\xfe\xff")
BLOCK = 1 << 22  # bytes of whole lines decoded at once


class Line(NamedTuple):
    """One line of text without its end."""

    text: str
    number: int  # from 1
    path: str


def display_name(path: str | Path) -> str:
    """How messages name a file."""
    return "standard input" if str(path) == STDIN else str(path)


def read_lines(path: str | Path) -> Iterator[Line]:
    """The lines of one file, in constant memory but for the longest line. Raises InputError."""
    number = 0
    for block in _read_blocks(path):
        for text in block:
            number += 1
            yield Line(text, number, display_name(path))


def _read_blocks(path: str | Path) -> Iterator[list[str]]:
    """The lines of one file, some megabytes at a time; raises InputError as ``read_lines``."""
    with contextlib.closing(_raw_blocks(path)) as blocks:
        number, offset = 1, 0
        for raw in blocks:
            lines = _decode(raw, path, number, offset)
            yield lines
            number += len(lines)
            offset += len(raw)


def _raw_blocks(path: str | Path) -> Generator[bytes]:
    """Whole lines of bytes; only the last block may lack its final LF."""
    rest: list[bytes] = []
    try:
        with _open_bytes(path) as stream:
            while piece := stream.read(BLOCK):
                cut = piece.rfind(b"\n") + 1
                if cut:
                    yield b"".join([*rest, piece[:cut]])
                    rest = []
                rest.append(piece[cut:])
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise InputError(
            f"{display_name(path)}: the gzip archive is damaged or cut short ({error})"
        ) from None
    except OSError as error:
        raise InputError(f"{display_name(path)}: {error.strerror or error}") from None
    if any(rest):
        yield b"".join(rest)


@contextlib.contextmanager
def _open_bytes(path: str | Path) -> Iterator[IO[bytes]]:
    """The bytes of a file, of a gzip file's content, or of standard input for ``-``."""
    if str(path) == STDIN:
        yield sys.stdin.buffer
        return
    with open(path, "rb") as stream:
        packed = stream.read(2) == GZIP
        stream.seek(0)
        if packed:
            with gzip.open(stream, "rb") as unpacked:
                yield unpacked  # type: ignore[misc]
        else:
            yield stream


def _decode(raw: bytes, path: str | Path, number: int, offset: int) -> list[str]:
    """The lines of a block that starts at line ``number`` and byte ``offset``."""
    if offset == 0:
        if raw.startswith(UTF16):
            raise InputError(
                f"{display_name(path)}: the text is UTF-16; convert it: iconv -f UTF-16 -t UTF-8"
            )
        raw = raw.removeprefix(BOM)
    nul = raw.find(b"\0")
    if nul >= 0:
        line = number + raw.count(b"\n", 0, nul)
        raise InputError(
            f"{display_name(path)}:{line}: looks binary (a NUL byte at byte {offset + nul})"
        )
    try:
        text = raw.decode()
    except UnicodeDecodeError as error:
        line = number + raw.count(b"\n", 0, error.start)
        raise InputError(
            f"{display_name(path)}:{line}: not UTF-8 (byte 0x{raw[error.start]:02x} at byte "
            f"{offset + error.start}); convert it: iconv -f LATIN1 -t UTF-8"
        ) from None
    lines = text.removesuffix("\n").split("\n")
    return [line.removesuffix("\r") for line in lines] if "\r" in text else lines
