"""Files that are there whole or not at all."""

import contextlib
import os
import re
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

try:
    import fcntl
except ImportError:  # Windows, where two runs on one path are the user's affair
    fcntl = None  # type: ignore[assignment]

__all__ = ["locked", "remove_leftovers", "write_atomically"]

SLOWLY = "LMTOOL_TEST_SLOW_WRITES"  # seconds to wait inside each write: for tests that kill
UNFINISHED = ".tmp"  # ends the name of a file that is being written


def write_atomically(path: Path, content: bytes, *more: memoryview) -> None:
    """A temporary file in the same folder, forced to disk, then renamed. Raises OSError."""
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=UNFINISHED, dir=path.parent)
    try:
        with open(handle, "wb") as file:
            file.write(content[: len(content) // 2])
            time.sleep(float(os.environ.get(SLOWLY, 0)))
            file.write(content[len(content) // 2 :])
            file.writelines(more)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(name, 0o666 & ~current_umask())
        os.replace(name, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(name)
        raise
    sync_folder(path.parent)


def current_umask() -> int:
    """The process's umask, which can only be read by setting it."""
    mask = os.umask(0o077)
    os.umask(mask)
    return mask


def sync_folder(folder: Path) -> None:
    """Forces the rename to disk where folders can be opened (not on Windows)."""
    with contextlib.suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def remove_leftovers(path: Path) -> None:
    """Removes what writes of ``path`` left behind when their process was killed."""
    unfinished = re.compile(rf"\.{re.escape(path.name)}\.[a-z0-9_]{{8}}{re.escape(UNFINISHED)}")
    with contextlib.suppress(OSError):
        for entry in path.parent.iterdir():
            if unfinished.fullmatch(entry.name):
                entry.unlink(missing_ok=True)


@contextlib.contextmanager
def locked(path: Path) -> Iterator[bool]:
    """Holds ``path``.lock while it is used; False where another process holds it.

    The system lets go of the lock when a process ends, however it ends. Raises OSError where there
    can be no lock.
    """
    if fcntl is None:
        yield True
        return
    name = Path(f"{path}.lock")
    handle = lock(name)
    if handle is None:
        yield False
        return
    try:
        yield True
    finally:
        with contextlib.suppress(OSError):
            name.unlink()
        os.close(handle)


def lock(name: Path) -> int | None:
    """An open file that holds the lock; None where another process holds it."""
    while True:
        handle = os.open(name, os.O_CREAT | os.O_RDWR | os.O_NOFOLLOW, 0o666)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if is_named(handle, name):
                return handle
        except BlockingIOError:
            os.close(handle)
            return None
        except OSError:  # a file system without locks
            return handle
        os.close(handle)  # its holder has removed it: the lock is on a file without a name


def is_named(handle: int, name: Path) -> bool:
    """Whether the open file is still the one of that name."""
    try:
        return os.path.samestat(os.fstat(handle), os.stat(name))
    except FileNotFoundError:
        return False
