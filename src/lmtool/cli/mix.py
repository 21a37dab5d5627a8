"""``lmtool mix``: several language models as one."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from lmtool.cli.inputs import once
from lmtool.cli.options import Json, Threads, choice
from lmtool.cli.render import cut, decimals, json_line, paragraph, say, table
from lmtool.cli.terminal import talk
from lmtool.settings import CONTEXTS

__all__ = ["run"]


def run(
    models: Annotated[
        list[str],
        typer.Argument(
            metavar="MODEL MODEL...",
            help="Two language models or more, over the same tokens.",
            show_default=False,
        ),
    ],
    valid: Annotated[
        list[str],
        typer.Option(
            metavar="FILE", help="The text that says how much each counts; none has learnt it."
        ),
    ],
    output: Annotated[Path, typer.Option("-o", "--output", metavar="FILE", help="The new model.")],
    context: Annotated[
        str,
        typer.Option(
            metavar="|".join(CONTEXTS), help="Each line afresh, or the state carried over."
        ),
    ] = CONTEXTS[0],
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the file.")] = False,
    threads: Threads = None,
    as_json: Json = False,
) -> None:
    """Mix language models: a weighted mean of their probabilities, in one file.

    The weights are those that make a text most probable which none of the models has learnt, by
    expectation maximisation. Networks may get a temperature, and where that is better on either
    half of the text when it was found on the other, the weights follow the context: how much the
    n-grams know of the words before. A mixture among the models gives its parts.
    """
    choice("--context", context, CONTEXTS)
    if len(models) < 2:
        raise typer.BadParameter("name two models or more", param_hint="MODEL")
    once([*models, *valid])

    from lmtool import api
    from lmtool.workers import n_cores

    mixed = api.mix(
        models,
        valid=valid,
        output=output,
        context=context,
        overwrite=overwrite,
        threads=threads or n_cores(),
    )
    result = mixed.provenance["mixed"]
    if as_json:
        say(json_line(result))
        return
    say(listed(result["parts"], result["perplexity"]))
    if result["follows"]:
        say("")
        say(paragraph(f"the weights are means: they follow {' and '.join(result['follows'])}"))
    talk(f"model     {output} ({output.stat().st_size / 1e6:z.1f} MB)")


def listed(parts: Sequence[dict[str, Any]], perplexity: float) -> str:
    """A row for each part, and for the whole."""
    heads = ("part", "weight", "perplexity", "temperature")
    rows = [
        [cut(one["name"]), decimals(one["weight"], 3), decimals(one["perplexity"]),
         decimals(one["temperature"])]
        for one in parts
    ]  # fmt: skip
    return table(heads, [*rows, ["mixture", decimals(1.0, 3), decimals(perplexity), ""]])
