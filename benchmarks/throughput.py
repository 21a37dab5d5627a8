"""Training speed: the same model, batch and optimiser in lmtool and in PyTorch."""

from collections.abc import Callable, Iterator
from functools import partial
from statistics import median

from benchmarks.common import Cell, Options, Table, interleaved, ratio, say
from benchmarks.peers import (
    MODELS,
    THREADS,
    LmtoolTrainer,
    SampledTrainer,
    TorchTrainer,
    check_same,
    compares,
    fresh_job,
    has_torch,
)
from lmtool.settings import ModelSettings

__all__ = ["MEASURES", "Arms", "arms", "measures", "names", "run"]

Arms = dict[tuple[str, int], Callable[[], float]]  # (who, threads) -> tokens a second

PEER = "PyTorch"


def names(peer: str) -> tuple[str, ...]:
    """What ``measures`` gives."""
    return (
        *(f"lmtool, {n}" for n in THREADS),
        *(f"{peer}, {n}" for n in THREADS),
        *(f"lmtool / {peer}, {n}" for n in THREADS),
        "lmtool, 2 / 1",
    )


MEASURES = names(PEER)


def run(options: Options) -> Iterator[Table]:
    """One table."""
    if not has_torch():
        say("throughput: PyTorch is not installed, so lmtool runs alone")
    rows = [
        [name, *measures(arms(settings, options.seconds), options.repeats)]
        for name, settings in MODELS.items()
    ]
    yield Table("Training, tokens/s with 1 and 2 threads", ("model", *MEASURES), rows)


def measures(arms: Arms, repeats: int, peer: str = PEER) -> list[Cell]:
    """What each of ``names`` is."""
    speeds = interleaved(arms, repeats)
    ours, theirs = ([speeds.get((name, n), []) for n in THREADS] for name in ("lmtool", peer))
    return [
        *(median(some) for some in ours),
        *(median(some) if some else None for some in theirs),
        *(ratio(a, b) if b else None for a, b in zip(ours, theirs, strict=True)),
        ratio(ours[1], ours[0]),
    ]


def arms(settings: ModelSettings, seconds: float, output: str = "full") -> Arms:
    """The first step of both must give the same loss, where no word is drawn."""
    job = fresh_job(settings, output=output)
    trainers: dict[str, LmtoolTrainer | TorchTrainer] = {"lmtool": LmtoolTrainer.of(job)}
    if has_torch():
        trainers["PyTorch"] = (SampledTrainer if output == "sampled" else TorchTrainer).of(job)
    if compares() and output == "full":
        check_same(*(trainer.step() for trainer in trainers.values()))
    return {
        (name, n): partial(trainer.speed, n, seconds)
        for n in THREADS
        for name, trainer in trainers.items()
    }
