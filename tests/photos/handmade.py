"""Files of weights as torch once wrote them, opcode by opcode, so that torch is not needed."""

import struct
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from lmtool.arrays import Array

REBUILD = "torch._utils _rebuild_tensor_v2"
DICTIONARY = "collections OrderedDict"


def pickled(*parts: bytes) -> bytes:
    """A pickle of protocol 2."""
    return b"\x80\x02" + b"".join(parts) + b"."


def text(value: str) -> bytes:
    return b"X" + struct.pack("<I", len(value.encode())) + value.encode()


def whole(value: int) -> bytes:
    return b"J" + struct.pack("<i", value)


def several(*parts: bytes) -> bytes:
    """A tuple."""
    return b"(" + b"".join(parts) + b"t"


def named(name: str) -> bytes:
    """``module name``, which a reader looks up."""
    return b"c" + name.replace(" ", "\n").encode() + b"\n"


def called(name: str, *parts: bytes) -> bytes:
    """A call, if the reader makes it."""
    return named(name) + several(*parts) + b"R"


def tensor(
    key: str, size: int, offset: int, shape: Sequence[int], strides: Sequence[int],
    kind: str = "torch FloatStorage",
) -> bytes:  # fmt: skip
    """A tensor in a storage."""
    said = (text("storage"), named(kind), text(key), text("cpu"), whole(size), b"N")
    storage = several(*said) + b"Q"
    places = [several(*map(whole, numbers)) for numbers in (shape, strides)]
    return called(REBUILD, storage, whole(offset), *places, b"\x89", called(DICTIONARY))


def file(tensors: Mapping[str, bytes], keys: Sequence[str], numbers: Sequence[Array]) -> bytes:
    """The whole file: five pickles, then each storage's length and numbers."""
    items = b"".join(text(name) + value for name, value in tensors.items())
    parts = [
        pickled(whole(1)), pickled(whole(1001)), pickled(b"}"),
        pickled(called(DICTIONARY), b"(", items, b"u"),
        pickled(b"](", *map(text, keys), b"e"),
    ]  # fmt: skip
    stored = (struct.pack("<q", array.size) + array.tobytes() for array in numbers)
    return b"".join([*parts, *stored])


def file_of(arrays: Mapping[str, Array]) -> bytes:
    """The file of these float32 arrays."""
    places = {
        name: tensor(name, x.size, 0, x.shape, [s // x.itemsize for s in x.strides])
        for name, x in arrays.items()
    }
    return file(places, list(arrays), list(arrays.values()))


def tiny(seed: int = 1) -> dict[str, Array]:
    """Weights of a network of three blocks, 4 -> 4 -> 6 -> 6 channels, and a head of 10."""
    rng = np.random.default_rng(seed)
    weights = dict[str, Array]()

    def layer(convolution: str, normalisation: str, *shape: int) -> None:
        weights[f"{convolution}.weight"] = rng.normal(0, 0.6, shape)
        weights[f"{normalisation}.weight"] = rng.uniform(0.5, 1.5, shape[0])
        weights[f"{normalisation}.bias"] = rng.normal(0, 0.5, shape[0])
        weights[f"{normalisation}.running_mean"] = rng.normal(0, 0.5, shape[0])
        weights[f"{normalisation}.running_var"] = rng.uniform(0.5, 2, shape[0])

    layer("_conv_stem", "_bn0", 4, 3, 3, 3)
    for index, (inner, wide, outer, k) in enumerate([(4, 4, 4, 3), (4, 8, 6, 5), (6, 12, 6, 3)]):
        block = f"_blocks.{index}."
        if index:
            layer(f"{block}_expand_conv", f"{block}_bn0", wide, inner, 1, 1)
        layer(f"{block}_depthwise_conv", f"{block}_bn1", wide, 1, k, k)
        layer(f"{block}_project_conv", f"{block}_bn2", outer, wide, 1, 1)
    layer("_conv_head", "_bn1", 10, 6, 1, 1)
    return {name: value.astype(np.float32) for name, value in weights.items()}


TINY_STRIDES = (1, 2, 1)
Weights = Mapping[str, Any]
