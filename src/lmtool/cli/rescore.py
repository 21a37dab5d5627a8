"""``lmtool rescore``: what was said, out of what may have been heard?"""

from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lmtool.cli.inputs import once
from lmtool.cli.nbest_formats import FORMATS, NAMES, WITH_SUMMARY
from lmtool.cli.options import MODEL, Json, Threads, choice, layout, settings, takes
from lmtool.cli.render import cut, decimals, number, paragraph, say, table
from lmtool.cli.terminal import talk
from lmtool.display import counted
from lmtool.settings import RescoreSettings

if TYPE_CHECKING:
    from lmtool.inference.rescore import Rescoring
    from lmtool.inference.wer_compare import WerDifference

__all__ = ["run"]


@takes(RescoreSettings)
def run(
    nbest: Annotated[
        list[str],
        typer.Argument(
            metavar="NBEST...", help="Lists of hypotheses; - is standard input.", show_default=False
        ),
    ],
    tune: Annotated[
        str | None,
        typer.Option(metavar="DEV", help="Other lists, with references: find the weights there."),
    ] = None,
    weights: Annotated[
        str | None,
        typer.Option(
            metavar="A,B,...",
            help="Of the recogniser, of each model, of words, of unknown words.",
            show_default="1, the models share 1, 0, 0",
        ),
    ] = None,
    references: Annotated[
        str | None,
        typer.Option(
            "--ref",
            metavar="FILE",
            help="References where the lists hold none: a line a list, for Kaldi after its id.",
        ),
    ] = None,
    tune_references: Annotated[
        str | None, typer.Option("--tune-ref", metavar="FILE", help="The same for --tune.")
    ] = None,
    costs: Annotated[
        list[str] | None,
        typer.Option(metavar="FILE", help="Costs of a Kaldi archive's hypotheses: utt-1 12.3."),
    ] = None,
    origin: Annotated[
        str | None,
        typer.Option(
            "--from",
            metavar="|".join(NAMES),
            help="Format of the lists.",
            show_default="as the first line says",
        ),
    ] = None,
    form: Annotated[
        str | None,
        typer.Option(
            "--format",
            metavar="|".join(FORMATS),
            help="Layout of the output: the best of each list, or all, best first.",
            show_default="text",
        ),
    ] = None,
    threads: Threads = None,
    models: Annotated[
        list[Path] | None,
        typer.Option(
            "-m",
            "--model",
            metavar="FILE",
            envvar="LMTOOL_MODEL",
            help="A language model; several count together.",
            show_default=str(MODEL),
        ),
    ] = None,
    as_json: Json = False,
    **values: Any,
) -> None:
    """Rescore n-best lists: choose what a language model finds probable of what was heard.

    The best hypothesis of each list is the one whose total is largest: its score in the list, the
    log-probability of each model, its words and its unknown words, each with a weight. --tune finds
    the weights with the fewest word errors on lists that have references. Where the rescored lists
    have references too, they are used for the error rates alone: of the first hypotheses, of the
    chosen ones, and of the best there are.
    """
    wanted = settings(RescoreSettings, values)
    form = layout(form, as_json, "text", FORMATS)
    origin = None if origin is None else choice("--from", origin, NAMES)
    if tune is not None and weights is not None:
        raise typer.BadParameter(
            "--tune finds the weights; give one of both", param_hint="--weights"
        )
    if tune is None and tune_references is not None:
        raise typer.BadParameter("needs --tune DEV", param_hint="--tune-ref")
    files = [*nbest, *filter(None, (tune, references, tune_references)), *(costs or [])]
    once(files)
    paths = models or [MODEL]

    from lmtool import api
    from lmtool.workers import n_cores

    result = api.rescore(
        [Path(one) for one in nbest],
        paths,
        tune=None if tune is None else [Path(tune)],
        weights=None if weights is None else numbers(weights),
        references=references,
        tune_references=tune_references,
        costs=costs,
        form=origin,
        threads=threads or n_cores(),
        **asdict(wanted),
    )
    names = [str(one) for one in paths]
    for line in FORMATS[form](result, names):
        say(line)
    if form not in WITH_SUMMARY:
        tell(form, summary(result, names, tune))


def numbers(text: str) -> list[float]:
    """``1,0.4,0`` as numbers; wrong usage for what is none."""
    try:
        return [float(part) for part in text.split(",")]
    except ValueError:
        message = f"{text!r} is no list of numbers: write 1,0.4,0,0"
        raise typer.BadParameter(message, param_hint="--weights") from None


def tell(form: str, lines: Iterator[str]) -> None:
    """The summary: below a table, else beside what is printed."""
    if form == "table":
        say("")
    for line in lines:
        for one in line.split("\n"):
            say(one) if form == "table" else talk(one)


def summary(result: "Rescoring", names: list[str], tune: str | None) -> Iterator[str]:
    """The weights, and where there are references the error rates."""
    weights = result.weights
    models = (f"{cut(name)} {number(w, 4)}" for name, w in zip(names, weights.models, strict=True))
    parts = [f"recogniser {number(weights.recogniser, 4)}", *models]
    parts += [f"words {number(weights.words, 4)}", f"unknown {number(weights.unknown, 4)}"]
    how = f", tuned on {cut(tune)}" if tune else ""
    means = ", means per word" * weights.per_word
    if weights.score_type != "total":
        means += f", scores taken for {weights.score_type}s"
    yield paragraph(f"weights{how}: {', '.join(parts)}{means}")
    changed = f"{result.n_changed:,} of {counted(result.n, 'list')} changed"
    worth = result.difference
    yield (
        changed
        if worth is None
        else f"{changed}, {worth.n_better:,} better, {worth.n_worse:,} worse"
    )
    if worth is not None:
        yield "\n" + rates(result)
        yield "\n" + paragraph(verdict(worth))


def rates(result: "Rescoring") -> str:
    """A row for the first, the chosen and the best ones."""
    sides = (("first", result.first), ("chosen", result.chosen), ("oracle", result.oracle))
    rows = [
        [name, decimals(one.wer), str(one.substitutions), str(one.deletions), str(one.insertions),
         str(one.n_words), decimals(one.exact, 1)]
        for name, one in sides
        if one is not None
    ]  # fmt: skip
    heads = ("", "WER", "substitutions", "deletions", "insertions", "words", "% exact")
    return table(heads, rows)


def verdict(worth: "WerDifference") -> str:
    """By more than chance?"""
    said = f"chosen - first: {decimals(worth.difference, 2, '+')} WER"
    if worth.low is None or worth.high is None:
        return f"{said}; one list has no interval"
    p = "" if worth.p is None else f", matched pairs p = {worth.p:z.2g}"
    resamples = counted(worth.resamples, "resample")
    return (
        f"{said}, 95 % interval {worth.low:+z.2f} to {worth.high:+z.2f}"
        f" ({resamples}, seed {worth.seed}){p}"
    )
