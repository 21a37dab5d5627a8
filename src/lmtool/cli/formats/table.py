"""For people: the chain rule of one sentence, the ranking of several, a line per line of a file."""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from lmtool.cli.formats.base import Format, Job
from lmtool.cli.render import cut, decimals, number, paragraph, power, side_by_side, table
from lmtool.cli.terminal import harmless
from lmtool.display import counted

if TYPE_CHECKING:
    from lmtool.inference.score import SentenceScore, WordScore

__all__ = ["FORMAT", "factors"]

TEXT = 72  # characters of a sentence that a ranking shows
HISTORY = 2  # words of the history that a table shows


def by_word(scores: Iterable["SentenceScore"], job: Job) -> Iterator[str]:
    """The chain rule of each sentence."""
    for index, score in enumerate(scores, job.before):
        yield "\n" * (index > 0) + chain(score) if score.words else ""


def by_sentence(scores: Iterable["SentenceScore"], job: Job) -> Iterator[str]:
    """The ranking of sentences to compare; a line per line of a file."""
    return iter([ranking(list(scores))]) if job.ranked else _lines(scores)


def fitting(scores: Iterable["SentenceScore"], job: Job) -> Iterator[str]:
    """The chain rule of a sentence that is given alone; otherwise a line a sentence."""
    if not job.ranked:
        return _lines(scores)
    collected = list(scores)
    return (by_word if len(collected) == 1 else by_sentence)(collected, job)


def _lines(scores: Iterable["SentenceScore"]) -> Iterator[str]:
    yield f"{'log10_p':>12}  {'perplexity':>12}  {'n_oov':>5}  text"
    for score in scores:
        numbers = f"{number(score.log10_p):>12}  {number(score.perplexity):>12}  {score.n_oov:>5}"
        line = f"{numbers}  {harmless(score.text)}"
        yield paragraph(line, " " * (len(numbers) + 2)) if score.words else ""


def chain(score: "SentenceScore") -> str:
    """P(text) factor by factor, and what it comes to."""
    return f"{factors(score.words)}\n\n{_sum(score)}"


def factors(words: tuple["WordScore", ...]) -> str:
    """The chain rule: one row per factor, with the product so far."""
    rows, log10_p = [], 0.0
    for index, word in enumerate(words):
        log10_p += word.log10_p
        numbers = (decimals(word.log10_p, 4), decimals(word.surprisal_bits), power(log10_p))
        rows.append((_factor(words, index), power(word.log10_p), *numbers))
    headers = ("P(word | words before)", "p", "log10 p", "bits", "product")
    return table(headers, rows, 1, [index for index, word in enumerate(words) if word.oov])


def _factor(words: tuple["WordScore", ...], index: int) -> str:
    history = [cut(word.word) for word in words[max(0, index - HISTORY) : index]]
    dots = ["..."] * (index > HISTORY)
    given = " | " + " ".join(dots + history) if history else ""
    return f"P({_marked(words[index])}{given})"


def _marked(word: "WordScore") -> str:
    return f"{cut(word.word)} as {word.token}" if word.oov else cut(word.word)


def _sum(score: "SentenceScore") -> str:
    line = side_by_side(
        (
            f"P = {power(score.log10_p)}",
            f"log10 P = {decimals(score.log10_p, 4)}",
            f"perplexity = {number(score.perplexity)}",
            f"({counted(score.n_words, 'word')} + <EOS>, {score.n_oov} OOV)",
        )
    )
    unknown = [cut(word.word) for word in score.words if word.oov]
    missing = f"not in the vocabulary: {', '.join(unknown)}"
    return f"{line}\n{paragraph(missing)}" if unknown else line


def ranking(scores: list["SentenceScore"]) -> str:
    """Sentences, most probable first, with the odds of the first against each."""
    ordered = sorted(scores, key=lambda score: -score.log10_p)
    rows = [
        (
            str(rank),
            cut(score.text, TEXT),
            decimals(score.log10_p, 4),
            power(score.log10_p),
            number(score.perplexity),
            str(score.n_oov),
            f"{power(ordered[0].log10_p - score.log10_p)} : 1",
        )
        for rank, score in enumerate(ordered, 1)
    ]
    headers = ("", "sentence", "log10 P", "P", "perplexity", "OOV", "best : this")
    return table(headers, rows, 2, [index for index, score in enumerate(ordered) if score.n_oov])


FORMAT = Format({"word": by_word, "sentence": by_sentence}, default=fitting)
