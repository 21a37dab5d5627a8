"""The table of kinds: a new one is a new file and a line here."""

from collections.abc import Callable, Iterator, MutableMapping
from importlib import import_module

from lmtool.kinds.base import Kind, Material

__all__ = ["KINDS", "Kind", "Material", "found"]

Pair = tuple[str, str]  # what a kind reads and writes


class Kinds(MutableMapping[Pair, Kind]):
    """What a kind reads and writes -> the kind, whose file is imported when it is looked at."""

    def __init__(self, homes: dict[Pair, str]) -> None:
        self._homes = homes
        self._read: dict[Pair, Kind] = {}

    def __getitem__(self, pair: Pair) -> Kind:
        if pair not in self._read:
            self._read[pair] = import_module(f"{__name__}.{self._homes[pair]}").KIND
        return self._read[pair]

    def __setitem__(self, pair: Pair, kind: Kind) -> None:
        self._read[pair] = kind

    def __delitem__(self, pair: Pair) -> None:
        del self._read[pair]

    def __iter__(self) -> Iterator[Pair]:
        return iter(self._homes)

    def __len__(self) -> int:
        return len(self._homes)


KINDS = Kinds(
    {
        ("nothing", "text"): "language_model",
        ("text", "text"): "translator",
        ("vector", "text"): "captioner",
        ("frames", "text"): "recogniser",
        ("text", "tags"): "tagger",
        ("text", "label"): "classifier",
        ("frames", "label"): "frame_classifier",
        ("vector", "label"): "vector_classifier",
        ("nothing", "vectors"): "word_embedding",
    }
)


def found(fits: Callable[[Kind], bool]) -> Kind | None:
    """The first kind that fits; those behind it are not imported for that."""
    return next(filter(fits, KINDS.values()), None)
