"""Our own records: TSV, CSV and JSON lines."""

from collections.abc import Iterable, Iterator
from functools import partial
from typing import TYPE_CHECKING, Any

from lmtool.cli.formats.base import Format, Job
from lmtool.cli.render import json_line, power
from lmtool.cli.rows import ROWS

if TYPE_CHECKING:
    from lmtool.inference.score import SentenceScore

__all__ = ["CSV", "JSONL", "TSV"]

SENTENCE = ("text", "log10_p", "p", "perplexity", "n_words", "n_oov")
WORD = ("sentence", "word", "token", "oov", "log10_p", "surprisal_bits", "p")
DIGITS = 6


def write(form: str, scores: Iterable["SentenceScore"], job: Job) -> Iterator[str]:
    """One row per sentence, or per word with the number of its line."""
    if job.level == "word":
        return ROWS[form](WORD, word_records(scores))
    return ROWS[form](SENTENCE, map(sentence_record, scores))


def sentence_record(score: "SentenceScore") -> dict[str, Any]:
    """A sentence; p is written from its logarithm, so it never underflows."""
    if not score.words:
        return dict.fromkeys(SENTENCE) | {"text": score.text, "n_words": 0, "n_oov": 0}
    record = {name: getattr(score, name) for name in SENTENCE}
    return record | {"p": power(score.log10_p, DIGITS)}


def word_records(scores: Iterable["SentenceScore"]) -> Iterator[dict[str, Any]]:
    """The words of all sentences."""
    for line, score in enumerate(scores, 1):
        for word in score.words:
            record = {name: getattr(word, name) for name in WORD[1:]}
            yield {"sentence": line, **record, "p": power(word.log10_p, DIGITS)}


def jsonl(scores: Iterable["SentenceScore"], job: Job) -> Iterator[str]:
    """One object per sentence; without its words at level ``sentence``."""
    for score in scores:
        value = score.to_dict()
        if job.level == "sentence":
            del value["words"]
        yield json_line(value)


TSV = Format(partial(write, "tsv"), ("sentence", "word"))
CSV = Format(partial(write, "csv"), ("sentence", "word"))
JSONL = Format(jsonl, ("word", "sentence"))
