"""Training at the sizes that ``--time`` chooses: its products by lmtool's kernel, and by BLAS."""

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from statistics import median

import numpy as np

from benchmarks.common import SEED, Cell, Options, Table, interleaved, ratio, zipf_ids
from benchmarks.peers import N_IDS, THREADS, Job, LmtoolTrainer, V, fresh_model
from lmtool.kinds.sizes import plan
from lmtool.nn.kernels import products
from lmtool.settings import ModelSettings, TrainSettings

__all__ = ["run"]

TIMES = {"10m": 600.0, "60m": 3600.0}
N_TOKENS = 10_000_000  # of the text that they are chosen for
OURS = products.TILE
COLUMNS = (
    "--time",
    "network and batch",
    *(f"lmtool, {n}" for n in THREADS),
    *(f"on BLAS, {n}" for n in THREADS),
    *(f"lmtool / on BLAS, {n}" for n in THREADS),
)


def run(options: Options) -> Iterator[Table]:
    """One table."""
    rows = [[name, *row(seconds, options)] for name, seconds in TIMES.items()]
    yield Table("Training at the sizes of --time, tokens/s with 1 and 2 threads", COLUMNS, rows)


def row(seconds: float, options: Options) -> list[Cell]:
    """The sizes for so much time, and the speeds."""
    trainer = trainer_for(seconds)
    arms = {
        (tile, n): partial(speed, trainer, tile, n, options.seconds)
        for n in THREADS
        for tile in (OURS, None)
    }
    measured = interleaved(arms, options.repeats)
    return [
        sizes(trainer),
        *(median(measured[tile, n]) for tile in (OURS, None) for n in THREADS),
        *(ratio(measured[OURS, n], measured[None, n]) for n in THREADS),
    ]


def trainer_for(seconds: float) -> LmtoolTrainer:
    """Random weights and ids; two shards, on however many cores."""
    asked = TrainSettings(seconds=seconds, shards=max(THREADS))
    settings, recipe = plan(ModelSettings(members=1), asked, N_TOKENS, V)
    recipe = replace(recipe, seconds=None, steps=1_000_000, finish=0.0)
    ids = zipf_ids(np.random.default_rng(SEED), V, N_IDS)
    return LmtoolTrainer.of(Job(fresh_model(settings), ids, recipe))


def sizes(trainer: LmtoolTrainer) -> str:
    """For people."""
    settings, recipe = trainer.settings, trainer.recipe
    network = f"{settings.cell.upper()} {settings.embed}/{settings.hidden}"
    return f"{network}, {recipe.batch} x {recipe.bptt}"


def speed(
    trainer: LmtoolTrainer, tile: products.Tile | None, threads: int, seconds: float
) -> float:
    """Tokens a second with products of few rows in such tiles, or BLAS's."""
    products.TILE = tile
    try:
        return trainer.speed(threads, seconds)
    finally:
        products.TILE = OURS
