"""Threads: BLAS is held to one thread while anybody needs it, and given back afterwards."""

import gc
import itertools
import threading
from collections.abc import Iterator

import pytest

from lmtool.inference.score import score_lines
from lmtool.models.language_model import LanguageModel
from lmtool.workers import Workers, controller, single_threaded_blas

LINES = ["Todd met Pete"] * 3


def blas_threads() -> list[int]:
    """How many threads each BLAS may use now."""
    return [info["num_threads"] for info in controller().info() if info["user_api"] == "blas"]


@pytest.fixture
def two_threads() -> Iterator[None]:
    """BLAS on two threads, as on a machine with several cores."""
    with controller().limit(limits=2, user_api="blas"):
        assert 2 in blas_threads()
        yield


@pytest.mark.usefixtures("two_threads")
@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_generators_may_end_in_any_order(lstm: LanguageModel, order: tuple[int, ...]) -> None:
    before = blas_threads()
    under_way = [score_lines(lstm, LINES) for _ in range(3)]
    for scores in under_way:
        next(scores)
    for n, which in enumerate(order):
        assert set(blas_threads()) == {1}
        assert len(list(under_way[which])) == 2
        assert (blas_threads() == before) == (n == 2)


@pytest.mark.usefixtures("two_threads")
def test_a_generator_that_is_forgotten_lets_go(lstm: LanguageModel) -> None:
    before = blas_threads()
    next(score_lines(lstm, LINES))
    gc.collect()
    assert blas_threads() == before


@pytest.mark.usefixtures("two_threads")
def test_holders_in_several_threads() -> None:
    before, barrier = blas_threads(), threading.Barrier(5, timeout=20)

    def hold() -> None:
        with Workers(1), single_threaded_blas():
            barrier.wait()
            barrier.wait()

    threads = [threading.Thread(target=hold, daemon=True) for _ in range(4)]
    for thread in threads:
        thread.start()
    barrier.wait()
    assert set(blas_threads()) == {1}
    barrier.wait()
    for thread in threads:
        thread.join()
    assert blas_threads() == before


@pytest.mark.usefixtures("two_threads")
def test_the_last_holder_may_be_of_another_thread_than_the_first() -> None:
    before, entered, leave = blas_threads(), threading.Event(), threading.Event()

    def hold() -> None:
        with Workers(1):
            entered.set()
            leave.wait(20)

    other = threading.Thread(target=hold, daemon=True)
    with Workers(1):
        other.start()
        entered.wait(20)
    assert set(blas_threads()) == {1}
    leave.set()
    other.join()
    assert blas_threads() == before
