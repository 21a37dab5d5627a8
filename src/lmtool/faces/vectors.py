"""The face of vectors that no model has: what is asked about words, of a file of them."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from lmtool.display import Shown
from lmtool.errors import OptionError, option
from lmtool.faces.worded import WordVectors
from lmtool.inference.embeddings import Embeddings
from lmtool.models.words import TARGET

__all__ = ["ForeignVectors"]


@dataclass(frozen=True, slots=True, repr=False)
class ForeignVectors(WordVectors, Shown):
    """Words and their vectors, as they stand in a file."""

    kind: ClassVar[str] = "vectors"

    known: Embeddings

    def _parts(self) -> Iterator[str]:
        return self.known._parts()

    @property
    def embeddings(self) -> Embeddings:
        """The words' vectors (V, E)."""
        return self.known

    def embeddings_of(self, matrix: str | None = None) -> Embeddings:
        """The same; there is one matrix. Raises OptionError for another."""
        if matrix not in (None, TARGET):
            raise OptionError(f"{option('matrix')}: a file of vectors has one; leave it out")
        return self.known
