"""A row's bits are its own, wherever BLAS was found to keep rows apart."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lmtool.arrays import Array
from lmtool.nn import rowwise
from lmtool.nn.rowwise import TILES, Tile, apart, parts, passes, product, products, tile
from lmtool.workers import single_threaded_blas
from tests import blas


def numbers(seed: int, *shape: int) -> Array:
    """Small and large ones."""
    rng = np.random.default_rng(seed)
    return (rng.standard_normal(shape) * 10.0 ** rng.integers(-2, 3, shape)).astype(np.float32)


@pytest.mark.parametrize("one", TILES)
@pytest.mark.parametrize(("M", "N"), [(2, 5), (2, 700), (9, 32), (33, 260), (65, 700), (400, 300)])
def test_every_tile_multiplies(one: Tile, M: int, N: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rowwise, "tile", lambda K, dtype: one)
    x, W = np.random.default_rng(0).random((2, M + N, 17), np.float32)
    found = product(x[:M], W[:N])
    np.testing.assert_allclose(found, x[:M] @ W[:N].T, rtol=1e-5)


@given(
    seed=st.integers(0, 9),
    K=st.sampled_from([1, 3, 16, 40, 100, 256]),
    N=st.sampled_from([1, 31, 32, 77, 256, 265, 300, 600]),
    M=st.integers(2, 70) | st.just(400),
    data=st.data(),
)
def test_neighbours_and_place_change_no_bit(
    seed: int, K: int, N: int, M: int, data: st.DataObject
) -> None:
    x, W = numbers(seed, max(70, M), K), numbers(seed + 1, N, K)
    rows = np.array(data.draw(st.permutations(range(len(x))))[:M])
    with single_threaded_blas():
        if tile(K, "f") is not None:
            np.testing.assert_array_equal(product(x[rows], W), product(x, W)[rows])


@given(seed=st.integers(0, 9), K=st.sampled_from([1, 16, 100]), N=st.sampled_from([1, 77]))
def test_a_row_alone_is_the_row_among_others(seed: int, K: int, N: int) -> None:
    x, W = numbers(seed, 9, K), numbers(seed + 1, N, K)
    with single_threaded_blas():
        if tile(K, "f") is not None:
            together = product(x, W)
            for i in range(len(x)):
                np.testing.assert_array_equal(apart(x[i : i + 1], W), together[i : i + 1])
    assert apart(x[:0], W).shape == (0, N)


def test_blocks_are_read_where_blas_is_known() -> None:
    widths = (3, 17, 200, 256, 650, 1024, 2048)
    assert not blas.keeps_rows_apart() or all(tile(K, "f") for K in widths)


@pytest.mark.parametrize("one", TILES)
def test_a_blas_that_mixes_rows_is_found_out(one: Tile) -> None:
    def mixing(x: Array, W: Array) -> Array:
        """The first row goes through another kernel than the others."""
        product: Array = x @ W
        product[0] *= 1 + 2**-20
        return product

    assert not passes(one, 16, "f", mixing)


@given(st.integers(0, 50), st.integers(3, 9))
def test_no_part_is_a_single_row(n: int, size: int) -> None:
    cut = list(parts(n, size))
    assert [i for part in cut for i in range(n)[part]] == list(range(n))
    lengths = [part.stop - part.start for part in cut]
    assert all(2 <= length <= size for length in lengths) or n == 1


@pytest.mark.parametrize("tried", [True, False])
@pytest.mark.parametrize(("M", "K", "N"), [(1, 16, 48), (5, 40, 16), (11, 16, 512)])
def test_many_small_products_keep_rows_apart(
    tried: bool, M: int, K: int, N: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    x, W = numbers(1, 4, M, K), numbers(2, 4, N, K)
    with single_threaded_blas():
        if not tried:
            monkeypatch.setattr(rowwise, "stackable", lambda K, N, dtype: False)
        found = products(x, W)
        np.testing.assert_allclose(found, x @ W.swapaxes(1, 2), rtol=1e-3, atol=1e-2)
        if rowwise.stackable(K, N, "f") or tile(K, "f") is not None:
            for b, row in ((0, 0), (2, M - 1)):
                alone = products(x[b : b + 1, row : row + 1], W[b : b + 1])
                np.testing.assert_array_equal(alone[0, 0], found[b, row])
