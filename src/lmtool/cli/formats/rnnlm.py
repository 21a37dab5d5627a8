"""Mikolov's RNNLM: ``-test -debug 2`` by word, ``-nbest -debug 0`` by sentence, sums by corpus.

An unknown word is a row ``-1 0 OOV`` there and left out of the sums; in a list of hypotheses it
costs a fixed penalty.
"""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from lmtool.cli.formats.base import (
    Format,
    Job,
    Totals,
    bare,
    fixed,
    line_by_line,
    report,
    summary,
    totals,
)

if TYPE_CHECKING:
    from lmtool.inference.score import SentenceScore

__all__ = ["FORMAT"]

HEAD = ("Index   P(NET)          Word", "-" * 34)
OOV = "-1\t0\t\tOOV"
PENALTY = -5.0  # log10, of each unknown word of a hypothesis


def by_word(scores: Iterable["SentenceScore"], job: Job) -> Iterator[str]:
    """A heading, a row a word, the sums."""
    yield from HEAD
    yield from report(rows, corpus)(scores, job)


def rows(score: "SentenceScore", job: Job, line: int) -> Iterator[str]:
    """Id, probability with ten decimals, word; </s> is 0."""
    *words, end = score.words
    for word in words:
        known = f"{job.token_id(word.token)}\t{fixed(word.log10_p, 10)}\t{bare(word.word)}"
        yield OOV if word.oov else known
    yield f"0\t{fixed(end.log10_p, 10)}\t</s>"


def hypothesis(score: "SentenceScore") -> str:
    """log10 P with the penalties."""
    part = totals(score)
    return f"{part.known + PENALTY * part.n_oov:z.6f}"


def corpus(total: Totals, job: Job) -> Iterator[str]:
    """log10 P and perplexity without the unknown words; </s> counts."""
    yield from ("", f"test log probability: {total.known:z.6f}")
    if total.n_sentences:
        yield from ("", f"PPL net: {fixed(-total.known / (total.n_factors - total.n_oov), 6)}")


FORMAT = Format(
    {"word": by_word, "sentence": line_by_line(hypothesis), "corpus": summary(corpus)},
    default=by_word,
    summed=("word", "corpus"),
)
