"""numpy's ``.npy`` and ``.npz``: nothing is allocated that the file does not hold, no pickle.

An archive of clips holds ``frames`` (N, F), all of them end to end, ``lengths`` (n,) or ``offsets``
(n + 1,) that cut them, and ``labels`` (n,) of text or whole numbers.
"""

import ast
import math
import re
import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from lmtool.arrays import Array
from lmtool.data.readers.clips import Clip, finite, label_names, refuse_at
from lmtool.errors import InputError
from lmtool.text.reader import STDIN, display_name

__all__ = ["NPY", "ZIP", "archive", "array", "beginning", "frames_of", "mapped", "n_rows"]

NPY, ZIP = b"\x93NUMPY", b"PK"
LENGTHS = {b"\1\0": "<H", b"\2\0": "<I"}  # version -> how the length of the header is written
LONGEST_HEADER = 10_000
PLAIN = re.compile(r"[<>|=]?(f[248]|[iu][1248]|U\d{1,3})")
MOST = 1 << 32  # bytes of an array
FULL, DENSEST = 1 << 26, 100  # from so many bytes on, at most so many times what they are packed in
BROKEN = (
    ValueError, TypeError, LookupError, EOFError, OverflowError, RuntimeError, SyntaxError,
    MemoryError, struct.error, zlib.error, zipfile.BadZipFile, zipfile.LargeZipFile,
)  # fmt: skip
FLOATS, WHOLE, TEXTS = "f", "iu", "U"  # kinds of types
MISFIT = "it is cut short, or holds more than its header says"


def beginning(path: str | Path, n: int) -> bytes:
    """The first bytes of a file; none of standard input, and of what cannot be read."""
    if str(path) == STDIN:
        return b""
    try:
        with open(path, "rb") as stream:
            return stream.read(n)
    except (OSError, ValueError):
        return b""  # who reads it says what is wrong


def array(path: str | Path) -> Array:
    """(n, D) of a ``.npy``, as it stands there. Raises InputError."""
    name = display_name(path)
    with described(name, "array (.npy)"), open(path, "rb") as stream:
        x = read_array(stream, Path(path).stat().st_size, FLOATS, 2)
    return x


def frames_of(path: str | Path) -> Array:
    """(T, F) of a ``.npy``, or of the array ``frames`` of a ``.npz``. Raises InputError."""
    if beginning(path, len(ZIP)) != ZIP:
        return array(path)
    with described(display_name(path), "archive of arrays (.npz)"), zipfile.ZipFile(path) as packed:
        return member(packed, "frames", FLOATS, 2)


def mapped(path: str | Path) -> Array:
    """The same, but a row is read from the file when it is asked for. Raises InputError."""
    name = display_name(path)
    with described(name, "array (.npy)"), open(path, "rb") as stream:
        size = Path(path).stat().st_size
        dtype, by_columns, shape = layout(stream, size, FLOATS, 2)
        start = stream.tell()
        if start + math.prod(shape) * dtype.itemsize != size:
            raise ValueError(MISFIT)
        order: Any = "F" if by_columns else "C"
        return np.memmap(path, dtype, "r", start, shape, order)


def n_rows(path: str | Path) -> int | None:
    """How many rows a ``.npy`` has, or clips a ``.npz``; None of other files. Raises InputError."""
    name, magic = display_name(path), beginning(path, len(NPY))
    if magic == NPY:
        with described(name, "array (.npy)"), open(path, "rb") as stream:
            return layout(stream, Path(path).stat().st_size, FLOATS, 2)[2][0]
    if not magic.startswith(ZIP):
        return None
    with described(name, "archive of arrays (.npz)"), zipfile.ZipFile(path) as packed:
        return len(offsets_of(packed, len(member(packed, "frames", FLOATS, 2)))) - 1


def archive(path: str | Path, labelled: bool) -> Iterator[Clip]:
    """The clips of a ``.npz``, counted from 1. Raises InputError."""
    name = display_name(path)
    with described(name, "archive of arrays (.npz)"), zipfile.ZipFile(path) as packed:
        frames = member(packed, "frames", FLOATS, 2)
        offsets = offsets_of(packed, len(frames))
        labels = member(packed, "labels", TEXTS + WHOLE, 1) if labelled else None
        if labels is not None and len(labels) != len(offsets) - 1:
            raise ValueError(f"{len(labels):,} labels for {len(offsets) - 1:,} clips")
    for i, (first, last) in enumerate(pairwise(offsets.tolist())):
        if first == last:
            refuse_at(name, i + 1, "no frame in it")
        said = () if labels is None else label_names(labels[i].item(), name, i + 1)
        yield Clip(said, finite(frames[first:last], name, i + 1, "frame"), i + 1, name)


def offsets_of(packed: zipfile.ZipFile, n: int) -> NDArray[np.int64]:
    """Where each clip begins, and n at the end. Raises ValueError."""
    if "lengths.npy" in packed.namelist():
        lengths = member(packed, "lengths", WHOLE, 1)
        if (lengths < 0).any() or (lengths > n).any():
            raise ValueError("lengths that cannot be")
        offsets = np.append(0, np.cumsum(lengths.astype(np.int64)))
    else:
        offsets = member(packed, "offsets", WHOLE, 1).astype(np.int64)
    if not len(offsets) or offsets[0] != 0 or offsets[-1] != n or (np.diff(offsets) < 0).any():
        raise ValueError(f"lengths or offsets do not cut its {n:,} frames")
    return offsets


def member(packed: zipfile.ZipFile, name: str, kinds: str, ndim: int) -> NDArray[Any]:
    """An array of an archive. Raises ValueError, and KeyError where there is none."""
    try:
        info = packed.getinfo(f"{name}.npy")
    except KeyError:
        raise ValueError(f"it has no array {name!r}") from None
    if info.file_size > FULL and info.file_size > DENSEST * max(1, info.compress_size):
        raise ValueError(f"{name}: unpacks to {info.file_size:,} bytes, which cannot be meant")
    with packed.open(info) as stream:
        try:
            return read_array(stream, info.file_size, kinds, ndim)
        except ValueError as error:
            raise ValueError(f"{name}: {error}") from None


def read_array(stream: IO[bytes], size: int, kinds: str, ndim: int) -> NDArray[Any]:
    """An array of ``size`` bytes with its header, which must agree. Raises ValueError."""
    dtype, by_columns, shape = layout(stream, size, kinds, ndim)
    n_bytes = math.prod(shape) * dtype.itemsize
    raw = stream.read(n_bytes + 1)
    if len(raw) != n_bytes:
        raise ValueError(MISFIT)
    x = np.frombuffer(raw, dtype)
    return x.reshape(shape[::-1]).T if by_columns else x.reshape(shape)


def layout(
    stream: IO[bytes], size: int, kinds: str, ndim: int
) -> tuple[np.dtype[Any], bool, tuple[int, ...]]:
    """The header of an array of these kinds that fits into ``size`` bytes. Raises ValueError."""
    dtype, by_columns, shape = header_of(stream)
    if dtype.kind not in kinds:
        raise ValueError(f"its numbers are of type {dtype}, not {WANTED[kinds[0]]}")
    if len(shape) != ndim or min(shape) < 1:
        raise ValueError(f"its shape is {shape}, but {ndim} dimensions that are not 0 are needed")
    n_bytes = math.prod(shape) * dtype.itemsize
    if n_bytes > MOST or n_bytes >= size:
        raise ValueError("it is cut short, or larger than can be meant")
    return dtype, by_columns, shape


def header_of(stream: IO[bytes]) -> tuple[np.dtype[Any], bool, tuple[int, ...]]:
    """Type, whether columns come first, shape. Raises ValueError and the like."""
    magic, version = stream.read(len(NPY)), stream.read(2)
    if magic != NPY or version not in LENGTHS:
        raise ValueError("it does not begin as numpy's arrays do")
    (length,) = struct.unpack(LENGTHS[version], stream.read(struct.calcsize(LENGTHS[version])))
    if length > LONGEST_HEADER:
        raise ValueError("its header is damaged")
    header = ast.literal_eval(stream.read(length).decode("ascii").strip())
    descr, by_columns, shape = (header[name] for name in ("descr", "fortran_order", "shape"))
    if type(by_columns) is not bool or type(shape) is not tuple or type(descr) is not str:
        raise ValueError("its header is damaged, or it holds records")
    if not all(type(n) is int for n in shape):
        raise ValueError("its shape is damaged")
    if not PLAIN.fullmatch(descr):
        raise ValueError(f"it is of type {descr[:40]!r}, which holds no plain numbers or text")
    return np.dtype(descr), by_columns, shape


WANTED = {FLOATS: "float16, float32 or float64", WHOLE[0]: "whole numbers", TEXTS: "text"}


@contextmanager
def described(name: str, kind: str) -> Iterator[None]:
    """Turns whatever a broken file causes into one InputError."""
    try:
        yield
    except OSError as error:
        reason = error.strerror or error
        raise InputError(f"{name}: cannot be read: {reason}; check the path") from error
    except BROKEN as error:
        reason = " ".join(str(error).split())[:200]
        raise InputError(f"{name}: not a usable {kind}: {reason}") from None
