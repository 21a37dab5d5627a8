"""Files to lines: what ends a line, what is refused, and with which words."""

import gzip
import io
import os
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lmtool.errors import InputError
from lmtool.text import reader
from lmtool.text.reader import display_name, read_lines
from tests.refused import refused

Read = Callable[[str | Path], Iterator[Any]]
BOM = b"\xef\xbb\xbf"
line_texts = st.lists(
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\n\r\0\ufeff"))
)


def texts(path: Path) -> list[str]:
    return [line.text for line in read_lines(path)]


def written(folder: Path, raw: bytes, name: str = "corpus.txt") -> Path:
    path = folder / name
    path.write_bytes(raw)
    return path


@given(
    lines=line_texts,
    end=st.sampled_from(["\n", "\r\n"]),
    bom=st.booleans(),
    closed=st.booleans(),
    pack=st.booleans(),
)
def test_lines_survive_any_ending(
    tmp_path_factory: pytest.TempPathFactory,
    lines: list[str],
    end: str,
    bom: bool,
    closed: bool,
    pack: bool,
) -> None:
    closed = closed or not lines or not lines[-1]  # an empty last line exists if it has an end
    text = end.join(lines) + end * (closed and bool(lines))
    raw = BOM * bom + text.encode()
    path = written(tmp_path_factory.mktemp("reader"), gzip.compress(raw) if pack else raw)
    assert texts(path) == lines


def test_numbers_and_path(tmp_path: Path) -> None:
    path = written(tmp_path, b"one\n\nthree")
    assert [tuple(line) for line in read_lines(path)] == [
        ("one", 1, str(path)),
        ("", 2, str(path)),
        ("three", 3, str(path)),
    ]


@pytest.mark.parametrize("raw", [b"", BOM, gzip.compress(b"", mtime=0)])
def test_a_file_without_text_has_no_lines(tmp_path: Path, raw: bytes) -> None:
    assert texts(written(tmp_path, raw)) == []


def test_only_lf_ends_a_line(tmp_path: Path) -> None:
    text = "a\rb\u2028c\x0bd\x85e\r\r\nlast\r"
    assert texts(written(tmp_path, text.encode())) == ["a\rb\u2028c\x0bd\x85e\r", "last\r"]


def test_a_mark_is_dropped_at_the_start_only(tmp_path: Path) -> None:
    assert texts(written(tmp_path, BOM + BOM + b"a\n" + BOM + b"b")) == ["\ufeffa", "\ufeffb"]


def test_a_long_line(tmp_path: Path) -> None:
    assert texts(written(tmp_path, b"word " * 2_000_000)) == ["word " * 2_000_000]


def test_gzip_in_several_members_under_any_name(tmp_path: Path) -> None:
    raw = gzip.compress(b"a\nb", mtime=0) + gzip.compress(b"c\n", mtime=0)
    assert texts(written(tmp_path, raw, "corpus")) == ["a", "bc"]


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
@pytest.mark.parametrize("buffered", [True, False])
def test_standard_input(monkeypatch: pytest.MonkeyPatch, pack: type, buffered: bool) -> None:
    raw = io.BytesIO(pack(b"a\r\nb"))
    stream = io.TextIOWrapper(io.BufferedReader(raw) if buffered else raw)
    monkeypatch.setattr("sys.stdin", stream)
    assert [tuple(line) for line in read_lines("-")] == [
        ("a", 1, "standard input"),
        ("b", 2, "standard input"),
    ]


packed = gzip.compress(b"some words\n" * 1000, mtime=0)


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        (b"ok\ncaf\xe9 \n", r"corpus\.txt:2: not UTF-8: byte 0xe9 at offset 6; .*iconv"),
        (BOM + b"a\xff", r":1: not UTF-8: byte 0xff at offset 4;"),
        (b"a\ncut \xe2\x82", r":2: not UTF-8: byte 0xe2 at offset 6;"),
        (b"\xed\xa0\x80", r":1: not UTF-8"),
        (b"ok\nno\0pe\n", r":2: looks binary"),
        ("hello\n".encode("utf-16"), r"txt: is UTF-16, .*iconv -f UTF-16 -t"),
        (b"\xfe\xff\0h", r"txt: is UTF-16"),
        ("hello\n".encode("utf-16-le"), r"txt: is UTF-16LE, .*iconv -f UTF-16LE -t UTF-8"),
        (
            gzip.compress("hello\n".encode("utf-16-be"), mtime=0),
            r"txt: is UTF-16BE, .*iconv -f UTF-16BE",
        ),
        (b"%PDF-1.7\n1 0 obj", r"txt: is a PDF document, not text; save it as plain text first"),
        (b"ok\n\x93hm\x94\n", r":2: not UTF-8: byte 0x93 .*; .*iconv -f CP1252 -t UTF-8"),
        ("Ż żółw\n".encode() + b"\xff\n", r":2: not UTF-8: .*; .*iconv -c -f UTF-8 -t UTF-8"),
        (b"ok\n" + bytes(range(1, 256)), r":3: looks binary \(byte 0x80 at offset 130\); a text"),
        (b"one\rtwo\r", r"txt: line ends are CR alone, .*; .*tr '\\r' '\\n' < OLD > NEW"),
        (BOM + b"one\r\rtwo", r"txt: line ends are CR alone"),
        (b"one\r\xe9", r"txt: line ends are CR alone"),
        ("hello\n".encode("utf-32"), r"txt: is UTF-32, .*iconv -f UTF-32"),
        (packed[:-9], r"not a whole gzip file"),
        (packed[:30] + b"\xff\xff\xff" + packed[33:], r"not a whole gzip file"),
        (packed[:-5] + b"\0\0\0\0\0", r"not a whole gzip file"),
        (packed + b"rubbish", r"not a whole gzip file"),
    ],
)
def test_refused(tmp_path: Path, raw: bytes, message: str) -> None:
    path = written(tmp_path, raw)
    with refused(InputError, match=message) as caught:
        texts(path)
    assert "\n" not in str(caught.value)


def test_plain_text_named_gz_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"named \.gz by mistake"):
        texts(written(tmp_path, b"plain\n", "corpus.gz"))


@pytest.mark.parametrize("path", ["", "missing.txt", "a\0b"])
def test_what_cannot_be_opened_is_refused(tmp_path: Path, path: str) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        texts(tmp_path / path)


def test_names_are_shown_harmless() -> None:
    assert display_name("plain name.txt") == "plain name.txt"
    assert display_name("\x1b[31mred") == r"'\x1b[31mred'"


def test_standard_input_stays_open(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = io.TextIOWrapper(io.BufferedReader(io.BytesIO(b"a\nb\n")))
    monkeypatch.setattr("sys.stdin", stream)
    lines = read_lines("-")
    next(lines)
    del lines
    assert not stream.buffer.closed


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"one\r",
        b"\rone",
        b"one\rtwo\n",
        b"\xef\xbb\xbf",
        b"one",
        b"one\r\n\r\ntwo\rthree\n",
        b"\xef\xbb\xbfa\n" + b"b\n" * 9,
    ],
)
@pytest.mark.parametrize("size", [1, 4, 1 << 16])
def test_blocks_are_the_lines(tmp_path: Path, raw: bytes, size: int) -> None:
    path = written(tmp_path, raw)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reader, "BLOCK", size)
        blocks = list(reader.read_blocks(path))
    assert "".join(blocks) == "".join(f"{line}\n" for line in texts(path))


@pytest.mark.parametrize(
    "raw",
    [
        b"a\n" * 50_000 + b"caf\xe9\n",
        b"a\n" * 50_000 + b"\0\n",
        b"a\n" * 50_000 + b"b" * 100_000 + b"\0\nc\xe9\n",
        b"a\n" * 50_000 + b"b" * (1 << 18) + b"\n",
    ],
    ids=["latin", "nul", "nul later", "long"],
)
def test_blocks_fail_with_the_same_words(
    tmp_path: Path, raw: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reader, "LONGEST_LINE", (1 << 18) - 1)
    path = written(tmp_path, raw)
    messages = []
    for read in (reader.read_lines, reader.read_blocks):
        with refused(InputError) as error:
            list(read(path))
        messages.append(str(error.value))
    assert messages[0] == messages[1]
    assert ":50001:" in messages[0]


READS = pytest.mark.parametrize("read", [reader.read_lines, reader.read_blocks])


@READS
@pytest.mark.parametrize("size", [1, 4, 1 << 16])
def test_a_line_may_be_as_long_as_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, read: Read, size: int
) -> None:
    monkeypatch.setattr(reader, "BLOCK", size)
    monkeypatch.setattr(reader, "LONGEST_LINE", 10)
    assert list(read(written(tmp_path, b"ok\n123456789\n1234567890")))
    for raw in (b"ok\n1234567890\n", b"ok\n12345678901", b"ok\n" + b"1" * 99 + b"\nok\n"):
        with pytest.raises(InputError, match=r":2: a line is longer than .* MiB; .*fold -s"):
            list(read(written(tmp_path, raw)))


class Endless(io.RawIOBase):
    """The same bytes for ever; counts what is taken."""

    def __init__(self, pattern: bytes) -> None:
        self.pattern, self.taken = pattern * 4096, 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        n = min(len(buffer), len(self.pattern))
        buffer[:n] = self.pattern[:n]
        self.taken += n
        return n


@READS
@pytest.mark.parametrize(
    ("pattern", "most", "message"),
    [
        (b"\0", 1, r"input:1: looks binary"),
        (b"words ", 5, r"input:1: a line is longer than 4 MiB"),
        (b"words\r", 5, r"input: line ends are CR alone"),
        (b"caf\xe9 ", 5, r"input:1: a line is longer than 4 MiB"),
    ],
)
def test_streams_without_end(
    monkeypatch: pytest.MonkeyPatch, read: Read, pattern: bytes, most: int, message: str
) -> None:
    monkeypatch.setattr(reader, "LONGEST_LINE", 4 << 20)
    raw = Endless(pattern)
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BufferedReader(raw)))
    with pytest.raises(InputError, match=message):
        list(read("-"))
    assert raw.taken < most << 20


@READS
@pytest.mark.parametrize("pattern", [b"\0", b"words "])
def test_a_gzip_bomb_takes_no_more_than_a_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, read: Read, pattern: bytes
) -> None:
    monkeypatch.setattr(reader, "LONGEST_LINE", 1 << 20)
    path = written(tmp_path, gzip.compress(pattern * 10_000_000, compresslevel=1))
    tracemalloc.start()
    with pytest.raises(InputError, match=r":1: (looks binary|a line is longer than 1 MiB)"):
        list(read(path))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 4 << 20


def test_lines_are_there_as_they_come(monkeypatch: pytest.MonkeyPatch) -> None:
    given, taken = os.pipe()
    with open(given, "rb") as asked, open(taken, "wb", buffering=0) as answer:
        stdin = io.TextIOWrapper(asked)
        monkeypatch.setattr("sys.stdin", stdin)
        lines = read_lines("-")
        for word in ("one", "two"):
            answer.write(f"{word}\n".encode())
            assert next(lines).text == word
        del lines
