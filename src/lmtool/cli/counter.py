"""What a command that reads a long text shows meanwhile, where a person waits: lines done."""

import os
import sys
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, TypeVar

from lmtool.cli.render import clock
from lmtool.cli.terminal import STATUS, is_terminal
from lmtool.display import counted

__all__ = ["followed", "status", "total_bytes"]

PATIENCE = 2.0  # seconds before anything is shown
PAUSE = 0.1  # between two looks

Item = TypeVar("Item")


def followed(lines: Iterable[Item], path: str | Path | None = None) -> Iterator[Item]:
    """The same lines; on a terminal, those read so far are counted on stderr.

    ``path`` is the file whose lines they are, as text or with a ``text``; without one the end is
    not known.
    """
    return counting(lines, total_bytes(path)) if is_terminal(sys.stderr) else iter(lines)


def counting(lines: Iterable[Item], total: int) -> Iterator[Item]:
    """The same lines, counted on stderr."""
    began = shown = time.monotonic()
    done = 0
    for n, line in enumerate(lines, 1):
        yield line
        done += n_bytes(line) if total else 0
        now = time.monotonic()
        if now - began >= PATIENCE and now - shown >= PAUSE:
            STATUS.show(status(n, now - began, done / total if total else None))
            shown = now
    STATUS.clear()


def status(n: int, seconds: float, share: float | None) -> str:
    """1234, 2.0, 0.5 -> ``1,234 lines  617 lines/s  50 %  0:02 left``."""
    parts = [counted(n, "line"), f"{n / seconds:z,.0f} lines/s"]
    if share:
        share = min(share, 1.0)
        parts += [f"{100 * share:z.0f} %", f"{clock(seconds / share - seconds)} left"]
    return "  ".join(parts)


def n_bytes(line: Any) -> int:
    """What a line takes in a file, its end included."""
    text: str = getattr(line, "text", line)
    return len(text.encode(errors="replace")) + 1


def total_bytes(path: str | Path | None) -> int:
    """The size of a text that lies in a file; 0 where it is not known."""
    if path is None or not os.path.isfile(path) or str(path).endswith(".gz"):
        return 0
    return os.path.getsize(path)
