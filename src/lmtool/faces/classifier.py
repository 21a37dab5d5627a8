"""The face of a classifier: what its commands do, as methods."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

from lmtool import arguments, model_file
from lmtool.arguments import LabelledTexts, PathLike
from lmtool.display import Shown
from lmtool.faces.card import card
from lmtool.inference.classification import (
    Classification,
    LabelEvaluation,
    LabelModel,
    classify,
    classify_lines,
    evaluate_labelled,
)
from lmtool.inference.reading import AHEAD, reading
from lmtool.kinds.base import Trained
from lmtool.text.labels import Labels

__all__ = ["Classifier"]


class TrainedClassifier(Trained, LabelModel, Protocol):
    """What training gives and model files hold."""

    def _parts(self) -> Iterator[str]: ...


@dataclass(frozen=True, slots=True, repr=False)
class Classifier(Shown):
    """A trained classifier: it reads a text and says which label it has."""

    kind: ClassVar[str] = "classifier"

    classifier: TrainedClassifier

    def _parts(self) -> Iterator[str]:
        return self.classifier._parts()

    @property
    def labels(self) -> Labels:
        """Names, and how often each is in the training texts; numbers by value."""
        return self.classifier.labels

    @property
    def temperature(self) -> float:
        """What the logits are divided by, so that probabilities are as good as they sound."""
        return self.classifier.temperature

    @property
    def settings(self) -> Any:
        """What connects to what."""
        return self.classifier.settings

    @property
    def provenance(self) -> dict[str, Any]:
        """Where the model comes from: recipe, texts, training curve, versions."""
        return self.classifier.provenance

    def classify(self, text: str, k: int | None = None) -> Classification:
        """The k most probable labels of a text, None for all; a blank one has none."""
        return classify(self.classifier, arguments.text(text), k)

    def classify_lines(
        self,
        lines: Iterable[str],
        k: int | None = None,
        *,
        threads: int = 1,
        ahead: int = AHEAD,
    ) -> Iterator[Classification]:
        """The same line by line, each on its own.

        Up to ``ahead`` lines are asked for before the first is answered: lines of like length are
        computed together, to the same bits as alone. 1 answers each line as it comes.
        """
        threads, ahead = arguments.paced(threads, ahead)
        return classify_lines(self.classifier, arguments.lines(lines), k, threads, ahead)

    def evaluate(
        self,
        source: PathLike | LabelledTexts,
        *,
        text: str | None = None,
        label: str | None = None,
        threads: int = 1,
    ) -> LabelEvaluation:
        """How often it is right on a file or on pairs (label, text), several labels in a list.

        ``text`` and ``label`` name columns of the file. Raises InputError.
        """
        threads = arguments.whole(threads, "threads", 1)
        records = arguments.labelled(source, text, label)
        return evaluate_labelled(self.classifier, records, threads)

    def save(self, path: PathLike, overwrite: bool = False) -> None:
        """Writes one model file, whole or not at all. Raises ModelFileError."""
        model_file.save(self.classifier, arguments.path(path, "path"), overwrite)

    def info(self) -> dict[str, Any]:
        """The model card: settings, labels, parameters with shapes, provenance."""
        counts = dict(zip(self.labels.names, self.labels.counts.tolist(), strict=True))
        facts = {
            "labels": counts,
            "several": self.labels.several,
            "temperature": self.temperature,
            "reading": reading(self.classifier),
        }
        return card(self.classifier, facts)
