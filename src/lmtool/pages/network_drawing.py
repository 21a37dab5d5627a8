"""Towers of layers as pictures: each as a loop, with shapes, and unrolled over three steps."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from lmtool.pages.elements import Element, e
from lmtool.pages.svg import Box, arrow, box, picture, soft, width

if TYPE_CHECKING:
    from lmtool.pages.sections.network import Tower

__all__ = ["drawn"]

LEVEL, HEIGHT = 56, 28  # of a layer
WIDTH = 118  # of a box
NARROW, STEP = 92, 122  # of an unrolled box, and from one to the next
TIMES = ("t−1", "t", "t+1")
LOOP = 26  # how far a loop goes to the side
EDGE = 34  # before the first step and after the last


def drawn(towers: Sequence["Tower"], between: Sequence[str]) -> Element:
    """Two pictures for each; between two of them how one leads to the next."""
    parts = list[Element]()
    for place, tower in enumerate(towers):
        if place:
            parts.append(e("p", f"↓ {between[place - 1]}", class_="about"))
        pictures = [looped(tower), *([unrolled(tower)] if tower.steps else [])]
        name = [e("p", tower.name, class_="about")] if tower.name else []
        parts += [*name, e("div", *pictures, class_="net")]
    return e("div", *parts)


def bottom(tower: "Tower") -> float:
    """The middle of the lowest layer."""
    return HEIGHT + LEVEL * (len(tower.layers) - 1)


def looped(tower: "Tower") -> Element:
    """One column, arrows from the step before going round."""
    low, shapes = (
        bottom(tower),
        [one.loop for one in tower.layers] + [one.weights for one in tower.layers],
    )
    content, x = list[Element](), 4 + WIDTH / 2
    for k, layer in enumerate(tower.layers):
        at = Box(x, low - LEVEL * k, WIDTH, HEIGHT)
        content += box(at, f"{layer.name}  {layer.size:,}", bool(layer.loop))
        if k:
            start, end = (x, at.y + LEVEL - HEIGHT / 2), at.bottom
            content.append(arrow(start, end))
            content.append(soft(x + 8, (start[1] + end[1]) / 2 + 4.5, layer.weights))
        if layer.loop:
            content += loop(at, layer.loop, layer.both)
    wide = 4 + WIDTH + LOOP + 16 + max(map(width, shapes), default=0)
    title = ", then ".join(f"{one.name} of {one.size}" for one in tower.layers)
    return picture(wide, low + HEIGHT, *content, title=f"As a loop: {title}", kind="loop")


def loop(at: Box, shape: str, both: bool) -> Iterator[Element]:
    """An arrow that leaves a box and comes back; its shape beside it."""
    x, y = at.right
    path = f"M{x:z.1f} {y - 7:z.1f}c{LOOP} -12 {LOOP} 26 5 14.5"
    yield e("path", d=path, fill="none", stroke="#0072b2", stroke_width=1.5, class_="accented")
    yield arrow((x + 9, y + 9), (x + 1, y + 6), strong=True)
    yield soft(x + LOOP, y + 4.5, f"{shape}{' each way' * both}")


def unrolled(tower: "Tower") -> Element:
    """Three columns, the same weights in each."""
    low, content = bottom(tower), list[Element]()
    xs = [EDGE + NARROW / 2 + STEP * n for n in range(len(TIMES))]
    wide = xs[-1] + NARROW / 2 + EDGE
    for k, layer in enumerate(tower.layers):
        y = low - LEVEL * k
        whole = Box(
            wide / 2,
            y,
            xs[-1] - xs[0] + NARROW if k and not tower.layers[k - 1].whole else NARROW,
            HEIGHT,
        )
        boxes = [whole] if layer.whole else [Box(x, y, NARROW, HEIGHT) for x in xs]
        for at in boxes:
            content += box(
                at,
                layer.name if width(layer.name) < at.width else layer.name.split(",")[0],
                bool(layer.loop),
            )
        if k:
            below = tower.layers[k - 1]
            columns = [wide / 2] if below.whole else xs
            content += [arrow((x, y + LEVEL - HEIGHT / 2), (x, y + HEIGHT / 2)) for x in columns]
        if layer.loop:
            content += along(boxes, layer.both)
    content += [soft(x, low + HEIGHT + 4, t, "middle") for x, t in zip(xs, TIMES, strict=True)]
    title = "The same, unrolled over three steps"
    return picture(wide, low + HEIGHT + 12, *content, title=title, kind="unrolled")


def along(boxes: Sequence[Box], both: bool) -> Iterator[Element]:
    """Arrows from each step to the next, and from what is not drawn; back, too, where both ways are read."""
    x, y = boxes[0].left
    ends = [(x - EDGE + 4, y), *(at.right for at in boxes)]
    starts = [*(at.left for at in boxes), (boxes[-1].right[0] + EDGE - 4, y)]
    up = 5 if both else 0
    for (x0, y0), (x1, y1) in zip(ends, starts, strict=True):
        yield arrow((x0, y0 - up), (x1, y1 - up), strong=True)
        if both:
            yield arrow((x1, y1 + up), (x0, y0 + up), strong=True)
