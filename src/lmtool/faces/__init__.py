"""A face for each kind of model: what its commands do, as methods.

A new kind brings a file here and a line in ``FACES``.
"""

from collections.abc import Callable
from dataclasses import fields
from typing import TYPE_CHECKING, Any, TypeVar

from lmtool import arguments, model_file
from lmtool.arguments import PathLike
from lmtool.errors import ModelFileError, option
from lmtool.kinds import KINDS, Kind
from lmtool.lazily import attributes

if TYPE_CHECKING:
    from lmtool.faces.captioner import Captioner
    from lmtool.faces.classifier import Classifier
    from lmtool.faces.language_model import Model
    from lmtool.faces.recogniser import Recogniser
    from lmtool.faces.tagger import Tagger
    from lmtool.faces.translator import Translator
    from lmtool.faces.word_embedding import WordEmbedding

__all__ = ["FACES", "Captioner", "Classifier", "Model", "Recogniser", "Tagger"]
__all__ += ["Translator", "WordEmbedding", "face_of", "load", "load_as", "load_for"]
__all__ += ["load_vectors", "source_of", "trained"]

FACES = {  # of kinds
    "language model": "Model",
    "tagger": "Tagger",
    "translator": "Translator",
    "captioner": "Captioner",
    "recogniser": "Recogniser",
    "word embedding": "WordEmbedding",
    **dict.fromkeys(("classifier", "frame classifier", "vector classifier"), "Classifier"),
}
HOMES = {
    "Captioner": "captioner",
    "Classifier": "classifier",
    "Model": "language_model",
    "Recogniser": "recogniser",
    "Tagger": "tagger",
    "Translator": "translator",
    "WordEmbedding": "word_embedding",
}

Face = TypeVar("Face")
Fits = Callable[[Kind], bool]

__getattr__ = attributes(__name__, HOMES)


def face_of(model: Any) -> Any:
    """The face of a trained model."""
    return __getattr__(FACES[model_file.kind_of(model).name])(model)


def trained(face: Any) -> Any:
    """The trained model behind a face, which is its one field."""
    return getattr(face, fields(face)[0].name)


def source_of(model: Any, given: Any) -> Any:
    """A text, or an array as a clip that fits a trained model. Raises InputError."""
    from lmtool.faces import sources

    reads = model_file.kind_of(model).reads
    if given is None or reads not in sources.NDIM:
        return given if given is None else arguments.text(given, "given")
    width = getattr(face_of(model), "width", None)
    return next(sources.given(reads, width).sources([given]))


def load(path: PathLike) -> Any:
    """The model in a file, verified before use. Raises ModelFileError."""
    return face_of(model_file.load(arguments.path(path, "path")))


def load_vectors(path: PathLike) -> Any:
    """Whatever has vectors of words: a model, or a file of them, word2vec's text or ``.npy``.

    Raises ModelFileError, InputError; ConfigError for a model without any.
    """
    from lmtool import vector_file
    from lmtool.faces.vectors import ForeignVectors
    from lmtool.inference.embeddings import tables_of

    path = arguments.path(path, "path")
    if not vector_file.is_model(path):
        return ForeignVectors(vector_file.load(path))
    loaded = load(path)
    tables_of(trained(loaded))
    return loaded


def load_for(command: str, path: PathLike) -> Any:
    """The same for a command. Raises ModelFileError for a kind that is not for it, with what is."""
    return _loaded(path, lambda kind: command in kind.verbs, f"lmtool {command}")


def load_as(path: PathLike, face: type[Face]) -> Face:
    """The same as a certain face. Raises ModelFileError for a model of another kind."""
    name = face.__name__
    loaded: Face = _loaded(path, lambda kind: FACES.get(kind.name) == name, f"lmtool.{name}")
    return loaded


def _loaded(path: PathLike, fits: Fits, who: str) -> Any:
    """The model, of one of the kinds that ``who`` needs."""
    model = model_file.load(arguments.path(path, "path"))
    kind = model_file.kind_of(model)
    if not fits(kind):
        fitting = [*filter(fits, KINDS.values())]
        what, wanted = described(kind), " or ".join(other.name for other in fitting)
        ways = [*map(asked_for, fitting)]
        how = f"train it with {' or '.join(ways)}" if all(ways) else "lmtool train makes it"
        raise ModelFileError(f"{path}: is a {what}, not a {wanted}; {who} needs one: {how}")
    return face_of(model)


def described(kind: Kind) -> str:
    """``language model (score, sample, evaluate)``."""
    return f"{kind.name} ({', '.join(kind.verbs)})"


def asked_for(kind: Kind) -> str:
    """The options of training that ask for a kind; none for a language model."""
    usual = "nothing" if kind.writes == "text" else "text"
    reads = option("reads", kind.reads) if kind.reads != usual else ""
    writes = option("writes", kind.writes) if kind.writes != "text" else ""
    return " ".join(filter(None, (reads, writes)))
