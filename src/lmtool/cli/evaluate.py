"""``lmtool evaluate``: the perplexity of a text."""

from typing import Annotated

import typer

from lmtool.cli.options import MODEL, Json, ModelPath, choice
from lmtool.cli.render import json_line, pairs, say

__all__ = ["CONTEXTS", "run"]

CONTEXTS = ("sentence", "document")


def run(
    file: Annotated[str, typer.Argument(metavar="FILE|-", help="The text, one sentence a line.")],
    context: Annotated[
        str,
        typer.Option(
            metavar="|".join(CONTEXTS),
            help="Start each line afresh, or carry the state over from line to line.",
        ),
    ] = CONTEXTS[0],
    model: ModelPath = MODEL,
    as_json: Json = False,
) -> None:
    """Measure perplexity on a text: with and without <EOS>, with and without unknown words.

    "document" is the convention of published Penn Treebank results. The signature at the end says
    what the number depends on: compare only numbers whose signatures agree.
    """
    choice("--context", context, CONTEXTS)

    from lmtool import api

    result = api.load(model).evaluate(file, context=context).to_dict()
    result["signature"] = result.pop("signature")  # comes last
    say(json_line(result) if as_json else pairs(result.items()))
