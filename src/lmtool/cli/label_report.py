"""How good labels are, for people: measures, a row a label, and who is taken for whom."""

import sys
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from lmtool.cli.heat import has_colours, rendered, shade
from lmtool.cli.render import cut, number, pairs, table
from lmtool.cli.terminal import console, harmless, is_terminal
from lmtool.pages.shades import HEAT as SHADES

if TYPE_CHECKING:
    from rich.text import Text

    from lmtool.inference.classification import LabelEvaluation

__all__ = ["report"]

MEASURES = {  # name -> what it is, for people; those that a model has no use for are left out
    "accuracy": "%",
    "majority": "% if always the label that is the most frequent in training",
    "macro_f1": "%, the mean over labels",
    "micro_f1": "%, over all labels",
    "mae": "how far the label is off",
    "mae_expected": "how far the mean under the probabilities is off",
    "nats": "-ln p of what is so",
    "ece_uncalibrated": "%, between confidence and accuracy before calibration",
    "ece": "% after it",
    "temperature": "",
    "n": "texts",
}
CLASS = ("precision", "recall", "f1", "n", "n_predicted")
MOST = 20  # labels of a picture
CONFUSED = 10  # pairs of labels where there are more
WIDEST = 24  # characters of a label
CORNER = "true \\ given"
CELL = 7  # characters of a column of the picture at most


def report(results: Sequence[tuple[str, "LabelEvaluation"]]) -> Iterator[str]:
    """Measures of the files side by side, then each file's labels and confusions."""
    several = len(results) > 1
    names = [name for name in MEASURES if getattr(results[0][1], name) is not None]
    rows: list[tuple[Any, ...]] = [("file", *(file for file, _ in results))] if several else []
    explained = not several and is_terminal(sys.stdout)
    for name in names:
        meaning = [MEASURES[name]] if explained else []
        rows.append((name, *(getattr(result, name) for _, result in results), *meaning))
    yield pairs(rows)
    for file, result in results:
        yield f"\n{harmless(file)}" if several else ""
        yield by_label(result)
        if result.confusion is not None:
            yield ""
            yield confusions(result.labels, result.confusion)


def by_label(result: "LabelEvaluation") -> str:
    """A row a label; percentages with one decimal."""
    rows = [
        (cut(one.label, WIDEST), *(shown(getattr(one, name)) for name in CLASS))
        for one in result.per_class
    ]
    return table(("label", *CLASS), rows)


def shown(value: float) -> str:
    """A count, or a percentage."""
    return str(value) if isinstance(value, int) else f"{value:z.1f}"


def confusions(labels: Sequence[str], counts: Sequence[Sequence[int]]) -> str:
    """The matrix, shaded where there are colours; where it is too large the worst confusions."""
    if len(labels) > MOST or (is_terminal(sys.stdout) and width(labels, counts) > screen_width()):
        return most_confused(labels, counts)
    if has_colours():
        return rendered(picture(labels, counts))
    short = [cut(label, WIDEST) for label in labels]
    rows = [(label, *map(str, row)) for label, row in zip(short, counts, strict=True)]
    return table((CORNER, *short), rows)


def screen_width() -> int:
    """Columns of the terminal."""
    return console(sys.stdout).width


def widths(labels: Sequence[str], counts: Sequence[Sequence[int]]) -> tuple[int, int]:
    """Characters of the picture's first column and of each other one."""
    longest = max(len(str(n)) for row in counts for n in row)
    cell = max(longest, *(len(cut(label, CELL)) for label in labels)) + 2
    return max(len(cut(label, WIDEST)) for label in (*labels, CORNER)) + 1, cell


def width(labels: Sequence[str], counts: Sequence[Sequence[int]]) -> int:
    """Characters of the picture."""
    first, cell = widths(labels, counts)
    return first + cell * len(labels)


def picture(labels: Sequence[str], counts: Sequence[Sequence[int]]) -> "Text":
    """Rows are what is so, columns what was given; a shade is the share of its row."""
    from rich.text import Text

    first, cell = widths(labels, counts)
    heads = "".join(f"{cut(label, CELL):>{cell - 1}} " for label in labels)
    text = Text(f"{CORNER:{first}}{heads}\n", no_wrap=True)
    for label, row in zip(labels, counts, strict=True):
        text.append(f"{cut(label, WIDEST):{first}}")
        for n in row:
            text.append(f"{n:>{cell - 1}} ", style=shade(depth(n, sum(row))))
        text.append("\n")
    return text


def depth(n: int, whole: int) -> int:
    """The shade of a share: none for 0, the darkest for all."""
    return round(n / max(1, whole) * (len(SHADES) - 1))


def most_confused(labels: Sequence[str], counts: Sequence[Sequence[int]]) -> str:
    """The pairs of labels that are mistaken most often."""
    wrong = [
        (n, labels[i], labels[j])
        for i, row in enumerate(counts)
        for j, n in enumerate(row)
        if n and i != j
    ]
    most = sorted(wrong, key=lambda one: -one[0])[:CONFUSED]
    rows = [(cut(true, WIDEST), cut(given, WIDEST), number(n)) for n, true, given in most]
    return table(("true", "given", "n"), rows, 2)
