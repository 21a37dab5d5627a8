"""lmtool as a process of its own, under limits of the system."""

import ctypes
import os
import resource
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

from lmtool import __file__ as package

__all__ = ["Ended", "limited", "lmtool", "obeyed", "one_line"]

Ended = subprocess.CompletedProcess[bytes]
DROP, OVERRIDE, SEARCH = 24, 1, 2  # PR_CAPBSET_DROP, CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH


def lmtool(
    *arguments: object,
    folder: Path,
    before: Callable[[], None] | None = None,
    environment: dict[str, str] | None = None,
    timeout: float = 120,
    **streams: Any,
) -> Ended:
    """``python -m lmtool`` in a folder; ``before`` runs in the child before lmtool does."""
    command = [sys.executable, "-m", "lmtool", *map(str, arguments)]
    path = {"PYTHONPATH": str(Path(package).parents[1]), "PYTHONDONTWRITEBYTECODE": "1"}
    streams = {"stdin": subprocess.DEVNULL, "stdout": -1, "stderr": -1} | streams
    own = {name: value for name, value in os.environ.items() if name != "LMTOOL_MODEL"}
    ended: Any = subprocess.run(
        command, cwd=folder, env={**own, **path, **(environment or {})},
        preexec_fn=before, timeout=timeout, check=False, **streams,
    )  # fmt: skip
    return cast(Ended, ended)


def limited(kind: int, limit: int) -> Callable[[], None]:
    """Sets a limit, for ``before``."""
    return lambda: resource.setrlimit(kind, (limit, limit))


def one_line(ended: Ended, code: int = 1) -> str:
    """The message of a process that ended as it should: one line, no traceback."""
    lines = (ended.stderr or b"").decode().splitlines()
    said = [line for line in lines if line.startswith("lmtool: ")]
    assert ended.returncode == code, (ended.returncode, lines)
    assert len(said) == 1 and lines[-1] == said[0] and "Traceback" not in str(lines), lines
    return said[0]


def without_privileges() -> None:
    """For ``before``: root may not read and write whatever it likes (Linux)."""
    if os.getuid() == 0:
        for capability in (OVERRIDE, SEARCH):
            ctypes.CDLL(None).prctl(DROP, capability, 0, 0, 0)


@contextmanager
def obeyed() -> Iterator[tuple[Path, Callable[[], None]]]:
    """A folder, and what makes a child one to whom permissions apply, even if it is root's."""
    with tempfile.TemporaryDirectory() as name:
        yield Path(name).resolve(), without_privileges
