"""How near training comes to what the processor can do: matrix products alone."""

from collections.abc import Callable, Iterator
from functools import partial
from statistics import median

import numpy as np
from threadpoolctl import threadpool_limits

from benchmarks.common import Cell, Options, Table, interleaved, per_second, ratio
from benchmarks.peers import MODELS, LmtoolTrainer, V, fresh_job
from lmtool.arrays import Array
from lmtool.nn.cells import cell_of
from lmtool.nn.cells.base import Weights, factor, multiply, project
from lmtool.settings import ModelSettings

__all__ = ["run"]

SIZE = 1024  # of the square matrices
B, T, H = 10, 35, 650  # what a thread has of a step of LSTM 650
SKINNY = ((B, H, 4 * H), (20, H, 4 * H), (20, 256, 1024), (20, 1024, 256), (64, 512, 2048))
COLUMNS = ("model", "tokens/s", "MFLOP a token", "GFLOP/s", "sgemm GFLOP/s", "share of sgemm")


def run(options: Options) -> Iterator[Table]:
    """Training, and the products that are hard on it."""
    rows = [[name, *row(settings, options)] for name, settings in MODELS.items()]
    yield Table("Training against the peak of matrix products, 1 thread", COLUMNS, rows)
    products = [projection(options), *(recurrence(*shape, options) for shape in SKINNY)]
    columns = ("product", "plain, GFLOP/s", "lmtool, GFLOP/s", "lmtool / plain")
    yield Table("Products of a recurrent layer, 1 thread", columns, products)


def row(settings: ModelSettings, options: Options) -> list[Cell]:
    """One model."""
    trainer = LmtoolTrainer.of(fresh_job(settings))
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


def projection(options: Options) -> list[Cell]:
    """x W' + b of all time steps."""
    weights = Weights(*(numbers(shape) for shape in ((4 * H, H), (1, 1), (4 * H,), (1,))))
    x, name = numbers((T, B, H)), f"({T}, {B}, {H}) by ({H}, {4 * H})"
    plain = lambda: x @ weights.weight_ih.T + weights.bias_ih  # noqa: E731
    return compared(name, 2 * T * B * 4 * H * H, plain, lambda: project(weights, x), options)


def recurrence(M: int, K: int, N: int, options: Options) -> list[Cell]:
    """The product of one time step."""
    x, y, out = numbers((M, K)), numbers((K, N)), numbers((M, N))
    laid_out = factor(y)
    plain, own = partial(np.dot, x, y, out=out), partial(multiply, x, laid_out, out)
    return compared(f"({M}, {K}) by ({K}, {N})", 2 * M * K * N, plain, own, options)


def compared(
    name: str, flop: int, plain: Callable[[], object], own: Callable[[], object], options: Options
) -> list[Cell]:
    """GFLOP/s of both, one thread."""
    arms = {arm: partial(per_second, arm, options.seconds) for arm in (plain, own)}
    with threadpool_limits(1, "blas"):
        measured = interleaved(arms, options.repeats)
    speeds = [median(measured[arm]) * flop / 1e9 for arm in (plain, own)]
    return [name, *speeds, ratio(measured[own], measured[plain])]


def numbers(shape: tuple[int, ...]) -> Array:
    """Of any kind."""
    return np.random.default_rng(0).random(shape, np.float32)


def training_flop(settings: ModelSettings, n_tokens: int) -> int:
    """Of one token in training, three times those of the forward pass; products alone."""
    E, H, cell = settings.embed or 0, settings.hidden or 0, cell_of(settings)
    layers = sum(cell.products(inputs, H) for inputs in [E] + [H] * (settings.layers - 1))
    return 3 * 2 * (layers + E * n_tokens)
