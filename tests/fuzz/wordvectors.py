"""Files of word vectors as a target."""

from pathlib import Path

import numpy as np

from lmtool import vector_file
from lmtool.data.readers.wordvectors import read_word_vectors
from lmtool.inference.embeddings import Embeddings
from lmtool.inference.neighbours import neighbours
from tests.fuzz.labelled import refused

__all__ = ["wordvectors_case", "wordvectors_seeds"]


def wordvectors_seeds(folder: Path) -> list[bytes]:
    """word2vec's text, GloVe's, and an array."""
    rows = "king 1 0.5 -2e-3\nqueen 1 0.5 2\n\u00e9t\u00e9 0 0 0\n. . 1 2 3\n"
    np.save(folder / "seed.npy", np.arange(6, dtype=np.float32).reshape(2, 3))
    return [f"4 3\n{rows}".encode(), rows.encode(), (folder / "seed.npy").read_bytes()]


def wordvectors_case(data: bytes, folder: Path) -> bool:
    """Words and vectors, and what is near the first of them."""
    path = folder / "vectors.vec"
    path.write_bytes(data)
    path.with_suffix(".words").write_text("king\nqueen\n")

    def work() -> None:
        words, vectors = read_word_vectors(path)
        assert len(words) == len(set(words)) == len(vectors) and vectors.ndim == 2
        assert np.isfinite(vectors).all() and vectors.dtype == np.float32
        assert vector_file.load(path).words == words or vector_file.is_model(path)
        neighbours(Embeddings(words, vectors), words[0], 2)

    return not refused(work)
