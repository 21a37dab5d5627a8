"""What a run is asked for."""

from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any

from lmtool.kinds import KINDS, Kind
from lmtool.model_file import settings_from
from lmtool.settings import TextSettings, TrainSettings
from lmtool.settings.pairs import pair_of, refuse_choices
from lmtool.tensor_file import Card
from lmtool.text.sentences import Sentences

__all__ = ["Given", "Keeping", "Request"]


@dataclass(frozen=True, slots=True)
class Request:
    """Files and settings; a None in these follows the corpus until it is planned."""

    corpus: tuple[str, ...]
    valid: tuple[str, ...]
    model: str | None
    text: TextSettings
    network: Any  # settings of the kind
    recipe: TrainSettings
    reads: str = "nothing"
    writes: str = "text"
    columns: dict[str, str | None] = field(default_factory=dict)  # of a table: text, label
    init: str | None = None  # the model to begin with, if it is in a file

    @property
    def kind(self) -> Kind:
        """What is trained."""
        return KINDS[self.reads, self.writes]

    def card(self) -> Card:
        """The same as plain values."""
        return asdict(self)

    @classmethod
    def from_card(cls, values: Card) -> "Request":
        """A request whose parts have the expected types. Raises ValueError and the like."""
        if set(values) != set(cls.__slots__) or type(values["model"]) is not str:
            raise ValueError("its request has unknown or missing names")
        files = [value for name in ("corpus", "valid") for value in values[name]]
        files += [] if values["init"] is None else [values["init"]]
        if not all(type(file) is str for file in files):
            raise ValueError("its texts or its model are no names of files")
        kind = KINDS[values["reads"], values["writes"]]
        refuse_choices(pair_of(kind.reads, kind.writes), values["recipe"])
        return cls(
            corpus=tuple(values["corpus"]),
            valid=tuple(values["valid"]),
            model=values["model"],
            text=settings_from(TextSettings, values["text"]),
            network=settings_from(kind.settings, values["network"]),
            recipe=settings_from(TrainSettings, values["recipe"]),
            reads=kind.reads,
            writes=kind.writes,
            columns=columns_from(values["columns"]),
            init=values["init"],
        )


def columns_from(values: Any) -> dict[str, str | None]:
    """Names of columns. Raises ValueError."""
    if not isinstance(values, dict) or not set(values) <= {"text", "label", "tags"}:
        raise ValueError("its columns have unknown names")
    if not all(value is None or type(value) is str for value in values.values()):
        raise ValueError("its columns are no names")
    return values


@dataclass(frozen=True, slots=True)
class Given:
    """What is said again when a run is resumed."""

    corpus: tuple[str, ...]
    valid: tuple[str, ...]
    options: dict[str, Any]  # fields of settings
    sentences: Sentences | None = None
    init: Any = None  # a model


@dataclass(frozen=True, slots=True)
class Keeping:
    """How a run is kept from being lost."""

    every: float  # seconds between two saved states, or more where saving takes long
    stop: Callable[[], int]  # the number of the signal that ends the run; 0: go on
    goes_on: str | None = None  # what continues a run that was stopped; a command by default
