"""Files to lines: what ends a line, what is refused, and with which words."""

import gzip
import io
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lmtool.errors import InputError
from lmtool.text import reader
from lmtool.text.reader import display_name, read_lines

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


@pytest.mark.parametrize("raw", [b"", BOM, gzip.compress(b"")])
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
    raw = gzip.compress(b"a\nb") + gzip.compress(b"c\n")
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


packed = gzip.compress(b"some words\n" * 1000)


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        (b"ok\ncaf\xe9 \n", r"corpus\.txt:2: not UTF-8: byte 0xe9 at offset 6; .*iconv"),
        (BOM + b"a\xff", r":1: not UTF-8: byte 0xff at offset 4;"),
        (b"a\ncut \xe2\x82", r":2: not UTF-8: byte 0xe2 at offset 6;"),
        (b"\xed\xa0\x80", r":1: not UTF-8"),
        (b"ok\nno\0pe\n", r":2: looks binary"),
        ("hello\n".encode("utf-16"), r":1: is UTF-16, .*iconv -f UTF-16"),
        (b"\xfe\xff\0h", r":1: is UTF-16"),
        ("hello\n".encode("utf-32"), r":1: is UTF-32, .*iconv -f UTF-32"),
        (packed[:-9], r"not a whole gzip file"),
        (packed[:30] + b"\xff\xff\xff" + packed[33:], r"not a whole gzip file"),
        (packed[:-5] + b"\0\0\0\0\0", r"not a whole gzip file"),
        (packed + b"rubbish", r"not a whole gzip file"),
    ],
)
def test_refused(tmp_path: Path, raw: bytes, message: str) -> None:
    path = written(tmp_path, raw)
    with pytest.raises(InputError, match=message) as caught:
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
    [b"", b"\xef\xbb\xbf", b"one", b"one\r\n\r\ntwo\rthree\n", b"\xef\xbb\xbfa\n" + b"b\n" * 9],
)
@pytest.mark.parametrize("size", [1, 4, 1 << 16])
def test_blocks_are_the_lines(tmp_path: Path, raw: bytes, size: int) -> None:
    path = written(tmp_path, raw)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reader, "BLOCK", size)
        blocks = list(reader.read_blocks(path))
    assert "".join(blocks) == "".join(f"{line}\n" for line in texts(path))


@pytest.mark.parametrize("raw", [b"a\n" * 50_000 + b"caf\xe9\n", b"a\n" * 50_000 + b"\0\n"])
def test_blocks_fail_with_the_same_words(tmp_path: Path, raw: bytes) -> None:
    path = written(tmp_path, raw)
    messages = []
    for read in (reader.read_lines, reader.read_blocks):
        with pytest.raises(InputError) as error:
            list(read(path))
        messages.append(str(error.value))
    assert messages[0] == messages[1]
    assert ":50001:" in messages[0]
