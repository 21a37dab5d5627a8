"""Parts of files: each line in one of them, whatever the text and however many they are."""

import gzip
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lmtool.errors import InputError, OptionError
from lmtool.text import reader
from lmtool.text.parts import Part, cut, numbers, part, row_numbers
from lmtool.text.reader import Line, read_lines

BOM = b"\xef\xbb\xbf"
raws = st.builds(
    lambda bom, lines, end, closed: BOM * bom + end.join(lines).encode() + end.encode() * closed,
    st.booleans(),
    st.lists(
        st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\n\r\0\ufeff")),
        min_size=1,
    ),
    st.sampled_from(["\n", "\r\n"]),
    st.booleans(),
)


def answered(one: Part, paths: list[str]) -> list[Line]:
    own = numbers(one, paths)
    return [
        line for path, of in zip(paths, own, strict=True) for line in read_lines(path, numbers=of)
    ]


def whole(paths: list[str]) -> list[Line]:
    return [line for path in paths for line in read_lines(path)]


def parts(n: int) -> list[Part]:
    return [Part(index, n) for index in range(1, n + 1)]


@given(
    texts=st.lists(raws, min_size=1, max_size=3),
    n=st.integers(1, 40),
    block=st.sampled_from([1, 2, 3, 7, 1 << 16]),
)
def test_the_lines_of_all_parts_are_those_of_the_files(
    tmp_path_factory: pytest.TempPathFactory, texts: list[bytes], n: int, block: int
) -> None:
    folder = tmp_path_factory.mktemp("parts")
    paths = [str(folder / str(index)) for index in range(len(texts))]
    for path, raw in zip(paths, texts, strict=True):
        Path(path).write_bytes(raw)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reader, "BLOCK", block)
        found = [line for one in parts(n) for line in answered(one, paths)]
    assert found == whole(paths)


@given(texts=st.lists(raws, min_size=1, max_size=3), n=st.integers(1, 12))
def test_items_are_cut_as_lines_are_and_those_before_are_counted(
    tmp_path_factory: pytest.TempPathFactory, texts: list[bytes], n: int
) -> None:
    folder = tmp_path_factory.mktemp("parts")
    paths = [str(folder / str(index)) for index in range(len(texts))]
    for path, raw in zip(paths, texts, strict=True):
        Path(path).write_bytes(raw)
    done: list[Line] = []
    for one in parts(n):
        files = zip(map(read_lines, paths), numbers(one, paths), strict=True)
        before, items = cut(files, lambda line: line.number)
        mine = list(items)
        assert mine == answered(one, paths)
        assert before == len(done) or not mine
        done += mine
    assert done == whole(paths)


def test_a_line_is_in_the_part_in_which_it_begins(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes("ab\nčccccc\n\nd".encode())  # lines begin at 0, 3, 11, 12 of 13 bytes
    found = [[line.number for line in answered(one, [str(path)])] for one in parts(4)]
    assert found == [[1], [2], [], [3, 4]]  # parts begin at 0, 3, 6, 9


@given(n_rows=st.integers(1, 50), size=st.integers(1, 3000), n=st.integers(1, 60))
def test_each_row_is_in_one_part(n_rows: int, size: int, n: int) -> None:
    ends = [size * i // n for i in range(n + 1)]
    own = [row_numbers(n_rows, size, *ends[i : i + 2]) for i in range(n)]
    assert [number for one in own for number in one] == list(range(1, n_rows + 1))


def test_most_of_what_is_before_a_part_is_not_decoded(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"\xff\n" + b"word\n" * 100_000)
    assert len(answered(Part(2, 2), [str(path)])) == 50_000
    with pytest.raises(InputError, match=r":1: not UTF-8"):
        answered(Part(1, 2), [str(path)])


@pytest.mark.parametrize("bad", [b"a\0b", b"x" * 80], ids=["NUL", "a long line"])
def test_what_would_mislead_the_count_is_refused_in_later_parts(
    tmp_path: Path, bad: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reader, "LONGEST_LINE", 60)
    monkeypatch.setattr(reader, "BLOCK", 50)
    path = tmp_path / "a"
    path.write_bytes(b"one\n" + bad + b"\n" + b"two\n" * 100)
    with pytest.raises(InputError, match=r":2: "):
        answered(Part(3, 3), [str(path)])


def test_what_has_no_lines_at_known_bytes_is_refused(tmp_path: Path) -> None:
    packed, plain = tmp_path / "a.gz", tmp_path / "a"
    packed.write_bytes(gzip.compress(b"one\ntwo\n"))
    plain.write_bytes(gzip.compress(b"one\ntwo\n"))
    for path in (packed, plain):
        with pytest.raises(InputError, match=r"packed with gzip .*: gunzip"):
            numbers(Part(1, 2), [str(path)])
    with pytest.raises(InputError, match="standard input cannot be read in parts"):
        numbers(Part(1, 2), ["-"])
    with pytest.raises(InputError, match="cannot be read: No such file"):
        numbers(Part(1, 2), [str(tmp_path / "missing")])
    with pytest.raises(InputError, match="is no regular file"):
        numbers(Part(1, 2), [str(tmp_path)])
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(InputError, match="is no regular file"):
        numbers(Part(1, 2), [str(tmp_path / "pipe")])


def test_an_empty_file_has_empty_parts(tmp_path: Path) -> None:
    (tmp_path / "a").touch()
    assert [answered(one, [str(tmp_path / "a")]) for one in parts(3)] == [[], [], []]


def test_how_a_part_is_written() -> None:
    assert part("2/8") == Part(2, 8)
    for wrong in ("", "2", "0/8", "9/8", "1/0", "-1/8", "1/8/2", "1 / 8", "\u0661/8", "1/8\n"):
        with pytest.raises(OptionError, match="is no part: write 1/8"):
            part(wrong)
