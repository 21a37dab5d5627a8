"""The best texts of a recogniser's steps, found along all their paths (Hannun et al. 2014).

A text y that is said so far is followed with two numbers, ln of what its paths add up to that end
in a blank (b) and in its last token (e). A step with ln p(k) of each token k adds:

b'(y) += ln p(_) + ln(exp b(y) + exp e(y))                                                (1)
e'(y) += ln p(last of y) + e(y), the last token going on                                  (2)
e'(y k) += ln p(k) + b(y) if k is the last of y, else + ln(exp b(y) + exp e(y))           (3)

Of all texts the ``beam`` best are followed by

score(y) = ln(exp b + exp e) + lm_weight ln p_lm(words of y) + word_bonus words            (4)

where a word counts when it is complete: when the next one begins, or <EOS> comes. With a beam that
loses nothing, b and e sum over all alignments. At last ln P of the n best is computed exactly.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from lmtool.arrays import Array
from lmtool.inference.fusion import Context, Language, Lexicon
from lmtool.inference.transcribe import Decoded, Decoder
from lmtool.nn.outputs.ctc import BLANK, best_path, log_probability
from lmtool.settings import TranscribeSettings
from lmtool.text.vocabulary import Vocabulary

__all__ = ["decoder", "greedy", "search"]

NOTHING = -math.inf
UNLIKELY = -9.0  # ln p of a token below the likeliest that a step does not try
SURE = math.log(0.9999)  # of a blank beside which nothing is tried


def decoder(
    vocabulary: Vocabulary, settings: TranscribeSettings, language: Language | None = None
) -> Decoder:
    """What finds the texts of ln p (T, V)."""
    beam = settings.width(language is not None)
    if language is None and beam == 1:
        return greedy
    wanted = settings.lexicon
    if wanted is None:
        wanted = language is not None and language.model.vocabulary.settings.tokens == "word"
    lexicon = Lexicon(language.model) if language and wanted else None
    rules = Rules(vocabulary, settings, beam, language, lexicon)
    return lambda logp: search(logp, rules)


def greedy(logp: Array) -> list[Decoded]:
    """The best path's text."""
    ids = best_path(logp).ids
    total = log_probability(logp, ids)
    return [Decoded(ids, total, total, (total, 0.0, 0.0))]


@dataclass(frozen=True, slots=True)
class Rules:
    """What a search goes by."""

    vocabulary: Vocabulary
    settings: TranscribeSettings
    beam: int
    language: Language | None
    lexicon: Lexicon | None

    def begins(self, before: str, token: str) -> bool:
        """Whether a word ends where the token comes."""
        if self.letters:
            return token == " "
        return self.vocabulary.tokenizer.begins(before, token)

    @property
    def letters(self) -> bool:
        """Whether tokens are letters, and blanks part words."""
        return self.vocabulary.settings.tokens == "char"

    def spelled(self, tokens: Sequence[int]) -> str:
        """The word of tokens."""
        return self.vocabulary.decode(tokens).strip()


class Text:
    """A text that is followed: its tokens, those of its last word, what they are worth."""

    __slots__ = (
        "after", "b", "beside", "context", "e", "id", "lm", "n", "new_b", "new_e", "parent", "word",
    )  # fmt: skip

    def __init__(self, parent: "Text | None", token: int) -> None:
        self.parent, self.id = parent, token
        self.after: dict[int, Text | None] = {}  # None: a text that there cannot be
        self.b = self.e = self.new_b = self.new_e = NOTHING
        self.word: tuple[int, ...] = ()  # tokens since the last complete one
        self.context: Context | None = None
        self.lm, self.n, self.beside = 0.0, 0, 0.0  # ln p_lm, complete words, both weighed

    @property
    def total(self) -> float:
        """ln of what its paths add up to."""
        return log_add(self.b, self.e)

    def ids(self) -> list[int]:
        """Its tokens."""
        found, text = list[int](), self
        while text.parent is not None:
            found.append(text.id)
            text = text.parent
        return found[::-1]


class Ending(NamedTuple):
    """A text with its last word complete."""

    text: Text
    lm: float
    n: int
    score: float


def log_add(x: float, y: float) -> float:
    """ln(exp x + exp y)."""
    if x < y:
        x, y = y, x
    return x if y == NOTHING else x + math.log1p(math.exp(y - x))


def search(logp: Array, rules: Rules) -> list[Decoded]:
    """The best texts of ln p (T, V), at most ``beam``; scores by (4)."""
    root = Text(None, BLANK)
    root.b, root.context = 0.0, rules.language.begin() if rules.language else None
    followed = [root]
    for row in logp:
        followed = step(followed, row, rules)
    ends = endings(followed, rules)
    return ranked(logp, ends, rules)


def step(followed: list[Text], row: Array, rules: Rules) -> list[Text]:
    """(1) to (3), and the best by (4)."""
    blank = float(row[BLANK])
    peak = float(row.max())
    tried = [] if blank > SURE else np.flatnonzero(row > peak + UNLIKELY).tolist()
    likely = [(k, float(row[k])) for k in tried if k != BLANK]
    reached: dict[int, Text] = {}
    closing: list[tuple[Text, Text]] = []
    for text in followed:
        total = text.total
        reached[id(text)] = text
        text.new_b = log_add(text.new_b, total + blank)
        if text.parent is not None:
            text.new_e = log_add(text.new_e, text.e + float(row[text.id]))
        for k, p in likely:
            after = text.after[k] if k in text.after else grown(text, k, rules, closing)
            if after is not None:
                came = text.b if k == text.id and text.parent is not None else total
                after.new_e = log_add(after.new_e, came + p)
                reached[id(after)] = after
    complete(closing, rules)
    texts = [*reached.values()]
    for text in texts:
        text.b, text.e, text.new_b, text.new_e = text.new_b, text.new_e, NOTHING, NOTHING
    return best(texts, rules.beam)


def best(texts: list[Text], n: int) -> list[Text]:
    """The n with the largest (4), in an order of their own; what is left is forgotten."""
    texts.sort(key=lambda text: -(text.total + text.beside))
    for text in texts[n:]:
        text.b = text.e = NOTHING
    return [text for text in texts[:n] if text.total > NOTHING]


def grown(text: Text, k: int, rules: Rules, closing: list[tuple[Text, Text]]) -> Text | None:
    """The text with one token more; None where the lexicon has no such word."""
    token = rules.vocabulary.tokens[k]
    before = rules.vocabulary.tokens[text.id] if text.parent is not None else ""
    ends = bool(text.word) and rules.begins(before, token)
    new = Text(text, k)
    new.context, new.lm, new.n, new.beside = text.context, text.lm, text.n, text.beside
    silent = rules.letters and token == " "
    new.word = () if silent else (k,) if ends else (*text.word, k)
    text.after[k] = new
    if not allowed(text, new, ends, rules):
        text.after[k] = None
        return None
    if ends:
        closing.append((text, new))
    return new


def allowed(text: Text, new: Text, ends: bool, rules: Rules) -> bool:
    """Whether a blank parts two words, and the lexicon has the one that ends and the one begun."""
    if rules.letters and not text.word and not new.word:
        return False  # a blank after a blank, or before all
    if rules.lexicon is None:
        return True
    if ends and not rules.lexicon.holds(rules.spelled(text.word)):
        return False
    return rules.lexicon.begun(rules.spelled(new.word))


def complete(closing: Sequence[tuple[Text, Text]], rules: Rules) -> None:
    """Counts the words that ended, and asks the language model for them."""
    found = closed([text for text, _ in closing], rules)
    for (_, new), (context, logp) in zip(closing, found, strict=True):
        new.context, new.lm, new.n = context, new.lm + logp, new.n + 1
        new.beside = worth(new.lm, new.n, rules)


def closed(texts: Sequence[Text], rules: Rules) -> list[tuple[Context | None, float]]:
    """The context after the last word of each, and ln p of that word."""
    if rules.language is None:
        return [(None, 0.0)] * len(texts)
    asked = [(t.context, rules.spelled(t.word)) for t in texts if t.context is not None]
    return [*rules.language.follow(asked)]


def endings(followed: Sequence[Text], rules: Rules) -> list[Ending]:
    """The texts as they end; of words begun only those that may be complete, if there are any."""
    lexicon = rules.lexicon
    whole = [t for t in followed if not lexicon or not t.word or holds(lexicon, t, rules)]
    texts = whole or list(followed)
    last = [text for text in texts if text.word]
    after = {id(t): found for t, found in zip(last, closed(last, rules), strict=True)}
    ends = []
    for text in texts:
        context, logp = after.get(id(text), (text.context, 0.0))
        final = rules.language.ends([context])[0] if rules.language and context else 0.0
        lm, n = text.lm + logp + final, text.n + bool(text.word)
        ends.append(Ending(text, lm, n, text.total + worth(lm, n, rules)))
    return ends


def holds(lexicon: Lexicon, text: Text, rules: Rules) -> bool:
    """Whether its last word is one."""
    return lexicon.holds(rules.spelled(text.word))


def worth(lm: float, n: int, rules: Rules) -> float:
    """(4) without the paths; nothing without a language model."""
    if rules.language is None:
        return 0.0
    return rules.settings.lm_weight * lm + rules.settings.word_bonus * n


def ranked(logp: Array, ends: Sequence[Ending], rules: Rules) -> list[Decoded]:
    """The n best with ln P as it is, best first; of equals the lowest tokens."""
    found, known = list[Decoded](), set[str]()
    for end in sorted(ends, key=lambda end: -end.score):
        ids = np.array(end.text.ids(), np.int32)
        if (spelled := rules.spelled(ids.tolist())) in known:
            continue  # but for a blank at its end
        known.add(spelled)
        total = log_probability(logp, ids)
        score = total + worth(end.lm, end.n, rules)
        found.append(Decoded(ids, total, score, (total, end.lm, float(end.n))))
        if len(found) == rules.settings.n:
            break
    return sorted(found, key=lambda one: (-one.score, one.ids.tolist()))
