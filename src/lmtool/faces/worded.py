"""What a model that knows words can be asked about their vectors, as methods."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from lmtool import arguments, model_file
from lmtool.errors import ModelFileError

if TYPE_CHECKING:
    from lmtool.arguments import PathLike
    from lmtool.inference.embeddings import Embeddings, Worded
    from lmtool.inference.neighbours import Nearest
    from lmtool.inference.vectors import AnalogyResult, SimilarityResult


__all__ = ["WordVectors"]


class WordVectors:
    """Vectors of words, which of them are near, and analogies."""

    __slots__ = ()

    @property
    def _worded(self) -> Worded:
        raise NotImplementedError

    @property
    def embeddings(self) -> Embeddings:
        """The words' vectors (V, E), ``embeddings[word]`` being one; of several networks joined."""
        from lmtool.inference.embeddings import embeddings

        return embeddings(self._worded)

    def embeddings_of(self, matrix: str | None = None) -> Embeddings:
        """Those of the words that are read about, "source", or written, "target"."""
        from lmtool.inference.embeddings import embeddings

        return embeddings(self._worded, matrix)

    def neighbours(
        self, word: str, k: int = 10, *, metric: str = "cosine", matrix: str | None = None
    ) -> Nearest:
        """The k words whose vectors are nearest to a word's. Raises InputError, ConfigError."""
        from lmtool.inference.neighbours import neighbours

        known = self.embeddings_of(matrix)
        return neighbours(known, arguments.text(word, "word"), k, metric)

    def analogy(
        self,
        a: str,
        b: str,
        c: str,
        k: int = 10,
        *,
        metric: str = "cosine",
        cosmul: bool = False,
        matrix: str | None = None,
    ) -> Nearest:
        """The k words that are to c as b is to a: near b - a + c. Raises InputError, ConfigError.

        The words of the question are no answers; ``cosmul`` multiplies instead of adding.
        """
        from lmtool.inference.neighbours import analogy

        a, b, c = arguments.text(a, "a"), arguments.text(b, "b"), arguments.text(c, "c")
        return analogy(self.embeddings_of(matrix), a, b, c, k, metric, cosmul)

    def analogies(
        self,
        path: PathLike,
        *,
        metric: str = "cosine",
        cosmul: bool = False,
        matrix: str | None = None,
        beside: Embeddings | None = None,
    ) -> AnalogyResult:
        """How many analogies of a file are answered rightly, by section. Raises InputError.

        ``beside`` are vectors, as ``counted`` gives them, that stand among the baselines.
        """
        from lmtool.data.readers.wordtests import read_questions
        from lmtool.inference.vectors import analogies

        known, file = self.embeddings_of(matrix), arguments.path(path, "path")
        found = analogies(known, read_questions(file), metric, cosmul)
        if beside is None:
            return found
        other = analogies(beside, read_questions(file), metric, cosmul).accuracy
        return replace(found, baselines=found.baselines | {"counts": {"accuracy": other or 0.0}})

    def similarity(
        self,
        path: PathLike,
        *,
        metric: str = "cosine",
        matrix: str | None = None,
        beside: Embeddings | None = None,
    ) -> SimilarityResult:
        """How the vectors agree with ratings of pairs of words in a file. Raises InputError."""
        from lmtool.data.readers.wordtests import read_rated
        from lmtool.inference.vectors import similarity

        pairs = list(read_rated(arguments.path(path, "path")))
        found = similarity(self.embeddings_of(matrix), pairs, metric)
        if beside is None:
            return found
        other = similarity(beside, pairs, metric).spearman
        return replace(found, baselines=found.baselines | {"counts": {"spearman": other}})

    def counted(self, path: PathLike, *, matrix: str | None = None) -> Embeddings:
        """Vectors of the same words by counting in a text. Raises InputError."""
        from lmtool.inference.counted import counted_beside

        lines = arguments.source(arguments.path(path, "path"))
        return counted_beside(self.embeddings_of(matrix), lines)

    def save_vectors(
        self, path: PathLike, overwrite: bool = False, *, matrix: str | None = None
    ) -> tuple[Path, ...]:
        """Writes the vectors: word2vec's text, or FILE.npy with the words in FILE.words.

        Gives the paths of what was written. Raises ModelFileError, and InputError for a token
        that the text cannot hold.
        """
        from lmtool.files import write_atomically

        target = Path(arguments.path(path, "path"))
        known = self.embeddings_of(matrix)
        contents = arrays(target, known) if target.suffix == ".npy" else text(target, known)
        for one in contents:
            model_file.check_target(one, overwrite, "output")
        for one, content in contents.items():
            try:
                write_atomically(one, content)
            except OSError as error:
                message = f"cannot be written ({error.strerror or error})"
                raise ModelFileError(f"{one}: {message}") from None
        return tuple(contents)


def text(path: Path, known: Embeddings) -> dict[Path, bytes]:
    """What word2vec's text holds."""
    from lmtool.inference.vectors import word2vec

    return {path: "".join(word2vec(known)).encode()}


def arrays(path: Path, known: Embeddings) -> dict[Path, bytes]:
    """An array (V, E), and the word of each row, a line each."""
    stream = io.BytesIO()
    np.save(stream, known.vectors, allow_pickle=False)
    words = "".join(f"{word}\n" for word in known.words)
    return {path: stream.getvalue(), path.with_suffix(".words"): words.encode()}
