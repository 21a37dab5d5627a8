"""EfficientNet-Lite0 (Tan and Le 2019) up to its last layer, in numpy alone.

    r(x) = min(max(x, 0), 6)
    x_0 = r(stem(picture))                                              3 x 3, every other pixel
    x_i = [x_i-1 +] project(r(deep(r(expand(x_i-1)))))                  + where the shapes agree
    f = mean of r(head(x_16)) over all places                           (1280,)

``expand``, ``project`` and ``head`` are products at each place (1 x 1), ``deep`` goes over each
channel alone (3 x 3 or 5 x 5). A normalisation follows each of them, folded into its kernel k:

    (k x - m) / sqrt(v + e) * w + b = (k s) x + (b - m s),              s = w / sqrt(v + e)

Pictures are (H, W, C), H = W; kernels (out, in, k, k), as torch has them.
"""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

import numpy as np

from lmtool.arrays import Array

__all__ = ["Layer", "Network", "features_of", "network"]

STRIDES = (1, 2, 1, 2, 1, 2, 1, 1, 1, 1, 1, 2, 1, 1, 1, 1)  # of the blocks' deep layers
EPSILON = 1e-3
HIGHEST = 6  # ReLU6


class Layer(NamedTuple):
    """A convolution and the normalisation after it."""

    kernel: Array  # (k, k, in, out), or (k, k, channels) of a deep layer
    bias: Array  # (out,)


class Block(NamedTuple):
    """Wider, along each channel, narrower again."""

    expand: Layer | None
    deep: Layer
    project: Layer
    stride: int


class Network(NamedTuple):
    """All of it; a value, shared by threads."""

    stem: Layer
    blocks: tuple[Block, ...]
    head: Layer


def network(weights: Mapping[str, Array], strides: tuple[int, ...] = STRIDES) -> Network:
    """The network of these weights, named as efficientnet_pytorch names them. Raises KeyError."""
    blocks = tuple(block(weights, f"_blocks.{i}.", stride) for i, stride in enumerate(strides))
    stem, head = layer(weights, "_conv_stem", "_bn0"), layer(weights, "_conv_head", "_bn1")
    return Network(stem, blocks, head)


def block(weights: Mapping[str, Array], prefix: str, stride: int) -> Block:
    """One block; the first one of the network does not widen."""
    widens = f"{prefix}_expand_conv.weight" in weights
    return Block(
        layer(weights, f"{prefix}_expand_conv", f"{prefix}_bn0") if widens else None,
        deep_layer(weights, f"{prefix}_depthwise_conv", f"{prefix}_bn1"),
        layer(weights, f"{prefix}_project_conv", f"{prefix}_bn2"),
        stride,
    )


def layer(weights: Mapping[str, Array], convolution: str, normalisation: str) -> Layer:
    """Both as one kernel and one bias."""
    scale = weights[f"{normalisation}.weight"] / np.sqrt(
        weights[f"{normalisation}.running_var"] + np.float32(EPSILON)
    )
    kernel = weights[f"{convolution}.weight"].transpose(2, 3, 1, 0) * scale
    bias = weights[f"{normalisation}.bias"] - weights[f"{normalisation}.running_mean"] * scale
    return Layer(np.ascontiguousarray(kernel), bias)


def deep_layer(weights: Mapping[str, Array], convolution: str, normalisation: str) -> Layer:
    """The same of a kernel that has one input for each channel."""
    kernel, bias = layer(weights, convolution, normalisation)
    return Layer(kernel[:, :, 0], bias)


def features_of(network: Network, x: Array) -> Array:
    """(C,) of a picture (H, H, 3)."""
    x = clipped(spread(network.stem, x))
    for block in network.blocks:
        x = through(block, x)
    answers = clipped(at_each_place(network.head, x))
    mean: Array = answers.mean(axis=(0, 1))
    return mean


def through(block: Block, x: Array) -> Array:
    """(H', H', out) of x (H, H, in)."""
    y = clipped(at_each_place(block.expand, x)) if block.expand else x
    y = clipped(along_channels(block.deep, y, block.stride))
    y = at_each_place(block.project, y)
    return x + y if x.shape == y.shape else y


def clipped(y: Array) -> Array:
    """ReLU6, in place."""
    return np.clip(y, 0, HIGHEST, out=y)


def at_each_place(layer: Layer, x: Array) -> Array:
    """A 1 x 1 convolution: (H, H, in) -> (H, H, out)."""
    y: Array = x.reshape(-1, x.shape[2]) @ layer.kernel[0, 0]
    y += layer.bias
    return y.reshape(*x.shape[:2], -1)


def spread(layer: Layer, x: Array, stride: int = 2) -> Array:
    """A convolution over all channels: what a kernel sees of each place as one long row."""
    columns = np.concatenate([seen for _, seen in windows(x, len(layer.kernel), stride)], axis=2)
    long = layer.kernel.reshape(1, 1, columns.shape[2], -1)  # (k, k, in, out) in the same order
    return at_each_place(Layer(long, layer.bias), columns)


def along_channels(layer: Layer, x: Array, stride: int) -> Array:
    """A convolution of each channel with its own kernel: (H, H, C) -> (H', H', C)."""
    y: Array | None = None
    for place, seen in windows(x, len(layer.kernel), stride):
        if y is None:
            y = np.broadcast_to(layer.bias, seen.shape).copy()
            product = np.empty_like(y)
        y += np.multiply(seen, layer.kernel[place], out=product)
    assert y is not None
    return y


def windows(x: Array, k: int, stride: int) -> Iterator[tuple[tuple[int, int], Array]]:
    """For each place (i, j) of a kernel what it meets, (H', H', C), H' = H / stride, rounded up.

    Zeros stand around the picture, one more at the right and below where they cannot be halved.
    """
    n = -(-len(x) // stride)
    zeros = max((n - 1) * stride + k - len(x), 0)
    sides = (zeros // 2, zeros - zeros // 2)
    x = np.pad(x, (sides, sides, (0, 0)))
    end = (n - 1) * stride + 1
    for i in range(k):
        for j in range(k):
            yield (i, j), x[i : i + end : stride, j : j + end : stride]
