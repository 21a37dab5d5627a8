"""What a run begins with: sizes and recipe that suit its material, weights, and a pace."""

from dataclasses import replace
from typing import Any, NamedTuple

from lmtool.kinds import Material
from lmtool.nn.parameters import Parameters
from lmtool.settings import TrainSettings, without_foreign
from lmtool.training import clock, memory, pretrained
from lmtool.training.clock import Pace
from lmtool.training.pace import measured, steps_that_fit
from lmtool.training.ranks import Ranks
from lmtool.training.request import Request
from lmtool.training.session import fresh_weights, open_session
from lmtool.workers import pooled

__all__ = ["Beginning", "beginning", "units_of"]


class Beginning(NamedTuple):
    """What a run begins with."""

    settings: Any  # of the model; no None
    recipe: TrainSettings  # without None but in the budget
    parameters: Parameters  # before the first step
    pace: Pace | None  # where the clock decides


def beginning(request: Request, material: Material, start: float, ranks: Ranks) -> Beginning:
    """The weights before the first step, the recipe, and the pace. Raises ConfigError."""
    kind, asked, init = request.kind, request.recipe, material.init
    settings, recipe = ranks.agree(planned(request, material, ranks))
    recipe = replace(recipe, threads=min(recipe.threads or 1, asked.threads or ranks.threads))
    asked = without_foreign(asked, kind.name)
    memory.refuse_too_large(kind.memory(settings, recipe, material), ranks.local)
    if init is None:
        parameters = fresh_weights(kind, settings, material, recipe.seed)
    else:
        parameters = init.parameters.copy()
    ranks.copy(parameters.flat, 0)
    if not recipe.seconds:
        return Beginning(settings, recipe, parameters, None)
    with open_session(kind, settings, material, recipe, start=start, ranks=ranks) as session:
        pace = measured(session, parameters)
        steps = steps_that_fit(session, parameters, pace)
    return Beginning(settings, kind.paced(asked, recipe, material, steps), parameters, pace)


def planned(request: Request, material: Material, ranks: Ranks) -> tuple[Any, TrainSettings]:
    """Settings of model and recipe that suit the material, and the cores of all ranks."""
    kind, asked, speed = request.kind, request.recipe, 0.0
    if asked.seconds:
        speed = sum(ranks.gather(clock.speed(asked.threads or ranks.threads)))
    with pooled(ranks.cores):
        plain = without_foreign(asked, kind.name)
        settings, recipe = kind.plan(request.network, plain, material, speed)
        return pretrained.sized(settings, material), recipe


def units_of(begun: Beginning) -> int:
    """Pieces of work of a step."""
    return (begun.settings.members or 1) * (begun.recipe.shards or 1)
