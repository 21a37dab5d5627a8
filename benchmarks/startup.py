"""How long whole processes take, from the shell and back."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from benchmarks.common import Options, Row, Table, elapsed, interleaved, ratio, say, spelled
from benchmarks.peers import MODELS, fresh_model, has_torch
from lmtool.model_file import save

__all__ = ["run"]

NAME = "LSTM 256"
BARE = "python -c pass"
SENTENCE = " ".join(spelled(k) for k in range(3))
COLUMNS = ("process", "seconds", f"over {BARE}")


def run(options: Options) -> Iterator[Table]:
    """One table."""
    if not has_torch():
        say("startup: PyTorch is not installed, so it is left out")
    with TemporaryDirectory() as folder:
        path = Path(folder, "model.safetensors")
        save(fresh_model(MODELS[NAME]), path)
        arms = {name: process(words) for name, words in commands(path).items()}
        times = interleaved(arms, options.repeats)
    rows: list[Row] = [[k, median(some), ratio(some, times[BARE])] for k, some in times.items()]
    yield Table(f"Whole processes; the model scored with is {NAME}", COLUMNS, rows)


def commands(model: Path) -> dict[str, list[str]]:
    """What is typed -> arguments of Python."""
    found = {
        BARE: ["-c", "pass"],
        'python -c "import numpy"': ["-c", "import numpy"],
        "lmtool --help": ["-m", "lmtool", "--help"],
        f'lmtool score "{SENTENCE}"': ["-m", "lmtool", "score", "-m", str(model), SENTENCE],
    }
    return found | ({'python -c "import torch"': ["-c", "import torch"]} if has_torch() else {})


def process(words: list[str]) -> Callable[[], float]:
    """Seconds of a process, when called."""
    command = [sys.executable, *words]
    return lambda: elapsed(lambda: subprocess.run(command, check=True, stdout=subprocess.DEVNULL))
