"""One JSON object per sentence, with the names of the Python results."""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from lmtool.cli.formats.base import Format, Job
from lmtool.cli.formats.records import SENTENCE
from lmtool.cli.render import json_line

if TYPE_CHECKING:
    from lmtool.inference.score import SentenceScore

__all__ = ["FORMAT"]


COLUMNS = {"word": (*SENTENCE, "words"), "sentence": SENTENCE}


def by_word(scores: Iterable["SentenceScore"], job: Job) -> Iterator[str]:
    """Each sentence with its words."""
    return objects(scores, job, "word")


def by_sentence(scores: Iterable["SentenceScore"], job: Job) -> Iterator[str]:
    """Each sentence without its words."""
    return objects(scores, job, "sentence")


def objects(scores: Iterable["SentenceScore"], job: Job, level: str) -> Iterator[str]:
    """The chosen values, kept ones among them."""
    names = job.columns or COLUMNS[level]
    for score, kept in zip(scores, job.kept, strict=False):
        record = score.to_dict() | kept
        yield json_line({name: record[name] for name in names})


FORMAT = Format(
    {"word": by_word, "sentence": by_sentence},
    default=by_word,
    columns=COLUMNS,
    levelled=("level", "n_tokens", "perplexity_per_token"),
)
