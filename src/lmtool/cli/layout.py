"""What fits into the columns of a terminal: widths, lines, blocks of a table."""

from collections.abc import Iterable, Sequence

__all__ = ["BETWEEN", "GAP", "blocks", "cells_wide", "fitted", "folded", "shared", "words_wide"]

GAP = "   "  # between the parts of a line
BETWEEN = 2  # two columns of a table
LEAST = 8  # columns that a column keeps where nothing else helps


def cells_wide(text: str) -> int:
    """Columns that a text takes: two for each wide character."""
    from rich.cells import cell_len

    return cell_len(text)


def words_wide(text: str) -> int:
    """Columns that its longest word takes."""
    return max(map(cells_wide, text.split()), default=0)


def fitted(parts: Iterable[str], width: int) -> str:
    """Parts next to each other, on a new line where they would go beyond the width."""
    return _joined(parts, GAP, width)


def folded(text: str, width: int, indent: str = "") -> str:
    """A line on several, broken at blanks, the others indented."""
    return _joined(text.split(" "), " ", width, indent)


def _joined(parts: Iterable[str], gap: str, width: int, indent: str = "") -> str:
    lines: list[str] = []
    for part in parts:
        longer = f"{lines[-1]}{gap}{part}" if lines else part
        if lines and cells_wide(longer) <= width:
            lines[-1] = longer
        else:
            lines.append(indent * bool(lines) + part)
    return "\n".join(lines)


def blocks(least: Sequence[int], width: int) -> list[list[int]]:
    """Columns that go side by side, the first one in every block.

    (10, 30, 30, 30) in 80 -> [[0, 1, 2], [0, 3]]
    """
    first, *others = range(len(least))
    parts, used = [[first]], least[first]
    for column in others:
        if used + BETWEEN + least[column] > width and len(parts[-1]) > 1:
            parts.append([first])
            used = least[first]
        parts[-1].append(column)
        used += BETWEEN + least[column]
    return parts


def shared(natural: Sequence[int], least: Sequence[int], width: int) -> list[int]:
    """Widths that fit: the widest column gives way first, as far as its words allow.

    (10, 60, 20), (10, 9, 20) in 80 -> [10, 46, 20]
    """
    widths, room = list(natural), width - BETWEEN * (len(natural) - 1)
    for bounds in (least, [min(LEAST, own) for own in natural]):
        while sum(widths) > room:
            able = [i for i, own in enumerate(widths) if own > bounds[i]]
            if not able:
                break
            widths[max(able, key=widths.__getitem__)] -= 1
    return widths
