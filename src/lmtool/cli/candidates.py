"""What ``lmtool translate`` and ``lmtool caption`` print: the table of layouts."""

import math
import sys
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import typer

from lmtool.cli.options import layout
from lmtool.cli.render import cut, decimals, json_line, number, table
from lmtool.cli.terminal import harmless, is_terminal

if TYPE_CHECKING:
    from lmtool.inference.translate import Candidate, Translation

__all__ = ["FORMATS", "Form", "Job", "Scores", "chosen_format", "layouts"]

WIDEST = 60  # characters of a source on a terminal
LN10 = math.log(10)  # Moses counts in nats
BAR, SPELLED = "|||", "&#124;&#124;&#124;"  # what parts the fields of a list, and as Moses has it

Results = Iterable["Translation"]


class Job(NamedTuple):
    """What a layout needs to know."""

    scores: bool  # are printed before the texts
    before: int = 0  # lines before the first one, which count where lines are numbered


def as_text(results: Results, job: Job) -> Iterator[str]:
    """The best text of each, log10 P before it where that is asked for; blank for a blank line."""
    for result in results:
        before = f"{number(result.log10_p)}\t" if job.scores and result.hypotheses else ""
        yield before + harmless(result.text)


def as_tables(results: Results, job: Job) -> Iterator[str]:
    """Each source with all that was found for it."""
    for index, result in enumerate(results, job.before):
        rows = [
            (str(rank), harmless(one.text), decimals(one.log10_p, 4), decimals(one.score, 4))
            for rank, one in enumerate(result.hypotheses, 1)
        ]
        found = table(("", "text", "log10 p", "score"), rows, 2) if rows else ""
        yield "\n" * bool(index) + f"{cut(result.source, WIDEST)}\n{found}"


def as_moses(results: Results, job: Job) -> Iterator[str]:
    """``0 ||| text ||| lm= -3.1 ||| -1.2``: line from 0, ln P, score; a blank line has one, too."""
    for line, result in enumerate(results, job.before):
        rows = [moses(line, one) for one in result.hypotheses]
        yield "\n".join(rows or [f"{line} |||  ||| lm= 0 ||| 0"])


def moses(line: int, one: "Candidate") -> str:
    """One row."""
    text = harmless(one.text).replace(BAR, SPELLED)
    return f"{line} ||| {text} ||| lm= {number(one.log10_p * LN10)} ||| {number(one.score * LN10)}"


def as_objects(results: Results, job: Job) -> Iterator[str]:
    """One object a line."""
    return (json_line(result.to_dict()) for result in results)


FORMATS: dict[str, Callable[[Results, Job], Iterator[str]]] = {
    "text": as_text,
    "table": as_tables,
    "moses": as_moses,
    "jsonl": as_objects,
}
ONE_EACH = ("text", "pharaoh")  # layouts that have room for the best alone


def layouts(names: Iterable[str]) -> Any:
    """The option that chooses among them."""
    return typer.Option(
        "--format",
        metavar="|".join(names),
        show_default="text; of several table, moses in a pipe",
        help="Layout of the output.",
    )


Form = Annotated[str | None, layouts(FORMATS)]
Scores = Annotated[
    bool, typer.Option("-v", "--scores", help="Print log10 P and a tab before each text.")
]


def chosen_format(
    form: str | None, as_json: bool, n: int, formats: Iterable[str] = tuple(FORMATS)
) -> str:
    """The name of a layout; wrong usage where it has no room for n."""
    several = "table" if is_terminal(sys.stdout) else "moses"
    form = layout(form, as_json, "text" if n == 1 else several, formats)
    if n > 1 and form in ONE_EACH:
        rest = ", ".join(name for name in formats if name not in ONE_EACH)
        message = f"{form} has one result a line; -n {n} needs one of {rest}"
        raise typer.BadParameter(message, param_hint="--format")
    return form
