"""What a command takes in: sentences from the command line, files, standard input.

``-`` is standard input wherever a file or a sentence is, and it can be read once only. A note on
stderr says where something else was probably meant; it is never an error.
"""

import os
import shlex
import stat
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain, islice, tee
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from lmtool.cli.counter import followed
from lmtool.cli.render import cut
from lmtool.cli.terminal import talk
from lmtool.errors import InputError
from lmtool.signatures import SOUNDS

if TYPE_CHECKING:
    from collections.abc import Callable

    from lmtool.text.parts import Part
    from lmtool.text.reader import Line

__all__ = ["STDIN", "Files", "Inputs", "Row", "Source", "Sources", "beside", "clips", "file_lines"]
__all__ += ["hint", "inputs", "note", "once", "own_numbers", "pace", "sources", "text_of"]

STDIN = "-"
SHOWN = 60  # characters of a sentence in a note
VERBS = {"surprisal": "score"}  # what a command does with a sentence, where its name says another
LINES_OF_TABLE = "its lines are taken as sentences, the header too"

Result = TypeVar("Result")

Files = Annotated[
    list[str] | None,
    typer.Option("-f", "--file", metavar="FILE|-", help="Its lines; several files, in order."),
]


@dataclass(frozen=True, slots=True)
class Row:
    """A row of a table: a word, or what belongs to it; what is carried through beside it."""

    text: str
    number: int  # of the line where it begins
    kept: dict[str, str]


@dataclass(frozen=True, slots=True)
class Source:
    """A sentence, where it stands, and what is carried through beside it."""

    text: str
    number: int  # of the line, from 1 in each file
    file: str | None = None  # as it was named; None: given on the command line
    kept: dict[str, str] | None = None  # None: the line is of no table
    rows: tuple[Row, ...] = ()  # that make the sentence, where each is one of its words


@dataclass(frozen=True, slots=True)
class Inputs:
    """Sentences, or files; never both, never neither."""

    sentences: list[str]
    files: list[str]
    part: "Part | None" = None  # of the files; None: the whole

    def __post_init__(self) -> None:
        if self.sentences and self.part:
            raise typer.BadParameter("parts are of files: give -f FILE", param_hint="--part")


@dataclass(frozen=True, slots=True)
class Sources:
    """What stands in a part of the files, and how many stand before."""

    each: Iterator[Source]
    before: int = 0

    def __iter__(self) -> Iterator[Source]:
        return self.each


def inputs(
    text: list[str] | None,
    files: list[str] | None,
    command: str,
    column: str | None = None,
    part: "Part | None" = None,
) -> Inputs:
    """What is given; ``-`` among the sentences is a file. Standard input where nothing is.

    Wrong usage for sentences and files, for a part of sentences, and for nothing while a person is
    looking; InputError for an empty sentence.
    """
    given = text or []
    sentences = [sentence for sentence in given if sentence != STDIN]
    named = [*(files or []), *[STDIN] * (len(given) - len(sentences))]
    if sentences and (named or column):
        raise typer.BadParameter("give sentences or a file, not both", param_hint="--file")
    if not given and not named and sys.stdin.isatty():
        message = f"nothing to {VERBS.get(command, command)}: try {example(command)} or -f FILE"
        raise typer.BadParameter(message, param_hint="TEXT")
    once(named)
    refuse_empty(sentences, command)
    hint(sentences, command)
    return Inputs(sentences, [] if sentences else named or [STDIN], part)


def once(files: Iterable[str]) -> None:
    """Wrong usage where standard input is to be read twice."""
    if list(files).count(STDIN) > 1:
        message = "standard input can be read once only; save it to a file first"
        raise typer.BadParameter(message, param_hint=STDIN)


def refuse_empty(sentences: list[str], command: str) -> None:
    """Raises InputError for a sentence without a word."""
    for index, sentence in enumerate(sentences, 1):
        if not sentence.strip():
            ways = f"give at least one word, as in {example(command)}"
            raise InputError(f"sentence {index} is empty: {ways}")


def example(command: str) -> str:
    """How it is called."""
    return f'lmtool {command} "Todd met Pete"'


def hint(sentences: list[str], command: str) -> None:
    """A note where a file was probably meant, or one sentence in place of its words."""
    texts = (name for name in sentences if not name.lower().endswith(SOUNDS))
    file = next(filter(os.path.isfile, texts), None)
    if file is not None:
        note(f"{file} is a file; -f {shlex.quote(file)} takes its lines")
    elif len(sentences) > 1 and all(len(sentence.split()) == 1 for sentence in sentences):
        whole = f'lmtool {command} "{cut(" ".join(sentences), SHOWN)}"'
        note(f"{len(sentences)} sentences of one word each; for one sentence quote it: {whole}")


def note(message: str) -> None:
    """One line on stderr about what is no error."""
    talk(f"note: {message}")


def sources(
    given: Inputs,
    advice: str = LINES_OF_TABLE,
    passed: "Callable[[Source], object] | None" = None,
) -> Sources:
    """The sentences, or the lines of the files; a note with ``advice`` for what looks like a table.

    Before a part, lines are only counted, unless ``passed`` wants them. Raises InputError.
    """
    if given.sentences:
        return Sources(Source(text, number) for number, text in enumerate(given.sentences, 1))
    own = own_numbers(given.part, given.files)
    if given.part is not None and passed is not None:
        return passing(given.files, own, passed)
    begun = [(file, begin(file, advice, of)) for file, of in zip(given.files, own, strict=True)]
    each = (
        Source(line.text, line.number, file)
        for file, lines in begun
        for line in followed(lines, None if given.part else file)
    )
    return Sources(each, sum(of.start - 1 for of in own))


def passing(files: list[str], own: list[range], passed: "Callable[[Source], object]") -> Sources:
    """The lines of a part; ``passed`` gets those before, which are read for it."""
    from lmtool.text.parts import cut
    from lmtool.text.reader import read_lines

    def read(file: str) -> Iterator[Source]:
        return (Source(line.text, line.number, file) for line in read_lines(file))

    before, each = cut(
        zip(map(read, files), own, strict=True), lambda source: source.number, passed
    )
    return Sources(followed(each), before)


def own_numbers(
    part: "Part | None",
    files: list[str],
    rows: "Callable[[str], int | None]" = lambda path: None,
) -> list[range]:
    """For each file the numbers of its lines that are answered; ``rows`` as in text.parts."""
    from lmtool.text.parts import numbers
    from lmtool.text.reader import ALL

    return [ALL] * len(files) if part is None else numbers(part, files, rows)


def file_lines(
    path: str, advice: str = LINES_OF_TABLE, own: range | None = None
) -> Iterator["Line"]:
    """The lines of a file; a note with ``advice`` where it looks like a table. InputError."""
    from lmtool.text.reader import ALL, read_lines
    from lmtool.text.tables import looks_like_table

    lines = read_lines(path, ALL if own is None else own)
    for line in islice(lines, 1):
        if line.number == 1 and looks_like_table(path, line.text):
            note(f"{line.path} looks like a table; {advice}")
        yield line
    yield from lines


def begin(path: str, advice: str = LINES_OF_TABLE, own: range | None = None) -> Iterator["Line"]:
    """The same, known to be readable before the first line is asked for; ``-`` waits."""
    lines = file_lines(path, advice, own)
    return chain([] if path == STDIN else list(islice(lines, 1)), lines)


def text_of(path: str) -> Iterator[str]:
    """The lines of a file as one text, known to be readable. Raises InputError for an empty one."""
    return some_text(followed(begin(path), path), path)


def some_text(lines: Iterable["Line"], path: str) -> Iterator[str]:
    """The lines' texts."""
    empty = True
    for line in lines:
        empty = empty and not line.text
        yield line.text
    if empty:
        from lmtool.text.reader import display_name

        raise InputError(f"{display_name(path)}: no text in it; give lines with words")


def clips(model: Any, given: Inputs) -> tuple[int, Iterator[Any]]:
    """How many clips or vectors of the files are before the part, and those in it. InputError.

    Those before are read, too.
    """
    from lmtool.data.readers.arrays import n_rows
    from lmtool.text.parts import cut

    read = map(model.clips, given.files)
    if given.part is None:
        return 0, chain.from_iterable(read)
    own = own_numbers(given.part, given.files, n_rows)
    return cut(zip(read, own, strict=True), lambda clip: clip.line)


def beside(
    given: Iterable[Source], scored: "Callable[[Iterator[str]], Iterator[Result]]"
) -> Iterator[tuple[Source, Result]]:
    """Each source with what came of its text, in order."""
    ahead, behind = tee(given)
    results = scored(source.text for source in ahead)
    return ((source, result) for result, source in zip(results, behind, strict=False))


def pace(files: list[str], threads: int | None, by_line: bool = True) -> dict[str, Any]:
    """Options of what answers lines, each of them as it comes where somebody may wait for it.

    Rows of a table, not ``by_line``, are answered one by one then: lines that are none can follow.
    """
    from lmtool.text.reader import at_hand
    from lmtool.workers import n_cores

    if no_one_waits(files):
        return {"threads": threads or n_cores()}
    if not (files and by_line):
        return {"threads": 1, "ahead": 1}
    return {"threads": threads or n_cores(), "ahead": at_hand}


def no_one_waits(files: list[str]) -> bool:
    """Whether all lines are there: they come from files, standard input being one of them or not.

    Who writes into a pipe may wait for the answer to a line before giving the next one.
    """
    return bool(files) and (STDIN not in files or stdin_is_a_file())


def stdin_is_a_file() -> bool:
    """Whether standard input is redirected from a regular file."""
    try:
        return stat.S_ISREG(os.fstat(sys.stdin.fileno()).st_mode)
    except (AttributeError, OSError, ValueError):  # closed, or replaced by what is none
        return False
