"""Files that are there whole or not at all."""

import contextlib
import glob
import os
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

try:
    import fcntl
except ImportError:  # Windows, where two runs on one path are the user's affair
    fcntl = None  # type: ignore[assignment]

__all__ = ["locked", "remove_parts", "write_atomically"]

PART = ".part"
SLOWLY = "LMTOOL_TEST_SLOW_WRITES"  # seconds to wait inside each write: for tests that kill


def write_atomically(path: Path, content: bytes) -> None:
    """A temporary file in the same folder, forced to disk, then renamed. Raises OSError."""
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=PART, dir=path.parent)
    try:
        with open(handle, "wb") as file:
            file.write(content[: len(content) // 2])
            time.sleep(float(os.environ.get(SLOWLY, 0)))
            file.write(content[len(content) // 2 :])
            file.flush()
            os.fsync(file.fileno())
        os.chmod(name, 0o666 & ~current_umask())
        os.replace(name, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(name)
        raise
    sync_folder(path.parent)


def remove_parts(path: Path) -> None:
    """What killed writers of ``path`` and of the files named after it left behind."""
    for part in path.parent.glob(f".{glob.escape(path.name)}*{PART}"):
        with contextlib.suppress(OSError):
            part.unlink()


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


@contextlib.contextmanager
def locked(path: Path) -> Iterator[bool]:
    """Holds ``path``.lock while it is used; False where another process holds it.

    The system lets go of the lock when a process ends, however it ends.
    """
    name = Path(f"{path}.lock")
    while True:
        try:
            handle = os.open(name, os.O_CREAT | os.O_RDWR, 0o666)
        except OSError:  # nothing can be written here, which others say better
            yield True
            return
        if fcntl is None:
            break
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(handle)
            yield False
            return
        if name.exists() and os.path.samestat(os.fstat(handle), os.stat(name)):
            break
        os.close(handle)  # its holder has removed it: the lock is on a file without a name
    try:
        yield True
    finally:
        with contextlib.suppress(OSError):
            name.unlink()
        os.close(handle)
