"""LM Zoo: what ``lm-zoo get-surprisals`` prints: a row a token, counted from 1, in bits.

``<eos>`` has a row with its own surprisal; a sentence's number is that of its line.
"""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from lmtool.cli.formats.base import Format, Job, bare
from lmtool.cli.render import number

if TYPE_CHECKING:
    from lmtool.inference.score import SentenceScore

__all__ = ["FORMAT"]


def write(scores: Iterable["SentenceScore"], job: Job) -> Iterator[str]:
    """The header and the rows."""
    yield "sentence_id\ttoken_id\ttoken\tsurprisal"
    for line, score in enumerate(scores, 1):
        for index, word in enumerate(score.words, 1):
            name = "<eos>" if index == len(score.words) else bare(word.word)
            yield f"{line}\t{index}\t{name}\t{number(word.surprisal_bits)}"


FORMAT = Format(write, ("word",))
