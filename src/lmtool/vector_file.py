"""Vectors of words from a file: a model's, or what other programs wrote."""

from pathlib import Path

from lmtool import model_file
from lmtool.data.readers.arrays import beginning
from lmtool.data.readers.wordvectors import read_word_vectors
from lmtool.inference.embeddings import Embeddings, embeddings
from lmtool.text.reader import STDIN

__all__ = ["is_model", "load"]

MODEL = ".safetensors"
BRACE = 8  # where the card of a model begins


def is_model(path: str | Path) -> bool:
    """Whether it is, or is called, a model: what is not there is named by its ending."""
    if str(path) == STDIN:
        return False
    start = beginning(path, BRACE + 1)
    return start[BRACE:] == b"{" or Path(path).suffix == MODEL or not Path(path).exists()


def load(path: str | Path, matrix: str | None = None) -> Embeddings:
    """The words and their vectors. Raises ModelFileError, InputError, ConfigError, OptionError."""
    if is_model(path):
        return embeddings(model_file.load(path), matrix)
    words, vectors = read_word_vectors(path)
    return Embeddings(words, vectors)
