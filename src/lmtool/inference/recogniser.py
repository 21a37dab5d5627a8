"""A trained recogniser: of frames ln p of each token and the blank at each step."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lmtool.arrays import Array, Ids
from lmtool.audio.filterbank import Filterbank
from lmtool.data.batch import Batch, unlabelled
from lmtool.data.examples import Examples
from lmtool.data.ragged import Ragged
from lmtool.data.spoken import Stacking
from lmtool.display import Shown, counted
from lmtool.inference import wer
from lmtool.inference.judgement import Judgement
from lmtool.inference.validation import SIDE_BY_SIDE, seconds_of_all
from lmtool.models.encoder import keeps_apart
from lmtool.models.members import members
from lmtool.models.recogniser import Sizes, log_probabilities, stack_of
from lmtool.nn.outputs.ctc import BLANK, best_path
from lmtool.nn.parameters import Parameters
from lmtool.settings.recogniser import RecogniserSettings
from lmtool.settings.shared import reader
from lmtool.text.vocabulary import UNK_ID, Vocabulary
from lmtool.workers import Workers

__all__ = ["Parts", "Recogniser", "SpeechJudge"]

Counts = NDArray[np.int64]


class Parts(NamedTuple):
    """What turns sound into a source and steps into text."""

    filterbank: Filterbank | None  # None: it reads frames that are given
    bands: int  # F
    stacking: Stacking
    vocabulary: Vocabulary

    def sizes(self) -> Sizes:
        """What the shapes of the weights go by."""
        return Sizes(self.bands * self.stacking.frames, self.vocabulary.n_tokens)


@dataclass(frozen=True, slots=True, repr=False)
class Recogniser(Shown):
    """Settings, parts and weights; reading is numpy and keeps no state."""

    settings: RecogniserSettings
    parts: Parts
    parameters: Parameters
    provenance: dict[str, Any] = field(default_factory=dict)
    networks: tuple[Parameters, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "networks", members(self.settings, self.parameters))

    def _parts(self) -> Iterator[str]:
        yield f"{reader(self.settings)} {self.settings.layers} x {self.settings.hidden}"
        yield counted(self.vocabulary.n_tokens, "output")
        yield counted(self.parameters.flat.size, "parameter")

    @property
    def vocabulary(self) -> Vocabulary:
        """What is written; the blank stands where it has <EOS>."""
        return self.parts.vocabulary

    @property
    def filterbank(self) -> Filterbank | None:
        """What makes frames of sound."""
        return self.parts.filterbank

    @property
    def width(self) -> int:
        """Numbers of a frame."""
        return self.parts.bands

    @property
    def step(self) -> float | None:
        """Seconds of a step; None where frames are no sound's."""
        bank = self.filterbank
        return None if bank is None else self.settings.stack * bank.shift / bank.rate

    @property
    def block(self) -> int:
        """Utterances read side by side, an utterance's bits being its own; 1: none."""
        return SIDE_BY_SIDE if keeps_apart(stack_of(self.settings), self.networks[0]) else 1

    def source(self, frames: Array) -> Array:
        """Frames (T, F) -> what the networks read."""
        return self.parts.stacking(frames)

    @np.errstate(all="ignore")  # users check the numbers
    def log_probabilities(self, sources: Sequence[Array]) -> list[Array]:
        """ln p of each token at each step: (T, V) each, float64; the blank is 0, <UNK> never."""
        return self.of_batch(unlabelled(Ragged.of(sources)))

    def of_batch(self, batch: Batch) -> list[Array]:
        """The same of a batch: the mean of the networks' probabilities."""
        each = [log_probabilities(self.settings, one, batch) for one in self.networks]
        return [mean(several) for several in zip(*each, strict=True)]


def mean(logp: Sequence[Array]) -> Array:
    """ln of the mean of probabilities (T, V), without <UNK>."""
    stacked = np.stack([x.astype(np.float64) for x in logp])
    total: Array = np.logaddexp.reduce(stacked) - np.log(len(stacked))
    total[:, UNK_ID] = -np.inf
    return total


@dataclass(frozen=True, slots=True)
class SpeechJudge:
    """Validation utterances, which ``units`` pieces of work share."""

    examples: Examples
    vocabulary: Vocabulary
    workers: Workers
    units: int

    @property
    def tokens(self) -> int:
        """Steps."""
        return self.examples.tokens

    def judge(self, model: Recogniser) -> Judgement:
        """The word error rate of the best paths; of equal ones that of letters decides."""
        counts = np.sum(self._counted(model, self._batches()), axis=0)
        words, letters = (rate(counts[k]) for k in range(2))
        blank = 100 * counts[2, 0] / max(1, counts[2, 1])
        measures = {"wer": words, "cer": letters, "blank": blank}
        return Judgement(words + letters / 1000, measures)

    def at_the_end(self, model: Recogniser, score: float) -> dict[str, float]:
        """The measures of the weights that are kept."""
        return {f"valid_{k}": x for k, x in self.judge(model).measures.items()}

    def seconds(self, model: Recogniser) -> tuple[float, float]:
        """What a validation takes, from some batches; there is one at the end, too."""
        return seconds_of_all(self._batches(), self.units, partial(self._counted, model))

    def _batches(self) -> list[Batch]:
        size = max(1, SIDE_BY_SIDE // 4)
        return [batch for _, batch in self.examples.in_order(size)]

    def _counted(self, model: Recogniser, batches: Sequence[Batch]) -> list[Counts]:
        """(3, 6): counts of words and of letters, and of blanks and steps."""

        def counted_of(batch: Batch) -> Counts:
            with np.errstate(all="ignore"):  # weights of a run that blows up
                found = [np.nan_to_num(x) for x in model.of_batch(batch)]
            known = [column[column >= 0] for column in batch.targets.T]
            each = [self._errors(*both) for both in zip(found, known, strict=True)]
            return np.asarray(np.sum(each, axis=0))

        return self.workers.map(counted_of, batches)

    def _errors(self, logp: Array, known: Ids) -> Counts:
        """Those of one utterance."""
        said, text = (self.vocabulary.decode(ids) for ids in (best_path(logp).ids, known))
        n_blank = np.count_nonzero(np.argmax(logp, axis=1) == BLANK)
        rows = wer.statistics(said.split(), text.split()), wer.statistics(said, text)
        return np.stack([*rows, np.array([n_blank, len(logp), 0, 0, 0, 0], np.int64)])


def rate(counts: Counts) -> float:
    """Errors in percent of what is known."""
    return float(100 * counts[wer.ERRORS].sum() / max(1, counts[wer.WORDS]))
