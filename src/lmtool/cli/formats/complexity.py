"""neural-complexity's output: ``--words`` by word, losses by sentence, its last lines by corpus.

Entropy is that of the distribution that predicts the word; its reduction is cut off at 0.
"""

from collections.abc import Iterable, Iterator
from typing import Any, Protocol

from lmtool.cli.formats.base import (
    LN10,
    Format,
    Job,
    Totals,
    bare,
    fixed,
    line_by_line,
    single,
    summary,
    totals,
)

__all__ = ["FORMAT"]

COLUMNS = ("word", "sentid", "sentpos", "wlen", "surp", "entropy", "entred")
UNK, EOS = "<unk>", "<EOS>"
RULE = "=" * 89


class Surprisal(Protocol):
    """What a row needs of a word."""

    @property
    def word(self) -> str: ...
    @property
    def token(self) -> str: ...
    @property
    def oov(self) -> bool: ...
    @property
    def length(self) -> int: ...
    @property
    def surprisal_bits(self) -> float: ...
    @property
    def entropy_before(self) -> float: ...


def by_word(scores: Iterable[Any], job: Job) -> Iterator[str]:
    """A header and a row a word, none for <EOS>; sentences count from 0, as words do."""
    yield " ".join(COLUMNS)
    for sentence, score in enumerate(scores, job.before):
        yield from rows(sentence, score.words)


def rows(sentence: int, words: Iterable[Surprisal]) -> Iterator[str]:
    """The entropies in bits; a sentence's first word reduces nothing."""
    before: float | None = None
    for position, word in enumerate(words):
        if word.token == EOS:
            return
        entropy = word.entropy_before
        reduction = 0.0 if before is None else max(0.0, before - entropy)
        before = entropy
        numbers = map(single, (word.surprisal_bits, entropy, reduction))
        yield " ".join([named(word), str(sentence), str(position), wlen(word), *numbers])


def named(word: Surprisal) -> str:
    """The word as the model sees it."""
    return UNK if word.oov else bare(word.word)


def wlen(word: Surprisal) -> str:
    """Characters of the word as the model sees it."""
    return str(len(UNK) if word.oov else word.length)


def loss(score: Any) -> str:
    """``sentence:loss``, the mean -ln p over words and <EOS>."""
    text = " ".join(bare(word.word) for word in score.words if word.token != EOS)
    return f"{text}:{single(nats(totals(score)))}"


def nats(part: Totals) -> float:
    """The mean -ln p."""
    return -part.log10_p * LN10 / part.n_factors


def corpus(total: Totals, job: Job) -> Iterator[str]:
    """Loss and perplexity over the file; nothing for an empty one."""
    if total.n_sentences:
        ppl = fixed(-total.log10_p / total.n_factors, 2)
        yield RULE
        yield f"| End of testing | test loss {nats(total):z5.2f} | test ppl {ppl:>8}"
        yield RULE


FORMAT = Format(
    {"word": by_word, "sentence": line_by_line(loss), "corpus": summary(corpus)},
    default=by_word,
    scores="surprisal_lines",
    options={"frequency": False},
    summed=("corpus",),
)
