"""Sampling: numpy's random choice over the softmax, word by word, until <EOS>."""

import math
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lmtool.arrays import Array
from lmtool.display import Shown
from lmtool.inference.next import TOKEN, after
from lmtool.inference.score import WordScore, verified, without, word_score
from lmtool.models.predictor import Predictor
from lmtool.settings import SampleSettings
from lmtool.text.vocabulary import EOS_ID, UNK_ID, Vocabulary

__all__ = ["Sample", "distribution", "sample"]

LONGEST = 100  # tokens of a word


@dataclass(frozen=True, slots=True, repr=False)
class Sample(Shown):
    """A drawn text."""

    _shown = ("text", "log10_p", "truncated", "seed")

    text: str  # prompt included
    tokens: tuple[str, ...]  # drawn, without <EOS>
    log10_p: float  # of what was drawn, under the model itself: no temperature, nothing banned
    truncated: bool  # max_words came before <EOS>
    seed: int | None
    word_scores: tuple[WordScore, ...]  # of tokens
    level: str | None = None  # "token": of these are the scores, where a word may have several

    def to_dict(self) -> dict[str, Any]:
        """The same as plain values; the level where a word may have several tokens."""
        return without(("level",) if self.level is None else (), asdict(self))


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
    full = room(model.vocabulary, prompt, settings.max_words)
    while True:
        choice = int(rng.choice(len(logp), p=distribution(logp, settings)))
        if full(choice):
            break
        rows.append(word_score(model, model.vocabulary.tokens[choice], choice, float(logp[choice])))
        if choice == EOS_ID:
            break
        drawn.append(choice)
        if len(drawn) == settings.max_words and not model.vocabulary.several:
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
        level=TOKEN if model.vocabulary.several else None,
    )


def room(vocabulary: Vocabulary, prompt: str, n_words: int) -> Callable[[int], bool]:
    """Whether a token begins one word too many; asked of each as it is drawn.

    A word is whole when the next one begins, so of words with several tokens one is looked at
    that is then left out; a word that never ends is cut.
    """
    if not vocabulary.several:
        return lambda choice: False
    begins, tokens = vocabulary.tokenizer.begins, vocabulary.tokens
    last, words, length = (vocabulary.split(prompt) or [""])[-1], 0, 0
    join = vocabulary.tokenizer.join

    def full(choice: int) -> bool:
        nonlocal last, words, length
        if choice == EOS_ID:
            return False
        token = tokens[choice]
        new = begins(last, token) if last else bool(join([token]))
        last, words, length = token, words + new, 1 if new else length + 1
        return words > n_words or length > LONGEST

    return full


def joined(model: Predictor, prompt: str, drawn: list[int]) -> str:
    """The prompt as spelled, then what was drawn."""
    vocabulary, tokens = model.vocabulary, [model.vocabulary.tokens[i] for i in drawn]
    join = vocabulary.tokenizer.join
    if not vocabulary.several:
        return join([*vocabulary.words(prompt), *tokens])
    known = vocabulary.split(prompt)
    behind = join([*known, *tokens])[len(join(known)) :]
    return " ".join(vocabulary.words(prompt)) + behind


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
