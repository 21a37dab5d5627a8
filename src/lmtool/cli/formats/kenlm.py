"""KenLM: what ``query -v word``, ``sentence`` and ``summary`` (corpus) prints.

word=id length log10 for each word, then sums; id 0 is unknown, 2 is </s>.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING

from lmtool.cli.formats.base import Format, Job, Totals, bare, perplexity, totals

if TYPE_CHECKING:
    from lmtool.inference.score import SentenceScore, WordScore

__all__ = ["FORMAT"]


def write(scores: Iterable["SentenceScore"], job: Job) -> Iterator[str]:
    """A line for each sentence, then four of sums."""
    total = Totals()
    for score in scores:
        part = totals(score) if score.words else Totals()
        total += part
        words = "" if job.level == "sentence" else cells(score.words, job.token_id)
        line = f"{words}Total: {part.known + part.unknown:.7g} OOV: {part.n_oov}"
        if job.level != "corpus":
            yield line if score.words else ""
    n = total.n_words + total.n_sentences
    log10_p = total.known + total.unknown
    yield f"Perplexity including OOVs:\t{perplexity(log10_p, n, 'nan', 7)}"
    yield f"Perplexity excluding OOVs:\t{perplexity(total.known, n - total.n_oov, 'nan', 7)}"
    yield f"OOVs:\t{total.n_oov}"
    yield f"Tokens:\t{n}"


def cells(words: tuple["WordScore", ...], token_id: Callable[[str], int]) -> str:
    """word=id length log10, a tab after each."""
    line = []
    for index, word in enumerate(words):
        last = index == len(words) - 1
        name = "</s>" if last else bare(word.word)
        number = 2 if last else 0 if word.oov else token_id(word.token) + 1
        line.append(f"{name}={number} {index + 2} {word.log10_p:.7g}\t")  # <s> counts as well
    return "".join(line)


FORMAT = Format(write, ("word", "sentence", "corpus"))
