"""A trained classifier: the label of a text, as a mean of what its networks say."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial, reduce
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lmtool.arrays import Array
from lmtool.audio.filterbank import Filterbank
from lmtool.data.batch import Batch, unlabelled
from lmtool.data.examples import Examples
from lmtool.data.listening import Listening
from lmtool.data.ragged import Ragged
from lmtool.data.standard import Framing
from lmtool.display import Shown, counted
from lmtool.inference.judgement import Judgement
from lmtool.inference.measures import accuracy, decided, fit_temperature, nats, tempered
from lmtool.inference.validation import SIDE_BY_SIDE, seconds_of_all
from lmtool.models.classifier import Sizes, log_probabilities, stack_of
from lmtool.models.encoder import keeps_apart
from lmtool.models.members import members
from lmtool.models.words import SOURCE, WordTable, word_tables
from lmtool.nn.parameters import Parameters
from lmtool.settings.classifier import PooledSettings
from lmtool.settings.shared import reader
from lmtool.text.labels import Labels
from lmtool.text.ngrams import Ngrams
from lmtool.text.vocabulary import Vocabulary
from lmtool.workers import Workers

__all__ = ["Classifier", "FrameClassifier", "FrameParts", "LabelJudge", "Parts"]
__all__ += ["VectorClassifier"]


class Parts(NamedTuple):
    """What turns a text into a source and logits into labels."""

    vocabulary: Vocabulary
    labels: Labels
    ngrams: Ngrams | None
    temperature: float = 1.0  # of the labels' probabilities (Guo et al. 2017)

    @property
    def vocabularies(self) -> dict[str, Vocabulary]:
        """By the matrices that have a row for each of their words."""
        return {SOURCE: self.vocabulary}

    def sizes(self) -> Sizes:
        """What the shapes of the weights go by."""
        wide = 0 if self.ngrams is None else len(self.ngrams)
        return Sizes(self.vocabulary.n_tokens, 0, wide, len(self.labels))

    def source(self, text: str) -> Array:
        """The ids of its words (T,)."""
        return np.array(self.vocabulary.encode(text), np.int32)

    def batch(self, sources: Ragged) -> Batch:
        """Sources with their n-grams."""
        wide = None
        if self.ngrams is not None:
            wide = Ragged(*self.ngrams.of(sources.flat, sources.offsets))
        return unlabelled(sources, wide)


class FrameParts(NamedTuple):
    """What turns frames, or a vector as the only one, into a source, and logits into labels."""

    framing: Framing | Listening
    labels: Labels
    temperature: float = 1.0

    @property
    def filterbank(self) -> Filterbank | None:
        """What makes frames of sound; None where frames are no sound's."""
        return self.framing.filterbank if isinstance(self.framing, Listening) else None

    @property
    def vocabularies(self) -> dict[str, Vocabulary]:
        """By the matrices that have a row for each of their words."""
        return {}

    def sizes(self) -> Sizes:
        """What the shapes of the weights go by."""
        return Sizes(0, self.framing.outputs, 0, len(self.labels))

    def source(self, frames: Array) -> Array:
        """Features (T, D) of frames (T, F)."""
        return self.framing(frames)

    def batch(self, sources: Ragged) -> Batch:
        """Features side by side."""
        return unlabelled(sources)


@dataclass(frozen=True, slots=True, repr=False)
class Classifier(Shown):
    """Settings, parts and weights; everything that computes is numpy and keeps no state."""

    settings: PooledSettings
    parts: Any  # Parts, or FrameParts
    parameters: Parameters
    provenance: dict[str, Any] = field(default_factory=dict)
    networks: tuple[Parameters, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "networks", members(self.settings, self.parameters))

    def _parts(self) -> Iterator[str]:
        yield f"{reader(self.settings)} {self.settings.layers} x {self.settings.hidden}"
        yield str(self.parts.labels)
        yield counted(self.parameters.flat.size, "parameter")

    @property
    def labels(self) -> Labels:
        """What can be said."""
        known: Labels = self.parts.labels
        return known

    @property
    def word_tables(self) -> dict[str, WordTable]:
        """The vectors of its words, if it knows words."""
        return word_tables(self.networks, self.parts.vocabularies)

    @property
    def temperature(self) -> float:
        """By which logits are divided, found on the validation examples."""
        temperature: float = self.parts.temperature
        return temperature

    @property
    def block(self) -> int:
        """Sources read side by side, a source's bits being its own; 1: none."""
        stack = stack_of(self.settings)
        return SIDE_BY_SIDE if keeps_apart(stack, self.networks[0]) else 1

    def source(self, given: Any) -> Array:
        """What is read of a text, the ids of its words (T,), or of frames, features (T, D)."""
        read: Array = self.parts.source(given)
        return read

    @np.errstate(all="ignore")  # users check the numbers
    def log_probabilities(self, sources: Sequence[Array]) -> NDArray[np.float64]:
        """ln p of each label (B, K), tempered; several labels are each for themselves."""
        logp = self.log_probabilities_of(self.parts.batch(Ragged.of(sources)))
        return tempered(logp, self.temperature, self.labels.several)

    def log_probabilities_of(self, batch: Batch) -> Array:
        """ln p of each label without a temperature: (B, K), the networks' mean."""
        each = (log_probabilities(self.settings, one, batch) for one in self.networks)
        return np.asarray(reduce(np.logaddexp, each) - math.log(len(self.networks)))


class FrameClassifier(Classifier):
    """The same of clips (T, F)."""

    __slots__ = ()


class VectorClassifier(Classifier):
    """The same of vectors (1, F)."""

    __slots__ = ()


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
        read = partial(self.workers.map, model.log_probabilities_of)
        return seconds_of_all(batches, self.units, read)

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
