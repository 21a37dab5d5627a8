"""``lmtool neighbours``: which words' vectors are near?"""

from typing import Annotated

import typer

from lmtool.cli.inputs import Files
from lmtool.cli.nearest import Matrix, Metric, Number, asked, layout_of, say_matrix, taken
from lmtool.cli.options import MODEL, Json, ModelPath
from lmtool.cli.render import say

__all__ = ["run"]


def run(
    words: Annotated[
        list[str] | None, typer.Argument(metavar="[WORD|-]...", help="Words to look up.")
    ] = None,
    files: Files = None,
    k: Number = 10,
    metric: Metric = "cosine",
    matrix: Matrix = None,
    model: ModelPath = MODEL,
    as_json: Json = False,
) -> None:
    """List the words whose vectors are nearest to that of each WORD, or of each line of a file.

    Any model that reads or writes words has vectors of them; those of several networks stand side
    by side. Case is folded as the model folds it.
    """
    given = [[word] for word in words or []]
    named = taken(given, files, "neighbours", 1)

    from lmtool import api
    from lmtool.inference.neighbours import neighbours

    known = api.load_vectors(model).embeddings_of(matrix)
    say_matrix(known)
    printed = layout_of(as_json)
    for chunk in printed(asked(given, named, 1), lambda one: neighbours(known, one[0], k, metric)):
        say(chunk)
