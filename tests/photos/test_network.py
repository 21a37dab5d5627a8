"""The network in numpy agrees with its definition, number by number."""

from typing import Any

import numpy as np
import pytest

from lmtool.arrays import Array
from lmtool.photos.network import features_of, network
from tests.photos.handmade import TINY_STRIDES, Weights, tiny


def convolved(x: Array, kernel: Array, stride: int, apart: bool) -> Array:
    """(C', H', W') of x (C, H, W): the definition, a number at a time."""
    k = kernel.shape[2]
    n = -(-x.shape[1] // stride)
    before = max((n - 1) * stride + k - x.shape[1], 0) // 2
    y = np.zeros((len(kernel), n, n))
    for out, row, column in np.ndindex(*y.shape):
        for i, j in np.ndindex(k, k):
            top, left = row * stride - before + i, column * stride - before + j
            if 0 <= top < x.shape[1] and 0 <= left < x.shape[2]:
                seen = x[out : out + 1] if apart else x
                y[out, row, column] += (seen[:, top, left] * kernel[out, :, i, j]).sum()
    return y


def defined(weights: Weights, strides: tuple[int, ...], x: Array) -> Array:
    """The features of x (C, H, W) in float64, by the equations."""

    def layer(name: str, norm: str, x: Array, stride: int = 1, apart: bool = False) -> Array:
        y = convolved(x, weights[f"{name}.weight"].astype(np.float64), stride, apart)
        mean, variance, w, b = (
            weights[f"{norm}.{part}"].astype(np.float64)[:, None, None]
            for part in ("running_mean", "running_var", "weight", "bias")
        )
        result: Array = (y - mean) / np.sqrt(variance + 1e-3) * w + b
        return result

    def relu6(x: Array) -> Array:
        return np.minimum(np.maximum(x, 0), 6)

    x = relu6(layer("_conv_stem", "_bn0", x, 2))
    for index, stride in enumerate(strides):
        block = f"_blocks.{index}."
        y = x
        if f"{block}_expand_conv.weight" in weights:
            y = relu6(layer(f"{block}_expand_conv", f"{block}_bn0", y))
        y = relu6(layer(f"{block}_depthwise_conv", f"{block}_bn1", y, stride, True))
        y = layer(f"{block}_project_conv", f"{block}_bn2", y)
        x = x + y if x.shape == y.shape else y
    mean: Array = relu6(layer("_conv_head", "_bn1", x)).mean(axis=(1, 2))
    return mean


@pytest.mark.parametrize("size", [16, 13, 5])
def test_the_network_is_its_definition(size: int) -> None:
    weights = tiny()
    x = np.random.default_rng(size).normal(0, 3, (size, size, 3)).astype(np.float32)
    expected = defined(weights, TINY_STRIDES, x.transpose(2, 0, 1).astype(np.float64))
    assert 1 < np.ptp(expected) < 6
    got = features_of(network(weights, TINY_STRIDES), x)
    assert got.dtype == np.float32
    np.testing.assert_allclose(got, expected, rtol=1e-5, atol=1e-5)


def test_a_missing_weight_is_named() -> None:
    weights: dict[str, Any] = tiny()
    del weights["_blocks.1._bn2.running_var"]
    with pytest.raises(KeyError, match=r"_blocks\.1\._bn2\.running_var"):
        network(weights, TINY_STRIDES)
