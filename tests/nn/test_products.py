"""Products of few rows with the same matrix: cut into strips, and whole."""

from typing import Any

import numba
import numpy as np
import pytest

from lmtool.arrays import Array
from lmtool.nn import kernels
from lmtool.nn.cells import base
from lmtool.nn.kernels import products

compiled = pytest.mark.skipif(products.TILE is None, reason="no kernel for it without the compiler")
SHAPES = [(5, 7), (8, 16), (9, 24), (40, 75), (300, 130)]


def numbers(*shape: int, dtype: Any = np.float64) -> Array:
    """Normal ones."""
    return np.random.default_rng(sum(shape)).normal(size=shape).astype(dtype)


def multiplied(x: Array, y: Array) -> Array:
    """By what cells are made of."""
    out = np.full((len(x), y.shape[1]), np.nan, x.dtype)
    base.multiply(x, base.factor(y), out)
    return out


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("M", [1, 4, 5, 19])
def test_a_product_in_strips_is_the_product(shape: tuple[int, int], M: int) -> None:
    x, y = numbers(M, shape[0]), numbers(*shape)
    for matrix in (y, np.asfortranarray(y)):
        np.testing.assert_allclose(multiplied(x, matrix), x @ y, atol=1e-12)


def test_without_a_tile_products_are_those_of_blas(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(products, "TILE", None)
    x, y = numbers(4, 40), numbers(40, 75)
    assert base.factor(y.T.copy().T).strips is None
    assert np.array_equal(multiplied(x, y), x @ y)


@compiled
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_narrow_matrices_alone_are_not_cut(dtype: Any) -> None:
    width = kernels.strip_width(np.dtype(dtype).itemsize)
    assert base.factor(numbers(3, width - 1, dtype=dtype)).strips is None
    strips = base.factor(numbers(3, 2 * width + 1, dtype=dtype)).strips
    assert strips is not None
    assert strips.shape == (3, 3, width)


@compiled
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_number_has_the_same_bits_wherever_it_stands(dtype: Any) -> None:
    x, y = numbers(23, 70, dtype=dtype), numbers(70, 150, dtype=dtype)
    expected = multiplied(x, y)
    order = np.random.default_rng(1).permutation(150)
    assert np.array_equal(multiplied(x, y[:, order]), expected[:, order])
    for M in range(1, 23):
        assert np.array_equal(multiplied(x[:M], y), expected[:M])
        assert np.array_equal(multiplied(x[-M:], y), expected[-M:])


@compiled
def test_the_widest_vectors_give_the_same_bits(monkeypatch: pytest.MonkeyPatch) -> None:
    x, y = numbers(13, 37, dtype=np.float32), numbers(37, 190, dtype=np.float32)
    expected = multiplied(x, y)
    for tile in products.TILES.values():
        monkeypatch.setattr(products, "TILE", tile)
        monkeypatch.setattr(products, "ROWS", tile.rows)
        strips, out = base.factor(y).strips, np.empty_like(expected)
        assert strips is not None
        numba.njit(**products.FLAGS)(products.multiply_strips.py_func)(x, strips, out)
        assert np.array_equal(out, expected)


@compiled
def test_rows_may_lie_apart_but_not_their_numbers() -> None:
    x, y = numbers(5, 60), numbers(30, 50)
    out = np.full((5, 100), np.nan)
    base.multiply(x[:, 30:], base.factor(y), out[:, 50:])
    np.testing.assert_allclose(out[:, 50:], x[:, 30:] @ y, atol=1e-12)
    assert np.isnan(out[:, :50]).all()
    with pytest.raises(ValueError, match="row by row"):
        base.multiply(x[:, ::2], base.factor(y), out[:, 50:])


@compiled
@pytest.mark.parametrize(("x", "out"), [((5, 31), (5, 50)), ((5, 30), (4, 50)), ((5, 30), (5, 99))])
def test_shapes_that_do_not_fit_are_refused(x: tuple[int, int], out: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="fit"):
        base.multiply(np.zeros(x), base.factor(np.zeros((30, 50))), np.zeros(out))


@compiled
def test_numbers_of_other_types_are_refused() -> None:
    x, y, out = np.zeros((5, 30), np.float32), base.factor(np.zeros((30, 50))), np.zeros((5, 50))
    with pytest.raises(ValueError, match="one type"):
        base.multiply(x, y, out)


def test_what_is_no_number_spreads_over_its_row_alone() -> None:
    x, y = numbers(6, 40), numbers(40, 75)
    x[2, 3] = np.nan
    assert np.array_equal(np.isnan(multiplied(x, y)).all(axis=1), np.arange(6) == 2)


def test_all_time_steps_are_projected_as_one() -> None:
    rng = np.random.default_rng(1)
    x = rng.normal(size=(6, 3, 5))
    weights = base.Weights(
        rng.normal(size=(8, 5)), np.empty((8, 2)), rng.normal(size=8), np.empty(8)
    )
    z = base.project(weights, x)
    assert z.shape == (6, 3, 8)
    for t in range(6):
        np.testing.assert_allclose(z[t], x[t] @ weights.weight_ih.T + weights.bias_ih)
