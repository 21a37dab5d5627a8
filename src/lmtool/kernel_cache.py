"""Where compiled kernels are kept: a private folder of the user, or nowhere.

A numba cache holds pickles and machine code, so nobody else may be able to write there.
"""

import contextlib
import hashlib
import os
import stat
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numba

__all__ = ["cache_folder", "compiler", "on_compiling", "problem"]

Declare = Callable[..., Callable[[Callable[..., Any]], Any]]
_told: list[Callable[[], None]] = []  # whom the first compilation is news for
PROBE = bytes(1 << 16)  # that a folder with room can take


def compiler(source: str) -> Declare:
    """``numba.njit`` for the kernels of one source file, with their cache in its own folder.

    A file's kernels call none of another file's, whose edits numba's cache would not notice.
    """
    folder = cache_folder(source, numba.__version__)
    config: Any = numba.config

    def declare(**flags: Any) -> Callable[[Callable[..., Any]], Any]:
        def declared(kernel: Callable[..., Any]) -> Any:
            former = config.CACHE_DIR
            config.CACHE_DIR = former if folder is None else str(folder)  # read by njit alone
            try:
                return forgiving(numba.njit(cache=folder is not None, **flags)(kernel))
            finally:
                config.CACHE_DIR = former

        return declared

    return declare


def forgiving(kernel: Any) -> Any:
    """The kernel, for which a cache that is damaged or cannot grow is as good as none."""
    cache: Any = getattr(kernel, "_cache", None)
    if cache is not None:
        load, save = (_attempted(m, cache) for m in (cache.load_overload, cache.save_overload))

        def load_or_tell(*arguments: Any) -> Any:
            found = load(*arguments)
            while found is None and _told:
                _told.pop()()
            return found

        cache.load_overload, cache.save_overload = load_or_tell, save
    return kernel


def on_compiling(listener: Callable[[], None]) -> None:
    """Calls the listener once, before the next kernel that no cache holds is compiled."""
    _told[:] = [listener]


def _attempted(method: Callable[..., Any], cache: Any) -> Callable[..., Any]:
    def attempt(*arguments: Any) -> Any:
        try:
            return method(*arguments)
        except Exception:  # of unpickling: whatever a damaged file causes
            with contextlib.suppress(Exception):
                cache.flush()
            return None

    return attempt


def cache_folder(source: str, numba_version: str) -> Path | None:
    """The folder for kernels compiled from ``source``; None where no private folder can be had.

    ``$LMTOOL_CACHE_DIR`` comes first, then the platform's cache folder of the user. The folder
    is named after the source's hash, so an edit never meets code compiled before it.
    """
    folder = _folder(source, numba_version)
    return None if folder is None or _refusal(folder) else folder


def problem(source: str) -> str:
    """Why kernels compiled from ``source`` are not kept; empty where they are."""
    folder = _folder(source, numba.__version__)
    return "there is no home folder" if folder is None else _refusal(folder)


def _folder(source: str, numba_version: str) -> Path | None:
    digest = hashlib.sha256(Path(source).read_bytes()).hexdigest()[:12]
    user = _user_folder()
    return user and user / f"kernels-{numba_version}-{digest}"


def _refusal(folder: Path) -> str:
    """Why nothing can be kept there; the folder is made where it can be."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not _private(folder):
            return f"{folder}: others can write there"
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(PROBE)
    except OSError as error:
        return f"{folder}: {error.strerror or error}"
    return ""


def _user_folder() -> Path | None:
    if chosen := os.environ.get("LMTOOL_CACHE_DIR"):
        return Path(chosen)
    platform_folders = {
        "win32": os.environ.get("LOCALAPPDATA") or "~/AppData/Local",
        "darwin": "~/Library/Caches",
    }
    default = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    folder = os.path.expanduser(platform_folders.get(sys.platform, default))
    return None if folder.startswith("~") else Path(folder) / "lmtool"


def _private(folder: Path) -> bool:
    """Owned by this user and writable by nobody else."""
    if not hasattr(os, "getuid"):
        return True  # Windows: profile folders are private by their access lists
    status = folder.stat()
    return status.st_uid == os.getuid() and not status.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
