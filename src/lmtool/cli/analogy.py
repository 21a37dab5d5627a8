"""``lmtool analogy``: man is to king as woman is to what?"""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from lmtool.cli.inputs import Files
from lmtool.cli.nearest import (
    Answer,
    Matrix,
    Metric,
    Number,
    answered,
    asked,
    layout_of,
    say_matrix,
    taken,
)
from lmtool.cli.options import MODEL, Json, ModelPath
from lmtool.cli.render import cut, decimals, json_line, say, table
from lmtool.display import counted

if TYPE_CHECKING:
    from lmtool.inference.embeddings import Embeddings
    from lmtool.inference.neighbours import Nearest, WorkedOut

__all__ = ["run"]

N = 3  # words of a question
FIRST = 6  # numbers of a vector that are shown
DISTANCE = "the distance from the sum; the smallest is the answer"
FORMULAS = {
    "cosine": "cosine = (cos B - cos A + cos C) / length of the sum; the largest is the answer",
    "cosmul": "s = (cos + 1) / 2; cosmul = s(B) s(C) / (s(A) + 0.001); the largest is the answer",
}


def run(
    words: Annotated[
        list[str] | None,
        typer.Argument(metavar="[A B C|-]...", help="A is to B as C is to which word?"),
    ] = None,
    files: Files = None,
    k: Number = 10,
    metric: Metric = "cosine",
    cosmul: Annotated[
        bool, typer.Option("--cosmul", help="Multiply similarities, do not add vectors: 3CosMul.")
    ] = False,
    explain: Annotated[
        bool, typer.Option("--explain", help="Work it out: vectors, sum, similarities.")
    ] = False,
    matrix: Matrix = None,
    model: ModelPath = MODEL,
    as_json: Json = False,
) -> None:
    """List the words that are to C as B is to A: whose vectors are nearest to B - A + C.

    The cosine is that of vectors brought to length 1 before they are added, distances take them as
    they are. The words of the question are no answers. A file has three words a line.
    """
    given = [list(words)] if words else []
    named = taken(given, files, "analogy", N)
    if given and not named and len(given[0]) != N:
        message = f"{counted(len(given[0]), 'word')}; give three, as in man king woman"
        raise typer.BadParameter(message, param_hint="A B C")

    from lmtool import api
    from lmtool.inference.neighbours import analogy

    known = api.load_vectors(model).embeddings_of(matrix)
    say_matrix(known)

    def answer(one: list[str]) -> "Nearest":
        a, b, c = one
        return analogy(known, a, b, c, k, metric, cosmul)

    questions = asked(given, named, N)
    if explain:
        printed = explained(known, answered(questions, answer), as_json)
    else:
        printed = layout_of(as_json)(questions, answer)
    for chunk in printed:
        say(chunk)


def explained(known: "Embeddings", answers: Iterator[Answer], as_json: bool) -> Iterator[str]:
    """The arithmetic of each answer."""
    from lmtool.inference.neighbours import worked_out

    for index, (line, result) in enumerate(answers):
        if as_json:
            place = {} if line is None else {"line": line}
            own = worked_out(known, result).to_dict() if result else {"question": ""}
            yield json_line(place | own)
        elif result is not None:
            done = worked_out(known, result)
            yield "\n" * bool(index) + f"{sums(done)}\n\n{similarities(done)}"


def sums(done: "WorkedOut") -> str:
    """The vectors' first numbers, their lengths, and the sum."""
    a, b, c = map(cut, done.result.words)
    rows = zip((b, f"- {a}", f"+ {c}", "= sum"), done.vectors, done.lengths, strict=True)
    shown = min(FIRST, len(done.vectors[0]))
    rest = len(done.vectors[0]) > FIRST
    lines = [
        [name, *(decimals(x, 4) for x in vector[:FIRST]), *["..."] * rest, decimals(length, 4)]
        for name, vector, length in rows
    ]
    return table(["", *map(str, range(1, shown + 1)), *["..."] * rest, "length"], lines)


def similarities(done: "WorkedOut") -> str:
    """How near the best words are to each word of the question, and to the sum."""
    a, b, c = map(cut, done.result.words)
    rows = [
        [
            cut(row.word) + " (in the question)" * row.left_out,
            *(decimals(x, 4) for x in row.cosines),
            decimals(row.value, 4),
        ]
        for row in done.rows
    ]
    heads = ("", f"cos {b}", f"cos {a}", f"cos {c}", done.result.metric)
    return f"{table(heads, rows)}\n\n{FORMULAS.get(done.result.metric, DISTANCE)}"
