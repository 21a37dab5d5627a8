"""Parallel workers over fixed logical shards: the same bits for any number of threads.

A batch is cut into S shards of streams; each shard computes its own gradient with
single-threaded matrix products; the reduction, the norm and the update go over S fixed slices
of the flat vector, each summed in the order of the shards. Threads only decide who does what.
"""

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType
from typing import Self, TypeVar

from threadpoolctl import threadpool_limits

__all__ = ["Workers", "slices"]

Item = TypeVar("Item")
Result = TypeVar("Result")


class Workers:
    """Maps functions over shards on ``threads`` threads, BLAS held to one thread each."""

    def __init__(self, threads: int) -> None:
        self._pool = ThreadPoolExecutor(threads) if threads > 1 else None

    def __enter__(self) -> Self:
        self._limits = threadpool_limits(1, "blas")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._limits.restore_original_limits()
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)

    def map(self, function: Callable[[Item], Result], items: Iterable[Item]) -> list[Result]:
        """[function(item) ...], in order."""
        if self._pool is None:
            return [function(item) for item in items]
        return list(self._pool.map(function, items))


def slices(size: int, n: int) -> list[slice]:
    """range(size) cut into n neighbouring parts of nearly equal length."""
    return [slice(size * i // n, size * (i + 1) // n) for i in range(n)]
