"""Where a model looked as it wrote: source tokens along the top, target tokens down the side.

          ich  war   zu  spät
       I   91    6    2    1
     was    8   85    4    3
    late    .    .    9   90

On a terminal with colours each number stands on its shade. Where the words of the source have no
room they stand upright, a letter a line, and what has none either follows below.
"""

import sys
import unicodedata
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from lmtool.cli.heat import has_colours
from lmtool.cli.matrix import INK, LIGHT_INK, SHADES, html, shade_of, spelled, svg
from lmtool.cli.terminal import speaks_utf8

if TYPE_CHECKING:
    from rich.text import Text

    from lmtool.arrays import Array

__all__ = ["grid", "html", "svg"]

WIDEST = 10  # columns of a word that lies
TALLEST = 12  # lines of a word that stands
LABELS = 3  # of the width at most one in so many for the words at the side
NUMBER = 3  # columns of 100
SHADED = 2  # columns of a shade that looks square
LEAST = 0.005  # what rounds to 1 in 100
JOINER = "\u200d"


def grid(
    source: Sequence[str], target: Sequence[str], attention: "Array", width: int,
    colours: bool | None = None,
) -> "Text":  # fmt: skip
    """Lines of at most ``width`` columns, in percent; in colours where standard output shows them.

    ``attention`` (T, S) has a row a target token.
    """
    from rich.text import Text

    colours = has_colours() if colours is None else colours
    labels = flush_right([writable(spelled(word)) for word in target], max(1, width // LABELS))
    room = width - max(map(cells, labels), default=0) - 1
    columns, wide = headings(source, room, SHADED if colours else NUMBER)
    lines = list[Text]()
    for some in parts(len(source), max(1, room // wide)):
        lines += [Text()] * bool(lines)
        above = stacked(columns[some], wide)
        lines += [Text(f"{' ' * (width - room)}{line}".rstrip()) for line in above]
        for label, row in zip(labels, attention[:, some].tolist(), strict=True):
            lines.append(Text.assemble(f"{label} ", *(cell(p, wide, colours) for p in row)))
    if not colours:
        lines = [Text(line.plain.rstrip()) for line in lines]
    return Text("\n", no_wrap=True).join(lines)


def parts(n: int, most: int) -> list[slice]:
    """Neighbouring columns in parts of nearly one size; one part where there are none."""
    size = -(-n // max(1, -(-n // most)))
    return [slice(start, start + size) for start in range(0, max(n, 1), max(size, 1))]


def cell(weight: float, width: int, colours: bool) -> tuple[str, str]:
    """A number in percent, and its style."""
    said = f"{100 * weight:z.0f}" if weight >= LEAST else "" if colours else "."
    said = said.rjust(NUMBER)
    if not colours:
        return padded(said, width), ""
    shade = shade_of(weight)
    ink = LIGHT_INK if shade == len(SHADES) - 1 else INK
    return padded(said if width >= NUMBER else "", width), f"{ink} on {SHADES[shade]}"


def headings(source: Sequence[str], room: int, least: int) -> tuple[list[list[str]], int]:
    """Each word's lines, one if all have room, else one a letter; how wide a column is."""
    words = [writable(spelled(word)) for word in source]
    lying = [clipped(word, WIDEST) for word in words]
    wide = max([NUMBER, *map(cells, lying)]) + 1
    if wide * len(lying) <= room:
        return [[word] for word in lying], wide
    standing = [upright(word) for word in words]
    return standing, max([least, *(cells(letter) for letters in standing for letter in letters)])


def stacked(columns: Sequence[Sequence[str]], wide: int) -> Iterator[str]:
    """The lines of columns that end at the same one."""
    for line in range(-max(map(len, columns), default=0), 0):
        letters = (column[line] if len(column) >= -line else "" for column in columns)
        yield "".join(padded(letter, wide) for letter in letters)


def upright(word: str) -> list[str]:
    """A word's letters, of a long one its beginning."""
    letters = list(clusters(word))
    return letters if len(letters) <= TALLEST else [*letters[: TALLEST - 1], more()]


def flush_right(words: Sequence[str], most: int) -> list[str]:
    """Words that end under each other, each in at most so many columns."""
    shown = [clipped(word, most) for word in words]
    width = max(map(cells, shown), default=0)
    return [" " * (width - cells(word)) + word for word in shown]


def clipped(text: str, width: int) -> str:
    """The text, or its beginning and a sign that there is more."""
    if cells(text) <= width:
        return text
    kept = ""
    for letter in clusters(text):
        if cells(kept + letter) >= width:
            break
        kept += letter
    return kept + more()


def more() -> str:
    """One column that says that a text goes on."""
    return "…" if speaks_utf8(sys.stdout) else "~"


def writable(text: str) -> str:
    """The text as standard output will show it."""
    encoding = sys.stdout.encoding or "utf-8"
    return text.encode(encoding, "backslashreplace").decode(encoding)


def padded(text: str, width: int) -> str:
    """Centred in so many columns."""
    free = max(0, width - cells(text))
    return " " * (free - free // 2) + text + " " * (free // 2)


def clusters(text: str) -> Iterator[str]:
    """Letters with the marks that belong to them: "e\\u0301a" -> "e\\u0301", "a"."""
    whole = ""
    for letter in text:
        marks = unicodedata.category(letter).startswith("M") or not cells(letter)
        if whole and not marks and not whole.endswith(JOINER):
            yield whole
            whole = ""
        whole += letter
    if whole:
        yield whole


def cells(text: str) -> int:
    """How many columns of a terminal a text fills."""
    from rich.cells import cell_len

    return cell_len(text)
