"""Who learns and who validates, where no file says so; and what tells examples from others."""

import hashlib
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lmtool.data.examples import held_out

__all__ = ["Shares", "all_of", "fingerprint", "shares"]

HELD_OUT = 0.1  # of the examples
MOST_HELD_OUT = 10_000
FEW = 1_000  # examples, too few to leave a tenth of them out for good
AGAIN = "few examples: a tenth of them chooses how long to train, then all of them are learnt anew"
SAME = "validation is on the examples trained on: give more of them, or others to validate on"

Rows = NDArray[np.intp]


class Shares(NamedTuple):
    """Rows of the examples of the training files."""

    own: Rows  # to learn from
    held: Rows | None  # to validate on; None: others do
    whole: Rows | None = None  # all, to learn once the others chose the length
    note: str = ""

    @property
    def known(self) -> Rows:
        """Those whose words and features a model knows."""
        return self.own if self.whole is None else self.whole


def all_of(n: int) -> Shares:
    """Of n examples, where a file of its own validates."""
    return Shares(np.arange(n), None)


def shares(labels: NDArray[np.int32], seed: int) -> Shares:
    """A share of each label's examples (n,) validates; of few examples all are learnt at last."""
    n = len(labels)
    own, held = held_out(labels, min(HELD_OUT, MOST_HELD_OUT / n), seed)
    if not len(held):
        return Shares(own, own, note=SAME)
    return Shares(own, held, np.arange(n), AGAIN) if n < FEW else Shares(own, held)


def fingerprint(*arrays: NDArray[Any]) -> str:
    """16 hex digits of SHA-256 over all of them."""
    digest = hashlib.sha256()
    for x in arrays:
        digest.update(np.ascontiguousarray(x).data)
    return digest.hexdigest()[:16]
