"""Pictures as elements: a colour is an attribute, which no policy blocks and a style may change."""

import math
import unicodedata
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from lmtool.arrays import Array
from lmtool.pages.elements import Element, clipped, e, number
from lmtool.pages.shades import BLUES, blue

__all__ = [
    "Box",
    "arrow",
    "box",
    "curve",
    "heading",
    "label",
    "matrix",
    "picture",
    "scatter",
    "width",
]

INK, SOFT, LINE, ACCENT, PAPER = "#1b1b1b", "#5f6368", "#c9ccd1", "#0072b2", "#ffffff"
SIZE = 13  # of letters
LETTER, SLANT = 7.2, 0.71  # width of a letter, sine of 45 degrees
CELL, GAP = 22, 6
TOKEN = 22  # letters of a word beside a matrix
WIDE, HIGH = 480, 230  # of a curve
LEFT, RIGHT, TOP, BOTTOM = 52, 74, 14, 34  # its margins
TICKS = 4
POINT = 2.5


def picture(
    width: float,
    height: float,
    *content: Element | None,
    title: str,
    kind: str = "",
    live: bool = False,
) -> Element:
    """A picture with a name for who cannot see it; what is in a ``live`` one can be reached."""
    box = f"0 0 {width:z.0f} {height:z.0f}"
    return e("svg", *content, viewBox=box, width=f"{width:z.0f}", height=f"{height:z.0f}",
             role="group" if live else "img", aria_label=title, font_size=SIZE, class_=kind or None,
             font_family="system-ui, Noto Sans, DejaVu Sans, sans-serif")  # fmt: skip


def label(x: float, y: float, text: str, anchor: str = "start", **more: Any) -> Element:
    """A text at a place; in ink unless ``fill`` says otherwise."""
    own = {"fill": INK, "class_": "ink", "text_anchor": None if anchor == "start" else anchor}
    return e("text", text, x=f"{x:z.1f}", y=f"{y:z.1f}", **(own | more))


def soft(x: float, y: float, text: str, anchor: str = "start") -> Element:
    """The same, quieter."""
    return label(x, y, text, anchor, fill=SOFT, class_="soft")


def line(*points: tuple[float, float], kind: str = "line", **more: Any) -> Element:
    """A line through points."""
    path = "M" + "L".join(f"{x:z.1f} {y:z.1f}" for x, y in points)
    colour = {"line": LINE, "stroke": INK, "accented": ACCENT}[kind]
    return e("path", d=path, fill="none", stroke=colour, class_=kind, **more)


def width(text: str) -> float:
    """About how many pixels a text is long."""
    cells = (
        0 if unicodedata.category(c) in ("Mn", "Me", "Cf")
        else 2 if unicodedata.east_asian_width(c) in "WF" else 1
        for c in text
    )  # fmt: skip
    return LETTER * sum(cells)


class Box(NamedTuple):
    """A place for a layer, by its middle."""

    x: float
    y: float
    width: float
    height: float

    @property
    def top(self) -> tuple[float, float]:
        return self.x, self.y - self.height / 2

    @property
    def bottom(self) -> tuple[float, float]:
        return self.x, self.y + self.height / 2

    @property
    def left(self) -> tuple[float, float]:
        return self.x - self.width / 2, self.y

    @property
    def right(self) -> tuple[float, float]:
        return self.x + self.width / 2, self.y


def box(at: Box, text: str, strong: bool = False) -> Iterable[Element]:
    """A layer with its name; ``strong`` where it has a state."""
    x, y = at.x - at.width / 2, at.y - at.height / 2
    yield e("rect", x=f"{x:z.1f}", y=f"{y:z.1f}", width=f"{at.width:z.1f}", rx=4,
            height=f"{at.height:z.1f}", stroke_width=1.5 if strong else 1, fill=PAPER,
            stroke=ACCENT if strong else SOFT, class_="state" if strong else "box")  # fmt: skip
    yield label(at.x, at.y + 4.5, text, "middle")


def arrow(start: tuple[float, float], end: tuple[float, float], strong: bool = False) -> Element:
    """A line with a head; along time ``strong``."""
    (x0, y0), (x1, y1) = start, end
    length = math.hypot(x1 - x0, y1 - y0) or 1
    dx, dy = (x1 - x0) / length, (y1 - y0) / length
    neck = x1 - 6 * dx, y1 - 6 * dy
    sides = (neck[0] - 3.5 * dy, neck[1] + 3.5 * dx), (neck[0] + 3.5 * dy, neck[1] - 3.5 * dx)
    path = f"M{x0:z.1f} {y0:z.1f}L{x1:z.1f} {y1:z.1f}M" + "L".join(
        f"{x:z.1f} {y:z.1f}" for x, y in (sides[0], end, sides[1])
    )
    kind = "accented" if strong else "stroke"
    return e("path", d=path, fill="none", stroke=ACCENT if strong else SOFT, class_=kind,
             stroke_width=1.5 if strong else 1.2)  # fmt: skip


def curve(
    points: Sequence[tuple[float, float]], kept: int, title: str, logarithmic: bool
) -> Element:
    """Values over steps; the kept one is marked."""
    xs, ys = [x for x, _ in points], [math.log(y) if logarithmic else y for _, y in points]
    low, high = min(ys), max(ys)
    room = 0.06 * (high - low) or abs(high) * 0.1 or 1.0
    low, high = low - room, high + room

    def place(x: float, y: float) -> tuple[float, float]:
        right, bottom = WIDE - RIGHT, HIGH - BOTTOM
        along = (x - xs[0]) / ((xs[-1] - xs[0]) or 1)
        return LEFT + along * (right - LEFT), bottom - (y - low) / (high - low) * (bottom - TOP)

    at = [place(x, y) for x, y in zip(xs, ys, strict=True)]
    content: list[Element | None] = []
    for k in range(TICKS):
        value = low + room + (high - low - 2 * room) * k / (TICKS - 1)
        _, y = place(xs[0], value)
        content += [line((LEFT, y), (WIDE - RIGHT, y))]
        content += [soft(LEFT - 8, y + 4, number(math.exp(value) if logarithmic else value), "end")]
    for x, anchor in ((xs[0], "start"), (xs[-1], "end")):
        content.append(soft(place(x, low)[0], HIGH - 12, f"step {number(int(x))}", anchor))
    x, y = at[kept]
    content.append(line(*at, kind="accented", stroke_width=2, stroke_linejoin="round"))
    content.append(e("circle", cx=f"{x:z.1f}", cy=f"{y:z.1f}", r=4, fill=ACCENT, class_="accent"))
    beside = (9, 4) if kept == len(points) - 1 else (6, -9)
    content.append(label(x + beside[0], y + beside[1], f"{number(points[kept][1])} kept"))
    return picture(WIDE, HIGH, *content, title=title, kind="curve")


def matrix(
    above: Sequence[str], beside: Sequence[str], weights: Array, title: str, handles: bool = False
) -> Element:
    """Shades of shares 0 .. 1, (len(beside), len(above)); words slant above and end at the side.

    With ``handles`` each row can be pointed at and focused: the script shows its numbers.
    """
    tops, sides = (
        [clipped(word, TOKEN) for word in above],
        [clipped(word, TOKEN) for word in beside],
    )
    left = max([0.0, *map(width, sides)]) + 2 * GAP
    top = max([0.0, *(width(word) * SLANT for word in tops)]) + 2 * GAP + 4
    ends = [left + CELL * (s + 1) + width(word) * SLANT for s, word in enumerate(tops)]
    right, bottom = left + CELL * len(above), top + CELL * len(beside)
    middle = CELL / 2 + 4
    content = [heading(left + CELL * s + middle, top - GAP, word) for s, word in enumerate(tops)]
    content += [label(left - GAP, top + CELL * t + middle, w, "end") for t, w in enumerate(sides)]
    content += list(squares(weights, left, top))
    content.append(frame(left, top, CELL * len(above), CELL * len(beside)))
    if handles:
        content += [
            e("rect", x=0, y=f"{top + CELL * t:z.1f}", width=f"{right:z.1f}", height=CELL,
              fill="transparent", class_="handle", data_k=t, role="button", tabindex=-1 if t else 0,
              aria_label=word) for t, word in enumerate(sides)
        ]  # fmt: skip
    return picture(
        max([right, *ends]) + 2, bottom + 2, *content, title=title, kind="matrix", live=handles
    )


def heading(x: float, y: float, word: str) -> Element:
    """A word that rises to the right."""
    turned = f"translate({x:z.1f} {y:z.1f}) rotate(-45)"
    return e("text", word, transform=turned, fill=INK, class_="ink")


def frame(x: float, y: float, width: float, height: float) -> Element:
    """A thin line around something."""
    return e("rect", x=f"{x:z.1f}", y=f"{y:z.1f}", width=f"{width:z.0f}", height=f"{height:z.0f}",
             fill="none", stroke=LINE, class_="line")  # fmt: skip


def squares(weights: Array, left: float, top: float) -> Iterable[Element]:
    """The cells on white, all of one shade in one path."""
    rows, columns = weights.shape
    yield e("rect", x=f"{left:z.1f}", y=f"{top:z.1f}", width=CELL * columns, height=CELL * rows,
            fill=PAPER)  # fmt: skip
    paths: dict[int, list[str]] = {}
    for t, row in enumerate(weights.tolist()):
        for s, weight in enumerate(row):
            corner = f"M{left + CELL * s:z.1f} {top + CELL * t:z.1f}"
            paths.setdefault(blue(weight), []).append(f"{corner}h{CELL}v{CELL}h-{CELL}z")
    for shade in sorted(set(paths) - {0}):
        yield e("path", d="".join(paths[shade]), fill=BLUES[shade])


def scatter(
    points: Sequence[tuple[float, float]], names: Sequence[str], title: str, size: tuple[int, int]
) -> Element:
    """Named points, which can be focused; a name is written where no other one stands."""
    wide, high = size
    content, taken = list[Element | None](), list[tuple[float, float, float, float]]()
    labels, places = list[Element](), spread(points, wide, high)
    for k, ((x, y), name) in enumerate(zip(places, names, strict=True)):
        shown = clipped(name, TOKEN)
        named = free(x, y, width(shown), wide, taken)
        content.append(
            e("circle", cx=f"{x:z.1f}", cy=f"{y:z.1f}", r=POINT, fill=ACCENT if named else SOFT,
              class_="handle accent" if named else "handle faint", data_k=k, role="button",
              tabindex=-1 if k else 0, aria_label=shown)
        )  # fmt: skip
        if named:
            labels.append(label(x + 5, y + 4, shown, class_="ink name"))
    return picture(wide, high, *labels, *content, title=title, kind="map", live=True)


def spread(
    points: Sequence[tuple[float, float]], wide: int, high: int
) -> list[tuple[float, float]]:
    """Places on the paper, both axes to one scale."""
    xs, ys = [x for x, _ in points], [y for _, y in points]
    scale = min((wide - 90) / ((max(xs) - min(xs)) or 1), (high - 30) / ((max(ys) - min(ys)) or 1))
    middle = (max(xs) + min(xs)) / 2, (max(ys) + min(ys)) / 2
    return [
        ((wide - 60) / 2 + (x - middle[0]) * scale, high / 2 - (y - middle[1]) * scale)
        for x, y in points
    ]


def free(
    x: float, y: float, length: float, wide: int, taken: list[tuple[float, float, float, float]]
) -> bool:
    """Whether a name has room here, which it takes then."""
    own = (x - 4, y - 7, x + 8 + length, y + 7)
    if own[2] > wide or any(
        own[0] < right and left < own[2] and own[1] < low and high < own[3]
        for left, high, right, low in taken
    ):
        return False
    taken.append(own)
    return True
