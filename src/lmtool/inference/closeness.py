"""How well vectors tell which words stand around each other: how training judges them."""

from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from lmtool.data.batch import Batch
from lmtool.data.windows import Running, Windows
from lmtool.inference.judgement import Judgement
from lmtool.inference.validation import seconds_of_all
from lmtool.models.word_embedding import WordEmbedding, loss_of
from lmtool.workers import Workers

__all__ = ["Closeness"]

CENTRES = 1024  # of a batch
BATCHES = 32  # at most
SEED = 0


@dataclass(frozen=True, slots=True)
class Closeness:
    """A validation text, of which ``units`` pieces of work read some batches, always the same."""

    text: Running
    output: str | None  # None: there is none, all was counted
    samples: int
    workers: Workers
    units: int

    @property
    def tokens(self) -> int:
        """Of the batches."""
        return min(len(self.text.ids), CENTRES * BATCHES)

    def judge(self, model: WordEmbedding) -> Judgement:
        """Nats a target, negatives included."""
        if self.output is None:
            return Judgement(0.0, {})
        batches = self._batches()
        with np.errstate(all="ignore"):  # weights of a run that blows up
            losses = self.workers.map(partial(loss_of, model), batches)
        loss = sum(losses) / max(1, sum(batch.n for batch in batches))
        return Judgement(loss, {"loss": loss})

    def at_the_end(self, model: WordEmbedding, score: float) -> dict[str, float]:
        """The same of the weights that are kept."""
        return {} if self.output is None else {"valid_loss": score}

    def seconds(self, model: WordEmbedding) -> tuple[float, float]:
        """What a validation takes; there is none at the end."""
        if self.output is None:
            return 1e-9, 1e-9
        taken, _ = seconds_of_all(self._batches(), self.units, partial(self._losses, model))
        return taken, 1e-9

    def _losses(self, model: WordEmbedding, batches: Any) -> list[float]:
        return self.workers.map(partial(loss_of, model), batches)

    def _batches(self) -> list[Batch]:
        assert self.output is not None
        data = Windows(self.text, CENTRES, self.samples, self.output, SEED)
        return [data.batch(step) for step in range(min(BATCHES, data.steps_a_pass))]
