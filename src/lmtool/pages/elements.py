"""Pieces of a page. A text is text, whatever it holds: the tree escapes it when it is written.

e("td", "a<b") -> <td>a&lt;b</td>; what has no glyph or turns the direction is spelled out:
U+202E -> \\u202e.
"""

import math
import re
import xml.etree.ElementTree as ET
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple, TypeAlias

from lmtool.display import harmless

__all__ = [
    "Bar",
    "Child",
    "Element",
    "bars",
    "clipped",
    "details",
    "e",
    "figure",
    "number",
    "percent",
]
__all__ += ["said", "scrolling", "spelled", "table", "verbatim"]

Element: TypeAlias = ET.Element
Child: TypeAlias = "Element | str | None"

UNSEEN = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff\ufffe\uffff]")
LONGEST = 60  # characters of a word
DIGITS = 3
LARGE = 1e6  # from here on nobody counts digits
NOTHING = DASH = "\u2013"
TRACK = 100  # units of a bar's whole length


def spelled(text: str) -> str:
    """A text that shows what it holds: controls, directions and surrogates spelled out."""
    return UNSEEN.sub(lambda found: f"\\u{ord(found[0]):04x}", harmless(text))


def e(tag: str, *children: Child, **attributes: Any) -> Element:
    """An element; ``class_`` is class, ``stroke_width`` stroke-width, None leaves one out."""
    made = ET.Element(tag)
    for name, value in attributes.items():
        if value is not None:
            made.set(name.rstrip("_").replace("_", "-"), spelled(str(value)))
    for child in children:
        add(made, child)
    return made


def add(parent: Element, child: Child) -> None:
    """One more child; a text goes where ElementTree keeps it."""
    if isinstance(child, ET.Element):
        parent.append(child)
    elif child and len(parent):
        parent[-1].tail = (parent[-1].tail or "") + spelled(child)
    elif child:
        parent.text = (parent.text or "") + spelled(child)


def verbatim(tag: str, content: str, **attributes: Any) -> Element:
    """A style or a script, whose content is ours and written as it is."""
    made = e(tag, **attributes)
    made.text = content
    return made


def said(text: str, longest: int | None = None, **attributes: Any) -> Element:
    """A text of a corpus or a model: its language is unknown, its direction its own."""
    shown = text if longest is None else clipped(text, longest)
    return e("bdi", shown if shown.strip() else blank(shown), lang="", **attributes)


def blank(text: str) -> str:
    """What is to be seen of nothing but blanks."""
    return "␣" * len(text) if text else NOTHING


def clipped(text: str, longest: int = LONGEST) -> str:
    """A text, or its beginning and a sign that there is more."""
    shown = spelled(text)
    return shown if len(shown) <= longest else f"{shown[: longest - 1]}…"


def number(value: Any, digits: int = DIGITS) -> str:
    """``10,002``, ``3.56``, ``1.2e-07``, ``yes``; a dash where there is none."""
    if value is None or (isinstance(value, float) and not math.isfinite(value)):
        return NOTHING
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        whole = 1000 <= abs(value) < LARGE
        return f"{value:z,.0f}" if whole else f"{value:z.{digits}g}"
    return str(value)


def percent(share: float) -> str:
    """0.1234 -> ``12.3 %``"""
    return f"{100 * share:z.1f} %"


def table(
    heads: Sequence[Child], rows: Iterable[Sequence[Child]], caption: str, left: int = 1
) -> Element:
    """A table in a region that scrolls; a row begins with its head, ``left`` cells are texts."""
    lines = [
        e("tr", *(cell(value, place, place < left) for place, value in enumerate(row)))
        for row in rows
    ]
    head = e("tr", *(e("th", h, scope="col", class_="l" if i < left else None)
                     for i, h in enumerate(heads)))  # fmt: skip
    made = e("table", e("caption", caption, class_="unseen"), e("thead", head), e("tbody", *lines))
    return scrolling(made, caption)


def cell(value: Child, place: int, text: bool) -> Element:
    """One of a table."""
    kind = "l" if text else None
    return e("td", value, class_=kind) if place else e("th", value, scope="row", class_=kind)


def scrolling(content: Element, label: str) -> Element:
    """What may be wider than the page, to be scrolled with keys, too."""
    return e("div", content, class_="wide", role="region", tabindex=0, aria_label=label)


class Bar(NamedTuple):
    """A row of a bar chart."""

    label: Child
    value: float
    shown: str
    note: str = ""


def bars(
    heads: tuple[str, str, str], rows: Sequence[Bar], caption: str, most: float | None = None
) -> Element:
    """A table whose rows end in a bar each, from 0 to ``most``, by default the largest value."""
    if most is None:
        most = max((bar.value for bar in rows if math.isfinite(bar.value)), default=0) or 1
    label, value, note = heads
    noted = any(bar.note for bar in rows)
    head = e("tr", e("th", label, scope="col", class_="l"), e("th", value, scope="col"),
             e("td"), e("th", note, scope="col") if noted else None)  # fmt: skip
    lines = [
        e(
            "tr",
            e("th", bar.label, scope="row", class_="l"),
            e("td", bar.shown),
            e("td", track(bar.value / most), class_="track"),
            e("td", bar.note, class_="note") if noted else None,
        )
        for bar in rows
    ]
    return e("table", e("caption", caption, class_="unseen"), e("thead", head), e("tbody", *lines),
             class_="bars")  # fmt: skip


def track(share: float) -> Element:
    """A bar as long as its cell allows; the number stands beside it."""
    length = round(TRACK * min(1.0, max(0.0, share)), 1) if math.isfinite(share) else 0
    bar = e("rect", width=f"{length:g}", height=10, fill="#0072b2", class_="accent")
    return e("svg", bar, viewBox=f"0 0 {TRACK} 10", preserveAspectRatio="none", aria_hidden="true")


def figure(caption: Sequence[Child], *content: Child, **attributes: Any) -> Element:
    """A picture under a sentence that says what is to be seen on it."""
    return e("figure", e("figcaption", *caption), *content, **attributes)


def details(summary: str, *content: Child, long: bool = False) -> Element:
    """What is opened on demand, and in print unless it is ``long``."""
    return e("details", e("summary", summary), *content, class_="long" if long else None)
