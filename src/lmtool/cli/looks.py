"""What ``lmtool translate`` prints of where a model looked: layouts, a picture, a page."""

import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lmtool.cli import candidates
from lmtool.cli.attention import grid, html, svg
from lmtool.cli.candidates import Job
from lmtool.cli.heat import has_colours, put, rendered
from lmtool.cli.matrix import Pair
from lmtool.cli.render import number
from lmtool.cli.rows import ROWS
from lmtool.cli.terminal import console, harmless, is_terminal

if TYPE_CHECKING:
    from lmtool.inference.translate import Candidate, Translation

__all__ = ["FORMATS", "Form", "Html", "Pictures", "Svg", "refuse_blind"]

WIDE = 1 << 20  # columns of a pipe

Results = Iterable["Translation"]


def matrices(result: "Translation") -> Iterator[tuple["Candidate", Pair]]:
    """Each text that was found, and where it looked: source and target tokens, (T, S)."""
    import numpy as np

    from lmtool.text.vocabulary import EOS

    for one in result.hypotheses:
        looked = np.array(one.attention)
        numbered = tuple(str(s) for s in range(1, looked.shape[1] + 1))
        yield one, (result.source_tokens or numbered, (*one.tokens, EOS), looked)


def as_grids(results: Results, job: Job) -> Iterator[str]:
    """Each text above its matrix."""
    width = console(sys.stdout).width if is_terminal(sys.stdout) else WIDE
    colours = has_colours()
    for index, result in enumerate(results, job.before):
        found = []
        for one, pair in matrices(result):
            lines = grid(*pair, width, colours)
            head = f"{number(one.log10_p)}\t" * job.scores + harmless(one.text)
            found.append(f"{head}\n{rendered(lines) if colours else lines.plain}")
        yield "\n" * bool(index) + "\n\n".join(found)


def as_pharaoh(results: Results, job: Job) -> Iterator[str]:
    """``0-0 1-2``: the best text of each; blank for a blank line."""
    from lmtool.inference.attention import pharaoh

    for result in results:
        yield next((pharaoh(pair[2]) for _, pair in matrices(result)), "")


def as_tsv(results: Results, job: Job) -> Iterator[str]:
    """A row a number: which line, which of its texts, then the tokens and the weight."""
    from lmtool.inference.attention import COLUMNS

    return ROWS["tsv"](("line", "rank", *COLUMNS), all_weights(results, job.before))


def all_weights(results: Results, before: int) -> Iterator[dict[str, Any]]:
    """The rows, lines and ranks from 1; ``before``: lines before the first one."""
    from lmtool.inference.attention import weights

    for line, result in enumerate(results, before + 1):
        for rank, (_, pair) in enumerate(matrices(result), 1):
            yield from ({"line": line, "rank": rank, **row} for row in weights(*pair))


def as_nematus(results: Results, job: Job) -> Iterator[str]:
    """Blocks of the line from 0, the texts and the matrix; a blank line has one, too."""
    import numpy as np

    from lmtool.inference.attention import nematus

    for line, result in enumerate(results, job.before):
        for one, (source, target, looked) in matrices(result):
            said, seen = [harmless(x) for x in target], [harmless(x) for x in source]
            yield nematus(line, seen, said, looked, one.score * candidates.LN10)
        if not result.hypotheses:
            yield nematus(line, (), (), np.zeros((0, 0)), 0.0)


LOOKS: dict[str, Callable[[Results, Job], Iterator[str]]] = {
    "attention": as_grids,
    "pharaoh": as_pharaoh,
    "tsv": as_tsv,
    "nematus": as_nematus,
}
FORMATS = candidates.FORMATS | LOOKS

Form = Annotated[str | None, candidates.layouts(FORMATS)]
Html = Annotated[
    Path | None, typer.Option(metavar="FILE", help="Also write a page of where it looked.")
]
Svg = Annotated[
    Path | None, typer.Option(metavar="FILE", help="Also write a picture of where it looked.")
]


class Pictures:
    """Matrices collected for files, written when all are there."""

    def __init__(self, html: Path | None, svg: Path | None) -> None:
        self._html, self._svg = html, svg
        self._pairs: list[Pair] = []

    def seen(self, results: Results) -> Iterator["Translation"]:
        """The same results, each kept as it passes where there is a file to write."""
        for result in results:
            if self._html or self._svg:
                self._pairs += [pair for _, pair in matrices(result)]
            yield result

    def write(self) -> None:
        """The files, each whole or not at all. Raises InputError."""
        for path, drawn in ((self._html, html), (self._svg, svg)):
            if path:
                put(path, drawn(self._pairs))


def refuse_blind(attends: bool, form: str, html: Path | None, svg: Path | None) -> None:
    """Wrong usage where a model without attention is asked where it looked."""
    asked = {f"--format {form}": form in LOOKS, "--html": html, "--svg": svg}
    name = next((name for name, value in asked.items() if value), None)
    if name and not attends:
        message = "this model looks nowhere: it was trained with --attention none"
        raise typer.BadParameter(message, param_hint=name)
