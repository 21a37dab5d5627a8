"""SRILM's ``ngram -ppl``: ``-debug 2`` by word, ``-debug 1`` by sentence, ``-debug 0`` by corpus.

An unknown word has probability 0 there: it counts as OOV and adds nothing to logprob. One
bracketed tag stands before the probability, where the scripts expect the n-gram order.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from lmtool.cli.formats.base import Format, Job, Totals, bare, perplexity, report, summary, totals
from lmtool.cli.render import power
from lmtool.cli.terminal import harmless

if TYPE_CHECKING:
    from lmtool.inference.score import SentenceScore, WordScore

__all__ = ["FORMAT"]

TAG = "[rnn]"
DIGITS = 6  # of a C++ stream


def by_word(score: "SentenceScore", job: Job, line: int) -> Iterator[str]:
    """The sentence, a row a word, its sums and an empty line."""
    yield sentence(score)
    yield from rows(score.words)
    yield from sums(totals(score))
    yield ""


def by_sentence(score: "SentenceScore", job: Job, line: int) -> Iterator[str]:
    """The same without words."""
    yield sentence(score)
    yield from sums(totals(score))
    yield ""


def sentence(score: "SentenceScore") -> str:
    """The words as spelled."""
    return " ".join(bare(word.word) for word in score.words[:-1])


def rows(words: "tuple[WordScore, ...]") -> Iterator[str]:
    """``p( word | word before ...) = [rnn] p [ log10 p ]``."""
    history = "<s> "
    for index, word in enumerate(words):
        name = "</s>" if index == len(words) - 1 else "<unk>" if word.oov else bare(word.word)
        value = f"{TAG} {power(word.log10_p, DIGITS)} [ {word.log10_p:z.{DIGITS}g} ]"
        yield f"\tp( {name} | {history}) \t= {'[OOV] 0 [ -inf ]' if word.oov else value}"
        history = f"{name} ..."


def sums(part: Totals) -> Iterator[str]:
    """Counts; and perplexities, unless there is nothing at all."""
    yield f"{part.n_sentences} sentences, {part.n_words} words, {part.n_oov} OOVs"
    if part.n_sentences:
        n = part.n_words - part.n_oov
        ppl = perplexity(part.known, n + part.n_sentences, DIGITS)
        ppl1 = perplexity(part.known, n, DIGITS) if n else "undefined"
        logprob = f"logprob= {part.known:z.{DIGITS}g}"
        yield f"0 zeroprobs, {logprob} ppl= {ppl} ppl1= {ppl1}"


def corpus(total: Totals, job: Job) -> Iterator[str]:
    """The sums of the file, under its name."""
    counts, *rest = sums(total)
    yield f"file {harmless(job.source)}: {counts}"
    yield from rest


WORD = report(by_word, corpus)
FORMAT = Format(
    {"word": WORD, "sentence": report(by_sentence, corpus), "corpus": summary(corpus)},
    default=WORD,
    summed=("word", "sentence", "corpus"),
)
