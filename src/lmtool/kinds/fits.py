"""What suits training on so many examples: sizes, passes, rates; and what time adds to it."""

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from lmtool.kinds.base import Material, Memory
from lmtool.kinds.memory import COMPILED, FLOAT
from lmtool.settings import TrainSettings
from lmtool.workers import n_cores

__all__ = ["REACHED", "Fit", "Work", "memory_of", "no_more_than", "planned"]

SGD_LR = 0.5
STREAMS = 8  # of a shard, at least
MOST_MEMBERS = 5
LONGER = 1.5  # times the usual passes; more of them only learn by heart
REACHED = 0.35  # share of the speed of large products that small ones reach

Work = Callable[[Any, Material], float]  # floating-point operations of one network's pass


class Fit(NamedTuple):
    """For up to so many examples."""

    limit: float
    size: int  # H
    batch: int
    lr: float  # Adam's
    dropout: float
    epochs: float
    members: int
    widest: int = 1_000_000  # E, of as many as H at most
    word_drop: float = 0.0
    smoothing: float = 0.0
    stretch: float = 0.0
    gain: float = 0.0
    noise: float = 0.0
    warp: float = 0.0
    channel: float = 0.0
    band_mask: float = 0.0
    time_mask: float = 0.0


FOLLOWING = (  # of a recipe
    "dropout", "word_drop", "smoothing",
    "stretch", "gain", "noise", "warp", "channel", "band_mask", "time_mask",
)  # fmt: skip


def fit_for(fits: Sequence[Fit], n: int) -> Fit:
    """By the number of examples."""
    return next(fit for fit in fits if n <= fit.limit)


def planned(
    fits: Sequence[Fit],
    work: Work,
    settings: Any,
    recipe: TrainSettings,
    material: Material,
    speed: float,
) -> tuple[Any, TrainSettings]:
    """Sizes, epochs and batch that follow the number of examples; members fill the time."""
    n = len(material.train.rows)
    fit = fit_for(fits, n)
    hidden = settings.hidden or settings.embed or fit.size
    network = replace(
        settings,
        hidden=hidden,
        embed=settings.embed or min(hidden, fit.size, fit.widest),
        members=settings.members or fit.members,
    )
    if recipe.seconds and not settings.members:
        passes = REACHED * speed * recipe.seconds / work(network, material)
        network = replace(network, members=max(1, min(MOST_MEMBERS, int(passes / fit.epochs))))
    members = network.members or 1
    batch = min(recipe.batch or fit.batch, n)
    shards = min(batch, recipe.shards or default_shards(batch, members))
    asked = recipe.epochs or recipe.steps or recipe.seconds
    given = {name: getattr(recipe, name) for name in FOLLOWING}
    follows: dict[str, Any] = {k: getattr(fit, k) if x is None else x for k, x in given.items()}
    return network, replace(
        recipe,
        epochs=recipe.epochs if asked else fit.epochs,
        batch=batch,
        lr=recipe.lr or (fit.lr if recipe.optimizer == "adam" else SGD_LR),
        weight_drop=recipe.weight_drop or 0.0,
        drop_warmup=recipe.drop_warmup or 0,
        mirror=recipe.mirror or "",
        shards=shards,
        threads=min(recipe.threads or n_cores(), members * shards),
        **follows,
    )


def no_more_than(
    fits: Sequence[Fit],
    asked: TrainSettings,
    recipe: TrainSettings,
    material: Material,
    steps: int,
) -> TrainSettings:
    """No more passes than do good, however much time there is."""
    n = len(material.train.rows)
    most = math.ceil(LONGER * fit_for(fits, n).epochs * n / (recipe.batch or 1))
    return replace(recipe, seconds=None, steps=most) if steps > most else recipe


def default_shards(batch: int, members: int) -> int:
    """One a core, but of no fewer than STREAMS examples."""
    cores = n_cores()
    return max(1, min(cores // math.gcd(cores, members), batch // STREAMS))


def memory_of(P: int, one: int, settings: Any, recipe: TrainSettings, material: Material) -> Memory:
    """Weights, moments, gradients; and of each step of the longest batch so many numbers.

    P are the weights of a network.
    """
    K, B = settings.members or 1, recipe.batch or 1
    S = int(material.train.sources.lengths.max(initial=1))
    step = S * B * one * K
    return Memory(held=FLOAT * 5 * P * K + COMPILED, step=FLOAT * step, saved=FLOAT * 8 * P * K)
