"""Products of few rows with the same matrix, in blocks and whole."""

import numpy as np
import pytest

from lmtool.nn.cells import base


@pytest.mark.parametrize("small", [True, False])
@pytest.mark.parametrize("shape", [(5, 7), (8, 32), (9, 64), (40, 75), (300, 100)])
@pytest.mark.parametrize("M", [1, 4, 200])
def test_a_product_in_blocks_is_the_product(
    monkeypatch: pytest.MonkeyPatch, small: bool, shape: tuple[int, int], M: int
) -> None:
    monkeypatch.setattr(base, "has_small_products", lambda: small)
    rng = np.random.default_rng(1)
    y = rng.normal(size=shape)
    x, out = rng.normal(size=(M, shape[0])), np.full((M, shape[1]), np.nan)
    for matrix in (y, np.asfortranarray(y)):
        factor = base.factor(matrix, M)
        assert factor.blocks.size + factor.rest.size == y.size
        assert bool(factor.blocks.size) == (
            small and shape[1] >= base.STRIP and M * shape[0] * base.STRIP <= base.SMALL
        )
        base.multiply(x, factor, out)
        np.testing.assert_allclose(out, x @ y, atol=1e-12)


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
