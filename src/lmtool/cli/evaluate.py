"""``lmtool evaluate``: the perplexity of a text."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from lmtool.cli.counter import followed
from lmtool.cli.options import MODEL, Json, ModelPath, Threads, choice
from lmtool.cli.render import json_line, pairs, say
from lmtool.settings import CONTEXTS

if TYPE_CHECKING:
    from lmtool.inference.evaluate import Evaluation

__all__ = ["run"]

BOTH = "both"


def run(
    file: Annotated[str, typer.Argument(metavar="FILE|-", help="The text, one sentence a line.")],
    context: Annotated[
        str | None,
        typer.Option(
            metavar="|".join((*CONTEXTS, BOTH)),
            help="Start each line afresh, or carry the state over from line to line.",
            show_default="both; sentence with --json",
        ),
    ] = None,
    threads: Threads = None,
    model: ModelPath = MODEL,
    as_json: Json = False,
) -> None:
    """Measure perplexity on a text: with and without <EOS>, with and without unknown words.

    "document" is the convention of published Penn Treebank results. The signature at the end says
    what the numbers depend on: compare only numbers whose signatures agree.
    """
    context = choice("--context", context or (CONTEXTS[0] if as_json else BOTH), (*CONTEXTS, BOTH))

    from lmtool import api
    from lmtool.arguments import source
    from lmtool.workers import n_cores

    contexts = CONTEXTS if context == BOTH else (context,)
    results = api.load(model).evaluations(
        followed(source(file), file), contexts, threads=threads or n_cores()
    )
    if as_json:
        say("\n".join(json_line(ordered(result)) for result in results))
    else:
        say(pairs(side_by_side(results)))


def ordered(result: "Evaluation") -> dict[str, Any]:
    """Names and values, the signature last."""
    values = result.to_dict()
    values["signature"] = values.pop("signature")
    return values


def side_by_side(results: "list[Evaluation]") -> list[tuple[Any, ...]]:
    """Each name with its value in every context."""
    records = [ordered(result) for result in results]
    return [(name, *(record[name] for record in records)) for name in records[0]]
