"""The face of a tagger: what its commands do, as methods."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

from lmtool import arguments, model_file
from lmtool.arguments import PathLike, TaggedTexts
from lmtool.display import Shown
from lmtool.faces.card import card
from lmtool.faces.worded import WordVectors
from lmtool.inference.embeddings import Worded
from lmtool.inference.phrases import PhraseEvaluation
from lmtool.inference.reading import AHEAD, Ahead, reading
from lmtool.inference.tagging import TaggedSentence, TagModel, evaluate_tagged, tag, tag_lines
from lmtool.kinds.base import Trained
from lmtool.text.tags import Tags

__all__ = ["Tagger"]


class TrainedTagger(Trained, TagModel, Worded, Protocol):
    """What training gives and model files hold."""

    def _parts(self) -> Iterator[str]: ...


@dataclass(frozen=True, slots=True, repr=False)
class Tagger(WordVectors, Shown):
    """A trained tagger: it reads words and says which tag each has."""

    kind: ClassVar[str] = "tagger"

    tagger: TrainedTagger

    @property
    def _worded(self) -> Worded:
        return self.tagger

    def _parts(self) -> Iterator[str]:
        return self.tagger._parts()

    @property
    def tags(self) -> Tags:
        """Names, and how often each is in the training texts."""
        return self.tagger.tags

    @property
    def settings(self) -> Any:
        """What connects to what."""
        return self.tagger.settings

    @property
    def provenance(self) -> dict[str, Any]:
        """Where the model comes from: recipe, texts, training curve, versions."""
        return self.tagger.provenance

    def tag(self, text: str) -> TaggedSentence:
        """The best tags of the words of a line, with probabilities; a blank one has none."""
        return tag(self.tagger, arguments.text(text))

    def tag_lines(
        self,
        lines: Iterable[str],
        *,
        threads: int = 1,
        ahead: Ahead = AHEAD,
        probabilities: bool = True,
    ) -> Iterator[TaggedSentence]:
        """The same line by line, each on its own.

        Up to ``ahead`` lines are asked for before the first is answered: lines of like length are
        computed together, to the same bits as alone. 1 answers each line as it comes. Without
        ``probabilities`` p and spans are empty, and all is faster.
        """
        threads, ahead = arguments.paced(threads, ahead)
        given = arguments.lines(lines)
        return tag_lines(self.tagger, given, threads, ahead, probabilities)

    def evaluate(
        self,
        source: PathLike | TaggedTexts,
        *,
        text: str | None = None,
        tags: str | None = None,
        threads: int = 1,
    ) -> PhraseEvaluation:
        """How often it is right on a file or on pairs (words, tags), by phrases and by words.

        ``text`` and ``tags`` name columns of the file. Raises InputError.
        """
        threads = arguments.whole(threads, "threads", 1)
        return evaluate_tagged(self.tagger, arguments.tagged(source, text, tags), threads)

    def save(self, path: PathLike, overwrite: bool = False) -> None:
        """Writes one model file, whole or not at all. Raises ModelFileError."""
        model_file.save(self.tagger, arguments.path(path, "path"), overwrite)

    def info(self) -> dict[str, Any]:
        """The model card: settings, tags, parameters with shapes, provenance."""
        counts = dict(zip(self.tags.names, self.tags.counts.tolist(), strict=True))
        facts = {"tags": counts, "scheme": self.tags.scheme, "reading": reading(self.tagger)}
        return card(self.tagger, facts)
