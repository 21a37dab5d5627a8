"""KenLM's ``query``: ``-v word``, ``-v sentence``, and ``-v summary`` by corpus.

Id 0 is the unknown word, 2 is </s>; an unknown word has the probability of <UNK>.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from lmtool.cli.formats.base import (
    Format,
    Job,
    Totals,
    bare,
    perplexity,
    report,
    single,
    summary,
    totals,
)

if TYPE_CHECKING:
    from lmtool.inference.score import SentenceScore

__all__ = ["FORMAT"]

UNK_ID, END_ID = 0, 2  # KenLM's; 1 is <s>, so that our ids from 2 on become 3 and more


def by_word(score: "SentenceScore", job: Job, line: int) -> Iterator[str]:
    """``word=id length log10`` and a tab for each, then the sum, all on one line."""
    yield "".join(cells(score, job)) + total_line(score)


def by_sentence(score: "SentenceScore", job: Job, line: int) -> Iterator[str]:
    """The sum."""
    yield total_line(score)


def cells(score: "SentenceScore", job: Job) -> Iterator[str]:
    """One cell a word; the length is that of the history, <s> included, and the word."""
    *words, end = score.words
    for length, word in enumerate(words, 2):
        word_id = UNK_ID if word.oov else job.token_id(word.token) + 1
        yield f"{bare(word.word)}={word_id} {length} {single(word.log10_p)}\t"
    yield f"</s>={END_ID} {len(words) + 2} {single(end.log10_p)}\t"


def total_line(score: "SentenceScore") -> str:
    """log10 P of a sentence with its unknown words, and how many they are."""
    part = totals(score)
    return f"Total: {single(part.log10_p)} OOV: {part.n_oov}"


def corpus(total: Totals, job: Job) -> Iterator[str]:
    """Four sums, without the perplexities where there is nothing."""
    n = total.n_factors
    if n:
        yield f"Perplexity including OOVs:\t{perplexity(total.log10_p, n)}"
        yield f"Perplexity excluding OOVs:\t{perplexity(total.known, n - total.n_oov)}"
    yield f"OOVs:\t{total.n_oov}"
    yield f"Tokens:\t{n}"


WORD = report(by_word, corpus)
FORMAT = Format(
    {"word": WORD, "sentence": report(by_sentence, corpus), "corpus": summary(corpus)},
    default=WORD,
    summed=("word", "sentence", "corpus"),
)
