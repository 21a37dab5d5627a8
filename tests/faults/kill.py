"""Kills trainings again and again, resumes them, and compares the bytes that come out.

    python -m tests.faults.kill --kills 1000

Each training is a process of its own on a small text, forked from one whose kernels are compiled so
that kills cost little; every tenth starts from nothing. Most kills are SIGKILL, some SIGTERM and
SIGINT. Half of the runs write slowly, so that many kills fall inside a write.
"""

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import lmtool
from lmtool.cli.app import main as command_line
from lmtool.training import resume

LINES = ("Todd met Pete", "Pete met Todd", "the cat saw the dog", "the dog saw Todd") * 60
MODEL = "m.st"
COMMON = "--hidden 12 --embed 8 --batch 6 --shards 2 --threads 1 --quiet"
LANGUAGE = f"{COMMON} --bptt 7"
LABELS = f"{COMMON} --writes label --members 2"
RECIPES = (  # every kind of state: moments, none; carried, reset; drawn samples; two layers
    f"{LANGUAGE} --steps 500 --dropout 0.2",
    f"{LANGUAGE} --steps 500 --cell gru --layers 2 --no-tie --optimizer sgd",
    f"{LANGUAGE} --steps 700 --cell rnn --output sampled --samples 4 --finish 0.3",
    f"{LANGUAGE} --steps 500 --output classes --context sentence --dropout 0.2",
    f"{LABELS} --steps 150",  # and a second run on all examples
    f"{COMMON} --reads frames --steps 60 --noise 0.1",
    f"{COMMON} --writes tags --steps 100",
    f"{COMMON} --reads text --steps 60",
)
SHARE = 0.3  # of the time that saving may take here: more writes, more kills inside one
SLOW = 0.06  # seconds in the middle of a slow write
COLD = 0.1  # share of the processes that start from nothing
SIGNALS = (signal.SIGKILL,) * 8 + (signal.SIGTERM, signal.SIGINT)
START = "from tests.faults.kill import resume, SHARE, command_line as main; resume.SHARE = SHARE; "
START += "import sys; sys.exit(main(sys.argv[1:]))"
ROOT = Path(__file__).parents[2]


class FaultError(Exception):
    """What must never happen."""


def train_words(recipe: str, goes_on: bool) -> list[str]:
    """The command line of a start, or of a start after a kill."""
    if goes_on:
        return ["train", "--resume", "-m", MODEL, "--checkpoint-every", "0.01s", "--quiet"]
    words = f"train corpus.txt -m {MODEL} {recipe} --checkpoint-every 0.01s"
    return words.split()


def fresh_folder(parent: Path, name: str, recipe: str) -> Path:
    """A folder with nothing but the text, with labels, tags and the like where it must be."""
    folder = parent / name
    folder.mkdir()
    lines: list[str] = list(LINES)
    if "label" in recipe:
        lines = [f"{line.split()[0]}\t{line}" for line in lines]
    if "tags" in recipe:
        lines = [" ".join(f"{word}/{int(word.istitle())}" for word in x.split()) for x in lines]
    if "reads text" in recipe:
        lines = [f"{line}\t{' '.join(line.split()[::-1])}" for line in lines]
    if "reads frames" in recipe:
        lines = [json.dumps({"text": x, "frames": [[ord(c) / 99] for c in 3 * x]}) for x in lines]
    (folder / "corpus.txt").write_text("".join(f"{line}\n" for line in lines))
    return folder


def forked(words: Sequence[str], folder: Path, slow: float) -> int:
    """A training in a child of this process; its number."""
    child = os.fork()
    if child:
        return child
    code = 70
    try:
        os.chdir(folder)
        os.environ["LMTOOL_TEST_SLOW_WRITES"] = str(slow)
        with open(folder.parent / "stderr", "a", buffering=1) as sys.stderr:
            code = command_line(words)
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else 70
    finally:
        os._exit(code)


def started(words: Sequence[str], folder: Path, slow: float) -> int:
    """A training that loads everything itself; its number."""
    path = f"{ROOT}{os.pathsep}{Path(lmtool.__file__).parents[1]}"
    environment = {**os.environ, "PYTHONPATH": path, "LMTOOL_TEST_SLOW_WRITES": str(slow)}
    with open(folder.parent / "stderr", "a") as stderr:
        command = [sys.executable, "-c", START, *words]
        process = subprocess.Popen(command, cwd=folder, env=environment, stderr=stderr)
    process.returncode = 0  # waited for here, not by Popen
    return process.pid


def ended(child: int, seconds: float) -> int | None:
    """The exit code (negative: a signal's number); None where it still runs after ``seconds``."""
    limit = time.monotonic() + seconds
    while True:
        number, status = os.waitpid(child, os.WNOHANG)
        if number:
            return os.waitstatus_to_exitcode(status)
        if time.monotonic() >= limit:
            return None
        time.sleep(0.002)


def look(folder: Path, whole: bytes, counts: Counter[str]) -> None:
    """Whether the folder holds only what may be there, each file whole. Raises FaultError."""
    for path in folder.iterdir():
        if path.name.endswith(".tmp") and path.name.startswith(f".{MODEL}."):
            counts["inside a write"] += 1
        elif path.name not in ("corpus.txt", MODEL, f"{MODEL}.resume", f"{MODEL}.lock"):
            raise FaultError(f"a stray file: {path}")
    with suppress(FileNotFoundError):
        if (folder / MODEL).read_bytes() != whole:
            raise FaultError(f"another model: {folder / MODEL}")
    if (folder / f"{MODEL}.resume").exists():
        resume.read(folder / MODEL)


def survive(
    recipe: str, folder: Path, whole: bytes, chance: random.Random, counts: Counter[str]
) -> None:
    """One training, killed until it ends. Raises FaultError."""
    slow = SLOW * chance.randint(0, 1)
    while True:
        goes_on = (folder / f"{MODEL}.resume").exists()
        counts["resumes"] += goes_on
        cold = chance.random() < COLD
        child = (started if cold else forked)(train_words(recipe, goes_on), folder, slow)
        code = ended(child, chance.uniform(0.02, 0.7) + 1.5 * cold)
        if code is None:
            number = chance.choice(SIGNALS)
            os.kill(child, number)
            counts[f"kills by {number.name}"] += 1
            code = ended(child, 60)
            if code not in (-number, 128 + number, 0):
                raise FaultError(f"ended with {code} after {number.name}")
        elif code:
            raise FaultError(
                f"ended with {code} by itself: {(folder.parent / 'stderr').read_text()}"
            )
        look(folder, whole, counts)
        if (folder / MODEL).exists() and not (folder / f"{MODEL}.resume").exists():
            return


def campaign(kills: int, seed: int, work: Path) -> Counter[str]:
    """Trainings until so many processes were killed; what was counted. Raises FaultError."""
    chance, counts = random.Random(seed), Counter[str]()
    resume.SHARE = SHARE
    tempfile.tempdir = str(work / "temporary")
    Path(tempfile.tempdir).mkdir()
    wholes = {}
    for n, recipe in enumerate(RECIPES):  # compiles every kernel as well
        folder = fresh_folder(work, f"whole{n}", recipe)
        os.chdir(folder)
        if command_line(train_words(recipe, False)):
            raise FaultError("a training that nobody killed failed")
        wholes[recipe] = (folder / MODEL).read_bytes()
    while sum(n for name, n in counts.items() if name.startswith("kills")) < kills:
        recipe = chance.choice(RECIPES)
        folder = fresh_folder(work, f"run{counts['trainings']}", recipe)
        survive(recipe, folder, wholes[recipe], chance, counts)
        counts["trainings"] += 1
        left = {path.name for path in folder.iterdir()} - {f"{MODEL}.lock"}
        if left != {"corpus.txt", MODEL}:
            raise FaultError(f"left behind: {left}")
    return counts


def main() -> int:
    """Prints a table; 1 where something happened that must not."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as work:
        try:
            counts = campaign(arguments.kills, arguments.seed, Path(work).resolve())
        except FaultError as fault:
            print(f"FAULT: {fault}")
            return 1
        finally:
            os.chdir(ROOT)
    counts["kills"] = sum(n for name, n in counts.items() if name.startswith("kills"))
    names = ["trainings", "kills", *sorted(n for n in counts if n.startswith("kills by"))]
    for name in [*names, "resumes", "inside a write", "mismatches"]:
        print(f"{name:18}{counts[name]:>8}")
    print(f"{'seconds':18}{time.monotonic() - began:>8.0f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
