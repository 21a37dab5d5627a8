"""The model file: one self-sufficient safetensors file, no pickle anywhere.

Tensors: the weights under torch's names, ``vocabulary`` (UTF-8 bytes, one token a line) and
``counts`` (int64). Metadata: one key, ``lmtool``, with JSON of the format version, settings,
provenance and a SHA-256 over everything else.
"""

import contextlib
import hashlib
import json
import math
import struct
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import save as to_bytes

from lmtool.errors import ConfigError, ModelFileError
from lmtool.files import write_atomically
from lmtool.models.language_model import LanguageModel, parameter_shapes
from lmtool.nn.cells import CELLS
from lmtool.nn.cells.rnn import ACTIVATIONS
from lmtool.nn.outputs import SOFTMAXES
from lmtool.nn.parameters import Parameters
from lmtool.settings import ModelSettings, TextSettings
from lmtool.text.vocabulary import Vocabulary

__all__ = ["check_target", "load", "save"]

FORMAT = 1
MOST_HEADER = 100_000_000  # bytes
DTYPES: dict[str, np.dtype[Any]] = {
    "F32": np.dtype("<f4"),
    "I64": np.dtype("<i8"),
    "U8": np.dtype("u1"),
}
FOREIGN = {  # first bytes of files that are mistaken for models
    b"PK": "a zip archive or a PyTorch file",
    b"\x1f\x8b": "a gzip archive",
    b"\x80": "a Python pickle",
    b"\x89HDF": "an HDF5 file",
}

Tensors = Mapping[str, NDArray[Any]]
Settings = TypeVar("Settings", ModelSettings, TextSettings)


def check_target(path: str | Path, overwrite: bool) -> None:
    """Raises ModelFileError where a model cannot be written later on."""
    path = Path(path)
    if path.is_dir():
        raise ModelFileError(f"{path}: is a folder; name a file with --model")
    if path.exists() and not overwrite:
        raise ModelFileError(f"{path}: exists already; pass --overwrite or another --model")
    if not path.parent.is_dir():
        raise ModelFileError(f"{path}: there is no folder {path.parent}; make it first")
    try:
        with tempfile.TemporaryFile(dir=path.parent):
            pass
    except OSError as error:
        raise ModelFileError(f"{path}: cannot be written ({error.strerror or error})") from None


def save(model: LanguageModel, path: str | Path, overwrite: bool = False) -> None:
    """Writes the file whole or not at all. Raises ModelFileError."""
    check_target(path, overwrite)
    vocabulary = model.vocabulary
    tensors: dict[str, NDArray[Any]] = dict(model.parameters.items())
    tensors["vocabulary"] = np.frombuffer("\n".join(vocabulary.tokens).encode(), np.uint8)
    tensors["counts"] = vocabulary.counts
    card = {
        "format": FORMAT,
        "model": asdict(model.settings),
        "text": asdict(vocabulary.settings),
        "provenance": model.provenance,
    }
    card["checksum"] = checksum(tensors, card)
    try:
        write_atomically(Path(path), to_bytes(tensors, {"lmtool": json.dumps(card)}))
    except OSError as error:
        raise ModelFileError(f"{path}: cannot be written ({error.strerror or error})") from None


def checksum(tensors: Tensors, card: Mapping[str, Any]) -> str:
    """SHA-256 over the card and every tensor's name, type, shape and bytes."""
    digest = hashlib.sha256(json.dumps(card, sort_keys=True).encode())
    for name in sorted(tensors):
        array = np.ascontiguousarray(tensors[name])
        digest.update(f"\n{name} {array.dtype.str} {array.shape}\n".encode())
        digest.update(array.data)
    return digest.hexdigest()


def load(path: str | Path) -> LanguageModel:
    """The model, after version, checksum, names, shapes, sizes and numbers have been verified.

    Raises ModelFileError with one line that says what is wrong.
    """
    with described(path):
        content = read_bytes(Path(path))
        card, tensors = parse(content)
        if card.get("checksum") != checksum(tensors, without(card, "checksum")):
            raise ValueError("the file was altered or damaged (its checksum does not fit)")
        return build(card, tensors)


@contextlib.contextmanager
def described(path: str | Path) -> Iterator[None]:
    """Turns whatever a broken file causes into one ModelFileError."""
    try:
        yield
    except FileNotFoundError:
        raise ModelFileError(
            f"{path}: there is no model; train one with lmtool train, or name it with --model"
        ) from None
    except OSError as error:
        raise ModelFileError(f"{path}: {error.strerror or error}") from None
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError, ConfigError) as error:
        raise ModelFileError(f"{path}: not a usable model: {error}") from None


def read_bytes(path: Path) -> memoryview:
    """The file's content; refuses what is not a regular file."""
    if path.exists() and not path.is_file():
        raise ValueError("it is not a file")
    return memoryview(path.read_bytes())


def without(card: Mapping[str, Any], key: str) -> dict[str, Any]:
    """The card less one key."""
    return {name: value for name, value in card.items() if name != key}


def parse(content: memoryview) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    """The card and views of the tensors; nothing is allocated that the file does not hold."""
    for start, kind in FOREIGN.items():
        if bytes(content[: len(start)]) == start and len(content) > 8 and content[7] != 0:
            raise ValueError(f"it is {kind}")
    if len(content) < 8:
        raise ValueError("it is cut short or empty")
    (size,) = struct.unpack("<Q", content[:8])
    if size > min(MOST_HEADER, len(content) - 8):
        raise ValueError("it is cut short, or another kind of file")
    header = json.loads(bytes(content[8 : 8 + size]).decode())
    if not isinstance(header, dict):
        raise ValueError("its header is damaged")
    card = json.loads(header.pop("__metadata__", {})["lmtool"])
    if card["format"] != FORMAT:
        raise ValueError(f"its format is {card['format']!r}, this lmtool reads {FORMAT}")
    data = content[8 + size :]
    tensors = {name: tensor(data, entry) for name, entry in header.items()}
    if sum(array.nbytes for array in tensors.values()) != len(data):
        raise ValueError("it is cut short, or holds more than its header says")
    return card, tensors


def tensor(data: memoryview, entry: Mapping[str, Any]) -> NDArray[Any]:
    """A read-only view of one tensor."""
    dtype, shape = DTYPES[entry["dtype"]], tuple(entry["shape"])
    start, stop = entry["data_offsets"]
    if not all(type(n) is int and n >= 0 for n in (start, stop, *shape)):
        raise ValueError("a tensor's shape or place is damaged")
    if not start <= stop <= len(data) or stop - start != math.prod(shape) * dtype.itemsize:
        raise ValueError("it is cut short, or a tensor's place is damaged")
    return np.frombuffer(data[start:stop], dtype).reshape(shape)


def build(card: Mapping[str, Any], tensors: dict[str, NDArray[Any]]) -> LanguageModel:
    """The model from verified parts."""
    settings = settings_from(ModelSettings, card["model"])
    tokens = tuple(bytes(tensors.pop("vocabulary")).decode().split("\n"))
    text = settings_from(TextSettings, card["text"])
    vocabulary = Vocabulary(tokens, tensors.pop("counts").astype(np.int64), text)
    if settings.cell not in CELLS or settings.activation not in ACTIVATIONS:
        raise ValueError(f"its cell is unknown: {settings.cell!r} {settings.activation!r}")
    if settings.softmax not in SOFTMAXES:
        raise ValueError(f"its softmax is unknown: {settings.softmax!r}")
    if settings.layers > len(tensors):
        raise ValueError("it has fewer weights than layers")
    shapes = parameter_shapes(settings, len(tokens))
    if {name: array.shape for name, array in tensors.items()} != shapes:
        raise ValueError("its weights do not have the names and shapes that its settings ask for")
    flat = np.concatenate([tensors[name].ravel() for name in shapes])
    if flat.dtype != np.float32 or not np.isfinite(flat).all():
        raise ValueError("its weights are not finite numbers")
    return LanguageModel(settings, vocabulary, Parameters(shapes, flat), card["provenance"])


def settings_from(kind: type[Settings], values: Mapping[str, Any]) -> Settings:
    """Settings whose names and types are exactly the expected ones."""
    names = {field.name for field in fields(kind)}
    if set(values) != names:
        raise ValueError("its settings have unknown or missing names")
    default = asdict(kind())
    for name, value in values.items():
        expected = int if default[name] is None else type(default[name])
        if type(value) is not expected:
            raise ValueError(f"its setting {name} is no {expected.__name__}")
    return kind(**values)
