"""What a model that knows words can be asked about their vectors, as methods."""

from lmtool import arguments
from lmtool.inference.embeddings import Embeddings, Worded, embeddings
from lmtool.inference.neighbours import Nearest, analogy, neighbours

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
        return embeddings(self._worded)

    def embeddings_of(self, matrix: str | None = None) -> Embeddings:
        """Those of the words that are read about, "source", or written, "target"."""
        return embeddings(self._worded, matrix)

    def neighbours(
        self, word: str, k: int = 10, *, metric: str = "cosine", matrix: str | None = None
    ) -> Nearest:
        """The k words whose vectors are nearest to a word's. Raises InputError, ConfigError."""
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
        a, b, c = arguments.text(a, "a"), arguments.text(b, "b"), arguments.text(c, "c")
        return analogy(self.embeddings_of(matrix), a, b, c, k, metric, cosmul)
