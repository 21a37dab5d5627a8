"""Where compiled kernels are kept: a private folder of the user, or nowhere.

A numba cache holds pickles and machine code, so nobody else may be able to write there.
"""

import hashlib
import os
import stat
import sys
import tempfile
from pathlib import Path

__all__ = ["cache_folder"]


def cache_folder(source: str, numba_version: str) -> Path | None:
    """The folder for kernels compiled from ``source``; None where no private folder can be had.

    ``$LMTOOL_CACHE_DIR`` comes first, then the platform's cache folder of the user. The folder
    is named after the source's hash, so an edit never meets code compiled before it.
    """
    digest = hashlib.sha256(Path(source).read_bytes()).hexdigest()[:12]
    folder = _user_folder() / f"kernels-{numba_version}-{digest}"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
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
