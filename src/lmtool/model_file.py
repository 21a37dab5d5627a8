"""The model file: one self-sufficient safetensors file, no pickle anywhere.

Tensors: the weights under torch's names, ``vocabulary`` (UTF-8 bytes, one token a line) and
``counts`` (int64). The card: format version, settings, provenance, checksum.
"""

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any, TypeVar, get_args, get_type_hints

import numpy as np
from numpy.typing import NDArray

from lmtool import tensor_file
from lmtool.errors import ModelFileError, option
from lmtool.models.language_model import LanguageModel, parameter_shapes
from lmtool.nn.outputs import SOFTMAXES
from lmtool.nn.parameters import Parameters
from lmtool.settings import ModelSettings, TextSettings, TrainSettings
from lmtool.tensor_file import Card, Tensors
from lmtool.text.vocabulary import Vocabulary

__all__ = ["check_target", "load", "save", "settings_from"]

FORMAT = 1

Settings = TypeVar("Settings", ModelSettings, TextSettings, TrainSettings)


def check_target(path: str | Path, overwrite: bool) -> None:
    """Raises ModelFileError where a model cannot be written later on."""
    path = Path(path)
    if path.is_dir():
        raise ModelFileError(f"{path}: is a folder; name a file with {option('model')}")
    if path.exists() and not overwrite:
        ways = f"pass {option('overwrite', True)} or another {option('model')}"
        raise ModelFileError(f"{path}: exists already; {ways}")
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
    tensors: Tensors = dict(model.parameters.items())
    tensors["vocabulary"] = np.frombuffer("\n".join(vocabulary.tokens).encode(), np.uint8)
    tensors["counts"] = vocabulary.counts
    card = {
        "format": FORMAT,
        "model": asdict(model.settings),
        "text": asdict(vocabulary.settings),
        "provenance": model.provenance,
    }
    try:
        tensor_file.write(Path(path), card, tensors)
    except OSError as error:
        raise ModelFileError(f"{path}: cannot be written ({error.strerror or error})") from None


def load(path: str | Path, named: str = "model") -> LanguageModel:
    """The model, after version, checksum, names, shapes, sizes and numbers have been verified.

    ``named`` is the option that named it. Raises ModelFileError with one line that says what is
    wrong.
    """
    if not Path(path).exists():
        message = "there is no model; train one with lmtool train, or name one"
        raise ModelFileError(f"{path}: {message} with {option(named)}")
    with tensor_file.described(path, "model"):
        return build(*tensor_file.read(Path(path), FORMAT))


def build(card: Card, tensors: Tensors) -> LanguageModel:
    """The model from verified parts."""
    settings = settings_from(ModelSettings, card["model"])
    text = settings_from(TextSettings, card["text"])
    vocabulary = vocabulary_from(tensors.pop("vocabulary"), tensors.pop("counts"), text)
    if settings.softmax not in SOFTMAXES:
        raise ValueError(f"its softmax is unknown: {settings.softmax!r}")
    if settings.layers * (settings.members or 1) > len(tensors):
        raise ValueError("it has fewer weights than layers")
    shapes = parameter_shapes(settings, vocabulary.n_tokens)
    if {name: array.shape for name, array in tensors.items()} != shapes:
        raise ValueError("its weights do not have the names and shapes that its settings ask for")
    flat = np.concatenate([tensors[name].ravel() for name in shapes])
    if flat.dtype != np.float32 or not np.isfinite(flat).all():
        raise ValueError("its weights are not finite numbers")
    if not isinstance(card["provenance"], dict):
        raise ValueError("its provenance is damaged")
    return LanguageModel(settings, vocabulary, Parameters(shapes, flat), card["provenance"])


def vocabulary_from(
    spelled: NDArray[Any], counts: NDArray[Any], settings: TextSettings
) -> Vocabulary:
    """Tokens from UTF-8 bytes (n,), one a line, with their counts (V,)."""
    if spelled.dtype != np.uint8 or spelled.ndim != 1 or counts.dtype != np.int64:
        raise ValueError("its vocabulary is damaged")
    return Vocabulary(tuple(spelled.tobytes().decode().split("\n")), counts, settings)


def settings_from(kind: type[Settings], values: Mapping[str, Any]) -> Settings:
    """Settings whose names and types are exactly the expected ones."""
    names = {field.name for field in fields(kind)}
    if set(values) != names:
        raise ValueError("its settings have unknown or missing names")
    for name, hint in get_type_hints(kind).items():
        allowed = get_args(hint) or (hint,)  # int | None -> int, None
        if type(values[name]) not in allowed and not fits(values[name], allowed):
            raise ValueError(f"its setting {name} is no {allowed[0].__name__}")
        if isinstance(values[name], int | float) and not abs(values[name]) < 2**62:
            raise ValueError(f"its setting {name} is too large")
    return kind(**values)


def fits(value: Any, allowed: Sequence[type]) -> bool:
    """Whether it is a whole number where any number may stand."""
    return type(value) is int and float in allowed
