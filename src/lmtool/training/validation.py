"""Perplexity on the validation ids, and what it costs."""

import math
import time
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from lmtool.inference.evaluate import cut, padded_logp, sentences
from lmtool.models.language_model import LanguageModel
from lmtool.training.step import Task
from lmtool.workers import slices

__all__ = [
    "other_loss",
    "other_seconds",
    "valid_loss",
    "validation_interval",
    "validation_seconds",
]

Ids = NDArray[np.int32]

VALID_STREAMS = 64
VALID_SHARE = 20  # tokens trained on for each token of a validation, at least
FEWEST_BETWEEN = 20  # steps between validations
TIMED_LENGTH = 32  # tokens of each stream


def validation_interval(task: Task) -> int:
    """Steps between validations: an epoch, or more where validation would take too long."""
    tokens = max(len(task.train_ids), VALID_SHARE * len(task.valid_ids))
    return max(FEWEST_BETWEEN, math.ceil(tokens / task.tokens_per_step))


def valid_loss(task: Task, model: LanguageModel) -> float:
    """Nats per token on the validation ids, in the context trained for."""
    if task.recipe.context == "sentence":
        return sentence_loss(task, model)
    return document_loss(task, model)


def other_loss(task: Task, model: LanguageModel) -> float:
    """The same in the other context, which is wanted once, at the end."""
    if task.recipe.context == "sentence":
        return document_loss(task, model)
    return sentence_loss(task, model)


def sentence_loss(task: Task, model: LanguageModel) -> float:
    """Nats per token, each line from zero state."""
    logps = task.workers.map(lambda pieces: padded_logp(model, pieces), sentences(task.valid_ids))
    return -sum(logps) / len(task.valid_ids)


def document_loss(task: Task, model: LanguageModel) -> float:
    """Nats per token, the state carried, in pieces that the workers share."""
    return -pieces_logp(task, model, *valid_pieces(task)) / len(task.valid_ids)


def pieces_logp(task: Task, model: LanguageModel, pieces: Ids, skip: Ids) -> float:
    """ln p of ids side by side (T, B), without the first skip (B,) of each."""
    parts = slices(len(skip), min(len(skip), task.units))
    logps = task.workers.map(lambda part: padded_logp(model, pieces[:, part], skip[part]), parts)
    return sum(logps)


def valid_pieces(task: Task) -> tuple[Ids, Ids]:
    """The validation ids side by side."""
    n = len(task.valid_ids)
    return cut(task.valid_ids, max(1, min(VALID_STREAMS, n // 500)))


def validation_seconds(task: Task) -> float:
    """What ``valid_loss`` costs, from a part of it."""
    in_sentences = task.recipe.context == "sentence"
    return sentence_seconds(task) if in_sentences else document_seconds(task)


def other_seconds(task: Task) -> float:
    """What ``other_loss`` costs, from a part of it."""
    in_sentences = task.recipe.context == "sentence"
    return document_seconds(task) if in_sentences else sentence_seconds(task)


def document_seconds(task: Task) -> float:
    """From the beginning of all streams."""
    pieces, skip = valid_pieces(task)
    some, none = pieces[:TIMED_LENGTH], np.zeros_like(skip)
    taken = seconds(lambda: pieces_logp(task, task.model, some, none))
    return taken * max(1.0, len(task.valid_ids) / int(np.count_nonzero(some >= 0)))


def sentence_seconds(task: Task) -> float:
    """From groups of sentences of middling and like length, one for each unit."""
    groups = list(sentences(task.valid_ids))
    n_tokens = [int(np.count_nonzero(group >= 0)) for group in groups]
    middle = int(np.searchsorted(np.cumsum(n_tokens), len(task.valid_ids) / 2))
    some = slice(max(0, min(middle, len(groups) - task.units)), middle + task.units)
    model = task.model
    taken = seconds(lambda: task.workers.map(lambda ids: padded_logp(model, ids), groups[some]))
    return taken * len(task.valid_ids) / sum(n_tokens[some])


def seconds(function: Callable[[], object]) -> float:
    """Of one call."""
    began = time.monotonic()
    function()
    return max(1e-9, time.monotonic() - began)
