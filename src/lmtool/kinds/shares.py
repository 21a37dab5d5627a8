"""Who learns and who validates, where no file says so, and what is made of them."""

import hashlib
from typing import Any, NamedTuple, Protocol, Self

import numpy as np
from numpy.typing import NDArray

from lmtool.arrays import Array
from lmtool.data.examples import held_out
from lmtool.kinds.base import Material

__all__ = ["Shares", "all_of", "material_of", "shares"]

HELD_OUT = 0.1  # of the examples
MOST_HELD_OUT = 10_000
FEW = 1_000  # examples, too few to leave a tenth of them out for good
AGAIN = "few examples: a tenth of them chooses how long to train, then all of them are learnt anew"
SAME = "validation is on the examples trained on: give more of them, or others to validate on"

Rows = NDArray[np.intp]


class Examined(Protocol):
    """Examples as numbers, a named tuple."""

    @property
    def rows(self) -> Any:
        """(n,) those that are meant."""

    def arrays(self) -> tuple[Array, ...]:
        """What tells them from others."""
        ...

    def steps(self) -> int:
        """How much there is to read, or to write, of those that are meant."""
        ...

    def _replace(self, *, rows: Any) -> Self:
        """Others of them."""
        ...


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


def shares(
    labels: NDArray[np.int32],
    seed: int,
    groups: NDArray[np.generic] | None = None,
    most: int = MOST_HELD_OUT,
) -> Shares:
    """A share of each label's examples (n,) validates; of few examples all are learnt at last.

    Those of a group (n,) stay together.
    """
    n = len(labels)
    own, held = held_out(labels, min(HELD_OUT, most / n), seed, groups)
    if not len(held):
        return Shares(own, own, note=SAME)
    return Shares(own, held, np.arange(n), AGAIN) if n < FEW else Shares(own, held)


def material_of(
    parts: Any,
    split: Shares,
    own: Examined,
    others: Examined | None,
    counted: str,
    talk: list[str],
    about: str,
    noun: str = "text",
    **fingerprints: str,
) -> Material:
    """What a kind makes of its examples; ``others`` validate where there are any."""
    held = own._replace(rows=split.held) if others is None else others
    whole = None if split.whole is None else own._replace(rows=split.whole)
    learnt, judged = facts(own, counted), facts(held, counted)
    return Material(
        parts=parts,
        train=own,
        valid=held,
        facts={"train": learnt if whole is None else facts(whole, counted), "valid": judged},
        fingerprints={
            f"training {noun}": learnt["fingerprint"],
            f"validation {noun}": judged["fingerprint"],
            **fingerprints,
        },
        talk=[
            *talk,
            f"{len(own.rows):,} to train on, {len(held.rows):,} to validate; {about}",
        ],
        note=split.note,
        whole=whole,
    )


def facts(data: Examined, counted: str) -> dict[str, Any]:
    """What a model file says about examples; ``counted`` names their steps."""
    digest = hashlib.sha256()
    for x in (*data.arrays(), data.rows):
        digest.update(np.ascontiguousarray(x).data)
    found = {"fingerprint": digest.hexdigest()[:16], "n": len(data.rows)}
    return {**found, counted: data.steps()}
