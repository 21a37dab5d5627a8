"""A translator and a captioner without networks: what they write is made of chance."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from lmtool import model_file
from lmtool.kinds import KINDS
from lmtool.nn.parameters import Parameters
from lmtool.text.vocabulary import Vocabulary
from tests.inference.chance import ChanceModel, vocabulary_of

__all__ = ["Captions", "Loads", "Translations", "captions", "translations", "writers"]


@dataclass(frozen=True)
class Settings:
    """As little as a model can have."""

    extractor: str = "chance"
    attention: str = "after"


@dataclass(frozen=True, repr=False)
class Trained(ChanceModel):
    """With all that a face asks for."""

    settings: Settings = field(default_factory=Settings)
    parameters: Parameters = field(default_factory=lambda: Parameters({"output.bias": (2,)}))
    provenance: dict[str, Any] = field(default_factory=lambda: {"recipe": {"seed": 1}})
    parts: Any = field(default_factory=lambda: SimpleNamespace(standard=range(3)))

    def _parts(self) -> Iterator[str]:
        yield "chance"


class Translations(Trained):
    """Of lines."""


class Captions(Trained):
    """Of vectors of three numbers."""


Loads = Callable[[str, Trained], None]


def english() -> Vocabulary:
    """Seven outputs."""
    return vocabulary_of("the", "dog", "saw", "a", "cat")


def translations(seed: int = 0, eyes: bool = True) -> Translations:
    """Into English."""
    look = "after" if eyes else "none"
    return Translations(english(), seed, eyes, settings=Settings(attention=look))


def captions(seed: int = 0) -> Captions:
    """In English."""
    return Captions(english(), seed, eyes=False)


@pytest.fixture
def writers(monkeypatch: pytest.MonkeyPatch) -> Loads:
    """writers(path, model): the file of this name holds this stand-in; others are what they are."""
    verbs = "score", "sample", "next", "evaluate"
    for name, reads, verb, build in (
        ("translator", "text", "translate", Translations),
        ("captioner", "vector", "caption", Captions),
    ):
        kind = SimpleNamespace(
            name=name,
            reads=reads,
            writes="text",
            verbs=(verb, *verbs),
            build=build,
            store=lambda model: ({"text": {}}, {}),
        )
        monkeypatch.setitem(KINDS, (reads, "text"), kind)
    models: dict[str, Trained] = {}
    load = model_file.load

    def loaded(path: str | Path) -> Any:
        return models.get(str(path)) or load(path)

    monkeypatch.setattr(model_file, "load", loaded)
    return models.__setitem__
