"""A trained classifier: the label of a text, as a mean of what its networks say."""

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import reduce
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lmtool.arrays import Array
from lmtool.data.batch import Batch
from lmtool.data.examples import Examples
from lmtool.display import Shown, counted
from lmtool.inference.measures import accuracy, decided, fit_temperature, nats, tempered
from lmtool.inference.score import verified
from lmtool.inference.validation import Judgement, seconds
from lmtool.models.classifier import Sizes, log_probabilities
from lmtool.models.members import members
from lmtool.nn.parameters import Parameters
from lmtool.settings.classifier import ClassifierSettings
from lmtool.text.labels import Labels
from lmtool.text.ngrams import Ngrams
from lmtool.text.vocabulary import Vocabulary
from lmtool.workers import Workers

__all__ = ["Classifier", "LabelJudge", "Parts", "sizes_of"]

SIDE_BY_SIDE = 64  # examples of a validation
TIMED = 2  # batches for each unit


class Parts(NamedTuple):
    """What turns a text into a source and logits into labels."""

    vocabulary: Vocabulary
    labels: Labels
    ngrams: Ngrams | None
    temperature: float = 1.0  # of the labels' probabilities (Guo et al. 2017)


def sizes_of(parts: Parts) -> Sizes:
    """What the shapes of the weights go by."""
    wide = 0 if parts.ngrams is None else len(parts.ngrams)
    return Sizes(parts.vocabulary.n_tokens, 0, wide, len(parts.labels))


@dataclass(frozen=True, slots=True, repr=False)
class Classifier(Shown):
    """Settings, parts and weights; everything that computes is numpy and keeps no state."""

    settings: ClassifierSettings
    parts: Parts
    parameters: Parameters
    provenance: dict[str, Any] = field(default_factory=dict)
    networks: tuple[Parameters, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "networks", members(self.settings, self.parameters))

    def _parts(self) -> Iterator[str]:
        yield f"{self.settings.cell} {self.settings.layers} x {self.settings.hidden}"
        yield str(self.parts.labels)
        yield counted(self.parameters.flat.size, "parameter")

    @property
    def labels(self) -> Labels:
        """What can be said."""
        return self.parts.labels

    @property
    def temperature(self) -> float:
        """By which logits are divided, found on the validation examples."""
        return self.parts.temperature

    def batch(self, text: str) -> Batch:
        """One text as a batch of its own, so that nothing depends on its neighbours."""
        words = np.array(self.parts.vocabulary.encode(text), np.int32)
        source, starts = words.reshape(-1, 1), np.zeros(1, np.int32)
        if not len(words):
            source = np.zeros((1, 1), np.int32)
        wide = None
        if self.parts.ngrams is not None:
            wide, _ = self.parts.ngrams.of(words, np.array([0, len(words)]))
            wide = wide.reshape(-1, 1)
        return Batch(source, starts, None, np.zeros((1, 1), np.int32), 1, ngrams=wide)

    def log_probabilities(self, text: str) -> NDArray[np.float64]:
        """ln p of each label (K,), tempered; several labels are each for themselves."""
        logp = verified(self.log_probabilities_of(self.batch(text)))
        return np.asarray(tempered(logp, self.temperature, self.labels.several)[0])

    def log_probabilities_of(self, batch: Batch) -> Array:
        """ln p of each label without a temperature: (B, K), the networks' mean."""
        each = (log_probabilities(self.settings, one, batch) for one in self.networks)
        return np.asarray(reduce(np.logaddexp, each) - math.log(len(self.networks)))


@dataclass(frozen=True, slots=True)
class LabelJudge:
    """Validation examples, which ``units`` pieces of work share."""

    examples: Examples
    several: bool
    workers: Workers
    units: int

    @property
    def tokens(self) -> int:
        """Real steps of the sources."""
        return self.examples.tokens

    def judge(self, model: Classifier) -> Judgement:
        """Nats an example at the best temperature; accuracy in percent.

        Networks grow too sure long before they stop getting better (Guo et al. 2017); the
        temperature undoes it, so that what is kept is what the saved model says.
        """
        logp, targets = self.predicted(model)
        with np.errstate(all="ignore"):  # NaN of a run that blows up
            logp = tempered(logp, fit_temperature(logp, targets), self.several)
        right = accuracy(decided(logp, self.several), targets)
        return Judgement(nats(logp, targets), {"accuracy": 100 * right})

    def at_the_end(self, model: Classifier, score: float) -> dict[str, float]:
        """The accuracy of the weights that are kept, and their nats an example."""
        _, measures = self.judge(model)
        return {"valid_accuracy": measures["accuracy"], "valid_loss": score}

    def seconds(self, model: Classifier) -> tuple[float, float]:
        """What a validation takes, from some batches; there is one at the end, too."""
        batches = [batch for _, batch in self.examples.in_order(SIDE_BY_SIDE)]
        middle = len(batches) // 2
        some = batches[middle : middle + TIMED * self.units] or batches
        taken = seconds(lambda: self.workers.map(model.log_probabilities_of, some))
        whole = taken * len(batches) / len(some)
        return whole, whole

    def predicted(self, model: Classifier) -> tuple[NDArray[np.float64], NDArray[np.int32]]:
        """ln p (N, K) of all examples and their targets (N,) or (N, K)."""
        order, batches = zip(*self.examples.in_order(SIDE_BY_SIDE), strict=True)
        with np.errstate(all="ignore"):  # weights of a run that blows up
            logp = self.workers.map(model.log_probabilities_of, batches)
        targets = [batch.targets.T for batch in batches]
        places = np.argsort(np.concatenate(order), kind="stable")
        wanted = np.concatenate(targets)[places]
        all_logp = np.concatenate(logp).astype(np.float64)[places]
        return all_logp, wanted if self.several else wanted[:, 0]
