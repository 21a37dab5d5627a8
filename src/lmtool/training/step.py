"""One optimiser step over the shards of a batch.

A batch, its resets and its dropout masks are pure functions of (seed, step, unit), a unit being one
network with one shard. Of a table a step may work on the few rows that it touches, so that its cost
does not grow with the vocabulary. Several networks read the same batch and learn apart.
"""

import math
from collections.abc import Mapping, Sequence
from functools import partial
from itertools import chain
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lmtool.arrays import Array
from lmtool.data.batch import Batch
from lmtool.errors import TrainingError, option
from lmtool.kinds.base import Table
from lmtool.nn import kernels
from lmtool.nn.noise import Noise
from lmtool.nn.outputs import Draw
from lmtool.nn.parameters import Parameters
from lmtool.training.run import Member, Run, by_row, rows_of, shard_columns
from lmtool.training.schedules import drop_warmup, learning_rate
from lmtool.training.session import Session
from lmtool.workers import slices

__all__ = ["catch_up_all", "rate_now", "training_step"]

Rows = NDArray[np.intp] | None  # (n,) ids of a table, ascending; None: all
Shards = list[Any]  # of a network: Parameters, those of other ranks None but the first
Gradients = dict[int, Shards]  # of the networks that this rank trains


class Part(NamedTuple):
    """A batch, and the part of the model that it touches; ids are row numbers of that part."""

    weights: Sequence[Mapping[str, Array]]  # one a network
    batch: Batch
    output: str  # a key of the kind's outputs, if it has any
    draw: Draw | None
    rows: list[Rows]  # one a table


def training_step(session: Session, run: Run) -> float:
    """Moves weights, moments and states on by one step; the loss summed over its targets."""
    rate = rate_now(session, run)
    part = touched(session, run, rate)
    losses, gradients = compute_gradients(session, run, part)
    own = {k: reduce_gradients(session, shards, k) for k, shards in gradients.items()}
    loss, norms = agreed(session, losses, own)
    if not math.isfinite(loss + sum(norms)):
        raise TrainingError(
            f"the numbers blew up at step {run.step + 1} (loss {loss:.3g}, gradient norm "
            f"{max(norms):.3g}): try a smaller {option('lr')} or {option('clip')}"
        )
    run.step += 1
    for k, (total, *_) in gradients.items():
        factor = min(1.0, session.recipe.clip / max(norms[k], 1e-12))
        update(session, run.step, run.members[k], part.rows, total, factor, rate)
    for seen, rows in zip(run.seen, part.rows, strict=True):
        seen[slice(None) if rows is None else rows] = run.step
    return loss


def rate_now(session: Session, run: Run) -> float:
    """The learning rate of the next step."""
    return run.rate * learning_rate(run.step, run.steps, session.recipe.lr or 0)


def touched(session: Session, run: Run, rate: float) -> Part:
    """The step's batch with all weights, or with the rows that it needs."""
    batch, draw, last = session.data.batch(run.step), None, finishing(session, run)
    if session.sampler is not None and not last:
        rng = np.random.default_rng((session.recipe.seed, run.step))
        draw = session.sampler.draw(batch.targets.ravel(), rng)
    part = Part([member.parameters for member in run.members], batch, "", draw, [])
    for k, table in enumerate(session.kind.tables):
        if not len(run.seen[k]) or (draw is None and not table.always):
            catch_up(session, run, k, np.flatnonzero(run.seen[k] < run.step), rate)
            part.rows.append(None)
        else:
            part = with_rows(session, run, k, part, rate)
    output = session.last_output if last or draw is None else session.recipe.output or "full"
    return part._replace(output=output)


def with_rows(session: Session, run: Run, k: int, part: Part, rate: float) -> Part:
    """The part with those rows of table k alone that its ids name."""
    table = session.kind.tables[k]
    fields = {name: getattr(part.batch, name) for name in table.fields}
    drawn = [part.draw.ids] if table.drawn and part.draw is not None else []
    ids = [*(x.ravel() for x in fields.values()), *drawn, np.array(table.pinned, np.int32)]
    everything = np.concatenate(ids)
    rows, places = np.unique(everything[everything >= 0], return_inverse=True)
    local = np.full(len(everything), -1, np.intp)
    local[everything >= 0] = places.reshape(-1)
    catch_up(session, run, k, rows, rate)
    pieces = iter(np.split(local, np.cumsum([len(x) for x in ids])))
    small: Any = {k: next(pieces).astype(np.int32).reshape(x.shape) for k, x in fields.items()}
    draw = Draw(next(pieces), part.draw.extra) if drawn and part.draw is not None else part.draw
    weights = [
        {k: x[rows] if k in table.names else x for k, x in w.items()}
        if session.share.trains(network)
        else w
        for network, w in enumerate(part.weights)
    ]
    return Part(weights, part.batch._replace(**small), "", draw, [*part.rows, rows])


def finishing(session: Session, run: Run) -> bool:
    """Whether the step is one of the last, whose loss is exact."""
    return run.step >= run.steps * (1 - (session.recipe.finish or 0))


def catch_up(session: Session, run: Run, k: int, rows: NDArray[np.intp], rate: float) -> None:
    """Brings rows of table k up to the present step."""
    gaps, table = run.step - run.seen[k][rows], session.kind.tables[k]

    def some_rows(some: slice) -> None:
        for member in own_members(session, run):
            for name, x in rows_of(table, member.parameters):
                moments = [by_row(moment[name]) for moment in member.moments]
                session.optimizer.catch_up(x, moments, rows[some], gaps[some], rate, run.step)

    session.workers.map(some_rows, slices(len(rows), session.units))
    run.seen[k][rows] = run.step


def catch_up_all(session: Session, run: Run) -> None:
    """Brings every row of every table up to the present step."""
    for k, seen in enumerate(run.seen):
        catch_up(session, run, k, np.arange(len(seen)), rate_now(session, run))


def own_members(session: Session, run: Run) -> list[Member]:
    """The networks that this rank trains."""
    return [member for k, member in enumerate(run.members) if session.share.trains(k)]


def compute_gradients(session: Session, run: Run, part: Part) -> tuple[list[float], Gradients]:
    """The losses of this rank's units, and the gradients of its networks; the states move on."""
    recipe, n = session.recipe, session.shards
    grown = drop_warmup(run.step, recipe.drop_warmup or 0)
    shares = (recipe.dropout, recipe.weight_drop, recipe.word_drop)
    dropout, weight_drop, word_drop = (grown * (share or 0.0) for share in shares)
    layer = session.kind.outputs.get(part.output)
    estimate = layer and partial(layer.loss, scale=1 / part.batch.n, draw=part.draw)
    if layer and estimate:
        asked = {name: value for name in layer.takes if (value := getattr(recipe, name))}
        estimate = partial(estimate, **asked)
    columns = shard_columns(session, part.batch.targets.shape[1])

    def room(i: int) -> Parameters:
        return run.buffer(i, {name: array.shape for name, array in part.weights[i // n].items()})

    def unit(i: int) -> tuple[float, Parameters]:
        weights, own = part.weights[i // n], part.batch.columns(columns[i % n])
        rng = np.random.default_rng((recipe.seed, run.step, i))
        noise = Noise(dropout, weight_drop, word_drop, rng)
        gradients = room(i)
        if not own.targets.size:  # fewer examples than shards
            gradients.flat[...] = 0
            return 0.0, gradients
        with np.errstate(all="ignore"):  # the step's loss and norm are checked instead
            known = session.settings, session.parts, recipe
            loss, run.states[i] = session.kind.learn(
                *known, weights, gradients, own, run.states[i], noise, estimate
            )
        still(session, part.rows, gradients)
        return loss, gradients

    units = session.share.units
    done = dict(zip(units, session.workers.map(unit, units), strict=True))
    found = [done[i][1] if i in done else None for i in range(session.units)]
    gradients = {
        k: [found[k * n] or room(k * n), *found[k * n + 1 : k * n + n]]
        for k in range(session.members)
        if session.share.trains(k)
    }
    return [loss for loss, _ in done.values()], gradients


def still(session: Session, rows: list[Rows], gradients: Parameters) -> None:
    """No gradient where vectors are frozen."""
    for name, fixed in session.frozen.items():
        tables = zip(session.kind.tables, rows, strict=True)
        some = next((ids for table, ids in tables if name in table.names), None)
        gradients[name][fixed if some is None else fixed[some]] = 0


def agreed(
    session: Session, losses: list[float], norms: dict[int, float]
) -> tuple[float, list[float]]:
    """The networks' mean loss, and the norm of each one's gradient."""
    every = session.ranks.gather((losses, norms))
    loss = sum(chain.from_iterable(losses for losses, _ in every)) / session.members
    by_rank = [norms for _, norms in every]
    return loss, [session.share.of(k, by_rank)[k] for k in range(session.members)]


def reduce_gradients(session: Session, shards: Shards, network: int) -> float:
    """Sums the shards' gradients into the first, in order; the Euclidean norm of the sum."""
    total, others = shards[0].flat, [shard.flat for shard in shards[1:] if shard is not None]
    if session.share.homes[network] is None:
        n = session.shards
        owners = session.share.owners[network * n : (network + 1) * n]
        flat = [None if shard is None else shard.flat for shard in shards]
        session.ranks.sum(flat, owners, session.workers)
        others = []

    def part(some: slice) -> float:
        for other in others:
            kernels.add(total[some], other[some])
        return float(kernels.sum_of_squares(total[some]))

    return math.sqrt(sum(session.workers.map(part, slices(total.size, session.units))))


def update(
    session: Session,
    step: int,
    member: Member,
    rows: list[Rows],
    gradient: Parameters,
    factor: float,
    rate: float,
) -> None:
    """The optimiser's step: dense over the flat vector, and by rows where they are few."""
    n_parts, whole = session.units, member.parameters.flat
    few = [
        entry
        for table, some in zip(session.kind.tables, rows, strict=True)
        for entry in rows_of_few(table, member, some)
    ]
    n_dense = whole.size - sum(x.size for _, x, _ in few)

    def dense(some: slice) -> None:
        moments = [moment.flat[some] for moment in member.moments]
        session.optimizer.update(whole[some], gradient.flat[some], factor, moments, rate, step)

    def by_rows(name: str, x: Array, ids: NDArray[np.intp], some: slice) -> None:
        moments = [by_row(moment[name]) for moment in member.moments]
        dx = by_row(gradient[name])[some]
        session.optimizer.update_rows(x, dx, factor, moments, ids[some], rate, step)

    def part(i: int) -> None:
        dense(slices(n_dense, n_parts)[i])
        for name, x, ids in few:
            by_rows(name, x, ids, slices(len(ids), n_parts)[i])

    session.workers.map(part, range(n_parts))


def rows_of_few(
    table: Table, member: Member, rows: Rows
) -> list[tuple[str, Array, NDArray[np.intp]]]:
    """The matrices of which a step touches rows alone."""
    if rows is None:
        return []
    return [(name, x, rows) for name, x in rows_of(table, member.parameters)]
