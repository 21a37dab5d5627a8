"""The model file: one self-sufficient safetensors file, no pickle anywhere.

Tensors: the weights under torch's names, and what the kind of model keeps beside them. The card:
format version, kind, settings, provenance, checksum. Format 1 knew language models alone.
"""

import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar, get_args

import numpy as np

from lmtool import tensor_file
from lmtool.errors import ModelFileError, option
from lmtool.kinds import Kind, found
from lmtool.kinds.base import Trained
from lmtool.models.members import all_shapes
from lmtool.nn.parameters import Parameters
from lmtool.settings import declared
from lmtool.settings.shared import WINDOW
from lmtool.tensor_file import Card, Tensors

__all__ = ["FORMATS", "check_target", "kind_of", "load", "save", "settings_from"]

FORMATS = (1, 2)  # read; the last is written
NO_WEIGHTS = np.zeros(0, np.float32)
LATER: Card = {"window": WINDOW}  # younger settings, and what a file that lacks them means
OLDER: dict[int, Card] = {1: {"kind": "language model"}}  # what a card of that format lacks

Settings = TypeVar("Settings")


def check_target(path: str | Path, overwrite: bool, named: str = "model") -> None:
    """Raises ModelFileError where what an option names cannot be written later on."""
    path = Path(path)
    if path.is_dir():
        raise ModelFileError(f"{path}: is a folder; name a file with {option(named)}")
    if path.exists() and not overwrite:
        ways = f"pass {option('overwrite', True)} or another {option(named)}"
        raise ModelFileError(f"{path}: exists already; {ways}")
    if not path.parent.is_dir():
        raise ModelFileError(f"{path}: there is no folder {path.parent}; make it first")
    try:
        with tempfile.TemporaryFile(dir=path.parent):
            pass
    except OSError as error:
        raise ModelFileError(f"{path}: cannot be written ({error.strerror or error})") from None


def save(model: Trained, path: str | Path, overwrite: bool = False) -> None:
    """Writes the file whole or not at all. Raises ModelFileError."""
    check_target(path, overwrite)
    kind = kind_of(model)
    own, kept = kind.store(model)
    card = {
        "format": FORMATS[-1],
        "kind": kind.name,
        "model": as_card(model.settings),
        **own,
        "provenance": model.provenance,
    }
    try:
        tensor_file.write(Path(path), card, {**model.parameters, **kept})
    except OSError as error:
        raise ModelFileError(f"{path}: cannot be written ({error.strerror or error})") from None


def kind_of(model: Trained) -> Kind:
    """What a model reads and writes."""
    kind = found(lambda kind: kind.build is type(model))
    assert kind is not None
    return kind


def as_card(settings: Any) -> Card:
    """Settings as plain values."""
    known = declared(settings.__class__)
    own = {name: getattr(settings, name) for name in known}
    return {name: value for name, value in own.items() if (name, value) not in LATER.items()}


def load(path: str | Path, named: str = "model") -> Any:
    """The model, after version, checksum, names, shapes, sizes and numbers have been verified.

    ``named`` is the option that named it. Raises ModelFileError with one line that says what is
    wrong.
    """
    if not Path(path).exists():
        message = "there is no model; train one with lmtool train, or name one"
        raise ModelFileError(f"{path}: {message} with {option(named)}")
    with tensor_file.described(path, "model"):
        card, tensors = tensor_file.read(Path(path), *FORMATS)
        return build({**OLDER.get(card["format"], {}), **card}, tensors)


def build(card: Card, tensors: Tensors) -> Trained:
    """The model from verified parts."""
    kind = found(lambda kind: kind.name == card["kind"])
    if kind is None:
        raise ValueError(f"this lmtool does not know its kind: {card['kind']}")
    settings: Any = settings_from(kind.settings, card["model"])
    parts = kind.restore(settings, card, tensors)
    add = kind.beside(settings, parts, card, tensors)
    n_networks = 1 if settings.members is None else settings.members
    if settings.layers * n_networks > len(tensors):
        raise ValueError("it has fewer weights than layers")
    shapes = all_shapes(kind.shapes(settings, parts), settings.members)
    if {name: array.shape for name, array in tensors.items()} != shapes:
        raise ValueError("its weights do not have the names and shapes that its settings ask for")
    flat = np.concatenate([tensors[name].ravel() for name in shapes] or [NO_WEIGHTS])
    if flat.dtype != np.float32 or not np.isfinite(flat).all():
        raise ValueError("its weights are not finite numbers")
    if not isinstance(card["provenance"], dict):
        raise ValueError("its provenance is damaged")
    built: Trained = kind.build(settings, parts, Parameters(shapes, flat), card["provenance"])
    completed: Trained = add(built)
    return completed


def settings_from(kind: Callable[..., Settings], values: Mapping[str, Any]) -> Settings:
    """Settings whose names and types are exactly the expected ones."""
    known = declared(kind)
    values = {name: value for name, value in LATER.items() if name in known} | dict(values)
    if set(values) != set(known):
        raise ValueError("its settings have unknown or missing names")
    for name, (_, hint, _) in known.items():
        allowed = get_args(hint) or (hint,)  # int | None -> int, None
        if type(values[name]) not in allowed and not fits(values[name], allowed):
            raise ValueError(f"its setting {name} is no {allowed[0].__name__}")
        if isinstance(values[name], int | float) and not abs(values[name]) < 2**62:
            raise ValueError(f"its setting {name} is too large")
    return kind(**values)


def fits(value: Any, allowed: Sequence[type]) -> bool:
    """Whether it is a whole number where any number may stand."""
    return type(value) is int and float in allowed
