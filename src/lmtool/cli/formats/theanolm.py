"""TheanoLM: ``score --output word-scores``, utterance-scores (sentence), perplexity (corpus).

Natural logarithms. <s> counts as a word and as a token, </s> as well.
"""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from lmtool.cli.formats.base import Format, Job, Totals, bare, nats, perplexity, totals
from lmtool.cli.render import number

if TYPE_CHECKING:
    from lmtool.inference.score import SentenceScore

__all__ = ["FORMAT"]

DIGITS = 10
HISTORY = 3  # words shown


def write(scores: Iterable["SentenceScore"], job: Job) -> Iterator[str]:
    """Blocks and sums, or a number a line."""
    if job.level == "sentence":
        for score in scores:
            yield number(nats(score.log10_p), DIGITS) if score.words else ""
        return
    total = Totals()
    for score in scores:
        if not score.words:
            continue
        total += totals(score)
        if job.level != "corpus":
            yield from block(score, total.n_sentences)
    yield from ends(total)


def block(score: "SentenceScore", sentence: int) -> Iterator[str]:
    """A sentence."""
    yield f"# Sentence {sentence}"
    names = ["<s>", *(bare(word.word) for word in score.words[:-1]), "</s>"]
    for index, word in enumerate(score.words):
        cut = index - HISTORY + 1 if index >= HISTORY else 0
        history = " ".join(["..."] * (cut > 0) + names[cut : index + 1])
        name, value = names[index + 1], number(nats(word.log10_p), DIGITS)
        yield f"log(p({name} | {history})) = {value}  [{name}:{'OOV' if word.oov else 'shortlist'}]"
    yield f"Sentence perplexity: {perplexity(score.log10_p, len(score.words), 'nan', DIGITS)}"
    yield ""


def ends(total: Totals) -> Iterator[str]:
    """The sums."""
    n = total.n_words + total.n_sentences
    log10_p = total.known + total.unknown
    yield f"Number of sentences: {total.n_sentences}"
    yield f"Number of words: {n + total.n_sentences}"
    yield f"Number of tokens: {n + total.n_sentences}"
    yield f"Number of predicted probabilities: {n}"
    yield "Number of excluded (OOV) words: 0"
    yield "Number of zero probabilities: 0"
    if n:
        yield f"Cross entropy (base e): {number(-nats(log10_p) / n, DIGITS)}"
        yield f"Perplexity: {perplexity(log10_p, n, 'nan', DIGITS)}"


FORMAT = Format(write, ("word", "sentence", "corpus"))
