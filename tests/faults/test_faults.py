"""Full disks, closed doors, rivals: one clear line each, and nothing half written."""

import ast
import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import lmtool
from lmtool import kernel_cache
from lmtool.files import locked
from lmtool.training import launch

SOURCE = Path(lmtool.__file__).parent
LINES = "Todd met Pete\nPete met Todd\nthe cat saw the dog\n" * 30
SMALL = ("--steps", "20", "--hidden", "8", "--batch", "4", "--bptt", "8")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a text and nothing else."""
    (tmp_path / "corpus.txt").write_text(LINES)
    return tmp_path


def limited(size: int) -> Callable[[], None]:
    """No file of the process may grow beyond size bytes."""
    return lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))


def lmtool_in(
    folder: Path,
    *words: str,
    before: Callable[[], None] | None = None,
    **environment: str,
) -> subprocess.CompletedProcess[str]:
    """``lmtool`` as a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "lmtool", *words],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(SOURCE.parent), **environment},
        preexec_fn=before,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def assert_refused(done: subprocess.CompletedProcess[str], message: str) -> None:
    """Exit code 1 and one line."""
    assert done.returncode == 1, done.stderr
    last = done.stderr.splitlines()[-1]
    assert last.startswith("lmtool: error: ") and message in last
    assert "Traceback" not in done.stderr


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_disk_too_full_for_the_model(folder: Path) -> None:
    done = lmtool_in(folder, "train", "corpus.txt", "-m", "m", *SMALL, before=limited(2000))
    assert_refused(done, "m: cannot be written (File too large)")
    assert names(folder) == ["corpus.txt"]


def test_a_disk_too_full_for_the_ids(folder: Path) -> None:
    done = lmtool_in(folder, "train", "corpus.txt", "-m", "m", *SMALL, before=limited(500))
    assert_refused(done, "cannot keep ids here: File too large")
    assert names(folder) == ["corpus.txt"]


def test_a_disk_too_full_for_the_state_lets_training_go_on(folder: Path) -> None:
    words = ("train", "corpus.txt", "-m", "m", *SMALL, "--checkpoint-every", "0.001s")
    done = lmtool_in(folder, *words, before=limited(8000))  # the model fits, its state does not
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("could not be saved (File too large); training goes on") == 1
    assert names(folder) == ["corpus.txt", "m"]


def test_a_disk_too_full_for_the_log(folder: Path) -> None:
    words = ("train", "corpus.txt", "-m", "m", *SMALL, "--log", "log.jsonl", "-q")
    done = lmtool_in(folder, *words, before=limited(1000), TMPDIR="/tmp")
    assert_refused(done, "File too large")
    assert "m" not in names(folder)


def test_output_to_a_full_disk(folder: Path) -> None:
    lmtool.train(folder / "corpus.txt", model=folder / "m", steps=2, hidden=4)
    with open(folder / "out.tsv", "w") as out:
        done = subprocess.run(
            [sys.executable, "-m", "lmtool", "score", "-m", "m", "-f", "corpus.txt"],
            cwd=folder, env={**os.environ, "PYTHONPATH": str(SOURCE.parent)}, stdout=out,
            stderr=subprocess.PIPE, preexec_fn=limited(1000), text=True, check=False,
        )  # fmt: skip
    assert done.returncode == 1
    assert "File too large" in done.stderr and "Traceback" not in done.stderr


def test_a_folder_that_takes_no_files(folder: Path) -> None:
    done = lmtool_in(folder, "train", "corpus.txt", "-m", "/proc/m", *SMALL)
    assert_refused(done, "/proc/m: cannot be written")


def test_two_processes_on_one_path(folder: Path) -> None:
    (folder / "corpus.txt").write_text(LINES * 200)
    words = [sys.executable, "-m", "lmtool", "train", "corpus.txt", "-m", "m", "--steps", "100000"]
    environment = {**os.environ, "PYTHONPATH": str(SOURCE.parent)}
    first = subprocess.Popen(words, cwd=folder, env=environment, stderr=subprocess.PIPE)
    try:
        until(lambda: (folder / "m.lock").exists())
        done = lmtool_in(folder, "train", "corpus.txt", "-m", "m", *SMALL)
        assert_refused(done, "another process is training this model")
        first.send_signal(signal.SIGTERM)
        first.communicate(timeout=60)
        assert first.returncode == 143
    finally:
        first.kill()
        first.wait()
    assert set(names(folder)) <= {"corpus.txt", "m.resume"}


def until(true: Callable[[], bool], seconds: float = 60.0) -> None:
    """Waits for it."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_a_lock_of_a_dead_process_holds_nobody_up(folder: Path) -> None:
    (folder / "m.lock").write_text("")
    assert lmtool_in(folder, "train", "corpus.txt", "-m", "m", *SMALL).returncode == 0
    assert names(folder) == ["corpus.txt", "m"]


def test_locks_exclude_each_other(tmp_path: Path) -> None:
    with locked(tmp_path / "m") as first, locked(tmp_path / "m") as second:
        assert (first, second) == (True, False)
    with locked(tmp_path / "m") as again:
        assert again
    assert names(tmp_path) == []


def test_parts_of_killed_writers_are_cleared_away(folder: Path) -> None:
    (folder / ".m.resume.abc.part").write_text("half")
    (folder / ".other.abc.part").write_text("somebody else's")
    lmtool.train(folder / "corpus.txt", model=folder / "m", steps=2, hidden=4)
    assert names(folder) == [".other.abc.part", "corpus.txt", "m"]


def test_names_that_would_command_a_terminal(folder: Path) -> None:
    name = "m\x1b[2J\nx"
    done = lmtool_in(folder, "train", "corpus.txt", "-m", name, *SMALL)
    assert done.returncode == 0 and "\x1b[2J" not in done.stderr
    done = lmtool_in(folder, "train", "corpus.txt", "-m", name, *SMALL)
    assert done.returncode == 1 and "\x1b" not in done.stderr and done.stderr.count("\n") == 1


def test_no_clock_that_can_be_set_is_asked() -> None:
    """time.time jumps when the clock is set; only time.monotonic and perf_counter may be used."""
    for path in SOURCE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
                assert (node.value.id, node.attr) != ("time", "time"), path


def test_a_model_that_is_replaced_while_it_is_read(folder: Path) -> None:
    model = folder / "m"
    lmtool.train(folder / "corpus.txt", model=model, steps=2, hidden=4)
    lm = lmtool.load(model)
    model.write_bytes(b"\0" * 100)  # what was loaded is in memory, not in the file
    assert lm.score("Todd met Pete").n_words == 3


@pytest.fixture
def cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Path]:
    """A folder for kernels."""
    monkeypatch.setenv("LMTOOL_CACHE_DIR", str(tmp_path / "cache"))
    yield tmp_path / "cache"


def folder_for_kernels() -> Path | None:
    return kernel_cache.cache_folder(__file__, "1.0")


def test_kernels_are_kept_in_a_private_folder(cache: Path) -> None:
    kept = folder_for_kernels()
    assert kept and kept.parent == cache and kept.stat().st_mode & 0o777 == 0o700


def test_a_folder_that_others_may_write_to_is_not_used(cache: Path) -> None:
    kept = folder_for_kernels()
    assert kept is not None
    kept.chmod(0o770)
    assert folder_for_kernels() is None


def test_a_folder_of_somebody_else_is_not_used(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "getuid", lambda: 12345)
    assert folder_for_kernels() is None


def test_a_disk_without_room_keeps_no_kernels(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kernel_cache, "ROOM", 1 << 60)
    assert folder_for_kernels() is None


@pytest.mark.parametrize("home", ["/proc/nowhere", ""])
def test_no_home_is_no_obstacle(folder: Path, home: str) -> None:
    """Kernels are compiled for this one run; the smallest file of them, to save time."""
    program = (
        "from lmtool.kernel_cache import cache_folder; print(cache_folder(__file__, '1'));"
        "from lmtool.text.numbering import WordNumbering;"
        "print(WordNumbering().numbers('a b a\\n').tolist())"
    )
    script = folder / "script.py"
    script.write_text(program)
    environment = {k: v for k, v in os.environ.items() if k not in ("HOME", "XDG_CACHE_HOME")}
    environment |= {"PYTHONPATH": str(SOURCE.parent), "LMTOOL_CACHE_DIR": "/proc/nowhere"}
    done = subprocess.run(
        [sys.executable, script], env=environment | ({"HOME": home} if home else {}),
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout.splitlines() == ["None", "[1, 2, 1, 0]"]


def test_two_processes_may_compile_at_once(folder: Path) -> None:
    program = (
        "from lmtool.text.numbering import WordNumbering;"
        "print(WordNumbering().numbers('a b a\\n').tolist())"
    )
    environment = {**os.environ, "PYTHONPATH": str(SOURCE.parent), "LMTOOL_CACHE_DIR": str(folder)}
    words = [sys.executable, "-c", program]
    both = [
        subprocess.Popen(words, env=environment, stdout=subprocess.PIPE, text=True) for _ in "ab"
    ]
    assert [process.communicate()[0] for process in both] == ["[1, 2, 1, 0]\n"] * 2


def test_a_run_whose_kernels_are_not_kept_says_so(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(launch, "cache_folder", lambda source, version: None)
    notes: list[str] = []
    lmtool.train(
        folder / "corpus.txt", steps=1, hidden=4,
        on_event=lambda event: notes.append(getattr(event, "message", "")),
    )  # fmt: skip
    assert sum("compiled anew" in note for note in notes) == 1
