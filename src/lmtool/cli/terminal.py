"""Streams and characters: stdout is data, stderr is talk, and neither can be made to misbehave."""

import contextlib
import io
import os
import shutil
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, TextIO, cast

from lmtool.display import harmless

if TYPE_CHECKING:
    from rich.console import Console

__all__ = [
    "STATUS",
    "close_stdout",
    "console",
    "harmless",
    "is_terminal",
    "prepare_streams",
    "speaks_utf8",
]
__all__ += ["give_up", "mute", "printing", "talk"]


def prepare_streams() -> None:
    """Makes both streams write line by line and spell out what their encoding lacks.

    A stream that was closed before we started gives nothing and takes everything.
    """
    sys.stdin = sys.stdin or _nothing("r")
    sys.stdout = sys.stdout or _nothing("w")
    sys.stderr = sys.stderr or _nothing("w")
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace", line_buffering=True)


def _nothing(mode: str) -> TextIO:
    return cast(TextIO, open(os.devnull, mode, encoding="utf-8"))


def mute() -> None:
    """From now on this process prints and says nothing: another one speaks for it."""
    sys.stdout, sys.stderr = _nothing("w"), _nothing("w")


def close_stdout() -> None:
    """Gives up on a reader that went away, so that the interpreter ends without a word."""
    give_up(sys.stdout)


def give_up(stream: TextIO) -> None:
    """Lets a stream that cannot be written take everything from now on."""
    with contextlib.suppress(OSError):  # one without a descriptor
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


class Status:
    """A line on stderr's terminal that is gone before anything else is printed or said."""

    def __init__(self) -> None:
        self._shown = 0

    def show(self, text: str) -> None:
        """In place of what was shown before."""
        text = harmless(text)[: shutil.get_terminal_size().columns - 1]
        self._write(f"\r{text.ljust(self._shown)}")
        self._shown = len(text)

    def clear(self) -> None:
        """Leaves the line as it was."""
        if self._shown:
            self._write(f"\r{' ' * self._shown}\r")
            self._shown = 0

    def _write(self, text: str) -> None:
        try:
            sys.stderr.write(text)
            sys.stderr.flush()
        except OSError:
            give_up(sys.stderr)


STATUS = Status()


@contextlib.contextmanager
def printing() -> Iterator[None]:
    """Around whatever prints to stdout: it is written at the end, and what cannot be is given up.

    Raises BrokenPipeError where the reader went away, OSError that names standard output otherwise.
    """
    STATUS.clear()
    try:
        yield
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except SystemExit as ending:  # what rich makes of it
        if isinstance(ending.__context__, BrokenPipeError):
            raise ending.__context__ from None
        raise
    except OSError as error:
        give_up(sys.stdout)
        raise OSError(error.errno, error.strerror, "standard output") from None


def talk(message: str) -> None:
    """One line on stderr; nobody needs to be there to read it."""
    STATUS.clear()
    try:
        print(harmless(message), file=sys.stderr)
    except OSError:
        give_up(sys.stderr)


def is_terminal(stream: TextIO) -> bool:
    """Whether a person is looking."""
    return stream.isatty() and os.environ.get("TERM") != "dumb"


def speaks_utf8(stream: TextIO) -> bool:
    """Whether the stream can show every character."""
    return (stream.encoding or "").lower().replace("-", "").startswith("utf")


def console(stream: TextIO) -> "Console":
    """A rich console that takes text as it is; NO_COLOR is its own affair."""
    from rich.console import Console

    return Console(file=stream, highlight=False, markup=False, emoji=False)
