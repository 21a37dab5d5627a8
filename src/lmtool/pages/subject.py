"""What a page is about: a model, its card, and what it is measured on and looked into with."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from typing import Any

from lmtool import arguments
from lmtool.display import counted
from lmtool.errors import ConfigError, InputError, option
from lmtool.faces import known
from lmtool.text.reader import display_name

__all__ = ["Subject", "subject"]

LINES = 1_000  # that a model is measured on at most
SEARCHED = 200  # where each is a search
SHOWN = 12  # that are looked into
READ_TEXT = ("language model", "tagger", "classifier", "translator")  # kinds


@dataclass(frozen=True, slots=True)
class Subject:
    """A loaded model, by its file's base name, and what is given of texts."""

    name: str
    face: Any
    card: dict[str, Any]
    records: tuple[Any, ...] = ()  # of the kind: lines, tagged words, labelled sources, pairs
    texts: tuple[str, ...] = ()  # without anything beside them
    given: str = ""  # ``the first 1,000 lines of test.txt``
    threads: int = 1

    @property
    def kind(self) -> str:
        """Its name."""
        return str(self.face.kind)

    @property
    def provenance(self) -> dict[str, Any]:
        """What the file claims, where it claims as much."""
        own: dict[str, Any] = self.face.provenance
        return own

    def claimed(self, *names: str) -> Any:
        """A value of the provenance, ``claimed("corpus", "train")``; None where there is none."""
        value: Any = self.provenance
        for name in names:
            value = value.get(name) if isinstance(value, dict) else None
        return value


def subject(
    name: str,
    face: Any,
    files: Sequence[str] = (),
    texts: Iterable[str] = (),
    threads: int = 1,
) -> Subject:
    """The files are read as ``evaluate`` reads them. Raises InputError, ConfigError."""
    card, said = face.info(), tuple(texts)
    if said and face.kind not in READ_TEXT:
        raise ConfigError(f"{option('text')}: a {face.kind} reads no sentences; leave it out")
    if not files:
        return Subject(name, face, card, texts=said, threads=threads)
    read, most, thing = READERS[face.kind]
    found = read(face, [*files])
    records = tuple(islice(found, most))
    if not records:
        raise InputError(f"{' and '.join(map(display_name, files))}: no text in it")
    more = next(found, None) is not None
    given = f"{counted(len(records), thing)} of {' and '.join(map(base, files))}"
    given = f"the first {given}" if more else given
    return Subject(name, face, card, records, said, given, threads)


def base(path: str) -> str:
    """The name without folders: pages say nothing about the machine that they were made on."""
    return display_name(path).replace("\\", "/").rsplit("/", 1)[-1]


def lines(face: Any, files: list[str]) -> Iterator[str]:
    """Those with words in them."""
    every = chain.from_iterable(map(arguments.source, files))
    return (line for line in every if line.strip())


def tagged(face: Any, files: list[str]) -> Iterator[Any]:
    """Words with tags."""
    return chain.from_iterable(map(arguments.tagged, files))


def labelled(face: Any, files: list[str]) -> Iterator[Any]:
    """Sources with labels; vectors and the labels beside them are two files."""
    given: Any = files if face.reads == "vector" else None
    if given is not None:
        return iter(face._given.labelled(given, None, None))
    return chain.from_iterable(face._given.labelled(file, None, None) for file in files)


def translations(face: Any, files: list[str]) -> Iterator[Any]:
    """Sources with texts."""
    return known.translations(files)


def captions(face: Any, files: list[str]) -> Iterator[Any]:
    """The same of vectors."""
    return known.captions(files, face.width, lambda one: one)


def recordings(face: Any, files: list[str]) -> Iterator[Any]:
    """Those of manifests, not read yet, with what is said."""
    return chain.from_iterable(face.takes(file, labelled=True) for file in files)


Reader = Callable[[Any, list[str]], Iterator[Any]]
# kind -> how its files are read, how many records at most, what they are called
READERS: dict[str, tuple[Reader, int, str]] = {
    "language model": (lines, LINES, "line"),
    "tagger": (tagged, LINES, "sentence"),
    "classifier": (labelled, LINES, "text"),
    "frame classifier": (labelled, LINES, "clip"),
    "vector classifier": (labelled, LINES, "vector"),
    "translator": (translations, SEARCHED, "pair"),
    "captioner": (captions, SEARCHED, "vector"),
    "recogniser": (recordings, SEARCHED, "recording"),
}
