"""Files to lines: plain or gzipped, by name or from standard input, a block in memory at a time.

What is no text is refused by its first bytes, at the first NUL, or at a line without end.
"""

import gzip
import io
import re
import sys
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import BinaryIO, NamedTuple, cast

from lmtool.errors import InputError
from lmtool.signatures import START, conversion, encoding, recognised

__all__ = ["ALL", "STDIN", "Line", "at_hand", "display_name", "line_numbers", "read_blocks"]
__all__ += ["read_lines"]

STDIN = "-"
GZIP_MAGIC = b"\x1f\x8b"
BLOCK = 1 << 16  # bytes at a time: few enough for the processor's cache
UTF8_BOM = b"\xef\xbb\xbf"
LONGEST_LINE = 1 << 27  # bytes, 128 MiB: a line is in memory as a whole
ALL = range(1, sys.maxsize)


class Line(NamedTuple):
    """One line without its end; numbers count from 1."""

    text: str
    number: int
    path: str  # for messages


def read_lines(path: str | Path, numbers: range = ALL) -> Iterator[Line]:
    """The lines of a UTF-8 text file; ``-`` is standard input, gzip is recognised.

    A line ends at LF or CR LF and nowhere else; the last one may lack its end. A byte order mark
    at the start is dropped. Byte offsets in messages count from 0, in the unpacked text. Of lines
    that are not among ``numbers``, blocks at a time are passed over without being decoded.
    Raises InputError: missing, unreadable, another kind of file, not UTF-8, binary, damaged gzip,
    a line longer than LONGEST_LINE, lines that end at CR alone.
    """
    name = display_name(path)
    with _opened(path, name) as stream:
        for block in _blocks(stream, stream.read1, name):  # what is there: it may be a dialogue
            if block.first >= numbers.stop:
                return
            last = block.first + block.raw.count(b"\n") - block.raw.endswith(b"\n")
            for number, text in block.numbered(numbers, last):
                if str(path) == STDIN:
                    _at_hand[0] = number < last
                yield Line(text, number, name)


def line_numbers(path: str | Path, first: int, end: int) -> range:
    """The numbers of the lines that begin in these bytes of a file, the end not among them.

    Raises InputError for gzip, whose bytes are those of no line, and as ``read_lines`` does.
    """
    name = display_name(path)
    with _opened(path, name) as stream:
        if isinstance(stream.raw, gzip.GzipFile):
            message = "is packed with gzip and cannot be read in parts"
            raise InputError(f"{name}: {message}; unpack it: gunzip")
        numbers = [1, 1]
        for block in _blocks(stream, stream.read, name) if end else ():
            if block.offset >= end:
                break
            numbers = [block.begun(x) or n for x, n in zip((first, end), numbers, strict=True)]
        return range(*numbers)


def at_hand() -> bool:
    """Whether the line after the last one of standard input was read together with it.

    Else getting it may take as long as whoever writes it likes.
    """
    return _at_hand[0]


_at_hand = [True]


def read_blocks(path: str | Path) -> Iterator[str]:
    """The same lines, some thousands at a time: each block is whole lines, each ended by LF."""
    name = display_name(path)
    with _opened(path, name) as stream:
        for block in _blocks(stream, stream.read, name):
            yield block.text()


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


class _Block(NamedTuple):
    """Whole lines, or some and the first bytes of one that is refused."""

    raw: bytes
    first: int  # number of the first line
    offset: int  # of the first byte
    name: str  # of the file
    start: bytes  # of the file

    def text(self) -> str:
        """The lines, each ended by LF. Raises InputError."""
        text = self._at_once()
        return "".join(f"{line}\n" for line in self._one_by_one()) if text is None else text

    def lines(self) -> Iterator[str]:
        """The lines without their ends. Raises InputError, after the lines before the bad one."""
        text = self._at_once()
        return self._one_by_one() if text is None else iter(text[:-1].split("\n"))

    def numbered(self, numbers: range, last: int) -> Iterator[tuple[int, str]]:
        """Those of these numbers, up to its ``last`` one; all are looked at if one is refused."""
        if last < numbers.start and not self._is_odd():
            return iter(())
        lines = enumerate(self.lines(), start=self.first)
        return islice(lines, max(0, numbers.start - self.first), numbers.stop - self.first)

    def begun(self, end: int) -> int:
        """The number of the first line that begins at this byte or behind; 0: the block does."""
        if self.offset >= end:
            return 0
        return self.first + 1 + self.raw.count(b"\n", 0, min(end - self.offset, len(self.raw)) - 1)

    def _is_odd(self) -> bool:
        return b"\0" in self.raw or len(self.raw) > LONGEST_LINE

    def _at_once(self) -> str | None:
        """The text; None where a line is to be refused, or might be."""
        if self._is_odd():
            return None
        try:
            raw = self.raw.replace(b"\r\n", b"\n") if b"\r" in self.raw else self.raw  # quickly
            text = raw.decode()
        except UnicodeDecodeError:
            return None
        return text if text.endswith("\n") else text + "\n"

    def _one_by_one(self) -> Iterator[str]:
        offset = self.offset
        for number, raw in enumerate(io.BytesIO(self.raw), start=self.first):
            text = self._decoded(raw, number, offset)
            yield text[:-2] if text.endswith("\r\n") else text.removesuffix("\n")
            offset += len(raw)

    def _decoded(self, raw: bytes, number: int, offset: int) -> str:
        where = f"{self.name}:{number}"
        if b"\0" in raw:
            raise InputError(f"{where}: looks binary (a NUL byte); a text file is needed")
        if len(raw) > LONGEST_LINE:
            message = f"a line is longer than {LONGEST_LINE >> 20} MiB"
            raise InputError(f"{where}: {message}; break the text into lines: fold -s")
        try:
            return raw.decode()
        except UnicodeDecodeError as error:
            byte = f"byte 0x{raw[error.start]:02x} at offset {offset + error.start}"
            near = raw[max(0, error.start - START) : error.start + START]
            raise _not_utf8(where, byte, conversion(self.start + near)) from error


def _not_utf8(where: str, byte: str, command: str | None) -> InputError:
    if command is None:
        return InputError(f"{where}: looks binary ({byte}); a text file is needed")
    return InputError(f"{where}: not UTF-8: {byte}; convert the file: {command}")


def _blocks(stream: io.BufferedReader, read: Callable[[int], bytes], name: str) -> Iterator[_Block]:
    """The bytes, none of the blocks empty; ``read`` is a method of ``stream``."""
    start = stream.peek(START)[:START]
    _refuse_other_kinds(start, name)
    first, offset = 1, 0
    for raw in _whole_lines(read):
        if first == 1:
            _refuse_cr_alone(raw, name)
            offset = len(UTF8_BOM) if raw.startswith(UTF8_BOM) else 0
            raw = raw.removeprefix(UTF8_BOM)
        if raw:
            yield _Block(raw, first, offset, name, start)
        first, offset = first + raw.count(b"\n"), offset + len(raw)


def _whole_lines(read: Callable[[int], bytes]) -> Iterator[bytes]:
    """Blocks that end where a line does, at a NUL's piece, or in a line that is too long."""
    begun: list[bytes] = []  # the pieces of a line
    size = 0
    while size <= LONGEST_LINE and (piece := read(BLOCK)):
        end = len(piece) if b"\0" in piece else piece.rfind(b"\n") + 1
        if end:
            yield b"".join([*begun, piece[:end]])
            begun, size = [], 0
        begun.append(piece[end:])
        size += len(begun[-1])
    yield b"".join(begun)


def _refuse_other_kinds(start: bytes, name: str) -> None:
    """Raises InputError for what its first bytes say that it is."""
    if kind := recognised(start):
        raise InputError(f"{name}: is {kind.name}, not text; {kind.advice}")
    if code := encoding(start):
        raise InputError(f"{name}: is {code}, not UTF-8; convert it: iconv -f {code} -t UTF-8")


def _refuse_cr_alone(raw: bytes, name: str) -> None:
    """Raises InputError for a text without any LF but with CRs in it."""
    if b"\n" in raw or b"\0" in raw or b"\r" not in raw:
        return
    if re.search(rb"[^\r]\r+[^\r]", raw):
        message = "line ends are CR alone, as in files of old Macs"
        raise InputError(f"{name}: {message}; convert them: tr '\\r' '\\n' < OLD > NEW")
