"""Sentences from the command line, from a file, or from standard input."""

import sys
from collections.abc import Iterator
from itertools import chain, islice
from typing import TYPE_CHECKING

import typer

from lmtool.errors import InputError

if TYPE_CHECKING:
    from lmtool.text.reader import Line

__all__ = ["check_source", "file_lines", "given", "pace", "workers"]


def check_source(text: list[str] | None, file: str | None, example: str) -> None:
    """Wrong usage for two sources, or for none."""
    if text and file:
        raise typer.BadParameter("give sentences or a file, not both", param_hint="--file")
    if not text and file is None and sys.stdin.isatty():
        raise typer.BadParameter(f"nothing to score: try {example} or -f FILE", param_hint="TEXT")


def given(text: list[str], example: str) -> Iterator[str]:
    """The sentences of the command line. Raises InputError for an empty one."""
    for index, sentence in enumerate(text, 1):
        if not sentence.strip():
            message = f"sentence {index} is empty: give at least one word, as in {example}"
            raise InputError(message)
    return iter(text)


def file_lines(path: str) -> Iterator["Line"]:
    """The lines of a file, known to be readable before the first is asked for; ``-`` waits.

    Raises InputError.
    """
    from lmtool.text.reader import STDIN, read_lines

    lines = read_lines(path)
    begun = [] if path == STDIN else list(islice(lines, 1))
    return chain(begun, lines)


def pace(file: str | None, threads: int | None) -> dict[str, int]:
    """Options of what answers lines: threads, and where lines must be answered as they come one."""
    return {"threads": workers(file, threads)} | ({"ahead": 1} if file in (None, "-") else {})


def workers(file: str | None, threads: int | None) -> int:
    """As many as asked for; one where lines must be answered as they come."""
    from lmtool.workers import n_cores

    return 1 if file in (None, "-") else threads or n_cores()
