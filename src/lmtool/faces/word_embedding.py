"""The face of a word embedding: what its commands do, as methods."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

from lmtool import arguments, model_file
from lmtool.arguments import PathLike
from lmtool.display import Shown
from lmtool.faces.card import card
from lmtool.faces.worded import WordVectors
from lmtool.inference.embeddings import Worded
from lmtool.kinds.base import Trained
from lmtool.text.vocabulary import Vocabulary

__all__ = ["WordEmbedding"]


class TrainedEmbedding(Trained, Worded, Protocol):
    """What training gives and model files hold."""

    @property
    def vocabulary(self) -> Vocabulary: ...

    def _parts(self) -> Iterator[str]: ...


@dataclass(frozen=True, slots=True, repr=False)
class WordEmbedding(WordVectors, Shown):
    """Vectors of words, from the words around them."""

    kind: ClassVar[str] = "word embedding"

    embedding: TrainedEmbedding

    @property
    def _worded(self) -> Worded:
        return self.embedding

    def _parts(self) -> Iterator[str]:
        return self.embedding._parts()

    @property
    def vocabulary(self) -> Vocabulary:
        """The words, by falling count."""
        return self.embedding.vocabulary

    @property
    def settings(self) -> Any:
        """Sizes, and what is learnt from what."""
        return self.embedding.settings

    @property
    def provenance(self) -> dict[str, Any]:
        """Where the model comes from: recipe, texts, training curve, versions."""
        return self.embedding.provenance

    def save(self, path: PathLike, overwrite: bool = False) -> None:
        """Writes one model file, whole or not at all. Raises ModelFileError."""
        model_file.save(self.embedding, arguments.path(path, "path"), overwrite)

    def info(self) -> dict[str, Any]:
        """The model card: settings, parameters with shapes, provenance."""
        return card(self.embedding, {"vocabulary": len(self.vocabulary)})
