"""Rows with a header: one per sentence, or per word with the number of its line."""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from lmtool.cli.formats.base import Format, Job, Writer
from lmtool.cli.render import power
from lmtool.cli.rows import ROWS

if TYPE_CHECKING:
    from lmtool.inference.score import SentenceScore

__all__ = ["CSV", "SENTENCE", "TSV"]

SENTENCE = ("text", "log10_p", "p", "perplexity", "n_words", "n_oov")
WORD = ("sentence", "word", "token", "oov", "log10_p", "surprisal_bits", "p")
BLANK = {"log10_p": None, "p": None, "perplexity": None, "n_words": 0, "n_oov": 0}

Row = dict[str, Any]


def sentence_row(score: "SentenceScore") -> Row:
    """A sentence's cells; a blank line has no numbers but the counts."""
    if not score.words:
        return {"text": score.text, **BLANK}
    row = {name: getattr(score, name) for name in SENTENCE}
    return row | {"p": power(score.log10_p, 6)}  # smaller than any float, perhaps


def word_rows(scores: Iterable["SentenceScore"], job: Job) -> Iterator[Row]:
    """A word's cells; a blank line has no row, and its number is left out."""
    pairs = zip(scores, job.kept, strict=False)
    for line, (score, kept) in enumerate(pairs, job.before + 1):
        for word in score.words:
            row = {name: getattr(word, name) for name in WORD[1:]}
            yield {"sentence": line} | row | {"p": power(word.log10_p, 6)} | kept


def written(name: str) -> Format:
    """The format that writes rows as in ``lmtool.cli.rows``."""

    def by_sentence(scores: Iterable["SentenceScore"], job: Job) -> Iterator[str]:
        pairs = zip(scores, job.kept, strict=False)
        return ROWS[name](job.columns or SENTENCE, (sentence_row(s) | kept for s, kept in pairs))

    def by_word(scores: Iterable["SentenceScore"], job: Job) -> Iterator[str]:
        return ROWS[name](job.columns or WORD, word_rows(scores, job))

    levels: dict[str, Writer] = {"word": by_word, "sentence": by_sentence}
    columns = {"word": WORD, "sentence": SENTENCE}
    return Format(levels, default=by_sentence, columns=columns)


TSV = written("tsv")
CSV = written("csv")
