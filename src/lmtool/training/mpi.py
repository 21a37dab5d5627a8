"""Ranks that are processes of MPI, on one machine or on many.

Each rank sums one range of a network's gradient over all shards, in their order, and sends it to
the others: (k + 1) P (R - 1) / R numbers leave a rank, for k shards of its own, P weights, R ranks.
"""

import os
import platform
import sys
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple, TypeVar

import numpy as np

from lmtool.arrays import Array
from lmtool.errors import ConfigError, InterruptionError, LmtoolError
from lmtool.training.launchers import place
from lmtool.training.messages import Messages
from lmtool.training.ranks import ALONE, Ranks, Spread
from lmtool.workers import Workers, slices

__all__ = ["Host", "MpiRanks", "cores_of_all", "own_cores", "together"]

PATIENCE = 2.0  # seconds in which an error must have reached all ranks, if it is everyone's

Value = TypeVar("Value")


class Host(NamedTuple):
    """Where a rank runs."""

    name: str
    cores: frozenset[int]  # that it may use


def this_host() -> Host:
    """Of this process."""
    if hasattr(os, "sched_getaffinity"):
        return Host(platform.node(), frozenset(os.sched_getaffinity(0)))
    return Host(platform.node(), frozenset(range(os.cpu_count() or 1)))


def cores_of_all(hosts: Sequence[Host]) -> int:
    """Cores of all machines, each counted once."""
    return len({(host.name, core) for host in hosts for core in host.cores})


def own_cores(hosts: Sequence[Host], rank: int) -> int:
    """Those that a launcher bound the rank to, or its share of those that several may use."""
    own = hosts[rank]
    sharing = sum(own.name == host.name and bool(own.cores & host.cores) for host in hosts)
    return max(1, len(own.cores) // sharing)


class MpiRanks(Ranks):
    """Those of a communicator."""

    def __init__(self, world: Any) -> None:
        self._messages, self._ends = Messages(world), world.Dup()
        self.n, self.rank = world.size, world.rank
        self._hosts = self.gather(this_host())
        self.local = sum(host.name == self._hosts[self.rank].name for host in self._hosts)
        self._room = np.empty(0, np.float32)

    @property
    def cores(self) -> int:
        return cores_of_all(self._hosts)

    @property
    def threads(self) -> int:
        return own_cores(self._hosts, self.rank)

    def agree(self, value: Value) -> Value:
        agreed: Value = self._messages.of_first(value)
        return agreed

    def ask(self, function: Callable[[], Value]) -> Value:
        answer: Any = self.agree(None if self.rank else answered(function))
        if isinstance(answer, Exception):
            raise answer
        value: Value = answer
        return value

    def gather(self, value: Value) -> list[Value]:
        return self._messages.of_all(value)

    def copy(self, array: Array, root: int) -> None:
        self._messages.copy(array, root)

    def sum(self, shards: Sequence[Array | None], owners: Sequence[int], workers: Workers) -> None:
        total = shards[0]
        assert total is not None
        ranges = slices(total.size, self.n)
        self._add(self._exchanged(shards, owners, ranges), workers)
        self._messages.fill(total, ranges)

    def _exchanged(
        self, shards: Sequence[Array | None], owners: Sequence[int], ranges: Sequence[slice]
    ) -> list[Array]:
        """This rank's range of every shard."""
        own, foreign = ranges[self.rank], [k for k, rank in enumerate(owners) if rank != self.rank]
        rooms = iter(self._rooms(len(foreign), own.stop - own.start))
        parts, requests, comm = [], [], self._messages.comm
        for k, (shard, owner) in enumerate(zip(shards, owners, strict=True)):
            part = next(rooms) if k and owner != self.rank else None
            part = shard[own] if part is None and shard is not None else part
            assert part is not None
            parts.append(part)
            if owner != self.rank:
                requests.append(comm.Irecv(part, owner, k))
        for k, (shard, owner) in enumerate(zip(shards, owners, strict=True)):
            if owner == self.rank and shard is not None:
                requests += [
                    comm.Isend(shard[some], rank, k)
                    for rank, some in enumerate(ranges)
                    if rank != self.rank
                ]
        self._messages.finish(requests)
        return parts

    def _rooms(self, n: int, width: int) -> Array:
        """(n, width), the same memory every time."""
        if self._room.size < n * width:
            self._room = np.empty(n * width, np.float32)
        return self._room[: n * width].reshape(n, width)

    def _add(self, parts: Sequence[Array], workers: Workers) -> None:
        """Adds all to the first, in order."""
        from lmtool.nn import kernels  # only training loads numba

        total, *others = parts

        def some_of(some: slice) -> None:
            for other in others:
                kernels.add(total[some], other[some])

        workers.map(some_of, slices(total.size, len(parts)))

    def spread(self, workers: Workers) -> Workers:
        return Spread(workers, self)

    def failed(self, error: BaseException) -> None:
        try:
            met = self._met()
        except BaseException:  # a second signal
            met = False
        if not met:
            name = self._hosts[self.rank].name
            tell(error, f"rank {self.rank} of {self.n} on {name}")
            self._messages.comm.Abort(code_of(error))
        self.close()

    def _met(self) -> bool:
        """Whether all ranks come here."""
        arrived, limit = self._ends.Ibarrier(), time.monotonic() + PATIENCE
        while not arrived.Test():
            if time.monotonic() > limit:
                return False
            time.sleep(0.01)
        return True

    def close(self) -> None:
        self._messages.comm.Free()
        self._ends.Free()


def answered(function: Callable[[], Any]) -> Any:
    """What it returns, or the error that it raises."""
    try:
        return function()
    except (LmtoolError, OSError) as error:
        return error


def tell(error: BaseException, who: str) -> None:
    """Says on this process's own stderr what happened, since it is about to be killed."""
    stderr = sys.__stderr__
    if stderr is None or isinstance(error, KeyboardInterrupt | SystemExit):
        return
    if not isinstance(error, LmtoolError | OSError | MemoryError):
        traceback.print_exception(error, file=stderr)
    print(f"lmtool: {who}: error: {error or type(error).__name__}", file=stderr, flush=True)


def code_of(error: BaseException) -> int:
    """The exit code."""
    if isinstance(error, InterruptionError):
        return 128 + error.signal
    if isinstance(error, SystemExit) and isinstance(error.code, int):
        return error.code
    return 130 if isinstance(error, KeyboardInterrupt) else 1


def started() -> Ranks:
    """All processes that a launcher started with this one. Raises ConfigError."""
    n = place().n
    if n == 1:
        return ALONE
    try:
        from mpi4py import MPI
    except (ImportError, RuntimeError) as error:
        message = f"{n} processes were started to train one model, but there is no mpi4py"
        raise ConfigError(f'{message} ({error}): pip install "lmtool[mpi]"') from None
    if n != MPI.COMM_WORLD.size:
        message = f"{n} processes were started together, but for mpi4py there is one alone"
        ours = MPI.Get_library_version().splitlines()[0].strip("\0")
        raise ConfigError(f"{message}: start them with the mpiexec of its own MPI ({ours})")
    return MpiRanks(MPI.COMM_WORLD)


@contextmanager
def together(wanted: bool) -> Iterator[Ranks]:
    """The ranks of one training, this process alone unless they are ``wanted``.

    An error that all of them meet is raised by each; one that is a rank's own ends them all.
    """
    ranks = started() if wanted else ALONE
    try:
        yield ranks
    except BaseException as error:
        ranks.failed(error)
        raise
    ranks.close()
