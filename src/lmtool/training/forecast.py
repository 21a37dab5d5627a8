"""What a run would be like, from a few steps of it."""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lmtool.models.language_model import LanguageModel
from lmtool.settings import ModelSettings, TrainSettings
from lmtool.training.clock import horizon, steps_left
from lmtool.training.loop import (
    peak_memory_mb,
    task_for,
    timed_step,
    validation_interval,
    validation_seconds,
)
from lmtool.training.plan import n_steps
from lmtool.training.step import new_run

__all__ = ["Forecast", "forecast"]

Ids = NDArray[np.int32]

TRIED = 12  # steps, the first of which may compile


@dataclass(frozen=True, slots=True)
class Forecast:
    """What ``train`` with the same options would do."""

    network: ModelSettings
    recipe: TrainSettings
    n_train_tokens: int
    n_tokens: int  # V
    n_parameters: int
    steps: int
    epochs: float
    tokens_per_second: float
    seconds: float  # of training and validation
    memory_mb: float  # the largest resident set
    file_mb: float
    command: str  # trains

    def to_dict(self) -> dict[str, Any]:
        """The same as plain values."""
        return asdict(self)


def forecast(
    model: LanguageModel,
    train_ids: Ids,
    valid_ids: Ids,
    recipe: TrainSettings,
    command: str,
) -> Forecast:
    """Runs a few steps and the beginning of a validation, and throws them away."""
    with task_for(model, train_ids, valid_ids, recipe) as task:
        run = new_run(task)
        for _ in range(TRIED):
            timed_step(task, run)
        every, run.validation_seconds = validation_interval(task), validation_seconds(task)
        steps = n_steps(recipe, len(train_ids)) or horizon(task, run, every)
        per_step = run.training_seconds / run.timed_steps
        return Forecast(
            network=model.settings,
            recipe=recipe,
            n_train_tokens=len(train_ids),
            n_tokens=model.vocabulary.n_tokens,
            n_parameters=model.parameters.flat.size,
            steps=steps,
            epochs=steps * task.tokens_per_step / len(train_ids),
            tokens_per_second=task.tokens_per_step / per_step,
            seconds=(run.step + steps_left(task, run, steps)) * per_step
            + run.validation_seconds * (2 + steps // every),
            memory_mb=peak_memory_mb(),
            file_mb=model.parameters.flat.nbytes / 1e6,
            command=command,
        )
