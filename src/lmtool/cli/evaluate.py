"""``lmtool evaluate``: the perplexity of a text."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from lmtool.cli.inputs import once, text_of
from lmtool.cli.options import MODEL, Json, ModelPath, Threads, choice
from lmtool.cli.render import json_line, pairs, say
from lmtool.settings import CONTEXTS

if TYPE_CHECKING:
    from lmtool.inference.evaluate import Evaluation

__all__ = ["run"]

BOTH = "both"
FILE = "file"  # the text's name


def run(
    files: Annotated[
        list[str],
        typer.Argument(metavar="FILE|-...", help="Texts, one sentence a line; a result each."),
    ],
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

    once(files)

    from lmtool import api
    from lmtool.workers import n_cores

    contexts = CONTEXTS if context == BOTH else (context,)
    lm, threads = api.load(model), threads or n_cores()
    texts = [(file, text_of(file)) for file in files]
    records = [
        {FILE: file} | ordered(result)
        for file, text in texts
        for result in lm.evaluations(text, contexts, threads=threads)
    ]
    if as_json:
        say("\n".join(map(json_line, records)))
    else:
        say(pairs(side_by_side(records, len(files) > 1)))


def ordered(result: "Evaluation") -> dict[str, Any]:
    """Names and values, the signature last."""
    values = result.to_dict()
    values["signature"] = values.pop("signature")
    return values


def side_by_side(records: list[dict[str, Any]], several: bool) -> list[tuple[Any, ...]]:
    """Each name with its value in every record; the file's name where there are several."""
    names = [name for name in records[0] if several or name != FILE]
    return [(name, *(record[name] for record in records)) for name in names]
