"""``lmtool compare``: which of two models is better on a text, and by more than chance?"""

from collections.abc import Callable, Iterator
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lmtool.cli.inputs import once, text_of
from lmtool.cli.options import Json, layout, settings, takes
from lmtool.cli.render import cut, decimals, json_line, number, paragraph, say, table
from lmtool.cli.rows import ROWS
from lmtool.cli.terminal import harmless
from lmtool.display import counted
from lmtool.settings import CompareSettings

if TYPE_CHECKING:
    from lmtool.inference.compare import Comparison

__all__ = ["run"]

VALUES = ("perplexity", "bits_per_word", "bits_per_character", "log10_p", "n_oov", "spelling_bits")

Result = tuple[str, "Comparison"]  # of a text, after its name


def as_tables(results: list[Result]) -> Iterator[str]:
    """A block a text, under its name where there are several."""
    for index, (file, result) in enumerate(results):
        name = f"{harmless(file)}\n" if len(results) > 1 else ""
        yield "\n" * (index > 0) + name + shown(result)


def as_objects(results: list[Result]) -> Iterator[str]:
    """One object a text."""
    return (json_line({"file": file} | result.to_dict()) for file, result in results)


def as_rows(form: str, results: list[Result]) -> Iterator[str]:
    """One row a text, the values of a model under ``a_`` and ``b_``."""
    records = [{"file": file} | flat(result) for file, result in results]
    return ROWS[form](list(records[0]), records)


def flat(result: "Comparison") -> dict[str, Any]:
    """{"a": {"name": ...}, "low": ...} -> {"a_name": ..., "low": ...}"""
    values = result.to_dict()
    sides = {f"{side}_{name}": v for side in "ab" for name, v in values.pop(side).items()}
    return sides | values


def shown(result: "Comparison") -> str:
    """A column for each model, and the verdict."""
    sides = (result.a, result.b)
    rows = [[name, *(number(getattr(side, name)) for side in sides)] for name in VALUES]
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


LAYOUTS: dict[str, Callable[[list[Result]], Iterator[str]]] = {
    "table": as_tables,
    "tsv": partial(as_rows, "tsv"),
    "csv": partial(as_rows, "csv"),
    "jsonl": as_objects,
}


@takes(CompareSettings)
def run(
    a: Annotated[Path, typer.Argument(metavar="A.model", help="A model.")],
    b: Annotated[Path, typer.Argument(metavar="B.model", help="Another one.")],
    files: Annotated[
        list[str],
        typer.Option(
            "-f", "--file", metavar="FILE|-", help="A text, one sentence a line; a result each."
        ),
    ],
    speller: Annotated[
        Path | None,
        typer.Option(
            metavar="CHAR.model",
            help="Model of characters that prices spellings.",
            show_default="8 bits a byte",
        ),
    ] = None,
    form: Annotated[
        str | None,
        typer.Option(
            "--format",
            metavar="|".join(LAYOUTS),
            show_default="table",
            help="Layout of the output.",
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

    form = layout(form, as_json, "table", LAYOUTS)
    once(files)

    from lmtool import api

    texts = [(file, text_of(file)) for file in files]
    options = {"speller": speller, **asdict(wanted)}
    results = [(file, api.compare(a, b, text, **options)) for file, text in texts]
    for line in LAYOUTS[form](results):
        say(line)
