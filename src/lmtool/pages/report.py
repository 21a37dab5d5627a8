"""A report about a model: the sections that have something to say of it, on one page.

A new section is one file that ends in ``Section(...)`` and a line in SECTIONS.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from lmtool._version import __version__
from lmtool.display import Shown
from lmtool.errors import ModelFileError
from lmtool.files import write_atomically
from lmtool.model_file import check_target
from lmtool.pages.elements import Child, Element, e, said
from lmtool.pages.page import page
from lmtool.pages.sections import (
    card,
    labelled,
    network,
    predicted,
    spoken,
    surprise,
    tagged,
    training,
    vectors,
    written,
)
from lmtool.pages.sections.base import Section
from lmtool.pages.subject import Subject

__all__ = ["SECTIONS", "Report", "report"]

SECTIONS: tuple[Section, ...] = (
    card.SECTION,
    network.SECTION,
    training.SECTION,
    predicted.SECTION,
    tagged.MEASURES,
    labelled.MEASURES,
    written.MEASURES,
    spoken.MEASURES,
    surprise.LOOKED_INTO,
    tagged.SPANS,
    labelled.LOOKED_INTO,
    written.LOOKED_INTO,
    spoken.LOOKED_INTO,
    vectors.SECTION,
    surprise.SAMPLES,
)
UNMEASURED = "How good it is, part by part, is told with -f FILE, as lmtool evaluate takes it."


@dataclass(frozen=True, slots=True, repr=False)
class Report(Shown):
    """What is said of a model, as plain values."""

    _shown = ("name", "title")

    name: str  # of its file
    title: str
    parts: tuple[tuple[Section, Any], ...]  # with the numbers of each
    complete: bool  # whether texts were given

    def to_dict(self) -> dict[str, Any]:
        """The same as plain values, by the names of the sections."""
        own = {section.name: asdict(found) for section, found in self.parts}
        return {"model": self.name, "title": self.title, **own}

    def html(self) -> str:
        """The page; the same model and texts give the same bytes."""
        sections = [drawn(section, section.draw(found)) for section, found in self.parts]
        content = e("main", *sections, sources(self.parts), id="content")
        return page(
            f"{self.name}: lmtool report", header(self), menu(self.parts), content, footer()
        )

    def save(self, path: str | Path, overwrite: bool = False) -> None:
        """Writes the page whole or not at all. Raises ModelFileError."""
        check_target(path, overwrite, "output")
        try:
            write_atomically(Path(path), self.html().encode())
        except OSError as error:
            message = f"cannot be written ({error.strerror or error})"
            raise ModelFileError(f"{path}: {message}") from None


def report(subject: Subject) -> Report:
    """The numbers of every section that is about such a model. Raises InputError for its texts."""
    own = [one for one in SECTIONS if not one.kinds or subject.kind in one.kinds]
    found = ((one, one.numbers(subject)) for one in own)
    parts = tuple((one, numbers) for one, numbers in found if numbers is not None)
    return Report(subject.name, card.headline(subject), parts, bool(subject.records))


def header(of: Report) -> Element:
    """What it is about."""
    missing = None if of.complete else e("p", UNMEASURED, class_="note")
    return e("header", e("p", "lmtool report · ", said(of.name), class_="over"),
             e("h1", said(of.title)), missing)  # fmt: skip


def menu(parts: Sequence[tuple[Section, Any]]) -> Element:
    """Where everything is."""
    links = (e("li", e("a", one.title, href=f"#{one.name}")) for one, _ in parts)
    return e("nav", e("ul", *links), aria_label="Sections")


def drawn(section: Section, content: Sequence[Child]) -> Element:
    """A section under its heading."""
    head = e("h2", section.title, id=f"{section.name}-title")
    return e("section", head, *content, id=section.name, aria_labelledby=f"{section.name}-title")


def sources(parts: Sequence[tuple[Section, Any]]) -> Element:
    """Which command gives the numbers of which section."""
    rows = (x for one, _ in parts for x in (e("dt", one.title), e("dd", e("code", one.command))))
    head = e("h2", "Where each number comes from", id="sources-title")
    return e("section", head, e("dl", *rows), id="sources", aria_labelledby="sources-title")


def footer() -> Element:
    """What made the page."""
    return e(
        "footer",
        f"Made by lmtool {__version__}. The page holds all that it shows and asks for nothing.",
    )
