"""The most probable next words."""

import math
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from lmtool.arrays import Array
from lmtool.display import Listing, Shown
from lmtool.inference.score import LN10, verified
from lmtool.models.language_model import LanguageModel
from lmtool.models.network import States
from lmtool.settings import Option, checked
from lmtool.text.vocabulary import EOS_ID

__all__ = ["NextWord", "after", "next_words"]


@dataclass(frozen=True, slots=True, repr=False)
class NextWord(Shown):
    """A token and P(token | text)."""

    _shown = ("word", "p", "log10_p")

    word: str
    p: float
    log10_p: float

    def to_dict(self) -> dict[str, Any]:
        """The same as plain values."""
        return asdict(self)


def next_words(model: LanguageModel, text: str, k: int = 10) -> Listing[NextWord]:
    """The k most probable tokens after text, <EOS> and <UNK> among them. Raises OptionError."""
    k = checked("k", k, int, Option(at_least=1))
    logp, _ = after(model, text)
    best = np.argsort(-logp, kind="stable")[:k]
    return Listing(
        NextWord(model.vocabulary.tokens[i], math.exp(logp[i]), float(logp[i]) / LN10) for i in best
    )


def after(model: LanguageModel, text: str) -> tuple[Array, States]:
    """ln p (V,) of the token after text, and the state there."""
    ids = np.array([EOS_ID, *model.vocabulary.encode(text)], np.int32)
    top, state = model.read(ids, model.zero_state())
    return verified(model.log_probabilities(top[-1:]))[0], state
