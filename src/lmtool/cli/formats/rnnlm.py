"""Mikolov's RNNLM: ``-test -debug 2`` (word), the last lines alone (corpus), and n-best scores.

An unknown word is ``-1 0 OOV`` and counts for nothing there. At level sentence each line is the
log10 of one sentence, as ``-nbest -debug 0`` and faster-rnnlm print it, <UNK> included.
"""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from lmtool.cli.formats.base import Format, Job, Totals, bare, perplexity, totals

if TYPE_CHECKING:
    from lmtool.inference.score import SentenceScore

__all__ = ["FORMAT"]

HEADER = "Index   P(NET)          Word\n" + "-" * 34
OOV = "-1\t0\t\tOOV"
EOS_INDEX = 0
MOST_DIGITS = 300  # of a float that %f can print


def write(scores: Iterable["SentenceScore"], job: Job) -> Iterator[str]:
    """Rows and sums, or a number a line."""
    if job.level == "sentence":
        yield from (f"{score.log10_p:f}" if score.words else "" for score in scores)
        return
    if job.level != "corpus":
        yield HEADER
    total = Totals()
    for score in scores:
        total += totals(score) if score.words else Totals()
        if job.level != "corpus":
            yield from rows(score, job)
    n = total.n_words - total.n_oov + total.n_sentences
    yield f"\ntest log probability: {total.known:f}"
    yield f"\nPPL net: {ppl(total.known, n)}"


def ppl(log10_p: float, n: int) -> str:
    """As %f prints it; nan where nothing counts."""
    if n and -log10_p / n < MOST_DIGITS:
        return f"{10 ** (-log10_p / n):f}"
    return perplexity(log10_p, n, "nan", 10)


def rows(score: "SentenceScore", job: Job) -> Iterator[str]:
    """Index, probability, word."""
    for index, word in enumerate(score.words):
        last = index == len(score.words) - 1
        name = "</s>" if last else bare(word.word)
        place = EOS_INDEX if last else job.token_id(word.token)
        yield OOV if word.oov else f"{place}\t{word.p:.10f}\t{name}"


FORMAT = Format(write, ("word", "sentence", "corpus"))
