"""The face of a classifier: what its commands do, as methods."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol

from lmtool import arguments, model_file
from lmtool.arguments import PathLike
from lmtool.audio.filterbank import Filterbank
from lmtool.display import Shown
from lmtool.faces import sources as given
from lmtool.faces.card import card
from lmtool.faces.worded import WordVectors
from lmtool.inference.classification import (
    Classification,
    LabelEvaluation,
    LabelModel,
    classify_lines,
    evaluate_labelled,
)
from lmtool.inference.embeddings import Worded
from lmtool.inference.reading import AHEAD, Ahead, reading
from lmtool.kinds.base import Trained
from lmtool.text.labels import Labels

__all__ = ["Classifier"]


class TrainedClassifier(Trained, LabelModel, Worded, Protocol):
    """What training gives and model files hold."""

    def _parts(self) -> Iterator[str]: ...


@dataclass(frozen=True, slots=True, repr=False)
class Classifier(WordVectors, Shown):
    """A trained classifier: it reads a text, frames or a vector and says which label these have.

    Frames are an array (T, F) or the path of a recording, a vector is one of (F,); ``width`` is F.
    """

    classifier: TrainedClassifier

    @property
    def _worded(self) -> Worded:
        return self.classifier

    def _parts(self) -> Iterator[str]:
        return self.classifier._parts()

    @property
    def kind(self) -> str:
        """``classifier``, ``frame classifier``, ``vector classifier``."""
        return model_file.kind_of(self.classifier).name

    @property
    def reads(self) -> str:
        """``text``, ``frames`` or ``vector``."""
        return model_file.kind_of(self.classifier).reads

    @property
    def width(self) -> int | None:
        """Numbers of a frame or a vector; None of texts."""
        framing = getattr(getattr(self.classifier, "parts", None), "framing", None)
        return None if framing is None else framing.width

    @property
    def filterbank(self) -> Filterbank | None:
        """What makes frames of recordings; None of models that were trained on other frames."""
        return getattr(getattr(self.classifier, "parts", None), "filterbank", None)

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

    def classify(self, source: Any, k: int | None = None) -> Classification:
        """The k most probable labels of a source, None for all; a blank text has none."""
        return next(self.classify_lines([source], k))

    def classify_lines(
        self,
        sources: Iterable[Any],
        k: int | None = None,
        *,
        threads: int = 1,
        ahead: Ahead = AHEAD,
    ) -> Iterator[Classification]:
        """The same one by one, each on its own.

        Up to ``ahead`` sources are asked for before the first is answered: those of like length are
        computed together, to the same bits as alone. 1 answers each as it comes.
        """
        threads, ahead = arguments.paced(threads, ahead)
        given = self._given.sources(sources)
        return classify_lines(self.classifier, given, k, threads, ahead)

    def clips(self, path: PathLike) -> Iterator[Any]:
        """What a file of frames or vectors holds, for ``classify_lines``; labels are ignored."""
        return self._given.unlabelled(path)

    def evaluate(
        self,
        source: Any,
        *,
        text: str | None = None,
        label: str | None = None,
        threads: int = 1,
    ) -> LabelEvaluation:
        """How often it is right on a file or on pairs (label, source), several labels in a list.

        ``text`` and ``label`` name columns of the file; labels of a ``.npy`` are a file beside it:
        (vectors, labels). Raises InputError.
        """
        threads = arguments.whole(threads, "threads", 1)
        records = self._given.labelled(source, text, label)
        return evaluate_labelled(self.classifier, records, threads)

    @property
    def _given(self) -> given.Given:
        return given.given(self.reads, self.width, self.filterbank)

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
        facts |= {} if self.filterbank is None else {"filterbank": str(self.filterbank)}
        return card(self.classifier, facts)
