"""Wherever compiled kernels can or cannot be kept, training starts."""

import os
import resource
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any, cast

import pytest

from lmtool import kernel_cache
from lmtool.text import kernels
from tests.faults.processes import limited, lmtool, obeyed, without_privileges

SOURCE = kernels.__file__
NOTE = "compiled kernels are not kept ("
UNCOMPILED = {"NUMBA_DISABLE_JIT": "1"}  # the note does not depend on it, and time does


def folder_of(user: Path) -> Path:
    """Where the kernels of SOURCE would be."""
    os.environ["LMTOOL_CACHE_DIR"] = str(user)
    found = kernel_cache.cache_folder(SOURCE, "0")
    assert found is not None
    return found


@pytest.fixture(autouse=True)
def own_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LMTOOL_CACHE_DIR", "")
    monkeypatch.setenv("XDG_CACHE_HOME", "")


def test_private_from_the_beginning(tmp_path: Path) -> None:
    folder = folder_of(tmp_path / "cache")
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert kernel_cache.problem(SOURCE) == ""


@pytest.mark.parametrize("mode", [0o770, 0o707, 0o777])
def test_others_could_write_there(tmp_path: Path, mode: int) -> None:
    folder_of(tmp_path / "cache").chmod(mode)
    assert kernel_cache.cache_folder(SOURCE, "0") is None


@pytest.mark.skipif(os.getuid() != 0, reason="only root can give a folder away")
def test_the_folder_is_somebody_elses(tmp_path: Path) -> None:
    os.chown(folder_of(tmp_path / "cache"), 12345, 12345)
    assert kernel_cache.cache_folder(SOURCE, "0") is None


def test_there_is_no_home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(os.path, "expanduser", lambda path: path)  # what it does without any
    assert kernel_cache.cache_folder(SOURCE, "0") is None
    assert kernel_cache.problem(SOURCE) == "there is no home folder"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("home", ["/dev/null", "/proc/self"])
def test_a_home_that_takes_nothing(home: str, tmp_path: Path) -> None:
    (tmp_path / "text").write_text("Todd met Pete\nPete met Todd\n")
    environment = {"HOME": home, "LMTOOL_CACHE_DIR": "", "XDG_CACHE_HOME": ""} | UNCOMPILED
    for command in ("train", "plan"):
        ended = lmtool(
            command, "text", "--steps", 2, "--hidden", 4, folder=tmp_path, environment=environment
        )
        assert ended.returncode == 0, ended.stderr
        assert ended.stderr.decode().count(NOTE) == 1
    assert lmtool("score", "Todd", folder=tmp_path, environment=environment).stderr == b""


def test_a_home_that_is_read_only() -> None:
    with obeyed() as (folder, as_anybody):
        (folder / "text").write_text("Todd met Pete\nPete met Todd\n")
        (folder / "home").mkdir(mode=0o500)
        environment = {"HOME": str(folder / "home"), "LMTOOL_CACHE_DIR": "", "XDG_CACHE_HOME": ""}
        ended = lmtool(
            *("train", "text", "--steps", 2, "--hidden", 4), folder=folder,
            before=as_anybody, environment=environment | UNCOMPILED,
        )  # fmt: skip
        assert ended.returncode == 0, ended.stderr
        assert f"{NOTE}{folder}" in ended.stderr.decode()
        assert "Permission denied" in ended.stderr.decode()


COUNT = (
    "import numpy as np; from lmtool.text import kernels;"
    "a = np.arange(8, dtype=np.uint64).reshape(4, 2);"
    "kernels.move_slots(a, a[0].copy(), np.zeros((16, 2), np.uint64)); print('moved')"
)


def compiling(cache: Path, before: Any = None) -> "subprocess.Popen[bytes]":
    """A process that needs one kernel."""
    package = str(Path(kernel_cache.__file__).parents[1])
    environment = {**os.environ, "PYTHONPATH": package, "LMTOOL_CACHE_DIR": str(cache)}
    process: Any = subprocess.Popen(
        [sys.executable, "-c", COUNT], env=environment, preexec_fn=before,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    return cast("subprocess.Popen[bytes]", process)


def test_two_processes_compile_at_once_and_damage_is_survived(tmp_path: Path) -> None:
    both = [compiling(tmp_path / "cache") for _ in range(2)]
    assert [process.communicate(timeout=120) for process in both] == [(b"moved\n", b"")] * 2
    kept = [path for path in (tmp_path / "cache").rglob("*.nb?")]
    assert kept
    for path in kept:  # a power cut leaves empty files
        path.write_bytes(b"")
    assert compiling(tmp_path / "cache").communicate(timeout=120) == (b"moved\n", b"")
    for path in kept:
        path.write_bytes(b"no pickle at all")
    assert compiling(tmp_path / "cache").communicate(timeout=120) == (b"moved\n", b"")


def test_a_disk_that_is_full_half_way(tmp_path: Path) -> None:
    full = limited(resource.RLIMIT_FSIZE, len(kernel_cache.PROBE))
    assert compiling(tmp_path / "cache", full).communicate(timeout=120) == (b"moved\n", b"")


def test_permissions_apply_to_root() -> None:
    with obeyed() as (folder, _):
        (folder / "closed").mkdir(mode=0o500)
        touch = ["touch", str(folder / "closed/x")]
        assert subprocess.call(touch, preexec_fn=without_privileges, stderr=-3)
