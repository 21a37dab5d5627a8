"""Long texts, long lines, large vocabularies, many steps: what they cost is bounded.

LMTOOL_LONG_TESTS=1 python -m pytest tests/faults/test_load.py runs the dear ones as well.
"""

import json
import os
import resource
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import lmtool as library
from tests.faults.processes import limited, lmtool

LONG = "LMTOOL_LONG_TESTS"
dear = pytest.mark.skipif(LONG not in os.environ, reason=f"takes minutes: set {LONG}=1")
MB = 1 << 20
LINES = ("Todd met Pete", "Pete met Todd", "the cat saw the dog", "the dog saw Todd")
TINY = ("--steps", 3, "--hidden", 4, "--batch", 2, "--bptt", 4, "--threads", 1)
A_DAY = 700_000  # steps, at the eight a second of `--time 10m` on two cores


def small_run(folder: Path) -> tuple[int, float]:
    """(address space in bytes, memory in MB) of a training on four lines: mostly libraries."""
    (folder / "four.txt").write_text("\n".join(LINES))
    code = (
        "import sys; from lmtool.cli.app import main; main(sys.argv[1:]);"
        "print([line.split()[1] for line in open('/proc/self/status') if 'VmPeak' in line][0])"
    )
    path = {**os.environ, "PYTHONPATH": str(Path(library.__file__).parents[1])}
    words = [sys.executable, "-c", code, "train", "four.txt", "-m", "four.st", *map(str, TINY)]
    result, peak = subprocess.check_output(
        [*words, "--quiet", "--json"], cwd=folder, env=path
    ).splitlines()
    return int(peak) << 10, json.loads(result)["peak_memory_mb"]


@pytest.mark.skipif(not os.path.exists("/proc/self/status"), reason="reads Linux's /proc")
@pytest.mark.parametrize("size", [120, pytest.param(1024, marks=dear)])
def test_a_text_larger_than_the_memory(tmp_path: Path, size: int) -> None:
    room = size * MB // 3 if size < 500 else 200 * MB
    block = "".join(f"{line} word{n % 997}\n" for n in range(2000) for line in LINES).encode()
    with open(tmp_path / "corpus.txt", "wb") as file:
        while file.tell() < size * MB:
            file.write(block)
    space, memory = small_run(tmp_path)
    limit = limited(resource.RLIMIT_AS, space + room + ids(size))
    environment = {"TMPDIR": str(tmp_path), "MALLOC_ARENA_MAX": "1"}  # else 64 MB for a thread
    ended = lmtool(
        *("train", "corpus.txt", *TINY, "-m", "m.st", "--json"), folder=tmp_path, before=limit,
        environment=environment, timeout=900,
    )  # fmt: skip
    assert ended.returncode == 0, ended.stderr
    assert json.loads(ended.stdout)["peak_memory_mb"] - memory < size / 3
    assert sorted(path.suffix for path in tmp_path.iterdir()) == [".st", ".st", ".txt", ".txt"]


def ids(size: int) -> int:
    """Address space, not memory, of the ids that are mapped: four bytes a word of five letters."""
    return size * MB


@dear
def test_a_vocabulary_of_a_million_words(tmp_path: Path) -> None:
    with open(tmp_path / "corpus.txt", "w") as file:
        for n in range(0, 1_000_000, 10):
            file.write(" ".join(f"w{k}" for k in range(n, n + 10)) + "\n")
    options: dict[str, Any] = {"steps": 3, "hidden": 8, "output": "classes", "vocab_size": 10**6}
    text, valid = tmp_path / "corpus.txt", four(tmp_path)
    lm = library.train(text, model=tmp_path / "m.st", valid=valid, **options)
    assert lm.vocabulary.n_tokens == 10**6 + 2
    again = library.load(tmp_path / "m.st")
    assert again.score("w1 w2 w999999") == lm.score("w1 w2 w999999")


def four(folder: Path) -> Path:
    """A text to validate on."""
    path = folder / "four.txt"
    path.write_text("w1 w2 w3\n" * 4)
    return path


def test_one_line_of_ten_megabytes(tmp_path: Path) -> None:
    (tmp_path / "corpus.txt").write_text("Todd met Pete " * (10 * MB // 14))
    lm = library.train(
        tmp_path / "corpus.txt", steps=3, hidden=4, batch=2, bptt=4, valid=four(tmp_path)
    )
    assert lm.vocabulary.counts[2:].sum() == 3 * (10 * MB // 14)


def test_a_long_line_is_scored(tmp_path: Path) -> None:
    lm = library.train(four(tmp_path), steps=3, hidden=4)
    result = lm.score("w1 w2 " * 10_000)
    assert result.n_words == 20_000 and result.log10_p < -1000


def test_a_hundred_thousand_lines_of_a_word(tmp_path: Path) -> None:
    (tmp_path / "corpus.txt").write_text("".join(f"w{n % 50}\n" for n in range(100_000)))
    lm = library.train(tmp_path / "corpus.txt", steps=3, hidden=4, batch=2, bptt=4)
    assert lm.vocabulary.counts[0] == 95_000
    assert sum(1 for _ in lm.score_lines(["w1"] * 5000, threads=2)) == 5000


def test_eight_trainings_side_by_side(tmp_path: Path) -> None:
    (tmp_path / "corpus.txt").write_text("".join(f"{line}\n" for line in LINES * 60))
    path = {**os.environ, "PYTHONPATH": str(Path(library.__file__).parents[1])}
    words = [sys.executable, "-m", "lmtool", "train", "corpus.txt", "--steps", "20", "--quiet"]
    processes = [
        subprocess.Popen([*words, "-m", f"{n}.st", "--hidden", "12"], cwd=tmp_path, env=path)
        for n in range(8)
    ]
    assert [process.wait(timeout=300) for process in processes] == [0] * 8
    weights = {
        library.load(tmp_path / f"{n}.st").language_model.parameters.flat.tobytes()
        for n in range(8)
    }
    assert len(weights) == 1


@pytest.mark.parametrize("steps", [4000, pytest.param(A_DAY, marks=dear)])
def test_steps_without_end_leave_nothing_behind(
    tmp_path: Path, steps: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lmtool.training.loop.PATIENCE", 10**9)
    (tmp_path / "corpus.txt").write_text("".join(f"{line}\n" for line in LINES * 60))
    sizes: list[int] = []
    files: set[str] = set()

    def look(event: object) -> None:
        sizes.append(resident())
        files.update(path.name for path in tmp_path.iterdir())

    options: dict[str, Any] = {"hidden": 6, "embed": 4, "batch": 2, "bptt": 5, "threads": 1}
    library.train(
        tmp_path / "corpus.txt", model=tmp_path / "m.st", steps=steps, optimizer="sgd", lr=1e-3,
        on_event=look, checkpoint_every=0.05, **options,
    )  # fmt: skip
    settled = sizes[len(sizes) // 3]
    assert max(sizes) - settled < 4 * MB, (settled, max(sizes))
    assert {name for name in files if not name.endswith(".tmp")} <= {
        "corpus.txt", "m.st", "m.st.resume", "m.st.lock",
    }  # fmt: skip
    assert sorted(path.name for path in tmp_path.iterdir()) == ["corpus.txt", "m.st"]


def resident() -> int:
    """Bytes of memory in use; 0 where /proc is not known."""
    status = Path("/proc/self/statm")
    pages = int(status.read_text().split()[1]) if status.exists() else 0
    return pages * os.sysconf("SC_PAGE_SIZE")
