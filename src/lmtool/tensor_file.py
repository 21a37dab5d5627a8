"""Tensors and a card of JSON in one safetensors file, verified before use; no pickle anywhere.

Metadata: one key, ``lmtool``, with JSON whose ``checksum`` is a SHA-256 over everything else.
"""

import hashlib
import json
import math
import struct
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lmtool.errors import ConfigError, ModelFileError
from lmtool.files import write_atomically
from lmtool.signatures import MODELS, START, is_text, recognised

__all__ = ["Card", "Tensors", "described", "read", "write"]

MOST_HEADER = 100_000_000  # bytes
DEEPEST = 50  # brackets within brackets
LONGEST = 200  # characters of a reason, parts of which may come from the file
DTYPES: dict[str, np.dtype[Any]] = {
    "F32": np.dtype("<f4"),
    "I32": np.dtype("<i4"),
    "I64": np.dtype("<i8"),
    "U8": np.dtype("u1"),
}
ORDER = "I64", "F32", "I32", "U8"  # of tensors in a file
ALIGNED = 8  # bytes

Card = dict[str, Any]
Tensors = dict[str, NDArray[Any]]


def write(path: Path, card: Card, tensors: Tensors) -> None:
    """The file, whole or not at all. Raises OSError."""
    card = {**card, "checksum": checksum(tensors, card)}
    header, parts = to_parts(tensors, {"lmtool": json.dumps(card)})
    write_atomically(path, header, *parts)


def to_parts(tensors: Tensors, metadata: dict[str, str]) -> tuple[bytes, list[memoryview]]:
    """The header and the tensors of a safetensors file, as its own library would write it."""
    kinds = {dtype: name for name, dtype in DTYPES.items()}
    ordered = sorted(tensors.items(), key=lambda one: (ORDER.index(kinds[one[1].dtype]), one[0]))
    header: dict[str, Any] = {"__metadata__": metadata}
    end = 0
    for name, array in ordered:
        places, end = [end, end + array.nbytes], end + array.nbytes
        shape = list(array.shape)
        header[name] = {"dtype": kinds[array.dtype], "shape": shape, "data_offsets": places}
    text = json.dumps(header, ensure_ascii=False, separators=(",", ":")).encode()
    text += b" " * (-len(text) % ALIGNED)
    parts = [np.ascontiguousarray(array).reshape(-1).view(np.uint8).data for _, array in ordered]
    return struct.pack("<Q", len(text)) + text, parts


def read(path: Path, *versions: int) -> tuple[Card, Tensors]:
    """The card and read-only views of the tensors, once format and checksum have been verified.

    Nothing is allocated that the file does not hold. Raises OSError, ValueError and the like.
    """
    card, tensors = parse(read_bytes(path), versions)
    if card.pop("checksum", None) != checksum(tensors, card):
        raise ValueError("the file was altered or damaged (its checksum does not fit)")
    return card, tensors


@contextmanager
def described(path: str | Path, kind: str) -> Iterator[None]:
    """Turns whatever a broken file causes into one ModelFileError."""
    try:
        yield
    except OSError as error:
        raise ModelFileError(f"{path}: {error.strerror or error}") from None
    except (ValueError, TypeError, LookupError, AttributeError) as error:
        raise ModelFileError(f"{path}: not a usable {kind}: {reason(error)}") from None
    except (ArithmeticError, RecursionError, ConfigError) as error:
        raise ModelFileError(f"{path}: not a usable {kind}: {reason(error)}") from None


def reason(error: Exception) -> str:
    """What went wrong, on one line and not too long."""
    text = f"it lacks {error}" if isinstance(error, KeyError) else str(error)
    text = " ".join(text.split())
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}..."


def checksum(tensors: Mapping[str, NDArray[Any]], card: Card) -> str:
    """SHA-256 over the card and every tensor's name, type, shape and bytes."""
    digest = hashlib.sha256(json.dumps(card, sort_keys=True).encode())
    for name in sorted(tensors):
        array = np.ascontiguousarray(tensors[name])
        digest.update(f"\n{name} {array.dtype.str} {array.shape}\n".encode())
        digest.update(array.data)
    return digest.hexdigest()


def read_bytes(path: Path) -> memoryview:
    """The file's content; refuses what is not a regular file."""
    if path.exists() and not path.is_file():
        raise ValueError("it is not a file")
    return memoryview(path.read_bytes())


def parse(content: memoryview, versions: tuple[int, ...]) -> tuple[Card, Tensors]:
    """The card and the tensors, which follow each other without a gap."""
    if len(content) < 8:
        raise ValueError("it is cut short or empty")
    refuse_foreign(bytes(content[:START]))
    (size,) = struct.unpack("<Q", content[:8])
    if size > min(MOST_HEADER, len(content) - 8):
        raise ValueError("it is cut short, or another kind of file")
    header = from_json(bytes(content[8 : 8 + size]).decode())
    if not isinstance(header, dict):
        raise ValueError("its header is damaged")
    card = from_json(header.pop("__metadata__", {})["lmtool"])
    if not isinstance(card, dict) or card["format"] not in versions:
        known = " or ".join(map(str, versions))
        raise ValueError(f"its format is not {known}, which this lmtool reads")
    data = content[8 + size :]
    check_places([entry["data_offsets"] for entry in header.values()], len(data))
    return card, {name: tensor(data, entry) for name, entry in header.items()}


def refuse_foreign(start: bytes) -> None:
    """Raises ValueError for the first bytes of a file that is no safetensors."""
    kind = recognised(start)
    if kind and kind.name not in MODELS:
        raise ValueError(f"it is {kind.name}")
    if is_text(start):
        raise ValueError("it is a text")


def from_json(text: str) -> Any:
    """The value. Raises ValueError for a name that stands twice, or brackets too deep."""
    value = json.loads(text, object_pairs_hook=unique)
    level = [value]
    for _ in range(DEEPEST):
        level = [part for outer in level for part in parts_of(outer)]
    if level:
        raise ValueError("its header is nested too deep")
    return value


def unique(pairs: list[tuple[str, Any]]) -> Card:
    """An object, none of whose names stands twice."""
    card = dict(pairs)
    if len(card) != len(pairs):
        raise ValueError("its header has a name twice")
    return card


def parts_of(value: Any) -> Iterable[Any]:
    """What stands within brackets."""
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()


def check_places(places: list[list[int]], size: int) -> None:
    """Raises ValueError unless the tensors fill ``size`` bytes, each byte once."""
    end = 0
    for start, stop in sorted(places):
        if not (type(start) is type(stop) is int and start == end and stop >= start):
            raise ValueError("it is cut short, or a tensor's place is damaged")
        end = stop
    if end != size:
        raise ValueError("it is cut short, or holds more than its header says")


def tensor(data: memoryview, entry: Mapping[str, Any]) -> NDArray[Any]:
    """A read-only view of one tensor."""
    dtype, shape = DTYPES[entry["dtype"]], tuple(entry["shape"])
    start, stop = entry["data_offsets"]
    if not all(type(n) is int and 0 <= n <= len(data) for n in shape):
        raise ValueError("a tensor's shape is damaged")
    if stop - start != math.prod(shape) * dtype.itemsize:
        raise ValueError("it is cut short, or a tensor's place is damaged")
    return np.frombuffer(data[start:stop], dtype).reshape(shape)
