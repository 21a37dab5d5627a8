"""Kaldi's ``rnnlm_compute_scores.sh``: ``utt-id w1 w2 ...`` to ``utt-id -ln P``."""

from typing import TYPE_CHECKING

from lmtool.cli.formats.base import LN10, Format, line_by_line
from lmtool.cli.terminal import harmless
from lmtool.errors import InputError

if TYPE_CHECKING:
    from lmtool.inference.score import SentenceScore
    from lmtool.text.reader import Line

__all__ = ["FORMAT"]


def utterance(score: "SentenceScore") -> str:
    """The id, a tab, -ln P with six digits."""
    utterance_id = score.text.split(maxsplit=1)[0]
    return f"{harmless(utterance_id)}\t{-score.log10_p * LN10:z.6g}"


def identified(line: "Line") -> str:
    """A line with an utterance id; raises InputError for a blank one."""
    if line.text.strip():
        return line.text
    form = "a line is: utt-id w1 w2 ..."
    raise InputError(f"{line.path}:{line.number}: no utterance id, the line is blank; {form}")


SENTENCE = line_by_line(utterance)
FORMAT = Format(
    {"sentence": SENTENCE}, default=SENTENCE, scores="score_utterances", reads=identified
)
