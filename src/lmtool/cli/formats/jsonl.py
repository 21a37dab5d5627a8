"""One JSON object per sentence, with the names of the Python results."""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from lmtool.cli.formats.base import Format, Job
from lmtool.cli.render import json_line

if TYPE_CHECKING:
    from lmtool.inference.score import SentenceScore

__all__ = ["FORMAT"]


def by_word(scores: Iterable["SentenceScore"], job: Job) -> Iterator[str]:
    """Each sentence with its words."""
    return (json_line(score.to_dict()) for score in scores)


def by_sentence(scores: Iterable["SentenceScore"], job: Job) -> Iterator[str]:
    """Each sentence without its words."""
    for score in scores:
        value = score.to_dict()
        del value["words"]
        yield json_line(value)


FORMAT = Format({"word": by_word, "sentence": by_sentence}, default=by_word)
