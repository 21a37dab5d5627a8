"""Perplexity on a validation text, by which training judges a language model."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from lmtool.arrays import Ids
from lmtool.inference.evaluate import cut, padded_logp, perplexity, sentences
from lmtool.inference.judgement import Judgement
from lmtool.inference.mixing import Fit, fitted
from lmtool.models.language_model import LanguageModel
from lmtool.models.ngram import NgramModel
from lmtool.models.predictor import forgets, streamed
from lmtool.workers import Workers, slices

__all__ = ["SIDE_BY_SIDE", "Perplexity", "perplexities", "seconds_of_all"]

STREAMS = 64
TIMED_LENGTH = 32  # tokens of each stream
SIDE_BY_SIDE = 64  # sources of a batch
TIMED = 2  # batches for each unit
MIXED = 1.4  # times what networks alone take


@dataclass(frozen=True, slots=True)
class Perplexity:
    """The validation ids, read by ``units`` pieces of work in the context trained for."""

    ids: Ids
    in_sentences: bool  # each line from zero state; else the state is carried
    workers: Workers
    units: int
    per_word: float | None = None  # tokens, <EOS> among both; None: each word is one
    counting: Callable[[], NgramModel] | None = None  # what is to be mixed with the networks
    sample: Callable[[], float] | None = None  # seconds that counting takes
    seen: bool = False  # the text is that of training

    @property
    def tokens(self) -> int:
        """<EOS> included."""
        return len(self.ids)

    def judge(self, model: LanguageModel) -> Judgement:
        """Nats per token, and the perplexity."""
        if forgets(model):
            loss = self.line_loss(model)
        else:
            loss = (self.sentence_loss if self.in_sentences else self.document_loss)(model)
        return Judgement(loss, perplexities("perplexity", loss, self.per_word))

    def at_the_end(self, model: LanguageModel, score: float) -> dict[str, float]:
        """The perplexities in both contexts; of networks that n-grams will join, nothing yet."""
        if self.counting is not None and model.mixture is None:
            return {}
        return self.both(model, score)

    def both(self, model: LanguageModel, score: float) -> dict[str, float]:
        """The perplexities in both contexts, where nats a token are known in the own one."""
        if forgets(model):
            document = sentence = score
        elif self.in_sentences:
            document, sentence = self.document_loss(model), score
        else:
            document, sentence = score, self.sentence_loss(model)
        return {
            **perplexities("valid_perplexity", document, self.per_word),
            **perplexities("valid_perplexity_sentence", sentence, self.per_word),
        }

    def seconds(self, model: LanguageModel) -> tuple[float, float]:
        """What the loss in the own context and in the other one costs, from parts of them."""
        document, sentence = self.document_seconds(model), self.sentence_seconds(model)
        own, other = (sentence, document) if self.in_sentences else (document, sentence)
        if self.counting is None:
            return own, other
        return own, MIXED * (own + other) + (self.sample() if self.sample else 0.0)

    def fit(self, model: LanguageModel) -> Fit:
        """How the model's parts make the text most probable, in the own context.

        Equal weights where the parts have seen the text: whoever knows it by heart would win.
        """
        assert model.mixture is not None
        if self.seen:
            K = len(model.parts)
            loss = self.judge(model).score
            return Fit((1 / K,) * K, (1.0,) * K, None, loss, (loss,) * K, len(self.ids))
        return fitted(model.mixture, self.ids, self.in_sentences, self.workers)

    def sentence_loss(self, model: LanguageModel) -> float:
        """Nats per token, each line from zero state."""
        groups = sentences(self.ids)
        logps = self.workers.map(lambda pieces: padded_logp(model, pieces), groups)
        return -sum(logps) / len(self.ids)

    def document_loss(self, model: LanguageModel) -> float:
        """Nats per token, the state carried, in pieces that the workers share."""
        return -self._pieces_logp(model, *self._pieces()) / len(self.ids)

    def line_loss(self, model: LanguageModel) -> float:
        """Nats per token, where nothing before a line counts in it."""
        return -float(streamed(model, np.asarray(self.ids)).mean(dtype=np.float64))

    def document_seconds(self, model: LanguageModel) -> float:
        """From the beginning of all streams."""
        pieces, skip = self._pieces()
        some, none = pieces[:TIMED_LENGTH], np.zeros_like(skip)
        taken = seconds(lambda: self._pieces_logp(model, some, none))
        return taken * max(1.0, len(self.ids) / int(np.count_nonzero(some >= 0)))

    def sentence_seconds(self, model: LanguageModel) -> float:
        """From groups of sentences of middling and like length, one for each unit."""
        groups = list(sentences(self.ids))
        n_tokens = [int(np.count_nonzero(group >= 0)) for group in groups]
        middle = int(np.searchsorted(np.cumsum(n_tokens), len(self.ids) / 2))
        some = slice(max(0, min(middle, len(groups) - self.units)), middle + self.units)
        chosen = groups[some]
        taken = seconds(lambda: self.workers.map(lambda ids: padded_logp(model, ids), chosen))
        return taken * len(self.ids) / sum(n_tokens[some])

    def _pieces_logp(self, model: LanguageModel, pieces: Ids, skip: Ids) -> float:
        """ln p of ids side by side (T, B), without the first skip (B,) of each."""
        parts = slices(len(skip), min(len(skip), self.units))
        logps = self.workers.map(
            lambda part: padded_logp(model, pieces[:, part], skip[part]), parts
        )
        return sum(logps)

    def _pieces(self) -> tuple[Ids, Ids]:
        """The ids side by side."""
        return cut(self.ids, max(1, min(STREAMS, len(self.ids) // 500)))


def perplexities(name: str, loss: float, per_word: float | None) -> dict[str, float]:
    """Of nats per token: per word, and where words may have several tokens, per token."""
    if per_word is None:
        return {name: perplexity(-loss, 1)}
    word, token = perplexity(-loss * per_word, 1), perplexity(-loss, 1)
    return {name: word, f"{name}_per_token": token}


def seconds_of_all(
    batches: Sequence[Any], units: int, read: Callable[[Sequence[Any]], object]
) -> tuple[float, float]:
    """What reading all batches takes, from some of middling length; and at the end once more."""
    middle = len(batches) // 2
    some = batches[middle : middle + TIMED * units] or batches
    whole = seconds(lambda: read(some)) * len(batches) / len(some)
    return whole, whole


def seconds(function: Callable[[], object]) -> float:
    """Of one call."""
    began = time.monotonic()
    function()
    return max(1e-9, time.monotonic() - began)
