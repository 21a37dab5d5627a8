"""Files of word vectors: what is read, and each way in which they are wrong."""

import gzip
from pathlib import Path

import numpy as np
import pytest

from lmtool.data.readers.wordvectors import read_word_vectors
from lmtool.errors import InputError


def written(folder: Path, text: str, name: str = "x.vec") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("2 3\nking 1 2 3\nqueen 4 5 6\n", ("king", "queen")),  # word2vec's
        ("king 1 2 3\nqueen 4 5 6\n", ("king", "queen")),  # GloVe's
        ("king 1 2 3 \n\n. . 4 5 6\nking 7 8 9\n", ("king", ". .")),
    ],
)
def test_texts(text: str, words: tuple[str, ...], tmp_path: Path) -> None:
    found = read_word_vectors(written(tmp_path, text))
    assert found.words == words and found.vectors.dtype == np.float32
    assert found.vectors.tolist() == [[1, 2, 3], [4, 5, 6]]


def test_packed_and_arrays(tmp_path: Path) -> None:
    (tmp_path / "x.vec.gz").write_bytes(gzip.compress(b"king 1 2\n"))
    assert read_word_vectors(tmp_path / "x.vec.gz").vectors.tolist() == [[1, 2]]
    np.save(tmp_path / "y.npy", np.array([[1.5, 2], [3, 4]]))
    written(tmp_path, "king\nqueen\n", "y.words")
    found = read_word_vectors(tmp_path / "y.npy")
    assert found.words == ("king", "queen") and found.vectors[0].tolist() == [1.5, 2]
    written(tmp_path, "king\n", "y.words")
    with pytest.raises(InputError, match="2 rows, but 1 words"):
        read_word_vectors(tmp_path / "y.npy")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "no word vectors in it"),
        ("king\n", "1: no numbers after the word"),
        ("1000000000 300\nking 1 2\n", "2: 2 numbers where the others have 300"),
        ("1000000000 2\nking 1 2\n", "says 1,000,000,000 words, but there are 1"),
        ("king 1 2 3\nqueen 1 2\n", "2: 2 numbers where the others have 3"),
        ("king 1 2\nqueen 1 2 3\n", "2: 3 numbers where the others have 2"),
        ("king 1 nan\n", "1: a number is not finite"),
        ("king 1 1e39\n", "1: a number is not finite"),
        ("king 1 2\nqueen 1 two\n", "2: 'queen 1 two' has no number"),
    ],
)
def test_refused(text: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=message):
        read_word_vectors(written(tmp_path, text))
