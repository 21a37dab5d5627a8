"""One line as the batch of one example, for any kind: what a gradient is checked on.

What is read goes by what the model has to read it with, what is written by what the kind writes:
a new kind that writes text, tags or labels needs nothing here.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from lmtool.arrays import Ids
from lmtool.data.batch import Batch, unlabelled
from lmtool.data.ragged import Ragged
from lmtool.errors import InputError, OptionError, option
from lmtool.inference.reading import shifted
from lmtool.kinds.base import Kind

__all__ = ["Example", "example", "refuse_misplaced"]

PLACE = "target"  # stands for a file in messages


class Example(NamedTuple):
    """A batch of one, and what its target is called."""

    batch: Batch
    target: str


class Said(NamedTuple):
    """What a text has, as records of files have it."""

    words: tuple[str, ...]
    labels: tuple[str, ...]
    tags: tuple[str, ...]
    line: int = 1
    path: str = PLACE


def example(kind: Kind, model: Any, text: str, given: Any = None, target: str = "") -> Example:
    """The text (and source) of one example with its target. Raises InputError, OptionError.

    ``text`` is what a kind reads, or, where it writes text, what it writes about ``given``;
    ``target`` are tags between blanks, or labels between commas: by default the first one.
    """
    refuse_misplaced(kind, text, given, target)
    source = text if kind.reads == "text" and kind.writes != "text" else given
    batch = sourced(kind, model, source)
    targets, name = WRITTEN[kind.writes](kind, model, text, target)
    inputs = shifted(targets) if kind.outputs else None  # a decoder reads what it has written
    return Example(batch._replace(inputs=inputs, targets=targets, n=1), name)


def refuse_misplaced(kind: Kind, text: str, given: Any, target: str) -> None:
    """Raises OptionError for what the kind does not take, or lacks; InputError for no words."""
    about = kind.reads not in ("nothing", "text") or (kind.reads, kind.writes) == ("text", "text")
    if about and given is None:
        message = f"a {kind.name} reads {described(kind)}: say which"
        raise OptionError(f"{option('given')}: {message}")
    if not about and given is not None:
        raise OptionError(f"{option('given')}: a {kind.name} has no other source; leave it out")
    if kind.writes == "text" and target:
        raise OptionError(f"{option('target')}: a {kind.name} writes text: give that alone")
    spoken = kind.writes == "text" or kind.reads == "text"
    if spoken and not text.strip():
        raise InputError("nothing to check: the sentence is empty")
    if not spoken and text.strip():
        message = f"a {kind.name} reads {described(kind)} and writes no text"
        raise InputError(
            f"{message}: leave the text out, and name the label with {option('target')}"
        )


def described(kind: Kind) -> str:
    """``a text``, ``a vector``, ``frames``."""
    return kind.reads if kind.reads == "frames" else f"a {kind.reads}"


def sourced(kind: Kind, model: Any, given: Any) -> Batch:
    """A batch of one source, without targets; none where nothing is read."""
    if given is None:
        return Batch(None, None, None, np.zeros((0, 1), np.int32), 1)
    if kind.writes == "tags":
        tagged: Batch = model.batch([given.split()])
        return tagged
    sources = Ragged.of([model.source(getattr(given, "source", given))])
    batch = getattr(model.parts, "batch", unlabelled)
    read: Batch = batch(sources)
    return read


def of_text(kind: Kind, model: Any, text: str, target: str) -> tuple[Ids, str]:
    """Its tokens (T, 1); a decoder writes <EOS>, too."""
    vocabulary = model.vocabulary
    ids = vocabulary.sentence(vocabulary.split(text))
    return (ids if kind.outputs else ids[:-1])[:, None], ""


def of_tags(kind: Kind, model: Any, text: str, target: str) -> tuple[Ids, str]:
    """A tag for each word (T, 1)."""
    words, tags = text.split(), target.split()
    tags = tags or [model.tags.names[0]] * len(words)
    if len(tags) != len(words):
        message = f"{len(tags)} tags for {len(words)} words; each word needs one"
        raise InputError(f"{option(PLACE)}: {message}")
    ids = model.tags.encode(Said(tuple(words), (), tuple(tags)))
    return ids[:, None], " ".join(tags)


def of_labels(kind: Kind, model: Any, text: str, target: str) -> tuple[Ids, str]:
    """A label (1, 1), or several (M, 1) as 0 and 1."""
    names = [name.strip() for name in target.split(",")] if target else [model.labels.names[0]]
    ids = model.labels.targets(Said((), tuple(names), ()))
    return ids[:, None], ", ".join(names)


WRITTEN: dict[str, Callable[[Kind, Any, str, str], tuple[Ids, str]]] = {
    "text": of_text,
    "tags": of_tags,
    "label": of_labels,
}
