"""Towers of layers as pictures: each as a loop, with shapes, and unrolled over three steps."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from lmtool.pages.elements import Element, e
from lmtool.pages.svg import ACCENT, Box, arrow, box, picture, soft, width

if TYPE_CHECKING:
    from lmtool.pages.sections.network import Tower

__all__ = ["drawn"]

LEVEL, HEIGHT = 56, 28  # of a layer
WIDTH = 142  # of a box
NARROW, STEP = 92, 122  # of an unrolled box, and from one to the next
TIMES = ("t\u22121", "t", "t+1")
LOOP = 26  # how far a loop goes to the side
EDGE = 34  # before the first step and after the last
BELOW = HEIGHT + 12  # the middle of the lowest layer, with the names of the steps
GAP = 8
LOOPED = 290  # of a picture at least, so that those under each other are in line


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
    """One column with the shapes of all weights, arrows from the step before going round."""
    low, content = bottom(tower), list[Element]()
    x, wide = 4 + WIDTH / 2, float(LOOPED)
    for k, layer in enumerate(tower.layers):
        at = Box(x, low - LEVEL * k, WIDTH, HEIGHT)
        content += box(at, f"{layer.name}  {layer.size:,}", bool(layer.loop))
        if k:
            content.append(arrow((x, at.y + LEVEL - HEIGHT / 2), at.bottom))
            content.append(soft(x + GAP, at.y + LEVEL / 2 + 4.5, layer.weights))
            wide = max(wide, x + GAP + width(layer.weights))
        if layer.loop:
            shape = f"{layer.loop}{' each way' * layer.both}"
            content += loop(at, shape)
            wide = max(wide, WIDTH + LOOP + GAP + width(shape))
    title = ", then ".join(f"{one.name} of {one.size}" for one in tower.layers)
    return picture(wide, low + BELOW, *content, title=f"As a loop: {title}", kind="loop")


def loop(at: Box, shape: str) -> Iterator[Element]:
    """An arrow that leaves a box and comes back; its shape beside it."""
    x, y = at.right
    path = f"M{x:z.1f} {y - 7:z.1f}c{LOOP} -12 {LOOP} 26 5 14.5"
    yield e("path", d=path, fill="none", stroke=ACCENT, stroke_width=1.5, class_="accented")
    yield arrow((x + 9, y + 9), (x + 1, y + 6), strong=True)
    yield soft(x + LOOP, y + 4.5, shape)


def unrolled(tower: "Tower") -> Element:
    """Three columns, the same weights in each."""
    low, content = bottom(tower), list[Element]()
    xs = [EDGE + NARROW / 2 + STEP * n for n in range(len(TIMES))]
    wide, below = xs[-1] + NARROW / 2 + EDGE, False
    for k, layer in enumerate(tower.layers):
        y = low - LEVEL * k
        boxes = [Box(x, y, NARROW, HEIGHT) for x in xs]
        if layer.whole:
            boxes = [Box(wide / 2, y, NARROW if below else xs[-1] - xs[0] + NARROW, HEIGHT)]
        for at in boxes:
            content += box(at, layer.name.split(",")[0], bool(layer.loop))
        for x in ([wide / 2] if below else xs) if k else []:
            content.append(arrow((x, y + LEVEL - HEIGHT / 2), (x, y + HEIGHT / 2)))
        if layer.loop:
            content += along(boxes, layer.both)
        below = layer.whole
    content += [soft(x, low + BELOW - 4, t, "middle") for x, t in zip(xs, TIMES, strict=True)]
    title = "The same, unrolled over three steps"
    return picture(wide, low + BELOW, *content, title=title, kind="unrolled")


def along(boxes: Sequence[Box], both: bool) -> Iterator[Element]:
    """Arrows from each step to the next; back, too, where both ways are read."""
    x, y = boxes[0].left
    ends = [(x - EDGE + 4, y), *(at.right for at in boxes)]
    starts = [*(at.left for at in boxes), (boxes[-1].right[0] + EDGE - 4, y)]
    up = 5 if both else 0
    for (x0, y0), (x1, y1) in zip(ends, starts, strict=True):
        yield arrow((x0, y0 - up), (x1, y1 - up), strong=True)
        if both:
            yield arrow((x1, y1 + up), (x0, y0 + up), strong=True)
