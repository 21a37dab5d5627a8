"""A classifier without a network: each known word speaks for labels."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from lmtool import model_file
from lmtool.display import Shown
from lmtool.inference.measures import tempered
from lmtool.kinds import KINDS
from lmtool.nn.parameters import Parameters
from lmtool.settings.classifier import ClassifierSettings
from lmtool.text.labels import Labels

Loads = Callable[[str, "Classifier"], None]


@dataclass(frozen=True, repr=False)
class Classifier(Shown):
    """Logits are the sum of what the words say, divided by the temperature."""

    labels: Labels
    words: Mapping[str, tuple[float, ...]]  # K numbers each
    temperature: float = 1.0
    block: int = 3
    settings: ClassifierSettings = field(default_factory=ClassifierSettings)
    parameters: Parameters = field(default_factory=lambda: Parameters({"output.bias": (2,)}))
    provenance: dict[str, Any] = field(default_factory=lambda: {"recipe": {"seed": 1}})

    def _parts(self) -> Iterator[str]:
        yield "words"
        yield str(self.labels)

    def source(self, text: str) -> NDArray[np.int32]:
        known = list(self.words)
        return np.array([known.index(w) if w in known else -1 for w in text.split()], np.int32)

    @np.errstate(invalid="ignore")
    def log_probabilities(self, sources: Sequence[NDArray[Any]]) -> NDArray[np.floating]:
        K = len(self.labels)
        rows = np.array([*self.words.values(), (0.0,) * K])
        logits = np.stack([rows[source].sum(0) for source in sources])
        if self.labels.several:
            return np.asarray(-np.logaddexp(0, -logits / self.temperature))
        return tempered(logits, self.temperature)


def stars(temperature: float = 1.0) -> Classifier:
    """1, 3 or 5 stars; 5 is the most frequent label."""
    labels = Labels.from_counts({"1": 3, "3": 4, "5": 9}, False)
    words = {"bad": (2.0, 0.0, -2.0), "fine": (0.0, 1.0, 0.0), "good": (-2.0, 0.0, 2.0)}
    return Classifier(labels, words, temperature)


def topics() -> Classifier:
    """sea, town: a text can have both, or none."""
    labels = Labels.from_counts({"sea": 3, "town": 4}, True)
    words = {"boat": (4.0, 0.0), "market": (0.0, 3.0), "wood": (-5.0, -5.0)}
    return Classifier(labels, {**words, "the": (-1.0, -1.0)})


@pytest.fixture
def loads(monkeypatch: pytest.MonkeyPatch) -> Loads:
    """loads(path, model): the file of this name holds this stand-in; others are what they are."""
    kind = SimpleNamespace(
        name="classifier",
        reads="text",
        writes="label",
        verbs=("classify", "evaluate"),
        build=Classifier,
        store=lambda model: ({"labels": list(model.labels.names)}, {}),
    )
    models: dict[str, Classifier] = {}
    load = model_file.load
    monkeypatch.setitem(KINDS, ("text", "label"), kind)

    def loaded(path: str | Path) -> Any:
        return models.get(str(path)) or load(path)

    monkeypatch.setattr(model_file, "load", loaded)
    return models.__setitem__
