"""The most probable next words."""

import math
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from lmtool.arrays import Array
from lmtool.display import Listing, Shown
from lmtool.inference.reading import shifted
from lmtool.inference.score import LN10, verified, without
from lmtool.models.predictor import Predictor, State, rows
from lmtool.settings import LEVELS, Option, checked

__all__ = ["TOKEN", "NextWord", "after", "next_words"]

TOKEN = LEVELS[1]


@dataclass(frozen=True, slots=True, repr=False)
class NextWord(Shown):
    """A token and P(token | text)."""

    _shown = ("word", "p", "log10_p")

    word: str
    p: float
    log10_p: float
    level: str | None = None  # "token", where a word may have several

    def to_dict(self) -> dict[str, Any]:
        """The same as plain values; the level where a word may have several tokens."""
        return without(("level",) if self.level is None else (), asdict(self))


def next_words(model: Predictor, text: str, k: int = 10) -> Listing[NextWord]:
    """The k most probable tokens after text, <EOS> and <UNK> among them. Raises OptionError."""
    k = checked("k", k, int, Option(at_least=1))
    logp, _ = after(model, text)
    best = np.argsort(-logp, kind="stable")[:k]
    tokens, level = model.vocabulary.tokens, TOKEN if model.vocabulary.several else None
    return Listing(
        NextWord(tokens[i], math.exp(logp[i]), float(logp[i]) / LN10, level) for i in best
    )


def after(model: Predictor, text: str) -> tuple[Array, State]:
    """ln p (V,) of the token after text, and the state there."""
    ids = shifted(model.vocabulary.sentence(model.vocabulary.split(text)))
    top, state = model.read(ids, model.zero_state())
    return verified(model.log_probabilities(rows(top, slice(-1, None))))[0], state
