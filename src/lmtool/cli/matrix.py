"""Pictures of attention: a matrix in shades as SVG, and a page with its numbers beside it.

Nothing is fetched and nothing runs; every token is text, whatever it holds.
"""

import base64
import hashlib
from collections.abc import Iterable, Sequence
from html import escape
from typing import TYPE_CHECKING, NamedTuple

from lmtool.pages import elements
from lmtool.pages.shades import BLUES as SHADES
from lmtool.pages.shades import INK, LIGHT_INK
from lmtool.pages.shades import blue as shade_of

if TYPE_CHECKING:
    from lmtool.arrays import Array

__all__ = ["INK", "LIGHT_INK", "LINE", "SHADES", "Drawing", "Pair", "html", "isolated", "page"]
__all__ += ["picture", "shade_of", "spelled", "svg"]

Pair = tuple[Sequence[str], Sequence[str], "Array"]  # source tokens, target tokens, (T, S)

LINE = "#b0b0b0"
CELL, MARGIN, GAP = 20, 10, 30  # pixels
LETTER, SLANT, RISE = 7.5, 0.71, 4  # width of a letter, sine of 45 degrees, of a line's middle
LONGEST = 24  # letters of a token
FONTS = "system-ui, Noto Sans, DejaVu Sans, sans-serif"
TITLE = "Each row is a word of the target, shaded where it looked in the source"
STYLE = """
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
body { max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
figure { margin: 2rem 0; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { padding: .1rem .5rem; text-align: right; border-bottom: 1px solid #8884; }
th { white-space: nowrap; }
"""
LENGTH = 120  # pixels of the scale


class Drawing(NamedTuple):
    """Elements of SVG and the room they take."""

    elements: str
    width: float
    height: float


def spelled(token: str) -> str:
    """A token that shows what it holds: controls, directions and blanks spelled out."""
    shown = elements.spelled(token)
    return shown if shown.strip() else shown.replace(" ", "␣") or "''"


def svg(pairs: Iterable[Pair]) -> str:
    """One picture, the matrices under each other."""
    return picture([*(matrix(*pair) for pair in pairs), scale()])


def picture(drawings: Sequence[Drawing], title: str = TITLE) -> str:
    """Drawings under each other on white."""
    width = max(drawing.width for drawing in drawings) + 2 * MARGIN
    parts, y = [], MARGIN
    for drawing in drawings:
        parts.append(f'<g transform="translate({MARGIN} {y:z.0f})">{drawing.elements}</g>')
        y += round(drawing.height) + GAP
    height = y - GAP + MARGIN
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:z.0f} {height}" '
        f'width="{width:z.0f}" height="{height}" role="img" font-family="{FONTS}" font-size="12">'
        f'<title>{title}</title><rect width="100%" height="100%" fill="{LIGHT_INK}"/>'
        f"{''.join(parts)}</svg>\n"
    )


def matrix(source: Sequence[str], target: Sequence[str], attention: "Array") -> Drawing:
    """Source tokens aslant along the top, target tokens at the side, a path for each shade."""
    above, beside = [short(token) for token in source], [short(token) for token in target]
    left = max([0.0, *map(length, beside)]) + MARGIN
    top = max([0.0, *(length(word) * SLANT for word in above)]) + MARGIN
    right, bottom = left + CELL * len(source), top + CELL * len(target)
    middle = CELL / 2 + RISE
    ends = [left + CELL * (s + 1) + length(word) * SLANT for s, word in enumerate(above)]
    elements = [
        *(heading(left + CELL * s + middle, top - RISE, word) for s, word in enumerate(above)),
        *(label(left - RISE, top + CELL * t + middle, word) for t, word in enumerate(beside)),
        *squares(attention, left, top),
        f'<rect x="{left:z.0f}" y="{top:z.0f}" width="{CELL * len(source)}" '
        f'height="{CELL * len(target)}" fill="none" stroke="{LINE}"/>',
    ]
    return Drawing("".join(elements), max([right, *ends]), bottom)


def heading(x: float, y: float, word: str) -> str:
    """A word that rises to the right."""
    place = f"translate({x:z.0f} {y:z.0f}) rotate(-45)"
    return f'<text transform="{place}" fill="{INK}">{escape(word)}</text>'


def label(x: float, y: float, word: str) -> str:
    """A word that ends here."""
    return f'<text x="{x:z.0f}" y="{y:z.0f}" text-anchor="end" fill="{INK}">{escape(word)}</text>'


def squares(attention: "Array", left: float, top: float) -> Iterable[str]:
    """The cells, all of one shade at a time; white ones are the paper."""
    paths: dict[int, list[str]] = {}
    for t, row in enumerate(attention.tolist()):
        for s, weight in enumerate(row):
            corner = f"M{left + CELL * s:z.0f} {top + CELL * t:z.0f}"
            paths.setdefault(shade_of(weight), []).append(f"{corner}h{CELL}v{CELL}h-{CELL}z")
    for shade in sorted(paths.keys() - {0}):
        yield f'<path fill="{SHADES[shade]}" d="{"".join(paths[shade])}"/>'


def scale() -> Drawing:
    """What the shades mean."""
    step, after = LENGTH / len(SHADES), MARGIN + RISE
    boxes = (
        f'<rect x="{after + step * n:z.1f}" width="{step:z.1f}" height="12" fill="{shade}"/>'
        for n, shade in enumerate(SHADES)
    )
    frame = f'<rect x="{after}" width="{LENGTH}" height="12" fill="none" stroke="{LINE}"/>'
    ends = f'<text y="11">0</text><text x="{after + LENGTH + RISE}" y="11">1</text>'
    return Drawing("".join([*boxes, frame, ends]), after + LENGTH + 2 * MARGIN, 12)


def short(token: str) -> str:
    """What of a token has room."""
    shown = spelled(token)
    return shown if len(shown) <= LONGEST else f"{shown[: LONGEST - 1]}…"


def length(word: str) -> float:
    """About how many pixels a word is long."""
    from rich.cells import cell_len

    return LETTER * cell_len(word)


def html(pairs: Iterable[Pair]) -> str:
    """A page: each matrix as a picture, and its numbers as a table."""
    return page("Attention", f"{TITLE}.", "".join(figure(*pair) for pair in pairs))


def page(heading: str, said: str, figures: str) -> str:
    """A page of figures that fetches and runs nothing."""
    digest = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{heading}</title><style>{STYLE}</style></head>\n"
        f"<body><main><h1>{heading}</h1><p>{said}</p>{figures}</main></body></html>\n"
    )


def figure(source: Sequence[str], target: Sequence[str], attention: "Array") -> str:
    """One matrix with what was read and what was written."""
    said = " &rarr; ".join(isolated(" ".join(map(spelled, words))) for words in (source, target))
    drawn = picture([matrix(source, target, attention), scale()])
    return (
        f'<figure><figcaption>{said}</figcaption><div class="wide">{drawn}</div>'
        f'<details><summary>Numbers, in percent</summary><div class="wide">'
        f"{table(source, target, attention)}</div></details></figure>\n"
    )


def table(source: Sequence[str], target: Sequence[str], attention: "Array") -> str:
    """The numbers of a matrix."""
    above = "".join(f'<th scope="col">{isolated(spelled(word))}</th>' for word in source)
    rows = (
        f'<tr><th scope="row">{isolated(spelled(word))}</th>'
        f"{''.join(f'<td>{100 * weight:z.1f}</td>' for weight in row)}</tr>"
        for word, row in zip(target, attention.tolist(), strict=True)
    )
    return f"<table><thead><tr><td></td>{above}</tr></thead><tbody>{''.join(rows)}</tbody></table>"


def isolated(text: str) -> str:
    """A text whose direction is its own."""
    return f"<bdi>{escape(text)}</bdi>"
