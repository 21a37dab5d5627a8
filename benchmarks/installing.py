"""What installing takes: the size on the disk, and the time until a sentence is scored."""

import importlib.util
import subprocess
import venv
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.common import Options, Row, Table, elapsed, say
from benchmarks.peers import MODELS, fresh_model, has_torch
from benchmarks.startup import NAME, SENTENCE
from lmtool.model_file import save

__all__ = ["run"]

ROOT = Path(__file__).parents[1]
BESIDE = ("nvidia", "triton")  # what PyTorch brings along, where it does
COLUMNS = ("what", "MB", "seconds")


def run(options: Options) -> Iterator[Table]:
    """One table; packages come from the index that pip is set up for."""
    with TemporaryDirectory() as folder:
        model, home = Path(folder, "model.safetensors"), Path(folder, "venv")
        save(fresh_model(MODELS[NAME]), model)
        venv.create(home, with_pip=True)
        python, before = str(home / "bin" / "python"), megabytes(home)
        seconds = elapsed(done, [python, "-m", "pip", "install", "-q", str(ROOT)])
        score = [python, "-m", "lmtool", "score", "-m", str(model), SENTENCE]
        rows: list[Row] = [
            ["pip install, with numpy, numba and all", megabytes(home) - before, seconds],
            ["the first sentence that is scored", None, elapsed(done, score)],
            ["the second one", None, elapsed(done, score)],
        ]
    yield Table("Installing lmtool into an empty environment", COLUMNS, [*rows, *others()])


def others() -> list[Row]:
    """PyTorch's folders, as they are installed here."""
    spec = importlib.util.find_spec("torch") if has_torch() else None
    if spec is None or spec.origin is None:
        say("installing: PyTorch is not installed, so its size is left out")
        return []
    own = Path(spec.origin).parent
    found = [own, *(own.parent / name for name in BESIDE if (own.parent / name).exists())]
    return [[f"the folder {folder.name} of PyTorch", megabytes(folder), None] for folder in found]


def megabytes(folder: Path) -> float:
    """Of all files."""
    return sum(x.stat().st_size for x in folder.rglob("*") if x.is_file()) / 1e6


def done(command: list[str]) -> None:
    """A process that must succeed; it sees nothing of this one's packages."""
    subprocess.run([command[0], "-I", *command[1:]], check=True, stdout=subprocess.DEVNULL)
