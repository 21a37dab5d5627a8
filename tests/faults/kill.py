"""Kills trainings at random moments, resumes them, and compares the last byte.

    python -m tests.faults.kill --kills 1000

Every run is a real process. Many write slowly and are watched, so that the kill falls inside a
write. A run goes on until it ends well; its model must then be, byte for byte, that of a run never
killed.
"""

import argparse
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import lmtool

MODEL = "model.safetensors"
OURS = {MODEL, f"{MODEL}.resume", f"{MODEL}.lock", "corpus.txt"}
WORDS = ("Todd", "Pete", "Anna", "the", "cat", "dog", "sea", "met", "saw", "was", "calm", "mill")
LINES = 400
TRAIN = ["train", "corpus.txt", "-m", MODEL, "--steps", "1500", "--hidden", "16", "--batch", "4"]
TRAIN += ["--bptt", "10", "--dropout", "0.2", "--output", "sampled", "--samples", "8", "--quiet"]
OFTEN = ["--checkpoint-every", "0.02s"]
SIGNALS = (signal.SIGKILL, signal.SIGKILL, signal.SIGKILL, signal.SIGTERM, signal.SIGINT)
LONGEST = 120.0  # seconds of a process


@dataclass
class Count:
    """What happened."""

    kills: int = 0
    inside_a_write: int = 0  # a temporary file was there when the process died
    told_to_stop: int = 0  # SIGTERM and SIGINT among the kills
    resumes: int = 0
    runs: int = 0
    mismatches: int = 0


def main(arguments: Sequence[str] | None = None) -> int:
    """Prints the counts; 1 where anything was lost."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args(arguments)
    began = time.monotonic()
    count = campaign(options.kills, options.seed)
    print(f"seed            {options.seed}")
    for name, value in vars(count).items():
        print(f"{name:<15} {value}")
    print(f"seconds         {time.monotonic() - began:.0f}")
    return 1 if count.mismatches else 0


def campaign(kills: int, seed: int) -> Count:
    """Runs until so many processes were killed."""
    rng, count = random.Random(seed), Count()
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        text = [" ".join(rng.choices(WORDS, k=rng.randint(2, 8))) for _ in range(LINES)]
        (folder / "corpus.txt").write_text("\n".join(text) + "\n")
        took = time.monotonic()
        run(folder, TRAIN, slow=0.0, patience=LONGEST)
        took = time.monotonic() - took
        whole = (folder / MODEL).read_bytes()
        while count.kills < kills:
            (folder / MODEL).unlink()
            until_it_ends(folder, rng, took, count)
            count.runs += 1
            count.mismatches += (folder / MODEL).read_bytes() != whole
            assert {path.name for path in folder.iterdir()} <= OURS, list(folder.iterdir())
    return count


def until_it_ends(folder: Path, rng: random.Random, took: float, count: Count) -> None:
    """One training, killed now and then."""
    while not (folder / MODEL).exists() or (folder / f"{MODEL}.resume").exists():
        again = (folder / f"{MODEL}.resume").exists()
        count.resumes += again
        words = ["train", "--resume", "-m", MODEL, "--quiet"] if again else TRAIN
        hunts = rng.random() < 0.4  # for a write to fall into
        slow = 0.02 if hunts else 0.0
        patience = rng.uniform(0.4, 1.2) * took
        killed_by = run(folder, [*words, *OFTEN], slow, patience, rng.choice(SIGNALS), hunts)
        count.kills += killed_by is not None
        count.told_to_stop += killed_by in (signal.SIGTERM, signal.SIGINT)
        count.inside_a_write += any(folder.glob(f".{MODEL}*"))


def run(
    folder: Path,
    words: list[str],
    slow: float,
    patience: float,
    number: signal.Signals = signal.SIGKILL,
    hunts: bool = False,
) -> signal.Signals | None:
    """Runs lmtool, and kills it when patience ends or a write is found: by what, or None."""
    command = [sys.executable, "-m", "lmtool", *words]
    source = str(Path(lmtool.__file__).parents[1])
    environment = {**os.environ, "PYTHONPATH": source, "LMTOOL_TEST_SLOW_WRITES": str(slow)}
    process = subprocess.Popen(
        command, cwd=folder, env=environment, stderr=subprocess.PIPE, text=True
    )
    ends = time.monotonic() + patience
    while process.poll() is None and time.monotonic() < ends:
        if hunts and any(folder.glob(f".{MODEL}*")):
            break
        time.sleep(0.002)
    if process.poll() is None:
        process.send_signal(number)
        _, said = process.communicate(timeout=LONGEST)
        assert "Traceback" not in said, said
        return number
    _, said = process.communicate()
    assert process.returncode == 0, said
    return None


if __name__ == "__main__":
    sys.exit(main())
