"""Pictures of what is heard: the bands along time, the letters under them, the words with their p.

Nothing is fetched and nothing runs; whatever a model writes is text.
"""

from collections.abc import Iterable, Iterator, Sequence
from html import escape
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

from lmtool.cli.heat import put
from lmtool.cli.matrix import (
    INK,
    LIGHT_INK,
    LINE,
    SHADES,
    Drawing,
    isolated,
    page,
    picture,
    shade_of,
    spelled,
)
from lmtool.cli.render import decimals

if TYPE_CHECKING:
    from lmtool.arrays import Array
    from lmtool.inference.transcribe import Said, Sight, Transcription

__all__ = ["Pictures", "html", "svg"]

TITLE = "Bands of frequency along time, low ones below; the letters and the words heard in them"
COLUMNS, ROWS = 400, 40  # shades at most
LONG, TALL = 1200, 120  # pixels of the bands, at most
A_SECOND = 240  # pixels
AXIS, LETTERS, WORDS = 16, 30, 40  # heights
DARKEST = 2.0  # deviations above the mean that are drawn in the last shade
FEWEST = 60  # pixels


class Pictures:
    """Transcriptions collected for files, written when all are there."""

    def __init__(self, html: Path | None, svg: Path | None) -> None:
        self._html, self._svg = html, svg
        self._found: list[Transcription] = []

    def seen(self, results: Iterable["Transcription"]) -> Iterator["Transcription"]:
        """The same results, each kept as it passes where there is a file to write."""
        for result in results:
            if self._html or self._svg:
                self._found.append(result)
            yield result

    def write(self) -> None:
        """The files, each whole or not at all. Raises InputError."""
        for path, drawn in ((self._html, html), (self._svg, svg)):
            if path:
                put(path, drawn(self._found))


def svg(results: Iterable["Transcription"]) -> str:
    """One picture, the recordings under each other."""
    drawings = [drawing(sight, result) for result in results for sight in result.sights]
    return picture(drawings or [Drawing("", FEWEST, AXIS)], TITLE)


def html(results: Iterable["Transcription"]) -> str:
    """A page: each recording with its picture, its text, and its words as a table."""
    figures = "".join(map(figure, results))
    return page("What is heard", f"{TITLE}.", figures)


def figure(result: "Transcription") -> str:
    """One recording."""
    drawn = "".join(picture([drawing(sight, result)], TITLE) for sight in result.sights)
    said = f"{isolated(spelled(result.source))}: {isolated(spelled(result.text))}"
    return (
        f'<figure><figcaption>{said}</figcaption><div class="wide">{drawn}</div>'
        f'<details><summary>Words, in seconds</summary><div class="wide">'
        f"{table(result.words)}</div></details></figure>\n"
    )


def table(words: Sequence["Said"]) -> str:
    """When each word is said, and how probable it is."""
    rows = "".join(
        f'<tr><th scope="row">{isolated(spelled(one.text))}</th><td>{decimals(one.start)}</td>'
        f"<td>{decimals(one.end)}</td><td>{decimals(one.p)}</td></tr>"
        for one in words
    )
    head = "".join(f'<th scope="col">{name}</th>' for name in ("from", "to", "p"))
    return f"<table><thead><tr><td></td>{head}</tr></thead><tbody>{rows}</tbody></table>"


def drawing(sight: "Sight", result: "Transcription") -> Drawing:
    """Bands, letters, words and seconds of a piece."""
    seconds = max(sight.end - sight.begin, 1e-6)
    width = max(FEWEST, min(LONG, A_SECOND * seconds))
    scale = width / seconds
    own = [one for one in result.words if sight.begin <= one.start < sight.end]
    name = f'<text y="12" fill="{INK}">{escape(spelled(result.source))}</text>'
    parts = [name, *bands(sight.frames, width), *letters(sight, scale), *words(sight, own, scale)]
    parts += axis(sight, scale)
    return Drawing("".join(parts), width, AXIS + TALL + LETTERS + WORDS + AXIS)


def bands(frames: "Array", width: float) -> Iterator[str]:
    """Shades of (T, F), a path each; neighbours along time that are alike are one."""
    shaded = shades(frames)
    across, down = width / len(shaded), TALL / len(shaded[0])
    paths: dict[int, list[str]] = {}
    for band, row in enumerate(zip(*shaded, strict=True)):
        y = AXIS + TALL - (band + 1) * down
        place = 0
        for shade, run in groupby(row):
            n = sum(1 for _ in run)
            corner = f"M{place * across:z.1f} {y:z.1f}"
            box = f"{corner}h{n * across:z.1f}v{down:z.1f}h-{n * across:z.1f}z"
            paths.setdefault(shade, []).append(box)
            place += n
    for shade in sorted(paths.keys() - {0}):
        yield f'<path fill="{SHADES[shade]}" d="{"".join(paths[shade])}"/>'
    yield (f'<rect y="{AXIS}" width="{width:z.1f}" height="{TALL}" fill="none" stroke="{LINE}"/>')


def shades(frames: "Array") -> list[list[int]]:
    """Means of neighbouring frames and bands as shades: (columns, rows)."""
    import numpy as np

    x = np.nan_to_num(frames)
    for axis, most in ((0, COLUMNS), (1, ROWS)):
        n = min(most, x.shape[axis])
        edges = np.arange(n) * x.shape[axis] // n
        sizes = np.diff([*edges.tolist(), x.shape[axis]])
        x = np.add.reduceat(x, edges, axis) / np.expand_dims(sizes, 1 - axis)
    share = np.clip((x + DARKEST) / (2 * DARKEST), 0, 1)
    return [[shade_of(value) for value in row] for row in share.tolist()]


def letters(sight: "Sight", scale: float) -> Iterator[str]:
    """Each token in the middle of its time, at two heights in turn."""
    for n, one in enumerate(sight.letters):
        x = ((one.start + one.end) / 2 - sight.begin) * scale
        y = AXIS + TALL + 12 + 12 * (n % 2)
        said = escape(spelled(one.text))
        yield f'<text x="{x:z.1f}" y="{y}" text-anchor="middle" fill="{INK}">{said}</text>'


def words(sight: "Sight", own: Sequence["Said"], scale: float) -> Iterator[str]:
    """Each word in a box as wide as its time, shaded by its probability, which stands below."""
    top = AXIS + TALL + LETTERS
    for one in own:
        x, wide = (one.start - sight.begin) * scale, max(2.0, (one.end - one.start) * scale)
        shade = shade_of(one.p)
        ink = LIGHT_INK if shade == len(SHADES) - 1 else INK
        middle = f'x="{x + wide / 2:z.1f}" text-anchor="middle"'
        yield (
            f'<rect x="{x:z.1f}" y="{top}" width="{wide:z.1f}" height="18" fill="{SHADES[shade]}" '
            f'stroke="{LINE}"/><text {middle} y="{top + 13}" fill="{ink}">'
            f"{escape(spelled(one.text))}</text>"
            f'<text {middle} y="{top + 32}" fill="{INK}" font-size="10">{decimals(one.p)}</text>'
        )


def axis(sight: "Sight", scale: float) -> Iterator[str]:
    """A number each whole second."""
    y = AXIS + TALL + LETTERS + WORDS + 12
    first, last = int(-(-sight.begin // 1)), int(sight.end)
    for second in range(first, last + 1):
        x = (second - sight.begin) * scale
        yield f'<text x="{x:z.1f}" y="{y}" fill="{INK}" font-size="10">{second} s</text>'
