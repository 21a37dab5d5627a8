"""How long whole processes take, from the shell and back."""

import os
import resource
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import NamedTuple

from benchmarks.common import Options, Row, Table, elapsed, interleaved, ratio, say, spelled
from benchmarks.peers import MODELS, fresh_model, has_torch
from lmtool.model_file import save

__all__ = ["run"]

NAME = "LSTM 256"
FLOOR = 'python -c "import numpy"'  # what a process that multiplies cannot do without
SENTENCE = " ".join(spelled(k) for k in range(3))
COLUMNS = ("process", "seconds", "of a core", f"over {FLOOR}")


class Time(NamedTuple):
    """Of a process; on a busy machine the second says more."""

    wall: float
    core: float


def run(options: Options) -> Iterator[Table]:
    """One table."""
    if not has_torch():
        say("startup: PyTorch is not installed, so it is left out")
    with TemporaryDirectory() as folder:
        path = Path(folder, "model.safetensors")
        save(fresh_model(MODELS[NAME]), path)
        arms = {name: process(words) for name, words in commands(path).items()}
        interleaved(arms, 1)  # writes the bytecode that an installation has
        times = interleaved(arms, options.repeats)
    floor = [time.core for time in times[FLOOR]]
    rows: list[Row] = []
    for name, some in times.items():
        walls, cores = zip(*some, strict=True)
        rows.append([name, median(walls), median(cores), ratio(cores, floor)])
    yield Table(f"Whole processes; the model scored with is {NAME}", COLUMNS, rows)


def commands(model: Path) -> dict[str, list[str]]:
    """What is typed -> arguments of Python."""
    found = {
        "python -c pass": ["-c", "pass"],
        FLOOR: ["-c", "import numpy"],
        "lmtool --help": ["-m", "lmtool", "--help"],
        f'lmtool score "{SENTENCE}"': ["-m", "lmtool", "score", "-m", str(model), SENTENCE],
    }
    return found | ({'python -c "import torch"': ["-c", "import torch"]} if has_torch() else {})


def process(words: list[str]) -> Callable[[], Time]:
    """The time of a process, when called."""
    command = [sys.executable, *words]
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}

    def call() -> None:
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, env=environment)

    def timed() -> Time:
        before = core_seconds()
        return Time(elapsed(call), core_seconds() - before)

    return timed


def core_seconds() -> float:
    """What the processes that have ended took of a core."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
