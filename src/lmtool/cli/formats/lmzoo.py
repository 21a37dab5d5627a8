"""The Language Model Zoo's ``get-surprisals``: a row a token, bits."""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from lmtool.cli.formats.base import Format, Job, bare

if TYPE_CHECKING:
    from lmtool.inference.score import SentenceScore

__all__ = ["FORMAT"]

COLUMNS = ("sentence_id", "token_id", "token", "surprisal")


def by_word(scores: Iterable["SentenceScore"], job: Job) -> Iterator[str]:
    """Both ids count from 1; a blank line has no rows, and its number is left out."""
    yield "\t".join(COLUMNS)
    for line, score in enumerate(scores, job.before + 1):
        for index, word in enumerate(score.words, 1):
            name = "<eos>" if index == len(score.words) else bare(word.word)
            yield f"{line}\t{index}\t{name}\t{word.surprisal_bits:z.6f}"


FORMAT = Format({"word": by_word}, default=by_word)
