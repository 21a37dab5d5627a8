"""Sizes, epochs and batch that follow the corpus: every None becomes a number."""

import math
import os
from dataclasses import replace
from typing import NamedTuple

from lmtool.errors import ConfigError
from lmtool.nn.cells import CELLS
from lmtool.nn.cells.rnn import ACTIVATIONS
from lmtool.nn.outputs import OUTPUTS
from lmtool.settings import ModelSettings, TrainSettings
from lmtool.training.contexts import CONTEXTS
from lmtool.training.optimizers import OPTIMIZERS

__all__ = ["n_steps", "plan"]

FEWEST_STEPS = 400  # without which even two lines are not learnt
FULL_UP_TO = 4000  # outputs; beyond, the sampled softmax is faster for the same perplexity


class Sizes(NamedTuple):
    """What suits corpora of up to ``n_tokens`` tokens."""

    n_tokens: float
    hidden: int
    batch: int
    bptt: int
    dropout: float


SIZES = (
    Sizes(500, 32, 1, 16, 0.0),
    Sizes(5_000, 64, 4, 20, 0.1),
    Sizes(50_000, 128, 8, 25, 0.2),
    Sizes(300_000, 192, 16, 32, 0.25),
    Sizes(5_000_000, 256, 20, 35, 0.25),
    Sizes(50_000_000, 384, 32, 35, 0.1),
    Sizes(math.inf, 512, 64, 35, 0.0),
)


def plan(
    network: ModelSettings, recipe: TrainSettings, n_tokens: int, V: int
) -> tuple[ModelSettings, TrainSettings]:
    """Settings without None for a corpus of n_tokens (<EOS> included) over V outputs.

    Of epochs, steps and seconds one is left set. Raises ConfigError naming a bad option.
    """
    check(network, recipe)
    fit = next(sizes for sizes in SIZES if n_tokens <= sizes.n_tokens)
    hidden = network.hidden or network.embed or fit.hidden
    batch, bptt = recipe.batch or fit.batch, recipe.bptt or fit.bptt
    asked = recipe.epochs or recipe.steps or recipe.seconds
    return (
        replace(network, hidden=hidden, embed=network.embed or hidden),
        replace(
            recipe,
            output=recipe.output or ("full" if V <= FULL_UP_TO else "sampled"),
            epochs=recipe.epochs if asked else default_epochs(n_tokens, batch * bptt),
            batch=batch,
            bptt=bptt,
            lr=recipe.lr or OPTIMIZERS[recipe.optimizer].lr,
            dropout=fit.dropout if recipe.dropout is None else recipe.dropout,
            shards=min(recipe.shards, batch),
            threads=recipe.threads or min(recipe.shards, batch, os.cpu_count() or 1),
        ),
    )


def default_epochs(n_tokens: int, tokens_per_step: int) -> float:
    """Six passes over a million tokens, more over less, at least 1 and FEWEST_STEPS steps."""
    epochs = min(100.0, 6 * math.pow(1e6 / n_tokens, 0.4))
    return round(max(1.0, epochs, FEWEST_STEPS * tokens_per_step / n_tokens), 1)


def n_steps(recipe: TrainSettings, n_tokens: int) -> int | None:
    """Optimiser steps of the run; None where the clock decides."""
    if recipe.steps:
        return recipe.steps
    if recipe.seconds:
        return None
    per_step = (recipe.batch or 1) * (recipe.bptt or 1)
    return max(1, math.ceil((recipe.epochs or 1) * n_tokens / per_step))


def check(network: ModelSettings, recipe: TrainSettings) -> None:
    """Raises ConfigError for a value that cannot be meant."""
    choices = (
        ("--cell", network.cell, CELLS),
        ("--activation", network.activation, ACTIVATIONS),
        ("--output", recipe.output or "full", OUTPUTS),
        ("--optimizer", recipe.optimizer, OPTIMIZERS),
        ("--context", recipe.context, CONTEXTS),
    )
    for option, value, allowed in choices:
        if value not in allowed:
            raise ConfigError(f"{option} {value}: choose one of {', '.join(allowed)}")
    for option, size in _sizes(network, recipe):
        if size is not None and (not math.isfinite(size) or size <= 0):
            raise ConfigError(f"{option} {size}: must be greater than 0")
    if recipe.dropout is not None and not 0 <= recipe.dropout < 1:
        raise ConfigError(f"--dropout {recipe.dropout}: must be at least 0 and below 1")
    if sum(budget is not None for budget in (recipe.epochs, recipe.steps, recipe.seconds)) > 1:
        raise ConfigError("give one of --epochs, --steps and --time, not several")


def _sizes(network: ModelSettings, recipe: TrainSettings) -> list[tuple[str, float | None]]:
    return [
        ("--layers", network.layers),
        ("--hidden", network.hidden),
        ("--embed", network.embed),
        ("--epochs", recipe.epochs),
        ("--steps", recipe.steps),
        ("--time", recipe.seconds),
        ("--batch", recipe.batch),
        ("--bptt", recipe.bptt),
        ("--lr", recipe.lr),
        ("--clip", recipe.clip),
        ("--shards", recipe.shards),
        ("--threads", recipe.threads),
    ]
