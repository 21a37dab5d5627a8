"""Threads that never change a bit of what they compute.

Work is cut in ways that do not depend on the number of threads, each piece with single-threaded
matrix products, and results come in the order of the work. Threads only decide who does what.
"""

import os
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from types import TracebackType
from typing import Any, Self, TypeVar

from threadpoolctl import ThreadpoolController

__all__ = ["Workers", "n_cores", "pooled", "single_threaded_blas", "slices"]

MOST_THREADS = 256
AHEAD = 8  # items under way for each thread
POOLED = ContextVar("cores of all processes that work together", default=0)

Item = TypeVar("Item")
Result = TypeVar("Result")


class Holders:
    """Who holds BLAS to one thread: the first in limits it, the last out restores it.

    The limit is the process's, and generators that hold it may end in any order, in any thread.
    """

    def __init__(self) -> None:
        self._lock, self._n = threading.Lock(), 0
        self._limits: Any = None

    def enter(self) -> None:
        """One more."""
        with self._lock:
            if not self._n:
                take_over()
                self._limits = controller().limit(limits=1, user_api="blas")
            self._n += 1

    def leave(self) -> None:
        """One less."""
        with self._lock:
            self._n -= 1
            if not self._n:
                take_over()
                self._limits.restore_original_limits()
                take_over()


def take_over() -> None:
    """Lets this thread set limits, which threadpoolctl from 3.8 on leaves to the first that did."""
    for library in controller().lib_controllers:
        if let_go := getattr(library, "clear_controlling_thread", None):
            let_go(force=True)


HOLDERS = Holders()


@contextmanager
def single_threaded_blas() -> Iterator[None]:
    """Within it a matrix product has the same bits whatever OPENBLAS_NUM_THREADS says."""
    HOLDERS.enter()
    try:
        yield
    finally:
        HOLDERS.leave()


@cache
def controller() -> ThreadpoolController:
    """The libraries found once; numpy is loaded by now."""
    import numpy  # noqa: F401  its BLAS must be there to be found

    return ThreadpoolController()


class Workers:
    """Maps functions over items on ``threads`` threads, BLAS held to one thread each."""

    def __init__(self, threads: int) -> None:
        threads = min(threads, MOST_THREADS)
        self._ahead = AHEAD * threads
        self._pool = ThreadPoolExecutor(threads) if threads > 1 else None

    def __enter__(self) -> Self:
        HOLDERS.enter()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        HOLDERS.leave()
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)

    def map(self, function: Callable[[Item], Result], items: Iterable[Item]) -> list[Result]:
        """[function(item) ...], in order."""
        if self._pool is None:
            return [function(item) for item in items]
        return list(self._pool.map(function, items))

    def stream(
        self,
        function: Callable[[Item], Result],
        items: Iterable[Item],
        goes_on: Callable[[Item], bool] = lambda item: True,
    ) -> Iterator[Result]:
        """The same one by one, a few items in memory; where those fail, after what came before.

        Before what follows an item is asked for, all up to it is given back, unless it ``goes_on``:
        the next one is there at once.
        """
        if self._pool is None:
            yield from map(function, items)
            return
        waiting: deque[Future[Result]] = deque()
        failure: list[Exception] = []
        for item in until_failure(items, failure):
            waiting.append(self._pool.submit(function, item))
            while waiting and (len(waiting) >= self._ahead or not goes_on(item)):
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
        if failure:
            raise failure[0]


def until_failure(items: Iterable[Item], failure: list[Exception]) -> Iterator[Item]:
    """The items; where getting the next one fails, the end, and why in ``failure``."""
    try:
        yield from items
    except Exception as error:
        failure.append(error)


@contextmanager
def pooled(cores: int) -> Iterator[None]:
    """Within it there are so many cores, since other processes work for this one, too."""
    former = POOLED.set(cores)
    try:
        yield
    finally:
        POOLED.reset(former)


def n_cores() -> int:
    """Cores that this process may use, or that it and others may together."""
    if pooled := POOLED.get():
        return pooled
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def slices(size: int, n: int) -> list[slice]:
    """range(size) cut into n neighbouring parts of nearly equal length."""
    return [slice(size * i // n, size * (i + 1) // n) for i in range(n)]
