"""The face of a recogniser: what its commands do, as methods."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

from lmtool import arguments, model_file
from lmtool.arguments import PathLike
from lmtool.display import Shown
from lmtool.faces.card import card
from lmtool.inference.reading import reading
from lmtool.inference.recogniser import Recogniser as Trained

__all__ = ["Recogniser"]


@dataclass(frozen=True, slots=True, repr=False)
class Recogniser(Shown):
    """A trained recogniser: it reads recordings, or frames, and writes what is said."""

    kind: ClassVar[str] = "recogniser"

    recogniser: Trained

    def _parts(self) -> Iterator[str]:
        return self.recogniser._parts()

    @property
    def settings(self) -> Any:
        """What connects to what."""
        return self.recogniser.settings

    @property
    def provenance(self) -> dict[str, Any]:
        """Where the model comes from: recipe, speech, training curve, versions."""
        return self.recogniser.provenance

    def save(self, path: PathLike, overwrite: bool = False) -> None:
        """Writes one model file, whole or not at all. Raises ModelFileError."""
        model_file.save(self.recogniser, arguments.path(path, "path"), overwrite)

    def info(self) -> dict[str, Any]:
        """The model card: settings, frames, tokens, parameters with shapes, provenance."""
        bank = self.recogniser.filterbank
        heard = f"frames of {self.recogniser.width:,} numbers" if bank is None else str(bank)
        facts = {"frames": heard, "tokens": self.recogniser.vocabulary.n_tokens - 1}
        return card(self.recogniser, facts | {"reading": reading(self.recogniser)})
