"""Sampling: numpy's random choice over the softmax, word by word, until <EOS>."""

import math
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lmtool.arrays import Array
from lmtool.display import Shown
from lmtool.inference.next import after
from lmtool.inference.score import WordScore, verified, word_score
from lmtool.models.predictor import Predictor
from lmtool.settings import SampleSettings
from lmtool.text.vocabulary import EOS_ID, UNK_ID

__all__ = ["Sample", "distribution", "sample"]


@dataclass(frozen=True, slots=True, repr=False)
class Sample(Shown):
    """A drawn text."""

    _shown = ("text", "log10_p", "truncated", "seed")

    text: str  # prompt included
    tokens: tuple[str, ...]  # drawn, without <EOS>
    log10_p: float  # of what was drawn, under the model itself: no temperature, nothing banned
    truncated: bool  # max_words came before <EOS>
    seed: int | None
    word_scores: tuple[WordScore, ...]

    def to_dict(self) -> dict[str, Any]:
        """The same as plain values."""
        return asdict(self)


def sample(
    model: Predictor,
    rng: np.random.Generator,
    settings: SampleSettings,
    prompt: str = "",
    seed: int | None = None,
) -> Sample:
    """Draws until <EOS> or settings.max_words."""
    logp, state = after(model, prompt)
    drawn: list[int] = []
    rows: list[WordScore] = []
    while True:
        choice = int(rng.choice(len(logp), p=distribution(logp, settings)))
        rows.append(word_score(model, model.vocabulary.tokens[choice], choice, float(logp[choice])))
        if choice == EOS_ID:
            break
        drawn.append(choice)
        if len(drawn) == settings.max_words:
            break
        top, state = model.step(np.array([choice], np.int32), state)
        logp = verified(model.log_probabilities(top))[0]
    return Sample(
        text=joined(model, prompt, drawn),
        tokens=tuple(model.vocabulary.tokens[i] for i in drawn),
        log10_p=math.fsum(row.log10_p for row in rows),
        truncated=rows[-1].token != model.vocabulary.tokens[EOS_ID],
        seed=seed,
        word_scores=tuple(rows),
    )


def joined(model: Predictor, prompt: str, drawn: list[int]) -> str:
    """The prompt as spelled, then what was drawn."""
    tokens = (model.vocabulary.tokens[i] for i in drawn)
    return model.vocabulary.tokenizer.join([*model.vocabulary.split(prompt), *tokens])


def distribution(logp: Array, settings: SampleSettings) -> NDArray[np.float64]:
    """What is drawn from, (V,) in double precision: numpy's choice checks that it sums to 1."""
    scores = logp.astype(np.float64)
    if not settings.allow_unk:
        scores[UNK_ID] = -np.inf
    if settings.temperature == 0:
        return one_hot(scores)
    scores -= scores.max()
    with np.errstate(over="ignore"):  # a temperature near 0
        scores /= settings.temperature
    p: NDArray[np.float64] = np.exp(scores)
    p[beyond_top_k(p, settings.top_k)] = 0
    p /= p.sum()
    p[beyond_top_p(p, settings.top_p)] = 0
    p /= p.sum()
    return p


def one_hot(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    """All on the best."""
    p = np.zeros_like(scores)
    p[scores.argmax()] = 1
    return p


def beyond_top_k(p: NDArray[np.float64], k: int) -> NDArray[np.int64]:
    """All but the k most probable; none where k is 0."""
    order = np.argsort(-p, kind="stable")
    return order[k:] if k else order[:0]


def beyond_top_p(p: NDArray[np.float64], top_p: float) -> NDArray[np.int64]:
    """All but the fewest most probable whose sum reaches top_p (Holtzman et al. 2020)."""
    if top_p >= 1:
        return np.empty(0, np.int64)
    order = np.argsort(-p, kind="stable")
    n = int(np.searchsorted(p[order].cumsum(), top_p)) + 1
    return order[n:]
