"""Threads that never change a bit of what they compute.

Work is cut in ways that do not depend on the number of threads, each piece with single-threaded
matrix products, and results come in the order of the work. Threads only decide who does what.
"""

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager
from functools import cache
from types import TracebackType
from typing import Self, TypeVar

from threadpoolctl import ThreadpoolController

__all__ = ["Workers", "has_small_products", "n_cores", "single_threaded_blas", "slices"]

MOST_THREADS = 256
UNPACKED = ("SkylakeX", "Cooperlake", "SapphireRapids")
AHEAD = 8  # items under way for each thread

Item = TypeVar("Item")
Result = TypeVar("Result")


def single_threaded_blas() -> AbstractContextManager[object]:
    """Within it a matrix product has the same bits whatever OPENBLAS_NUM_THREADS says."""
    limits: AbstractContextManager[object] = controller().limit(limits=1, user_api="blas")
    return limits


@cache
def controller() -> ThreadpoolController:
    """The libraries found once; numpy is loaded by now."""
    import numpy  # noqa: F401  its BLAS must be there to be found

    return ThreadpoolController()


@cache
def has_small_products() -> bool:
    """Whether BLAS takes small matrices as they lie: OpenBLAS for AVX-512, from 0.3.17 on."""
    blas = (info for info in controller().info() if info["internal_api"] == "openblas")
    return any(info.get("architecture") in UNPACKED for info in blas)


class Workers:
    """Maps functions over items on ``threads`` threads, BLAS held to one thread each."""

    def __init__(self, threads: int) -> None:
        threads = min(threads, MOST_THREADS)
        self._ahead = AHEAD * threads
        self._pool = ThreadPoolExecutor(threads) if threads > 1 else None

    def __enter__(self) -> Self:
        self._limits = single_threaded_blas()
        self._limits.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._limits.__exit__(kind, error, trace)
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)

    def map(self, function: Callable[[Item], Result], items: Iterable[Item]) -> list[Result]:
        """[function(item) ...], in order."""
        if self._pool is None:
            return [function(item) for item in items]
        return list(self._pool.map(function, items))

    def stream(self, function: Callable[[Item], Result], items: Iterable[Item]) -> Iterator[Result]:
        """The same one by one, a few items in memory; where those fail, after what came before."""
        if self._pool is None:
            yield from map(function, items)
            return
        waiting: deque[Future[Result]] = deque()
        failure: list[Exception] = []
        for item in until_failure(items, failure):
            waiting.append(self._pool.submit(function, item))
            if len(waiting) >= self._ahead:
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


def n_cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def slices(size: int, n: int) -> list[slice]:
    """range(size) cut into n neighbouring parts of nearly equal length."""
    return [slice(size * i // n, size * (i + 1) // n) for i in range(n)]
