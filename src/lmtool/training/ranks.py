"""Which process computes what of a step, where several train one model; a process alone does all.

A unit is a network with a shard of the batch, and each belongs to one rank. A network all of whose
shards are one rank's is trained there and its gradients stay there. The shards of any other network
are summed over the ranks one after the other, as a process alone sums them, so that no bit depends
on the number of ranks.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple, TypeVar

from lmtool.arrays import Array
from lmtool.workers import Workers, n_cores, slices

__all__ = ["ALONE", "Ranks", "Share", "Spread", "shared_out"]

Value = TypeVar("Value")
Item = TypeVar("Item")


class Ranks:
    """The processes that train together: this one alone, which needs nobody's word.

    All of them call the same methods in the same order, or wait for each other for ever: so
    whatever reads a clock, counts cores or hears a signal is agreed upon.
    """

    n, rank = 1, 0
    local = 1  # on this machine

    @property
    def cores(self) -> int:
        """Of all machines."""
        return n_cores()

    @property
    def threads(self) -> int:
        """Cores of this rank's own."""
        return n_cores()

    def agree(self, value: Value) -> Value:
        """The first rank's value."""
        return value

    def ask(self, function: Callable[[], Value]) -> Value:
        """What the first rank's call returns or raises; no other rank calls."""
        return function()

    def gather(self, value: Value) -> list[Value]:
        """Each rank's value, in order."""
        return [value]

    def copy(self, array: Array, root: int) -> None:
        """Gives every rank the numbers that the array has at ``root``."""

    def sum(self, shards: Sequence[Array | None], owners: Sequence[int], workers: Workers) -> None:
        """shards[0] (P,) += shards[1] (P,), then the next, on every rank.

        ``owners`` have the shards; elsewhere they are None, but the first, which is room for the
        sum. A process alone has all of them, and sums in ``step.reduce_gradients``.
        """

    def spread(self, workers: Workers) -> Workers:
        """Workers that map over items together with those of the other ranks."""
        return workers

    def failed(self, error: BaseException) -> None:
        """Ends every rank, unless all of them have failed."""

    def close(self) -> None:
        """Nobody needs the others any more."""


ALONE = Ranks()


class Spread(Workers):
    """Each rank's workers map over some of the items, and all ranks get all results."""

    def __init__(self, own: Workers, ranks: Ranks) -> None:
        super().__init__(1)
        self._own, self._ranks = own, ranks

    def map(self, function: Callable[[Item], Value], items: Iterable[Item]) -> list[Value]:
        """[function(item) ...], in order."""
        listed, n = list(items), self._ranks.n
        parts = self._ranks.gather(self._own.map(function, listed[self._ranks.rank :: n]))
        return [parts[i % n][i // n] for i in range(len(listed))]


class Share(NamedTuple):
    """Who computes what."""

    rank: int
    owners: tuple[int, ...]  # one a unit, ascending
    homes: tuple[int | None, ...]  # one a network: the rank of all its shards; None: of several

    @property
    def units(self) -> list[int]:
        """This rank's."""
        return [unit for unit, owner in enumerate(self.owners) if owner == self.rank]

    def trains(self, network: int) -> bool:
        """Whether this rank moves the network's weights on."""
        return self.homes[network] in (None, self.rank)

    def of(self, network: int, values: Sequence[Any]) -> Any:
        """Of the ranks' values the one of a rank that trains the network, the same everywhere."""
        return values[self.homes[network] or 0]


def shared_out(networks: int, shards: int, ranks: Ranks) -> Share:
    """Whole networks, where these can be shared out as evenly as single units."""
    by_unit = slices(networks * shards, ranks.n)
    whole = [slice(x.start * shards, x.stop * shards) for x in slices(networks, ranks.n)]
    parts = whole if longest(whole) == longest(by_unit) else by_unit
    owners = [rank for rank, part in enumerate(parts) for _ in range(part.start, part.stop)]
    of_networks = [owners[i : i + shards] for i in range(0, len(owners), shards)]
    homes = [own[0] if own[0] == own[-1] else None for own in of_networks]
    return Share(ranks.rank, tuple(owners), tuple(homes))


def longest(parts: Sequence[slice]) -> int:
    """Units of the rank that has most."""
    return max(len(range(part.start, part.stop)) for part in parts)
