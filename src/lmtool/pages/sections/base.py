"""What a section of a report is: numbers of a model first, then elements made of these alone."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from lmtool.pages.elements import Element
from lmtool.pages.subject import Subject

__all__ = ["ANY", "LABELLERS", "WRITERS", "Section"]

ANY: tuple[str, ...] = ()  # kinds: all
WRITERS = ("translator", "captioner")
LABELLERS = ("classifier", "frame classifier", "vector classifier")


class Section(NamedTuple):
    """A part of a report.

    numbers(subject) -> a frozen dataclass of plain values, or None where there is nothing to say;
    draw(numbers) -> elements, which know no model.
    """

    name: str  # of its place on the page, and in JSON
    title: str
    numbers: Callable[[Subject], Any]
    draw: Callable[[Any], Sequence[Element]]
    command: str  # that gives the same numbers
    kinds: tuple[str, ...] = ANY
