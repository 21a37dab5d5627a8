"""Kills processes of trainings by several, resumes them with others, and compares the bytes.

    python -m tests.faults.kill_ranks --kills 50

Each training is one of ``kill``'s, begun and resumed by ``mpiexec`` with one to four processes; one
of them is killed, at any moment after the first saved state. The others must end by themselves
within seconds, whatever is in the folder must be whole, and the model must be that of a training by
one process that nobody killed.
"""

import argparse
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import lmtool
from lmtool.cli.app import main as command_line
from lmtool.training import resume
from tests.faults.kill import (
    MODEL,
    RECIPES,
    ROOT,
    SHARE,
    START,
    FaultError,
    fresh_folder,
    look,
    train_words,
)

__all__ = ["campaign", "descendants", "ranks_of", "started"]

MOST_RANKS = 4
MOST_KILLS = 5  # of one training
SIGNALS = (signal.SIGKILL,) * 4 + (signal.SIGTERM,)
LONGEST = 60.0  # seconds until a training that lost a process has ended


def descendants(process: int) -> Iterator[int]:
    """Children and theirs (Linux); none of a process that has ended."""
    for listed in Path(f"/proc/{process}/task").glob("*/children"):
        try:
            children = [int(word) for word in listed.read_text().split()]
        except OSError:
            continue
        for child in children:
            yield child
            yield from descendants(child)


def ranks_of(launcher: int) -> list[int]:
    """Pythons that this mpiexec has started."""
    names = ((one, Path(f"/proc/{one}/comm")) for one in descendants(launcher))
    return [one for one, name in names if name.exists() and "python" in name.read_text()]


def started(words: list[str], folder: Path, n: int) -> subprocess.Popen[bytes]:
    """A training by n processes."""
    path = f"{ROOT}{os.pathsep}{Path(lmtool.__file__).parents[1]}"
    environment = {**os.environ, "PYTHONPATH": path}
    command = ["mpiexec", "-n", str(n), sys.executable, "-c", START, *words]
    with open(folder.parent / "stderr", "ab") as talk:
        return subprocess.Popen(command, cwd=folder, env=environment, stdout=talk, stderr=talk)


def hurt(
    training: subprocess.Popen[bytes], folder: Path, chance: random.Random, counts: Counter[str]
) -> None:
    """Lets a training run for a while, then kills one of its processes. Raises FaultError."""
    limit = time.monotonic() + LONGEST
    while training.poll() is None and not (folder / f"{MODEL}.resume").exists():
        if time.monotonic() > limit:
            raise FaultError("nothing was saved")
        time.sleep(0.02)
    time.sleep(chance.uniform(0, 1.5))
    victims = ranks_of(training.pid)
    if training.poll() is None and victims:
        number = chance.choice(SIGNALS)
        os.kill(chance.choice(victims), number)
        counts[f"kills by {number.name}"] += 1
    began = time.monotonic()
    try:
        training.wait(LONGEST)
    except subprocess.TimeoutExpired:
        training.kill()
        raise FaultError("the other processes did not end") from None
    if training.returncode:  # not the run's own end
        counts["slowest end, ms"] = max(
            counts["slowest end, ms"], round(1000 * (time.monotonic() - began))
        )


def killed(counts: Counter[str]) -> int:
    """Processes, by any signal."""
    return sum(n for name, n in counts.items() if name.startswith("kills"))


def survive(
    recipe: str, folder: Path, whole: bytes, chance: random.Random, kills: int, most: int
) -> Counter[str]:
    """One training by at most so many processes, with so many kills. Raises FaultError."""
    counts = Counter[str]()
    while True:
        goes_on = (folder / f"{MODEL}.resume").exists()
        n = chance.randint(1, most)
        counts["resumes"] += goes_on
        counts[f"by {n}"] += 1
        training = started(train_words(recipe, goes_on), folder, n)
        if killed(counts) < kills:
            hurt(training, folder, chance, counts)
        elif training.wait(5 * LONGEST):
            raise FaultError((folder.parent / "stderr").read_text()[-2000:])
        look(folder, whole, counts)
        if (folder / MODEL).exists() and not (folder / f"{MODEL}.resume").exists():
            return counts


def campaign(
    kills: int, seed: int, work: Path, recipes: Sequence[str] = RECIPES, most: int = MOST_RANKS
) -> Counter[str]:
    """Trainings until so many processes were killed; what was counted. Raises FaultError."""
    chance, counts = random.Random(seed), Counter[str]()
    resume.SHARE = SHARE
    while (done := killed(counts)) < kills:
        recipe = chance.choice(recipes)
        alone = fresh_folder(work, f"whole{counts['trainings']}", recipe)
        os.chdir(alone)
        if command_line(train_words(recipe, False)):
            raise FaultError("a training that nobody killed failed")
        folder = fresh_folder(work, f"run{counts['trainings']}", recipe)
        whole = (alone / MODEL).read_bytes()
        slowest = counts["slowest end, ms"]
        own = survive(recipe, folder, whole, chance, min(MOST_KILLS, kills - done), most)
        counts += own
        counts["slowest end, ms"] = max(slowest, own["slowest end, ms"])
        counts["trainings"] += 1
    return counts


def main() -> int:
    """Prints a table; 1 where something happened that must not."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--seed", type=int, default=1)
    given, began = parser.parse_args(), time.monotonic()
    if shutil.which("mpiexec") is None:
        print("there is no mpiexec")
        return 1
    with tempfile.TemporaryDirectory() as work:
        try:
            counts = campaign(given.kills, given.seed, Path(work).resolve())
        except FaultError as fault:
            print(f"FAULT: {fault}")
            return 1
        finally:
            os.chdir(ROOT)
    names = ["trainings", "resumes", *sorted(n for n in counts if n.startswith(("kills", "by")))]
    for name in [*names, "slowest end, ms", "mismatches"]:
        print(f"{name:18}{counts[name]:>8}")
    print(f"{'seconds':18}{time.monotonic() - began:>8.0f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
