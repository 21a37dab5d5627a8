"""What each process of ``test_mpi`` runs: trainings and interruptions, all of them together."""

import os
import sys
from pathlib import Path
from typing import Any

import lmtool
from lmtool.training.launchers import place

LINES = ("Todd met Pete", "Pete met Todd", "the cat saw the dog", "the dog saw Todd") * 20
SMALL: dict[str, Any] = {"steps": 12, "hidden": 8, "embed": 6, "batch": 8, "dropout": 0.2}
TEXT: dict[str, Any] = {**SMALL, "bptt": 5}
RECIPES: dict[str, dict[str, Any]] = {  # whose gradients travel, stay at home, or both
    "shards": {**TEXT, "shards": 4, "output": "sampled", "samples": 4, "finish": 0.3},
    "members": {**TEXT, "shards": 2, "members": 3, "tie": False, "ngram": 2},
    "label": {**SMALL, "shards": 2, "members": 2, "writes": "label"},
    "tags": {**SMALL, "shards": 3, "members": 1, "writes": "tags", "steps": 4},
    "pairs": {**SMALL, "shards": 2, "members": 1, "reads": "text", "steps": 4},
}


def write_texts(folder: Path) -> None:
    """One for each recipe."""
    made = {
        "label": lambda x: f"{x.split()[0]}\t{x}",
        "tags": lambda x: " ".join(f"{word}/{int(word.istitle())}" for word in x.split()),
        "pairs": lambda x: f"{x}\t{' '.join(x.split()[::-1])}",
    }
    for name in RECIPES:
        lines = map(made.get(name, str), LINES)
        (folder / f"{name}.txt").write_text("".join(f"{line}\n" for line in lines))


def train(name: str, model: str, **more: Any) -> Any:
    """One of the recipes."""
    return lmtool.train(f"{name}.txt", model=model, **RECIPES[name] | more)


def stop_after(n: int, rank: int) -> Any:
    """What asks one rank alone to stop."""
    calls = iter(range(n if place().rank == rank else 10**9))
    return lambda: 0 if next(calls, None) is not None else 15


def together() -> None:
    """Trains all, interrupts some, goes on with one that a process alone began."""
    for name in RECIPES:
        found = train(name, name, mpi=True, threads=1 + place().rank)
        assert found is not None
    for name in ("shards", "members"):
        try:
            train(name, f"{name}.cut", mpi=True, stop=stop_after(7, place().n - 1))
        except lmtool.InterruptionError as stopped:
            assert stopped.signal == 15 and "stopped after step 7" in str(stopped)
    lmtool.resume("shards.begun", mpi=True)
    try:
        train("shards", "shards", mpi=True)
    except lmtool.ModelFileError as error:  # met by all
        assert "exists already" in str(error)
    train("shards", "timed", mpi=True, steps=None, time="0.7s")


def one_fails() -> None:
    """The last process alone has an accident in the middle of its training."""

    def listen(event: object) -> None:
        if type(event).__name__ == "Validated" and place().rank == 1:
            raise ZeroDivisionError("an accident")

    train("shards", "failed", mpi=True, on_event=listen, steps=2000)


if __name__ == "__main__":
    os.chdir(sys.argv[2])
    {"together": together, "one_fails": one_fails}[sys.argv[1]]()
