"""Trainings by several processes of a real MPI: the bytes of one alone, and nothing ever hangs."""

import contextlib
import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import lmtool
from lmtool import model_file
from tests.faults.kill import RECIPES
from tests.faults.kill_ranks import campaign
from tests.training import joint

ROOT = Path(__file__).parents[2]
MISSING = [name for name in ("mpiexec",) if shutil.which(name) is None]
MISSING += [name for name in ("mpi4py",) if importlib.util.find_spec(name) is None]
pytestmark = pytest.mark.skipif(bool(MISSING), reason=f"not installed: {', '.join(MISSING)}")

Ended = subprocess.CompletedProcess[str]


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Texts, and the models of one process."""
    made = tmp_path_factory.mktemp("alone")
    joint.write_texts(made)
    with contextlib.chdir(made):
        for name in joint.RECIPES:
            joint.train(name, name)
    return made


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Texts, and a run that one process began."""
    made = tmp_path_factory.mktemp("joint")
    joint.write_texts(made)
    with contextlib.chdir(made), pytest.raises(lmtool.InterruptionError):
        joint.train("shards", "shards.begun", stop=joint.stop_after(5, 0))
    return made


def weights(path: Path) -> bytes:
    return model_file.load(path).parameters.flat.tobytes()  # type: ignore[no-any-return]


def mpiexec(n: int, *words: object) -> Ended:
    path = f"{ROOT}{os.pathsep}{Path(lmtool.__file__).parents[1]}"
    command = ["mpiexec", "-n", str(n), sys.executable, "-m", *map(str, words)]
    own = {**os.environ, "PYTHONPATH": path}
    return subprocess.run(
        command, capture_output=True, text=True, timeout=120, env=own, check=False
    )


@pytest.fixture(scope="module")
def ended(folder: Path) -> Path:
    """The folder after three processes have trained in it."""
    done = mpiexec(3, "tests.training.joint", "together", folder)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    return folder


@pytest.mark.parametrize("name", joint.RECIPES)
def test_the_bytes_are_those_of_one_process(ended: Path, alone: Path, name: str) -> None:
    assert (ended / name).read_bytes() == (alone / name).read_bytes()


@pytest.mark.parametrize("name", ["shards", "members"])
def test_told_to_stop_one_stops_all_and_another_number_goes_on(
    ended: Path, alone: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ended)
    lmtool.resume(f"{name}.cut")
    assert weights(ended / f"{name}.cut") == weights(alone / name)


def test_what_one_began_three_end(ended: Path, alone: Path) -> None:
    assert weights(ended / "shards.begun") == weights(alone / "shards")


def test_a_run_against_the_clock_ends_for_all(ended: Path) -> None:
    assert lmtool.load(ended / "timed").info()["result"]["steps"] > 1


def test_an_accident_of_one_ends_all(folder: Path) -> None:
    done = mpiexec(2, "tests.training.joint", "one_fails", folder)
    assert done.returncode
    assert "an accident" in done.stderr and "lmtool: rank 1 of 2 on " in done.stderr
    assert not (folder / "failed").exists()


def test_one_process_speaks_for_all(folder: Path) -> None:
    words = ("train", folder / "shards.txt", "-m", folder / "said", "--steps", "3", "--hidden", "4")
    done = mpiexec(2, "lmtool", *words, "--shards", "2", "--batch", "16", "--json")
    assert done.returncode == 0
    assert len(done.stdout.splitlines()) == 1 and done.stderr.count("done  ") == 1


@pytest.mark.skipif(not Path("/proc").exists(), reason="finds the processes in /proc")
def test_killed_and_resumed_by_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("lmtool.training.resume.SHARE", 0.3)
    counts = campaign(1, 4, tmp_path, RECIPES[:1], most=2)
    assert counts["trainings"] == 1 and counts["resumes"]
