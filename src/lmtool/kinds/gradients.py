"""The gradients that a kind of model learns by, checked on one example through ``learn``."""

from typing import Any

import numpy as np

from lmtool.data.batch import Batch
from lmtool.errors import ConfigError, option
from lmtool.inference.gradients import Evaluate, GradientCheck, checked_gradients
from lmtool.kinds.base import Estimate, Kind
from lmtool.kinds.example import example
from lmtool.models.decoder import exact
from lmtool.models.members import members
from lmtool.models.unrolled import widened
from lmtool.nn.noise import Noise
from lmtool.nn.parameters import Parameters
from lmtool.settings import TrainSettings
from lmtool.settings.inside import GradientSettings

__all__ = ["check_gradients"]


def check_gradients(
    kind: Kind,
    model: Any,
    text: str,
    given: Any = None,
    target: str = "",
    settings: GradientSettings | None = None,
) -> GradientCheck:
    """Analytic against numeric gradients of one network. Raises InputError, ConfigError."""
    settings = settings or GradientSettings()
    weights = widened(network_of(model, settings.member))
    batch, name = example(kind, model, text, given, target)
    found = checked_gradients(evaluated(kind, model, batch, settings.seed), weights, settings)
    loss, parameters = found
    return GradientCheck(
        kind=kind.name,
        text=text,
        target=name,
        epsilon=settings.epsilon,
        limit=settings.limit,
        loss=loss,
        n_targets=int(np.count_nonzero(batch.targets >= 0)),
        member=settings.member,
        n_members=model.settings.members or 1,
        parameters=parameters,
        relative=max(one.relative for one in parameters),
        passed=all(one.passed for one in parameters),
    )


def network_of(model: Any, member: int) -> Parameters:
    """One network's weights. Raises ConfigError where it has none, or not so many."""
    known = members(model.settings, model.parameters)
    if not known:
        message = "the model has no network of its own, and nothing else has gradients"
        raise ConfigError(f"{message}; train it with {option('members', 1)}")
    if member > len(known):
        raise ConfigError(f"{option('member', member)}: the model has {len(known)}")
    return known[member - 1]


def evaluated(kind: Kind, model: Any, batch: Batch, seed: int) -> Evaluate:
    """The loss of a batch of one with its gradients, nothing left out or smoothed."""
    estimate = estimate_of(kind, model, batch)
    parts = getattr(model, "parts", None)
    state = tuple(
        tuple(part.astype(np.float64) for part in one) for one in kind.zero_state(model.settings, 1)
    )

    def evaluate(weights: Parameters, gradients: Parameters) -> float:
        noise = Noise(rng=np.random.default_rng(seed))
        asked = model.settings, parts, TrainSettings()
        with np.errstate(all="ignore"):  # users check the numbers
            loss, _ = kind.learn(*asked, weights, gradients, batch, state, noise, estimate)
        return float(loss)

    return evaluate


def estimate_of(kind: Kind, model: Any, batch: Batch) -> Estimate | None:
    """The loss that needs every token; None for a kind whose loss is its own."""
    if not kind.outputs:
        return None
    output = kind.outputs[getattr(model.settings, "softmax", "full")]
    return exact(output, model.vocabulary.counts, batch.targets)
