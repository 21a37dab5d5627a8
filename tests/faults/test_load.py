"""Large texts on small machines, long lines, many runs side by side, days of steps.

What takes long is done on demand: ``LMTOOL_TEST_LOAD=1 pytest tests/faults/test_load.py``.
"""

import os
import resource
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import lmtool
from lmtool.settings import TextSettings
from lmtool.text.corpus import prepare
from lmtool.training.loop import peak_memory_mb

SOURCE = Path(lmtool.__file__).parents[1]
on_demand = pytest.mark.skipif(
    "LMTOOL_TEST_LOAD" not in os.environ, reason="takes minutes: set LMTOOL_TEST_LOAD=1"
)
MB = 1_000_000
MEMORY = 1_500 * MB  # of addresses; a process with numpy, numba and BLAS maps about 900 of them
SMALL = ("--steps", "3", "--hidden", "8", "--batch", "4", "--bptt", "8", "--quiet")


def zipf_text(path: Path, n_bytes: int, n_words: int) -> None:
    """Lines of 20 words whose frequencies fall as 1 / rank."""
    rng = np.random.default_rng(1)
    cumulative = np.cumsum(1 / np.arange(1, n_words + 1))
    words = [f"w{rank:x}" for rank in range(n_words)]
    with open(path, "w") as file:
        while file.tell() < n_bytes:
            drawn = np.searchsorted(cumulative, rng.random(200_000) * cumulative[-1])
            text = [words[min(rank, n_words - 1)] for rank in drawn.tolist()]
            lines = (" ".join(text[i : i + 20]) for i in range(0, len(text), 20))
            file.write("\n".join(lines) + "\n")


def train_in(folder: Path, *words: str, memory: int | None = None) -> None:
    """``lmtool train corpus.txt`` as a process of its own, perhaps with little memory."""
    limit: Callable[[], None] | None = None
    if memory is not None:
        limit = lambda: resource.setrlimit(resource.RLIMIT_AS, (memory, memory))  # noqa: E731
    done = subprocess.run(
        [sys.executable, "-m", "lmtool", "train", "corpus.txt", "-m", "m", *SMALL, *words],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(SOURCE), "OPENBLAS_NUM_THREADS": "1"},
        preexec_fn=limit,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert (folder / "m").exists()


@on_demand
@pytest.mark.parametrize(("size", "n_words"), [(200 * MB, 100_000), (1000 * MB, 1_000_000)])
def test_a_text_larger_than_memory(tmp_path: Path, size: int, n_words: int) -> None:
    zipf_text(tmp_path / "corpus.txt", size, n_words)
    train_in(tmp_path, memory=MEMORY)


@on_demand
def test_a_vocabulary_of_a_million_words(tmp_path: Path) -> None:
    with open(tmp_path / "corpus.txt", "w") as file:
        file.writelines(f"w{n}\n" for n in range(1_000_000))
    train_in(tmp_path, "--vocab-size", "1000000", "--output", "classes")


def test_one_line_of_ten_megabytes(tmp_path: Path) -> None:
    path = tmp_path / "corpus.txt"
    path.write_text("Todd met Pete " * (10 * MB // 14))
    vocabulary, train, _ = prepare([path], None, TextSettings(), tmp_path)
    assert (vocabulary.n_tokens, train.n_words, train.n_lines) == (5, 3 * (10 * MB // 14), 1)


def test_a_hundred_thousand_lines_of_one_word(tmp_path: Path) -> None:
    path = tmp_path / "corpus.txt"
    path.write_text("Todd\n\nPete\n" * 50_000)
    lm = lmtool.train(path, steps=2, hidden=4, batch=4, bptt=8)
    assert sum(lm.vocabulary.counts[2:].tolist()) == lm.provenance["corpus"]["train"]["n_words"]


@on_demand
def test_eight_trainings_side_by_side(tmp_path: Path) -> None:
    (tmp_path / "corpus.txt").write_text("Todd met Pete\nPete met Todd\n" * 200)
    command = [sys.executable, "-m", "lmtool", "train", "corpus.txt", *SMALL, "--seed"]
    environment = {**os.environ, "PYTHONPATH": str(SOURCE)}
    runs = [
        subprocess.Popen([*command, "1", "-m", f"m{n}"], cwd=tmp_path, env=environment)
        for n in range(8)
    ]
    assert [run.wait() for run in runs] == [0] * 8
    weights = {
        lmtool.load(tmp_path / f"m{n}").language_model.parameters.flat.tobytes() for n in range(8)
    }
    assert len(weights) == 1


def soak(folder: Path, steps: int) -> list[float]:
    """Memory in MB at each tenth of a long run that is saved again and again."""
    path, seen = folder / "corpus.txt", list[float]()
    path.write_text("Todd met Pete\nPete met Todd\nthe cat saw the dog\n" * 20)

    def look(event: Any) -> None:
        if hasattr(event, "lr") and event.step >= (len(seen) + 1) * steps / 10:
            seen.append(resident_mb())

    lmtool.train(
        path, model=folder / "m", steps=steps, hidden=8, batch=2, bptt=5, lr=1e-3,
        checkpoint_every=0.1, on_event=look,
    )  # fmt: skip
    assert sorted(entry.name for entry in folder.iterdir()) == ["corpus.txt", "m"]
    return seen


def resident_mb() -> float:
    """The resident set now."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / MB


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="needs /proc to see memory")
@pytest.mark.parametrize("steps", [4000, pytest.param(1_000_000, marks=on_demand)])
def test_memory_does_not_grow_with_steps(tmp_path: Path, steps: int) -> None:
    soak(tmp_path, 400)  # whatever is loaded once
    (tmp_path / "m").unlink()
    seen = soak(tmp_path, steps)
    assert len(seen) < 2 or seen[-1] - seen[0] < 20
    assert peak_memory_mb() > 0
