"""Values and arrays between the processes of MPI.

A process that waits looks again and again, so that it hears signals, and lets others run in
between, since MPI's own waiting keeps a core from whoever is waited for. For values, of which
nothing large is under way, it sleeps if the wait is long.
"""

import os
import pickle
import time
from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lmtool.arrays import Array

__all__ = ["Messages"]

BLOCK = 512  # bytes that travel at once: a value's size, and its beginning
SIZE = 8  # bytes of them, which hold the size
AWAKE = 0.01  # seconds before a process sleeps that waits
NAP = 0.0005  # seconds between two looks of one that sleeps

Bytes = NDArray[np.uint8]

let_others_run = getattr(os, "sched_yield", partial(time.sleep, 0))


class Messages:
    """Over a communicator; all of its processes send in the same order."""

    def __init__(self, world: Any) -> None:
        from mpi4py import MPI

        self._mpi, self.comm = MPI, world.Dup()

    def finish(self, requests: Sequence[Any], asleep: bool = False) -> None:
        """Waits for all of them."""
        began = time.monotonic()
        while not self._mpi.Request.Testall(requests):
            let_others_run()
            if asleep and time.monotonic() - began > AWAKE:
                time.sleep(NAP)

    def of_first(self, value: Any) -> Any:
        """The value of rank 0."""
        data = packed(value) if self.comm.rank == 0 else np.empty(0, np.uint8)
        head = head_of(data)
        self.finish([self.comm.Ibcast(head, 0)], True)
        if size_of(head) > BLOCK - SIZE:
            data = data if self.comm.rank == 0 else np.empty(size_of(head), np.uint8)
            self.finish([self.comm.Ibcast(data, 0)])
        else:
            data = head[SIZE : SIZE + size_of(head)]
        return pickle.loads(data.data)

    def of_all(self, value: Any) -> list[Any]:
        """The values of all ranks, in order."""
        data, heads = packed(value), np.empty((self.comm.size, BLOCK), np.uint8)
        self.finish([self.comm.Iallgather(head_of(data), heads)], True)
        sizes = [size_of(head) for head in heads]
        if max(sizes) <= BLOCK - SIZE:
            parts = [head[SIZE : SIZE + n] for head, n in zip(heads, sizes, strict=True)]
        else:
            everything = np.empty(sum(sizes), np.uint8)
            self.finish([self.comm.Iallgatherv(data, [everything, sizes])])
            parts = np.split(everything, np.cumsum(sizes)[:-1])
        return [pickle.loads(part.data) for part in parts]

    def copy(self, array: Array, root: int) -> None:
        """The numbers of one rank."""
        self.finish([self.comm.Ibcast(array, root)])

    def fill(self, array: Array, ranges: Sequence[slice]) -> None:
        """Of each range of the array the numbers of the rank that has this place."""
        counts = [some.stop - some.start for some in ranges], [some.start for some in ranges]
        self.finish([self.comm.Iallgatherv(self._mpi.IN_PLACE, [array, counts])])


def packed(value: Any) -> Bytes:
    """Its bytes."""
    return np.frombuffer(pickle.dumps(value, pickle.HIGHEST_PROTOCOL), np.uint8)


def head_of(data: Bytes) -> Bytes:
    """The block that travels first."""
    head = np.zeros(BLOCK, np.uint8)
    head[:SIZE] = np.frombuffer(len(data).to_bytes(SIZE, "little"), np.uint8)
    head[SIZE : SIZE + len(data)] = data[: BLOCK - SIZE]
    return head


def size_of(head: Bytes) -> int:
    """Bytes of the whole value."""
    return int.from_bytes(head[:SIZE].tobytes(), "little")
