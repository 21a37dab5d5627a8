"""Words whose vectors are near: what ``neighbours`` and ``analogy`` take in and print."""

import sys
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

from lmtool.cli.inputs import STDIN, once
from lmtool.cli.render import cut, decimals, json_line, number, table
from lmtool.cli.terminal import harmless, is_terminal, talk
from lmtool.errors import InputError

if TYPE_CHECKING:
    from lmtool.inference.embeddings import Embeddings
    from lmtool.inference.neighbours import Nearest

__all__ = ["Answer", "Matrix", "Metric", "Number", "answered", "asked", "layout_of"]
__all__ += ["say_matrix", "taken"]

COLUMNS = ("question", "word", "value")
OF_MATRIX = {"source": "words that are read about", "target": "words that are written"}

Metric = Annotated[
    str,
    typer.Option(
        "--metric",
        metavar="cosine|euclidean|manhattan",
        help="The cosine of vectors, or the distance between them.",
    ),
]
Matrix = Annotated[
    str | None,
    typer.Option(
        metavar="source|target",
        help="Whose vectors: words that are read about, or words that are written.",
        show_default="those that are read about, where there are two",
    ),
]
Number = Annotated[int, typer.Option("-k", "--number", min=1, help="How many words.")]


class Question(NamedTuple):
    """Words, and where they stand in a file; no words on a blank line."""

    words: list[str]
    line: int | None = None
    place: str = ""  # for messages


class Answer(NamedTuple):
    """What came of a question; None for a blank line."""

    line: int | None
    result: "Nearest | None"


def taken(given: list[list[str]], files: list[str] | None, command: str, n: int) -> list[str]:
    """The files to read questions from; none where they are given on the command line.

    Wrong usage for both, and for nothing while a person is looking.
    """
    named = [*(files or []), *[STDIN] * ([STDIN] in given)]
    if named and given and given != [[STDIN]]:
        raise typer.BadParameter("give words or a file, not both", param_hint="--file")
    if not named and not given and sys.stdin.isatty():
        words = "king" if n == 1 else "man king woman"
        message = f"nothing to look up: try lmtool {command} {words} or -f FILE"
        raise typer.BadParameter(message, param_hint="WORD")
    once(named)
    return named or ([] if given else [STDIN])


def asked(given: list[list[str]], files: list[str], n: int) -> Iterator[Question]:
    """The questions, of n words each. Raises InputError for a line with another number of them."""
    if not files:
        yield from (Question(words) for words in given)
        return
    from lmtool.text.reader import read_lines

    lines = (line for path in files for line in read_lines(path))
    for count, line in enumerate(lines, 1):
        words, place = line.text.split(), f"{line.path}:{line.number}"
        if len(words) not in (0, n):
            wanted = "one word" if n == 1 else f"{n} words"
            raise InputError(f"{place}: {len(words)} words; a question is {wanted} a line")
        yield Question(words, count, place)


def answered(
    questions: Iterable[Question], answer: "Callable[[list[str]], Nearest]"
) -> Iterator[Answer]:
    """Each with its answer. Raises InputError with the place of an unknown word."""
    for words, line, place in questions:
        try:
            yield Answer(line, answer(words) if words else None)
        except InputError as error:
            error.args = (f"{place}: {error.args[0]}" if place else error.args[0],)
            raise


def say_matrix(known: "Embeddings") -> None:
    """Which words these are, where a model has two kinds."""
    if len(known.matrices) > 1:
        talk(f"matrix    {known.matrix}: {OF_MATRIX[known.matrix]} (--matrix)")


def as_tables(answers: Iterable[Answer]) -> Iterator[str]:
    """Each question with its answers, nearest first."""
    for index, (line, result) in enumerate(answers):
        if result is not None:
            heading = cut(result.question, 70) if line is None else f"{line}: {result.question}"
            yield "\n" * bool(index) + f"{heading}\n{as_table(result)}"


def as_table(result: "Nearest") -> str:
    """Ranks, words and values."""
    rows = [
        [str(rank), cut(one.word), decimals(one.value, 4)]
        for rank, one in enumerate(result.neighbours, 1)
    ]
    return table(("", "word", result.metric), rows, 2)


def as_tsv(answers: Iterable[Answer]) -> Iterator[str]:
    """A header and a row a word, the line's number before it."""
    for index, (line, result) in enumerate(answers):
        place = [] if line is None else [str(line)]
        if not index:
            yield "\t".join([*["line"] * len(place), *COLUMNS])
        for one in result.neighbours if result else ():
            words = map(harmless, (result.question if result else "", one.word))
            yield "\t".join([*place, *words, number(one.value)])


def as_objects(answers: Iterable[Answer]) -> Iterator[str]:
    """An object a question, the line's number before it."""
    for line, result in answers:
        place = {} if line is None else {"line": line}
        yield json_line(place | (result.to_dict() if result else {"question": ""}))


LAYOUTS: dict[str, Callable[[Iterable[Answer]], Iterator[str]]] = {
    "table": as_tables,
    "tsv": as_tsv,
    "jsonl": as_objects,
}


def layout_of(as_json: bool) -> Callable[..., Iterator[str]]:
    """Objects, tables for people, rows in a pipe: (questions, answer) -> what is printed."""
    form = "jsonl" if as_json else "table" if is_terminal(sys.stdout) else "tsv"
    return lambda questions, answer: LAYOUTS[form](answered(questions, answer))
