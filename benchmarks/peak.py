"""How near training comes to what the processor can do: matrix products alone."""

from collections.abc import Iterator
from functools import partial
from statistics import median

import numpy as np
from threadpoolctl import threadpool_limits

from benchmarks.common import Cell, Options, Table, interleaved, per_second, ratio
from benchmarks.peers import MODELS, LmtoolTrainer, V, fresh_job
from lmtool.nn.cells import CELLS
from lmtool.settings import ModelSettings

__all__ = ["run"]

SIZE = 1024  # of the square matrices
COLUMNS = ("model", "tokens/s", "MFLOP a token", "GFLOP/s", "sgemm GFLOP/s", "share of sgemm")


def run(options: Options) -> Iterator[Table]:
    """One table."""
    rows = [[name, *row(settings, options)] for name, settings in MODELS.items()]
    yield Table("Training against the peak of matrix products, 1 thread", COLUMNS, rows)


def row(settings: ModelSettings, options: Options) -> list[Cell]:
    """One model."""
    trainer = LmtoolTrainer(fresh_job(settings))
    arms = {
        "sgemm": partial(sgemm, options.seconds),
        "lmtool": partial(trainer.speed, 1, options.seconds),
    }
    measured = interleaved(arms, options.repeats)
    work = training_flop(settings, V)
    flops = [speed * work for speed in measured["lmtool"]]
    return [
        median(measured["lmtool"]),
        work / 1e6,
        median(flops) / 1e9,
        median(measured["sgemm"]) / 1e9,
        ratio(flops, measured["sgemm"]),
    ]


def sgemm(seconds: float) -> float:
    """Floating-point operations a second in the product of two large matrices, one thread."""
    a, b = np.random.default_rng(0).random((2, SIZE, SIZE), np.float32)
    c = np.empty_like(a)
    with threadpool_limits(1, "blas"):
        return 2 * SIZE**3 * per_second(lambda: np.dot(a, b, out=c), seconds)


def training_flop(settings: ModelSettings, n_tokens: int) -> int:
    """Of one token in training, three times those of the forward pass; products alone."""
    E, H, G = settings.embed or 0, settings.hidden or 0, CELLS[settings.cell].n_gates
    layers = sum(G * H * (inputs + H) for inputs in [E] + [H] * (settings.layers - 1))
    return 3 * 2 * (layers + E * n_tokens)
