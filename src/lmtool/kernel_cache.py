"""Where compiled kernels are kept: a private folder of the user, or nowhere.

A numba cache holds pickles and machine code, so nobody else may be able to write there.
"""

import hashlib
import os
import shutil
import stat
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numba

__all__ = ["cache_folder", "compiler"]

ROOM = 64_000_000  # bytes that must be free

Declare = Callable[..., Callable[[Callable[..., Any]], Any]]


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
                return numba.njit(cache=folder is not None, **flags)(kernel)
            finally:
                config.CACHE_DIR = former

        return declared

    return declare


def cache_folder(source: str, numba_version: str) -> Path | None:
    """The folder for kernels compiled from ``source``; None where no private folder can be had.

    ``$LMTOOL_CACHE_DIR`` comes first, then the platform's cache folder of the user. The folder
    is named after the source's hash, so an edit never meets code compiled before it.
    """
    digest = hashlib.sha256(Path(source).read_bytes()).hexdigest()[:12]
    folder = _user_folder() / f"kernels-{numba_version}-{digest}"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if shutil.disk_usage(folder).free < ROOM:
            return None
        with tempfile.TemporaryFile(dir=folder):
            return folder if _private(folder) else None
    except OSError:
        return None


def _user_folder() -> Path:
    if chosen := os.environ.get("LMTOOL_CACHE_DIR"):
        return Path(chosen)
    platform_folders = {
        "win32": os.environ.get("LOCALAPPDATA") or "~/AppData/Local",
        "darwin": "~/Library/Caches",
    }
    default = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(os.path.expanduser(platform_folders.get(sys.platform, default))) / "lmtool"


def _private(folder: Path) -> bool:
    """Owned by this user and writable by nobody else."""
    if not hasattr(os, "getuid"):
        return True  # Windows: profile folders are private by their access lists
    status = folder.stat()
    return status.st_uid == os.getuid() and not status.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
