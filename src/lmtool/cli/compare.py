"""``lmtool compare``: which of two models is better on a text, and by more than chance?"""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lmtool.cli.counter import followed
from lmtool.cli.options import Json, settings, takes
from lmtool.cli.render import cut, decimals, json_line, number, paragraph, say, table
from lmtool.display import counted
from lmtool.settings import CompareSettings

if TYPE_CHECKING:
    from lmtool.inference.compare import Comparison

__all__ = ["run"]

ROWS = ("perplexity", "bits_per_word", "bits_per_character", "log10_p", "n_oov", "spelling_bits")


@takes(CompareSettings)
def run(
    a: Annotated[Path, typer.Argument(metavar="A.model", help="A model.")],
    b: Annotated[Path, typer.Argument(metavar="B.model", help="Another one.")],
    file: Annotated[
        str, typer.Option("-f", "--file", metavar="FILE|-", help="The text, one sentence a line.")
    ],
    speller: Annotated[
        Path | None,
        typer.Option(
            metavar="CHAR.model",
            help="Model of characters that prices spellings.",
            show_default="8 bits a byte",
        ),
    ] = None,
    as_json: Json = False,
    **values: Any,
) -> None:
    """Compare two models on a text, with a 95 % interval for the difference (paired bootstrap).

    Perplexities over different vocabularies do not compare: that is refused, unless --oov spell
    prices each unknown word as P(<UNK>) x P(spelling), which makes both models predict the same
    strings; then a model of words can be compared with one of characters, too.
    """
    wanted = settings(CompareSettings, values)
    if speller and wanted.oov != "spell":
        raise typer.BadParameter("needs --oov spell", param_hint="--speller")

    from lmtool import api
    from lmtool.arguments import source

    result = api.compare(a, b, followed(source(file), file), speller=speller, **asdict(wanted))
    say(json_line(result.to_dict()) if as_json else shown(result))


def shown(result: "Comparison") -> str:
    """A column for each model, and the verdict."""
    sides = (result.a, result.b)
    rows = [[name, *(number(getattr(side, name)) for side in sides)] for name in ROWS]
    lines = (
        table(["", f"A {cut(result.a.name)}", f"B {cut(result.b.name)}"], rows),
        "",
        paragraph(
            f"B - A: {decimals(result.difference_bits, 4, '+')} bits per word;"
            f" perplexity ratio B / A {decimals(result.perplexity_ratio, 4)}"
        ),
        paragraph(verdict(result)),
        f"A {result.a.signature}",
        f"B {result.b.signature}",
    )
    return "\n".join(lines)


def verdict(result: "Comparison") -> str:
    """By more than chance?"""
    if result.low is None or result.high is None or result.b_better is None:
        return "one line has no interval"
    better = "B" if result.difference_bits < 0 else "A"
    share = result.b_better if better == "B" else 1 - result.b_better
    return (
        f"95 % interval {result.low:+z.4f} to {result.high:+z.4f};"
        f" {better} is better in {share:z.1%} of"
        f" {counted(result.resamples, 'resample')} of {counted(result.n_lines, 'line')}"
        f" (seed {result.seed})"
    )
