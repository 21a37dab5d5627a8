"""Kaldi: ``utterance-id words`` in, ``utterance-id cost`` out, the cost being -ln P.

As utils/rnnlm_compute_scores.sh; an utterance without words costs its <EOS>.
"""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from lmtool.cli.formats.base import Format, Job, nats
from lmtool.cli.render import number
from lmtool.cli.terminal import harmless

if TYPE_CHECKING:
    from lmtool.inference.score import SentenceScore

__all__ = ["FORMAT"]


def write(scores: Iterable[tuple[str, "SentenceScore"]], job: Job) -> Iterator[str]:
    """A cost a line."""
    for utterance, score in scores:
        yield f"{harmless(utterance)} {number(-nats(score.log10_p), 7)}"


FORMAT = Format(write, ("sentence",), ids=True)
