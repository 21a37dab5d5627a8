"""Is a gradient right? The analytic one against differences, in float64.

    n_i = (L(w + epsilon e_i) - L(w - epsilon e_i)) / (2 epsilon)                      (1)
    relative = |a - n| / (|a| + |n|),  over the numbers of one parameter               (2)

Of a large parameter the numbers with the largest gradients are checked, and others that are drawn;
and all of them at once along one random direction d: <a, d> against (1) with d in place of e_i.
The error of (1) is of the order epsilon^2, and L's rounding over epsilon; gradients so small that
rounding alone would pass the limit count as if they were larger. Where L has a kink between both
values (ReLU, the largest of a window), (1) is no gradient: it changes with epsilon, and such a
number is counted and left out.
"""

import math
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lmtool.arrays import Array
from lmtool.display import Shown, Tabular
from lmtool.errors import InputError
from lmtool.nn.parameters import Parameters
from lmtool.settings.inside import GradientSettings

__all__ = ["Evaluate", "GradientCheck", "ParameterCheck", "checked_gradients"]

FINER = 8  # times, for a number whose difference may depend on epsilon
ULPS = 8  # of L, that its rounding is taken for

Evaluate = Callable[[Parameters, Parameters], float]  # weights, gradients to overwrite -> L


@dataclass(frozen=True, slots=True, repr=False)
class ParameterCheck(Shown):
    """One parameter's gradient."""

    _shown = ("name", "relative", "passed")

    name: str
    shape: tuple[int, ...]
    n: int
    checked: int  # numbers
    kinks: int  # left out
    norm: float  # of the whole analytic gradient
    largest_difference: float
    relative: float  # (2)
    directional: float  # the same of <a, d>, over |a| / sqrt(n), d of length 1
    worst: tuple[int, ...]  # the place of the largest difference
    analytic: float  # there
    numeric: float
    passed: bool


@dataclass(frozen=True, slots=True, repr=False)
class GradientCheck(Tabular):
    """All gradients of a model on one example."""

    _shown = ("kind", "loss", "relative", "passed")

    kind: str
    text: str
    target: str  # as text; "" where the text is the target
    epsilon: float
    limit: float
    loss: float  # nats, the sum over ``n_targets``
    n_targets: int
    member: int
    n_members: int
    parameters: tuple[ParameterCheck, ...]
    relative: float  # the worst
    passed: bool

    def _rows(self) -> tuple[ParameterCheck, ...]:
        return self.parameters

    def to_dict(self) -> dict[str, Any]:
        """The same as plain values."""
        return asdict(self)


class Probe(NamedTuple):
    """What is moved, and how it is measured."""

    evaluate: Evaluate
    weights: Parameters  # float64
    scratch: Parameters
    epsilon: float
    rounding: float  # of a difference

    def slope(self, x: Array, direction: Array, epsilon: float) -> float:
        """(1) along a direction of one parameter x, which is as it was afterwards."""
        kept = x.copy()
        x[...] = kept + epsilon * direction
        above = self.evaluate(self.weights, self.scratch)
        x[...] = kept - epsilon * direction
        below = self.evaluate(self.weights, self.scratch)
        x[...] = kept
        return (above - below) / (2 * epsilon)

    def number(self, x: Array, i: int, epsilon: float) -> float:
        """(1) of number i of a flat parameter (n,)."""
        kept = x[i]
        x[i] = kept + epsilon
        above = self.evaluate(self.weights, self.scratch)
        x[i] = kept - epsilon
        below = self.evaluate(self.weights, self.scratch)
        x[i] = kept
        return float((above - below) / (2 * epsilon))


def checked_gradients(
    evaluate: Evaluate, weights: Parameters, settings: GradientSettings
) -> tuple[float, tuple[ParameterCheck, ...]]:
    """L, and each parameter's gradient compared. Raises InputError where L tells nothing."""
    gradients = weights.like()
    gradients.flat[...] = np.nan  # to be overwritten
    loss = evaluate(weights, gradients)
    if not math.isfinite(loss):
        raise InputError("nothing to check: the model gives this target no probability")
    if not gradients.flat.any():
        raise InputError("nothing to check: no weight changes the loss of this example")
    rounding = ULPS * float(np.finfo(np.float64).eps) * max(1.0, abs(loss)) / settings.epsilon
    probe = Probe(evaluate, weights, weights.like(), settings.epsilon, rounding)
    rng = np.random.default_rng(settings.seed)
    each = (
        one_parameter(probe, name, gradients, settings, rng)
        for name in weights
        if weights[name].size
    )
    return loss, tuple(each)


def one_parameter(
    probe: Probe, name: str, gradients: Parameters, settings: GradientSettings, rng: Any
) -> ParameterCheck:
    """Some numbers of a parameter one by one, and all of them along one direction."""
    x, a = probe.weights[name], gradients[name].ravel()
    places = chosen(a, settings.entries, rng)
    numeric = np.array([probe.number(x.reshape(-1), i, probe.epsilon) for i in places.tolist()])
    kept = ~kinks(probe, x.reshape(-1), a[places], numeric, places, settings.limit)
    analytic, numeric, places = a[places][kept], numeric[kept], places[kept]
    difference = np.abs(analytic - numeric)
    difference[np.isnan(difference)] = np.inf  # what was not overwritten
    norms = float(np.linalg.norm(analytic) + np.linalg.norm(numeric))
    off, about = along(probe, x, a, rng)
    worst = int(np.argmax(difference)) if len(difference) else None
    least = probe.rounding / settings.limit
    relative = float(np.linalg.norm(difference)) / max(norms, least * math.sqrt(len(places)), least)
    directional = off / max(about, least)
    place = () if worst is None else np.unravel_index(places[worst], x.shape)
    return ParameterCheck(
        name=name,
        shape=x.shape,
        n=x.size,
        checked=len(places),
        kinks=int(np.count_nonzero(~kept)),
        norm=float(np.linalg.norm(a)),
        largest_difference=float(difference.max(initial=0)),
        relative=relative,
        directional=directional,
        worst=tuple(map(int, place)),
        analytic=math.nan if worst is None else float(analytic[worst]),
        numeric=math.nan if worst is None else float(numeric[worst]),
        passed=max(relative, directional) <= settings.limit,
    )


def chosen(a: Array, n: int, rng: Any) -> NDArray[np.intp]:
    """Places of a gradient (N,): all, or the n / 2 largest and as many others that are drawn."""
    if len(a) <= n:
        return np.arange(len(a))
    largest = np.argpartition(-np.abs(np.nan_to_num(a)), n // 2)[: n // 2]
    drawn = rng.integers(0, len(a), n - n // 2)
    return np.unique(np.concatenate([largest, drawn]))


def kinks(
    probe: Probe,
    x: Array,
    analytic: Array,
    numeric: Array,
    places: NDArray[np.intp],
    limit: float,
) -> NDArray[np.bool_]:
    """Whether (1) depends on epsilon, (n,): asked where it is not the analytic gradient."""
    found = np.zeros(len(places), np.bool_)
    apart = np.abs(analytic - numeric)
    for k in np.flatnonzero(apart > limit * np.abs(numeric) + probe.rounding).tolist():
        finer = probe.number(x, int(places[k]), probe.epsilon / FINER)
        moved = abs(finer - numeric[k])
        found[k] = moved > apart[k] / 2 and moved > 2 * FINER * probe.rounding
    return found


def along(probe: Probe, x: Array, a: Array, rng: Any) -> tuple[float, float]:
    """How far <a, d> is from its difference for a d of length 1, and how large it should be."""
    d = rng.standard_normal(x.shape)
    d /= np.linalg.norm(d)
    expected, about = float(a @ d.ravel()), float(np.linalg.norm(a)) / math.sqrt(x.size)
    if math.isnan(expected):
        return math.inf, 0.0
    steps = probe.epsilon, probe.epsilon / FINER  # a kink may lie within the first one
    return min(abs(probe.slope(x, d, step) - expected) for step in steps), about
