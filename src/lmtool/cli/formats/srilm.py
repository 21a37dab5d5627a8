"""SRILM: what ``ngram -ppl -debug 2`` (word), 1 (sentence) and 0 (corpus) prints.

[rnn] stands where the n-gram order does, so that field 10 of a row of ``p(`` is log10 p and
compute-best-mix, compare-ppls and ppl-from-log read it. OOVs count, but not in logprob.
"""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from lmtool.cli.formats.base import Format, Job, Totals, bare, perplexity, totals
from lmtool.cli.render import power
from lmtool.cli.terminal import harmless

if TYPE_CHECKING:
    from lmtool.inference.score import SentenceScore, WordScore

__all__ = ["FORMAT"]


def write(scores: Iterable["SentenceScore"], job: Job) -> Iterator[str]:
    """A block for each sentence, then the file's."""
    total = Totals()
    for score in scores:
        part = totals(score) if score.words else Totals()
        total += part
        if job.level != "corpus":
            yield from block(score, part, job.level != "sentence") if score.words else [""]
    counts, sums = ends(total)
    yield f"file {harmless(job.source)}: {counts}"
    yield sums


def block(score: "SentenceScore", part: Totals, by_word: bool) -> Iterator[str]:
    """A sentence."""
    yield " ".join(bare(word.word) for word in score.words[:-1])
    if by_word:
        yield from rows(score.words)
    yield from ends(part)
    yield ""


def rows(words: tuple["WordScore", ...]) -> Iterator[str]:
    """A row for each word."""
    history = "<s> "
    for index, word in enumerate(words):
        name = "</s>" if index == len(words) - 1 else bare(word.word)
        value = f"[rnn] {power(word.log10_p, 6)} [ {word.log10_p:.6g} ]"
        yield f"\tp( {name} | {history}) \t= {'[OOV] 0 [ -inf ]' if word.oov else value}"
        history = f"{name} ..."


def ends(part: Totals) -> tuple[str, str]:
    """The two lines of counts and sums."""
    n = part.n_words - part.n_oov
    ppl = perplexity(part.known, n + part.n_sentences, "undefined", 6)
    ppl1 = perplexity(part.known, n, "undefined", 6)
    counts = f"{part.n_sentences} sentences, {part.n_words} words, {part.n_oov} OOVs"
    return counts, f"0 zeroprobs, logprob= {part.known:.6g} ppl= {ppl} ppl1= {ppl1}"


FORMAT = Format(write, ("word", "sentence", "corpus"))
