"""Training by processes of MPI beside threads of one: the same model, batch and bits.

    mpiexec -n 2 python -m benchmarks.ranks --steps 20 --repeats 7

While the first process trains alone, with a thread for each process, the others sleep; then all
train together, with a thread each. They take turns, and their weights must agree.
"""

import argparse
import os
import time
from collections.abc import Iterator
from dataclasses import replace
from statistics import median

from benchmarks.common import Cell, Table, interleaved, machine, ratio, show
from benchmarks.peers import Job, LmtoolTrainer, fresh_job
from lmtool.kinds.sizes import plan
from lmtool.settings import ModelSettings, TrainSettings
from lmtool.training.exchange import weights_everywhere
from lmtool.training.mpi import together
from lmtool.training.ranks import ALONE, Ranks
from lmtool.training.session import open_session
from lmtool.training.step import training_step

__all__ = ["main"]

CASES = {  # network, output, streams, steps of a segment
    "LSTM 650, sampled softmax": (ModelSettings(hidden=650, embed=650), "sampled", 64, 20),
    "LSTM 256, sampled softmax": (ModelSettings(hidden=256, embed=256), "sampled", 64, 20),
    "LSTM 256, full softmax": (ModelSettings(hidden=256, embed=256), "full", 20, 35),
    "2 LSTM 256, sampled": (ModelSettings(hidden=256, embed=256, members=2), "sampled", 64, 20),
}
MEASURES = ("model", "threads, ms a step", "processes, ms a step", "speed of processes / threads")


def trainer(name: str, shards: int) -> LmtoolTrainer:
    """A language model over generated words, from the same weights each time."""
    settings, output, batch, bptt = CASES[name]
    model, ids, _ = fresh_job(settings, output=output)
    asked = TrainSettings(
        output=output,
        steps=1_000_000,
        batch=batch,
        bptt=bptt,
        lr=0.002,
        dropout=0.0,
        context="document",
        shards=max(1, shards // (settings.members or 1)),
    )
    recipe = plan(model.settings, asked, len(ids), model.vocabulary.n_tokens)[1]
    return LmtoolTrainer.of(Job(model, ids, recipe))


def seconds(training: LmtoolTrainer, ranks: Ranks, threads: int, steps: int) -> float:
    """Of a step, after one that does not count."""
    recipe = replace(training.recipe, threads=threads)
    kind, settings, material = training.kind, training.settings, training.material
    with open_session(kind, settings, material, recipe, ranks=ranks) as session:
        training_step(session, training.run)
        began = time.perf_counter()
        for _ in range(steps):
            training_step(session, training.run)
        taken = (time.perf_counter() - began) / steps
        weights_everywhere(session, training.run)
    return taken


def measures(name: str, ranks: Ranks, steps: int, repeats: int) -> list[Cell]:
    """A row of the table. Raises SystemExit where the weights differ."""
    alone, shared = trainer(name, ranks.n), trainer(name, ranks.n)

    def threads() -> float:
        return ranks.ask(lambda: seconds(alone, ALONE, ranks.n, steps))

    def processes() -> float:
        return ranks.agree(seconds(shared, ranks, 1, steps))

    times = interleaved({"threads": threads, "processes": processes}, repeats)
    same = (alone.run.parameters.flat == shared.run.parameters.flat).all()
    if not ranks.agree(bool(same)):
        raise SystemExit(f"{name}: the weights of threads and processes differ")
    ours, theirs = times["processes"], times["threads"]
    return [name, 1000 * median(theirs), 1000 * median(ours), ratio(theirs, ours)]


def rows(ranks: Ranks, steps: int, repeats: int, wanted: str) -> Iterator[list[Cell]]:
    """Of the cases whose names begin so."""
    for name in CASES:
        if name.startswith(wanted):
            yield measures(name, ranks, steps, repeats)


def main() -> None:
    """A table for each case as soon as it is there, from the first process."""
    parser = argparse.ArgumentParser("python -m benchmarks.ranks", description=__doc__)
    parser.add_argument("--steps", type=int, default=20, metavar="N", help="of a timing (20)")
    parser.add_argument("--repeats", type=int, default=7, metavar="N", help="of each timing (7)")
    parser.add_argument("--case", default="", metavar="NAME", help="how the model's name begins")
    given, load = parser.parse_args(), os.getloadavg()[0]
    with together(True) as ranks:
        title = f"Training by {ranks.n} threads and by {ranks.n} processes, on one machine"
        for row in rows(ranks, given.steps, given.repeats, given.case):
            if ranks.rank == 0:
                show(Table(title, MEASURES, [row]), machine(load))


if __name__ == "__main__":
    main()
