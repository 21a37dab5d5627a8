"""Files of vectors: an array beside its labels, or JSON lines; every fault is one line."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lmtool.data.readers.vectors import grouped, read_vectors
from lmtool.errors import InputError
from tests.refused import refused

X = np.array([[0.5, 1.0], [-2.0, 0.25], [3.0, 4.0]], np.float32)


@pytest.fixture
def labels(tmp_path: Path) -> Path:
    path = tmp_path / "labels.txt"
    path.write_text("a\nb\na\n")
    return path


def saved(path: Path, x: Any) -> Path:
    """An ``.npy``."""
    np.save(path, x)
    return path


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, ">f4"])
def test_rows_and_labels(tmp_path: Path, labels: Path, dtype: Any) -> None:
    path = saved(tmp_path / "x.npy", X.astype(dtype))
    found = list(read_vectors(path, labels).records)
    assert [clip.labels for clip in found] == [("a",), ("b",), ("a",)]
    np.testing.assert_array_equal(np.concatenate([clip.source for clip in found]), X)
    assert [clip.text for clip in found] == [f"{path}:{n}" for n in (1, 2, 3)]
    assert [clip.labels for clip in read_vectors(path, labelled=False).records] == [()] * 3


def test_json_lines(tmp_path: Path) -> None:
    path = tmp_path / "x.jsonl"
    path.write_text("".join(json.dumps({"label": 1, "vector": x}) + "\n" for x in X.tolist()))
    found = list(read_vectors(path).records)
    np.testing.assert_array_equal(np.concatenate([clip.source for clip in found]), X)


def test_arrays_are_followed_by_their_labels(tmp_path: Path, labels: Path) -> None:
    path = saved(tmp_path / "x.npy", X)
    assert grouped([path, labels, "y.jsonl"]) == [(path, labels), ("y.jsonl", None)]
    with pytest.raises(InputError, match=r"x\.npy: no file of labels after it"):
        grouped([path])
    with pytest.raises(InputError, match=r"x\.npy: no file of texts after it"):
        grouped([path], texts=True)


@pytest.mark.parametrize(
    ("x", "message"),
    [
        (X[:2], "x.npy: 2 rows, but 3 labels in "),
        (X[0], "its shape is (2,), but 2 dimensions"),
        (X[:, :0], "its shape is (3, 0)"),
        (X.astype(int), "of type int64, not float16, float32 or float64"),
        (X.astype(object), "of type '|O'"),
        (X * np.array([[1], [np.nan], [1]]), "x.npy:2: a number is not finite"),
    ],
)
def test_a_bad_array_is_refused(tmp_path: Path, labels: Path, x: Any, message: str) -> None:
    path = saved(tmp_path / "x.npy", x)
    with refused(InputError) as told:
        list(read_vectors(path, labels).records)
    assert message in str(told.value) and "\n" not in str(told.value)


@pytest.mark.parametrize("cut", [7, 20, 130, -1])
def test_an_array_that_is_cut_short(tmp_path: Path, labels: Path, cut: int) -> None:
    path = saved(tmp_path / "x.npy", X)
    path.write_bytes(path.read_bytes()[:cut])
    with pytest.raises(InputError, match=r"x\.npy: not a usable array"):
        list(read_vectors(path, labels).records)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("", "no vector in it; a line is: "),
        ('{"label": "a", "vector": 3}', ":1: 'vector' is no list of numbers"),
        ('{"label": "a", "vector": []}', ":1: 0 numbers a vector"),
        ('{"label": "a", "vector": ["1"]}', ":1: vector 1 holds what is no number: str"),
        ('{"label": "a", "vector": [[1]]}', ":1: vector 1 holds what is no number: list"),
        ('{"label": "a", "vector": [1]}\n{"label": "a", "vector": [1, 2]}', ":2: 2 numbers a"),
        ('{"label": "a", "frames": [[1]]}', ":1: no key 'vector'"),
    ],
)
def test_a_bad_line_is_refused(tmp_path: Path, line: str, message: str) -> None:
    path = tmp_path / "x.jsonl"
    path.write_text(line)
    with refused(InputError) as told:
        list(read_vectors(path).records)
    assert message in str(told.value) and "\n" not in str(told.value)
