"""Sizes, epochs and batch of a language model that follow the corpus: no None is left."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from lmtool.errors import ConfigError, option
from lmtool.nn.cells import cell_of
from lmtool.nn.outputs import OUTPUTS

if TYPE_CHECKING:
    from lmtool.settings import ModelSettings, TrainSettings


__all__ = ["by_budget", "finish_cost", "plan", "regularised"]

SPEED = 1e11  # floating-point operations per second, where nobody has measured
SGD_LR = 2.0
FEWEST_STEPS = 400  # without which even two lines are not learnt
FULL_UP_TO = 4000  # outputs; beyond, the sampled softmax is faster for the same perplexity
SMALL = 50_000  # tokens; up to here the corpus decides, however much time there is
MOST_DROPOUT = 0.5
SEVERAL = ((4, 8.0), (2, 4.0), (1, 0.0))  # networks, if each has time for so many passes
DROP_WARMUP = 2 / 3  # share of the steps
LETTERS = 500  # outputs; no more than that, and a segment cannot do without any of them
WINDOW, SLOWER = "window", 0.25  # a cell without gates, which is as wide as its words, and its rate
MOST_MARGIN = 0.02
FINISH = 0.1  # share of the steps, where the full softmax is no more than
DEAR = 2.0  # times as dear
STREAMS = 8  # of a shard, at least
MOST_PASSES = 10  # over the text, of a step


class Sizes(NamedTuple):
    """What suits whatever is no more than ``limit``."""

    limit: float
    embed: int
    hidden: int
    batch: int
    bptt: int
    lr: float  # Adam's
    dropout: float | None  # None: as many passes over the text demand
    samples: int = 1024


class Drops(NamedTuple):
    """Shares of what a step leaves out, and by how much a target must lead."""

    dropout: float
    weight_drop: float = 0.0
    word_drop: float = 0.0
    margin: float = 0.0


CORPORA = (  # limit: tokens
    Sizes(500, 32, 32, 1, 16, 0.004, 0.0),
    Sizes(5_000, 64, 64, 4, 20, 0.004, 0.1),
    Sizes(50_000, 128, 128, 8, 25, 0.004, 0.2),
    Sizes(300_000, 128, 192, 16, 32, 0.004, 0.25),
    Sizes(5_000_000, 192, 384, 32, 20, 0.008, 0.25),
    Sizes(50_000_000, 256, 512, 32, 25, 0.006, 0.1),
    Sizes(math.inf, 256, 512, 64, 25, 0.006, 0.0),
)
BUDGETS = (  # limit: floating-point operations of training
    Sizes(1.5e12, 96, 128, 32, 16, 0.012, None),
    Sizes(2e13, 128, 256, 64, 16, 0.012, None),
    Sizes(5e13, 192, 384, 64, 20, 0.007, None, 2048),
    Sizes(1.2e14, 256, 512, 64, 20, 0.005, None, 2048),
    Sizes(2.5e14, 320, 640, 64, 20, 0.0045, None, 2048),
    Sizes(1e15, 400, 800, 128, 20, 0.0055, None, 2048),
    Sizes(math.inf, 512, 1024, 128, 20, 0.005, None, 2048),
)


def plan(
    network: ModelSettings, recipe: TrainSettings, n_tokens: int, V: int, speed: float = SPEED
) -> tuple[ModelSettings, TrainSettings]:
    """Settings without None for a corpus of n_tokens (<EOS> included) over V outputs.

    Of epochs, steps and seconds one is left set. ``speed``, in floating-point operations per
    second, decides what fits into seconds.
    """
    from lmtool.workers import n_cores

    check_batch(recipe, n_tokens)
    output = recipe.output or ("full" if V <= FULL_UP_TO else "sampled")
    check_margin(recipe, output)
    network = replace(network, softmax=OUTPUTS[output].softmax)
    work = speed * (recipe.seconds or 0)
    network, fit, passes = sized(network, replace(recipe, output=output), n_tokens, V, work)
    batch, bptt = recipe.batch or fit.batch, recipe.bptt or fit.bptt
    members = network.members or 1
    shards = min(batch, recipe.shards or default_shards(batch, members))
    asked = recipe.epochs or recipe.steps or recipe.seconds
    full = replace(
        recipe,
        output=output,
        samples=fit.samples,
        finish=default_finish(network, output, V, fit.samples)
        if recipe.finish is None
        else recipe.finish,
        epochs=recipe.epochs if asked else default_epochs(n_tokens, batch * bptt),
        batch=batch,
        bptt=bptt,
        lr=recipe.lr or (fit.lr if recipe.optimizer == "adam" else SGD_LR),
        shards=shards,
        threads=min(recipe.threads or n_cores(), members * shards),
    )
    if fit.dropout is not None:
        return network, with_drops(full, Drops(fit.dropout), 0)
    return network, regularised(full, passes * n_tokens / (batch * bptt), n_tokens, V)


def regularised(recipe: TrainSettings, steps: float, n_tokens: int, V: int) -> TrainSettings:
    """The shares left out that suit a run of so many steps, where the recipe has None."""
    passes = steps * (recipe.batch or 1) * (recipe.bptt or 1) / n_tokens
    drops = drops_for(passes, V)
    if not (leads(recipe.output or "full") and recipe.finish):  # which mends what leads too far
        drops = drops._replace(margin=0.0)
    return with_drops(recipe, drops, max(1, round(DROP_WARMUP * steps)))


def with_drops(recipe: TrainSettings, drops: Drops, warmup: int) -> TrainSettings:
    """These shares, grown over so many steps, where the recipe has None."""
    chosen = {**drops._asdict(), "drop_warmup": warmup}
    return replace(recipe, **{k: v for k, v in chosen.items() if getattr(recipe, k) is None})


def sized(
    network: ModelSettings, recipe: TrainSettings, n_tokens: int, V: int, work: float
) -> tuple[ModelSettings, Sizes, float]:
    """The sizes, what else suits them, and the passes over the text that there is work for.

    Beyond some passes over the text, several networks are worth more than a larger one.
    """
    for members, least in [(network.members, 0.0)] if network.members else SEVERAL:
        fit = suited(fitted(n_tokens, work / members), network.cell)
        hidden = network.hidden or network.embed or fit.hidden
        embed = network.embed or min(hidden, fit.embed)
        full = replace(network, members=members, hidden=hidden, embed=embed)
        fit = fit._replace(samples=recipe.samples or fit.samples)
        passes = work / flops_per_token(full, recipe.output or "full", V, fit.samples) / n_tokens
        if fit.dropout is None and passes >= least:
            break
    return full, fit, passes


def fitted(n_tokens: int, work: float) -> Sizes:
    """By the work that there is time for, if any, else by the corpus."""
    if work and by_budget(n_tokens):
        return next(sizes for sizes in BUDGETS if work <= sizes.limit)
    return next(sizes for sizes in CORPORA if n_tokens <= sizes.limit)


def suited(fit: Sizes, cell: str) -> Sizes:
    """The same for another cell than an LSTM, where the work decides."""
    if cell != WINDOW or fit.dropout is not None:
        return fit
    return fit._replace(embed=fit.hidden, lr=SLOWER * fit.lr)


def by_budget(n_tokens: int) -> bool:
    """Whether the time decides, where there is a limit of it, and not the corpus."""
    return n_tokens > SMALL


def drops_for(passes: float, V: int) -> Drops:
    """More passes over the same text need more dropout: so much more for each doubling.

    Beyond two passes the weights from state to state need it, too, and whole words, if the
    outputs are not letters; beyond four, targets must lead.
    """
    word_drop = share(0.06, passes / 2) if V > LETTERS else 0.0
    margin = min(MOST_MARGIN, share(0.02, passes / 4))
    return Drops(share(0.1, 1.15 * passes), share(0.1, passes / 2), word_drop, margin)


def leads(output: str) -> bool:
    """Whether targets of an output can be asked to lead."""
    return "margin" in OUTPUTS[output].takes


def share(slope: float, passes: float) -> float:
    """``slope`` for each doubling of one pass, at most MOST_DROPOUT."""
    return round(min(MOST_DROPOUT, slope * math.log2(max(1.0, passes))), 2)


def flops_per_token(network: ModelSettings, output: str, V: int, samples: int) -> float:
    """Floating-point operations of training on a token: the forward pass three times."""
    E, H, cell = network.embed or 1, network.hidden or 1, cell_of(network)
    weights = cell.products(E, H) + cell.products(H, H) * (network.layers - 1)
    if network.tie and E != H:
        weights += E * H
    weights += (E if network.tie else H) * (V if output == "full" else min(V, samples))
    return 6.0 * weights * (network.members or 1)


def finish_cost(network: ModelSettings, output: str, V: int, samples: int) -> float:
    """How many times the work of a step one with the full softmax is."""
    finish = OUTPUTS[output].finish
    if finish is None:
        return 1.0
    work = (flops_per_token(network, name, V, samples) for name in (finish, output))
    return next(work) / next(work)


def default_finish(network: ModelSettings, output: str, V: int, samples: int) -> float:
    """FINISH where an estimated loss can be finished with the exact one at a fair price."""
    affordable = finish_cost(network, output, V, samples) <= DEAR
    return FINISH if OUTPUTS[output].finish and affordable else 0.0


def default_shards(batch: int, members: int) -> int:
    """One a core, but of no fewer than STREAMS streams: small matrix products are slow.

    Networks that the cores can share evenly need fewer.
    """
    from lmtool.workers import n_cores

    cores = n_cores()
    return max(1, min(cores // math.gcd(cores, members), batch // STREAMS))


def default_epochs(n_tokens: int, tokens_per_step: int) -> float:
    """Six passes over a million tokens, more over less, at least 1 and FEWEST_STEPS steps."""
    epochs = min(100.0, 6 * math.pow(1e6 / n_tokens, 0.4))
    return round(max(1.0, epochs, FEWEST_STEPS * tokens_per_step / n_tokens), 1)


def check_margin(recipe: TrainSettings, output: str) -> None:
    """Raises ConfigError where no target can lead."""
    if recipe.margin and not leads(output):
        message = "is for the sampled softmax; leave it out"
        raise ConfigError(f"{option('margin')}: {message}, or give {option('output', 'sampled')}")


def check_batch(recipe: TrainSettings, n_tokens: int) -> None:
    """Raises ConfigError where a step would read the text again and again."""
    batch, bptt = recipe.batch or 1, recipe.bptt or 1
    if batch > n_tokens:
        message = f"{batch} are more streams than the text has tokens, which are {n_tokens:,}"
        raise ConfigError(f"{option('batch')}: {message}: give a smaller one or more text")
    if batch * bptt > MOST_PASSES * n_tokens:
        both = f"{option('batch')} times {option('bptt')}"
        message = f"a step would read the {n_tokens:,} tokens of the text"
        raise ConfigError(f"{both}: {message} more than {MOST_PASSES} times: give less of both")
