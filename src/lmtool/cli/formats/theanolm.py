"""TheanoLM's ``score --output``: word-scores, utterance-scores by sentence, perplexity by corpus.

Natural logarithms. An unknown word has the probability of <UNK> and is marked.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from lmtool.cli.formats.base import (
    LN10,
    Format,
    Job,
    Totals,
    bare,
    line_by_line,
    perplexity,
    report,
    single,
    summary,
    totals,
)

if TYPE_CHECKING:
    from lmtool.inference.score import SentenceScore

__all__ = ["FORMAT"]

HISTORY = 3  # words of it that are shown


def by_word(score: "SentenceScore", job: Job, line: int) -> Iterator[str]:
    """A heading with the number of the line, a row a word, the perplexity, an empty line."""
    yield f"# Sentence {line}"
    yield from rows(score)
    part = totals(score)
    yield f"Sentence perplexity: {perplexity(part.log10_p, part.n_factors)}"
    yield ""


def rows(score: "SentenceScore") -> Iterator[str]:
    """``log(p(word | history)) = ln p  [word:shortlist]``; ``:OOV`` where it is unknown."""
    names = ["<s>", *(bare(word.word) for word in score.words[:-1]), "</s>"]
    for index, word in enumerate(score.words):
        dots = ["..."] * (index >= HISTORY)
        history = " ".join(dots + names[max(0, index - HISTORY + 1) : index + 1])
        name = names[index + 1]
        info = f"{name}:{'OOV' if word.oov else 'shortlist'}"
        yield f"log(p({name} | {history})) = {single(word.log10_p * LN10)}  [{info}]"


def utterance(score: "SentenceScore") -> str:
    """ln P."""
    return single(totals(score).log10_p * LN10)


def corpus(total: Totals, job: Job) -> Iterator[str]:
    """Counts, <s> being a word and a token; cross-entropy in nats, unless there is nothing."""
    n_tokens = total.n_factors + total.n_sentences
    yield f"Number of sentences: {total.n_sentences}"
    yield f"Number of words: {n_tokens}"
    yield f"Number of tokens: {n_tokens}"
    yield f"Number of predicted probabilities: {total.n_factors}"
    yield "Number of excluded (OOV) words: 0"
    yield "Number of zero probabilities: 0"
    if total.n_sentences:
        yield f"Cross entropy (base e): {single(-total.log10_p * LN10 / total.n_factors)}"
        yield f"Perplexity: {perplexity(total.log10_p, total.n_factors)}"


WORD = report(by_word, corpus)
FORMAT = Format(
    {"word": WORD, "sentence": line_by_line(utterance), "corpus": summary(corpus)},
    default=WORD,
    summed=("word", "corpus"),
)
