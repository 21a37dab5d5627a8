"""A language model beside a recogniser: ln p of each word as soon as it is complete.

Words of the recogniser are spelled to the language model, whatever its tokens are: words, pieces
of them or letters with blanks between. A word that has an unknown token is worth

ln p(<UNK>) - (letters + 1) ln A                                                          (1)

A the letters there are, as if it were spelled by chance: else any nonsense would cost as much as
the rarest word. With ``lexicon`` only words of the language model are complete.
"""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from lmtool.arrays import Ids
from lmtool.errors import ConfigError, option
from lmtool.models.predictor import Predictor, joined, rows
from lmtool.text.vocabulary import EOS_ID, N_SPECIALS, UNK_ID

__all__ = ["Context", "Language", "Lexicon"]

LEAST = 2  # streams that are stepped side by side
LETTERS = 30  # A


class Context:
    """What a language model has read: a word history, and what came of it, once it is asked."""

    __slots__ = ("after", "ids", "known", "state", "top", "words")

    def __init__(self, state: Any, ids: int, words: int) -> None:
        self.state, self.ids, self.words = state, ids, words  # before the last token; that token
        self.top: Any = None  # None: the last token is not read yet
        self.after: dict[int, Context] = {}
        self.known: dict[int, float] = {}  # ln p of tokens


class Language:
    """Contexts of a predictor; ``follow`` and ``ends`` take many of them at once."""

    def __init__(self, model: Predictor) -> None:
        self.model = model
        self.letters = model.vocabulary.settings.tokens == "char"
        self._spelled: dict[tuple[str, bool], tuple[list[int], float]] = {}

    def begin(self) -> Context:
        """A context before the first word, which knows no other search's."""
        return Context(self.model.zero_state(1), EOS_ID, 0)

    def follow(self, asked: Sequence[tuple[Context, str]]) -> list[tuple[Context, float]]:
        """The context after a word, and ln p of the word, of each."""
        spelled = [self.spelled(word, context.words > 0) for context, word in asked]
        contexts = [context for context, _ in asked]
        totals = [penalty for _, penalty in spelled]
        for place in range(max((len(ids) for ids, _ in spelled), default=0)):
            some = [k for k, (ids, _) in enumerate(spelled) if place < len(ids)]
            tokens = [spelled[k][0][place] for k in some]
            logp = self.log_probability([contexts[k] for k in some], tokens)
            for k, token, value in zip(some, tokens, logp, strict=True):
                totals[k] += value
                contexts[k] = after(contexts[k], token)
        found = []
        for (context, _), last, total in zip(asked, contexts, totals, strict=True):
            last.words = context.words + 1
            found.append((last, total))
        return found

    def ends(self, contexts: Sequence[Context]) -> list[float]:
        """ln p of <EOS>."""
        return self.log_probability(contexts, [EOS_ID] * len(contexts))

    def spelled(self, word: str, later: bool) -> tuple[list[int], float]:
        """The tokens of a word, and what it costs beside them; ``later``: it is not the first."""
        key = word, later
        if key not in self._spelled:
            vocabulary = self.model.vocabulary
            text = " " * (later and self.letters) + word
            ids = vocabulary.encode(text)
            cost = (len(word) + 1) * math.log(LETTERS) if UNK_ID in ids else 0.0
            self._spelled[key] = ids, -cost
        return self._spelled[key]

    def log_probability(self, contexts: Sequence[Context], tokens: Sequence[int]) -> list[float]:
        """ln p of a token after each context; what was asked before is remembered."""
        pairs = list(zip(contexts, tokens, strict=True))
        fresh = [*{(id(c), k): (c, k) for c, k in pairs if k not in c.known}.values()]
        for first in range(0, len(fresh), self._most):
            self._ask(fresh[first : first + self._most])
        return [context.known[token] for context, token in pairs]

    @property
    def _most(self) -> int:
        return max(1, self.model.block)

    def _ask(self, pairs: Sequence[tuple[Context, int]]) -> None:
        """Steps along where that has not been done, then asks for ln p."""
        unread = [*{id(c): c for c, _ in pairs if c.top is None}.values()]
        if unread:
            ids = np.array([c.ids for c in unread], np.int32)
            top, state = self.model.step(self._wide(ids), self._states(unread))
            for b, context in enumerate(unread):
                context.top, context.state = (
                    rows(top, slice(b, b + 1)),
                    rows(state, slice(b, b + 1)),
                )
        top = joined([c.top for c, _ in pairs])
        ids = np.array([k for _, k in pairs], np.int32)
        if len(pairs) < LEAST <= self._most:
            top, ids = joined([top] * LEAST), np.repeat(ids, LEAST)
        logp = self.model.log_probability(top, ids)
        for (context, token), value in zip(pairs, logp.tolist(), strict=False):
            context.known[token] = value

    def _wide(self, ids: Ids) -> Ids:
        """Two streams at least, where a stream's bits are its own from two on."""
        return np.repeat(ids, LEAST) if len(ids) < LEAST <= self._most else ids

    def _states(self, contexts: Sequence[Context]) -> Any:
        """Theirs side by side."""
        states = [context.state for context in contexts]
        return joined(states * LEAST if len(states) < LEAST <= self._most else states)


def after(context: Context, token: int) -> Context:
    """The context one token on, the same one each time."""
    if token not in context.after:
        context.after[token] = Context(context.state, token, context.words)
    return context.after[token]


class Lexicon:
    """The words of a language model, and what they begin with. ConfigError where it has none."""

    def __init__(self, model: Predictor) -> None:
        vocabulary = model.vocabulary
        if vocabulary.settings.tokens != "word":
            message = f"needs a language model of words, not of {vocabulary.settings.tokens}s"
            raise ConfigError(f"{option('lexicon')}: {message}")
        self._normalise = vocabulary.normalise
        self.words = frozenset(vocabulary.tokens[N_SPECIALS:])
        self.begins = frozenset(word[:n] for word in self.words for n in range(len(word) + 1))

    def holds(self, word: str) -> bool:
        """Whether it is one of the words."""
        return self._normalise(word) in self.words

    def begun(self, part: str) -> bool:
        """Whether one of the words begins so."""
        return self._normalise(part) in self.begins
