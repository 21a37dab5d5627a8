"""Vectors with texts: an array and lines that name its rows, or JSON lines; refusals say where."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lmtool.data.readers.captions import Caption, CaptionFile, describe, read_captions
from lmtool.errors import InputError
from tests.refused import refused

X = np.array([[0.5, 1.0, 0], [-2.0, 0.25, 1]], np.float32)
LINES = "b\ta red dot\na\ta blue one\n\nb\tone dot\tred\n"
TAB = "id <TAB> text"


def opened(folder: Path, x: Any, lines: str, name: str = "t.tsv", **options: Any) -> CaptionFile:
    """An array and its texts."""
    path, texts = folder / "x.npy", folder / name
    np.save(path, x)
    texts.write_text(lines)
    return read_captions(path, texts, **options)


def rows(file: CaptionFile) -> list[tuple[int, str]]:
    """Without where they stand."""
    return [(one.row, one.text) for one in file.records]


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, ">f4"])
@pytest.mark.parametrize("order", ["C", "F"])
def test_an_array_and_texts(tmp_path: Path, dtype: Any, order: Any) -> None:
    file = opened(tmp_path, np.array(X, dtype, order=order), LINES)
    assert file.vectors.dtype == np.float32
    np.testing.assert_array_equal(file.vectors, X)
    path = str(tmp_path / "t.tsv")
    expected = [(0, "a red dot", 1), (1, "a blue one", 2), (0, "one dot red", 4)]
    assert list(file.records) == [Caption(*one, path) for one in expected]
    said = f"{tmp_path / 'x.npy'} and {path}: 2 vectors of 3 numbers, 3 texts, an array and {TAB}"
    assert describe(file, 3) == said


def test_a_float32_array_is_mapped(tmp_path: Path) -> None:
    assert isinstance(opened(tmp_path, X, LINES).vectors, np.memmap)


@pytest.mark.parametrize(
    ("lines", "form", "n"),
    [
        ("b.jpg#0\tx\nb.jpg#1\ty\na.jpg#0\tz", f"{TAB} (the #0, #1, ... of the ids dropped)", 2),
        ("b.jpg#0\tx\nb.jpg#1\ty\na.jpg\tz", TAB, 3),
        ("b#x\tx\nb#x\ty\na#2\tz", TAB, 2),
        ("#1\tx\n#1\ty\n#2\tz", TAB, 2),
        ("id\ttext\nb\tx\nb\ty\na\tz", "a table (id, text)", 2),
        ("image,n,caption\nb,1,x\nb,2,y\na,3,z", "a table (image, caption)", 2),
    ],
)
def test_ids(tmp_path: Path, lines: str, form: str, n: int) -> None:
    file = opened(tmp_path, np.resize(X, (n, 3)), lines, "t.txt")
    assert file.form == f"an array and {form}"
    assert rows(file) == [(0, "x"), (n - 2, "y"), (n - 1, "z")]


def test_columns_of_a_csv_without_usual_names(tmp_path: Path) -> None:
    assert rows(opened(tmp_path, X, "a,b\n1,x\n2,y\n", "t.csv")) == [(0, "x"), (1, "y")]


def test_texts_are_left_out(tmp_path: Path) -> None:
    file = opened(tmp_path, X, "b\ta red dot\nb\t \na\tone dot", longest=2)
    assert rows(file) == [(1, "one dot")]
    assert describe(file, 1).endswith(", 2 left out (1 too long, 1 without a text)")
    with pytest.raises(InputError, match=r"no text in it, 2 left out"):
        opened(tmp_path, X, "a\t\nb\t\n")


def json_lines(folder: Path, *values: Any) -> Path:
    """A file."""
    path = folder / "x.jsonl"
    path.write_text("".join(f"{json.dumps(value)}\n" for value in values))
    return path


def test_json_lines(tmp_path: Path) -> None:
    first = {"id": 3, "vector": X[0].tolist(), "texts": ["a\nred dot", ""], "more": None}
    file = read_captions(json_lines(tmp_path, first, {"vector": [1, 2, 3], "texts": ["b", "c"]}))
    np.testing.assert_array_equal(file.vectors, [X[0], [1, 2, 3]])
    assert rows(file) == [(0, "a red dot"), (1, "b"), (1, "c")]
    assert file.form == "JSON lines (vector, texts)"
    assert file.left_out.total() == 1


@pytest.mark.parametrize(
    ("x", "lines", "message"),
    [
        (X, "a\tx\n", r"x\.npy: 2 rows, but 1 id in .*t\.tsv; row i belongs to the i-th distinct"),
        (X[:1], LINES, r"x\.npy: 1 row, but 2 ids in "),
        (X * np.array([[1], [np.nan]], np.float32), LINES, r"x\.npy:2: a number is not finite"),
        (np.float64(X) * 1e200, LINES, r"x\.npy:1: a number is not finite"),
        (X.astype(object), LINES, r"x\.npy: not a usable array.*type '|O'"),
        (X.astype(int), LINES, r"x\.npy: not a usable array.*int64"),
        (X[0], LINES, r"x\.npy: not a usable array.*shape is \(3,\)"),
        (np.zeros((1, 70_000), np.float16), "a\tx", r"x\.npy:1: 70000 numbers a vector"),
        (X, "a\tx\nb y\n", r"t\.tsv:2: no TAB in it; a line is: id <TAB> text"),
        (X, " \tx\n", r"t\.tsv:1: the id is empty"),
        (X, "\n", r"t\.tsv: no text in it"),
        (X, "id\ttext\n", r"x\.npy: 2 rows, but 0 ids"),
    ],
)
def test_refused(tmp_path: Path, x: Any, lines: str, message: str) -> None:
    with refused(InputError, match=message) as told:
        opened(tmp_path, x, lines)
    assert "\n" not in str(told.value)


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({"texts": ["a"]}, "no key 'vector'"),
        ({"vector": [1]}, "no key 'texts'"),
        ({"vector": 1, "texts": ["a"]}, "'vector' is no list of numbers"),
        ({"vector": [[1]], "texts": ["a"]}, "vector 1 holds what is no number: list"),
        ({"vector": [1e39], "texts": ["a"]}, "a number is not finite"),
        ({"vector": [1], "texts": "a"}, "'texts' is no list of texts"),
        ({"vector": [1], "texts": ["a", 1]}, "'texts' is no list of texts"),
        ({"vector": [1], "texts": ["\0"]}, "looks binary"),
        ({"vector": [1, 2], "texts": ["a"]}, "2 numbers a vector, but 1 are expected"),
        ({"id": "a", "vector": [1], "texts": ["a"]}, "its id is that of line 1"),
        ({"id": ["a"], "vector": [1], "texts": ["a"]}, "'id' is neither text nor number"),
    ],
)
def test_json_refused(tmp_path: Path, value: Any, message: str) -> None:
    path = json_lines(tmp_path, {"id": "a", "vector": [1], "texts": ["a"]}, value)
    with refused(InputError, match=rf"x\.jsonl:2: {message}") as told:
        read_captions(path)
    assert "\n" not in str(told.value)


@pytest.mark.parametrize("cut", [7, 20, 130, -1])
def test_an_array_that_is_cut_short(tmp_path: Path, cut: int) -> None:
    opened(tmp_path, X, LINES)
    path = tmp_path / "x.npy"
    path.write_bytes(path.read_bytes()[:cut])
    with pytest.raises(InputError, match=r"x\.npy.*: not a"):
        read_captions(path, tmp_path / "t.tsv")


def test_an_array_with_more_behind_it(tmp_path: Path) -> None:
    opened(tmp_path, X, LINES)
    with (tmp_path / "x.npy").open("ab") as stream:
        stream.write(b"x")
    with pytest.raises(InputError, match=r"x\.npy: not a usable array.*holds more"):
        read_captions(tmp_path / "x.npy", tmp_path / "t.tsv")


def test_what_belongs_together(tmp_path: Path) -> None:
    opened(tmp_path, X, LINES)
    with pytest.raises(InputError, match=r"x\.npy: no file of texts after it"):
        read_captions(tmp_path / "x.npy")
    with pytest.raises(InputError, match=r"t\.tsv: not an array .* which a file of texts needs"):
        read_captions(tmp_path / "t.tsv", tmp_path / "t.tsv")
    with pytest.raises(InputError, match=r"x\.npy:1: 3 numbers a vector, but 4 are expected"):
        read_captions(tmp_path / "x.npy", tmp_path / "t.tsv", width=4)
