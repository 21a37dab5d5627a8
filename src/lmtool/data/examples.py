"""Records to batches: like lengths together, each pass in an order of its own."""

from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lmtool.arrays import Array, Ids
from lmtool.data.batch import NO_NGRAM, Batch
from lmtool.data.ragged import Gathering, Ragged

__all__ = ["Augment", "Example", "Examples", "held_out"]

POOL = 50  # batches whose examples are sorted by length: little padding, and still by chance
NO_TARGET = -1
AUGMENTED = 1 << 30  # sets its random numbers apart from those of a step's other uses

Augment = Callable[[list[Array], np.random.Generator], list[Array]]


class Example(NamedTuple):
    """One record, after its text became ids or its frames numbers."""

    source: Array  # (n,) int32 ids, (n, F) float32 frames, (1, F) a vector
    targets: Ids  # (1,) a label, (M,) several as 0/1, (n,) tags


class Order(NamedTuple):
    """What one pass reads."""

    number: int  # of the pass
    rows: NDArray[np.intp]  # (n,)
    batches: NDArray[np.intp]  # which piece of the rows is read at each step


class Examples:
    """n examples, n > 0: batches for training, or each of them once for evaluation.

    A pass meets every example once, in batches of at most ``batch`` whose sizes differ by one at
    most. Its order follows from (seed, number of the pass) alone: examples mixed, sorted by length
    within pools of 50 batches, the batches mixed. A source without any step is read as one step of
    0. ``augment`` takes the sources of a step's batch, views that it must not write into, and gives
    other ones, of any length, by a generator that follows from (seed, step); ``in_order`` never
    calls it. ``source_of`` (n,) says which source each example has, where several share one. With
    ``short_first`` the first pass goes from the shortest to the longest (Amodei et al. 2016).
    Raises ValueError for no examples, other than one target array each, or one that is empty.
    """

    def __init__(
        self,
        sources: Ragged | Iterable[Array],
        targets: Ragged | Iterable[Ids],
        *,
        batch: int,
        seed: int,
        rows: NDArray[np.intp] | None = None,
        ngrams: Ragged | None = None,
        augment: Augment | None = None,
        spellings: Ragged | None = None,
        letters: Ids | None = None,
        source_of: NDArray[np.intp] | None = None,
        short_first: bool = False,
    ) -> None:
        self.sources = sources if isinstance(sources, Ragged) else Ragged.of(sources)
        self.targets = targets if isinstance(targets, Ragged) else Ragged.of(targets)
        self.ngrams = ngrams  # runs of words in each source
        self.augment = augment
        self.spellings, self.letters = spellings, letters  # rows of each source's words; the rows
        self.source_of = np.arange(len(self.sources)) if source_of is None else source_of  # (n,)
        n, n_targets = len(self.source_of), len(self.targets)
        if n != n_targets or not self.targets.lengths.all():
            raise ValueError(f"targets for each of {n} examples expected, {n_targets} given")
        self.rows = np.arange(n) if rows is None else rows  # (n,) of sources and targets
        if not len(self.rows):
            raise ValueError("one example at least expected")
        own = self.sources.lengths[self.source_of[self.rows]]
        self.lengths: NDArray[np.int64] = np.maximum(own, 1)  # (n,)
        self._size, self._seed, self._short_first = batch, seed, short_first
        self._order: Order | None = None

    @classmethod
    def of(cls, examples: Iterable[Example], *, batch: int, seed: int) -> "Examples":
        """The same from whole examples, read once and one by one."""
        sources, targets = Gathering(), Gathering()
        for example in examples:
            sources.add(example.source)
            targets.add(example.targets)
        return cls(sources.ragged(), targets.ragged(), batch=batch, seed=seed)

    @property
    def n(self) -> int:
        """How many there are."""
        return len(self.rows)

    @property
    def steps_a_pass(self) -> int:
        """n / batch, rounded up."""
        return -(-self.n // self._size)

    @property
    def tokens(self) -> int:
        """Real source steps of all."""
        return int(self.lengths.sum())

    @property
    def tokens_a_step(self) -> float:
        """Real source steps of a batch, on average."""
        return self.tokens / self.steps_a_pass

    @property
    def targets_a_step(self) -> float:
        """Targets of a batch, on average."""
        return float(self.targets.lengths[self.rows].sum()) / self.steps_a_pass

    def batch(self, step: int) -> Batch:
        """The batch of a step, a pure function of its number."""
        number, place = divmod(step, self.steps_a_pass)
        order = self._order
        if order is None or order.number != number:
            order = self._order = self._mixed(number)
        some = order.rows[self._piece(int(order.batches[place]))]
        return self._augmented(self._side_by_side(some), some, step)

    def in_order(self, size: int) -> Iterator[tuple[NDArray[np.intp], Batch]]:
        """(which of the n, their batch of at most ``size``): each example once, by length."""
        order = np.argsort(self.lengths, kind="stable")
        for first in range(0, self.n, size):
            some = order[first : first + size]
            yield some, self._side_by_side(some)

    def subset(self, some: NDArray[np.intp] | NDArray[np.bool_] | slice) -> "Examples":
        """Some of the examples, over the same data."""
        return type(self)(
            self.sources,
            self.targets,
            batch=self._size,
            seed=self._seed,
            rows=self.rows[some],
            ngrams=self.ngrams,
            augment=self.augment,
            spellings=self.spellings,
            letters=self.letters,
            source_of=self.source_of,
            short_first=self._short_first,
        )

    def _mixed(self, number: int) -> Order:
        """The order of a pass."""
        if number == 0 and self._short_first:
            order = np.argsort(self.lengths, kind="stable")
            return Order(number, order, np.arange(self.steps_a_pass))
        rng = np.random.default_rng((self._seed, number))
        rows = rng.permutation(self.n)
        for first in range(0, self.steps_a_pass, POOL):
            last = min(first + POOL, self.steps_a_pass) - 1
            pool = rows[self._piece(first).start : self._piece(last).stop]  # a view
            pool[:] = pool[np.argsort(self.lengths[pool], kind="stable")]
        return Order(number, rows, rng.permutation(self.steps_a_pass))

    def _piece(self, k: int) -> slice:
        """The places of batch k in the rows of a pass."""
        return slice(self.n * k // self.steps_a_pass, self.n * (k + 1) // self.steps_a_pass)

    def _augmented(self, batch: Batch, some: NDArray[np.intp], step: int) -> Batch:
        """The batch with other sources, where there is something that makes them."""
        if self.augment is None:
            return batch
        own = [self.sources[row] for row in self.source_of[self.rows[some]]]
        others = self.augment(own, np.random.default_rng((self._seed, step, AUGMENTED)))
        source, starts = Ragged.of(others).side_by_side(np.arange(len(others)), 0)
        return batch._replace(source=source, starts=starts)

    def _side_by_side(self, some: NDArray[np.intp]) -> Batch:
        """Examples as a batch."""
        source, starts = self.sources.side_by_side(self.source_of[self.rows[some]], 0)
        targets, _ = self.targets.side_by_side(self.rows[some], NO_TARGET)
        wide = spelled = None
        if self.ngrams is not None:
            wide, _ = self.ngrams.side_by_side(self.rows[some], NO_NGRAM)
        if self.spellings is not None:
            spelled, _ = self.spellings.side_by_side(self.rows[some], 0)
        n = int(np.count_nonzero(targets >= 0))
        return Batch(source, starts, None, targets, n, spelled, wide, self.letters)


def held_out(
    labels: NDArray[np.int32], share: float, seed: int, groups: NDArray[np.generic] | None = None
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Which examples to train on and which to hold out, both ascending; ``labels`` (n,).

    A share of each label's examples, mixed, and one at least where that leaves each label one to
    train on; nothing is held out where it cannot. With ``groups`` (n,), for example speakers, whole
    groups are held out, shared out by the label of the first example of each.
    """
    units, first, unit_of = np.unique(
        np.arange(len(labels)) if groups is None else groups, return_index=True, return_inverse=True
    )
    out = np.zeros(len(units), np.bool_)
    out[systematic(labels[first], share, np.random.default_rng(seed))] = True
    held = out[unit_of.reshape(-1)]
    return np.flatnonzero(~held), np.flatnonzero(held)


def systematic(labels: NDArray[np.int32], share: float, rng: np.random.Generator) -> Array:
    """Places held out: every k-th of those sorted by label, but never the first of a label."""
    order = rng.permutation(len(labels))
    order = order[np.argsort(labels[order], kind="stable")]
    again = np.flatnonzero(labels[order][1:] == labels[order][:-1]) + 1
    n = min(max(1, round(share * len(labels))), len(again))
    places = np.arange(n) * len(again) // max(n, 1) + len(again) // max(2 * n, 1)
    held: Array = order[again[places]]
    return held
