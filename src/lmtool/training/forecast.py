"""What a run would be like, from a few steps of it."""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lmtool.models.language_model import LanguageModel
from lmtool.settings import ModelSettings, TrainSettings
from lmtool.training.clock import Pace, horizon, seconds_to_go
from lmtool.training.loop import task_for
from lmtool.training.pace import measured
from lmtool.training.plan import n_steps
from lmtool.training.step import new_run
from lmtool.training.validation import validation_interval

__all__ = ["Forecast", "forecast"]

Ids = NDArray[np.int32]


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
    memory_mb: float  # of the whole process, at most
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
    memory_mb: float,
    start: float,
    known: Pace | None,
) -> Forecast:
    """Runs a few steps and the beginning of a validation and throws them away, if not known."""
    with task_for(model, train_ids, valid_ids, recipe, start=start) as task:
        run, every = new_run(task), validation_interval(task)
        pace = known or measured(task)
        steps = n_steps(recipe, len(train_ids)) or horizon(task, run, every, pace)
        return Forecast(
            network=model.settings,
            recipe=recipe,
            n_train_tokens=len(train_ids),
            n_tokens=model.vocabulary.n_tokens,
            n_parameters=model.parameters.flat.size,
            steps=steps,
            epochs=steps * task.tokens_per_step / len(train_ids),
            tokens_per_second=task.tokens_per_step / pace.step,
            seconds=seconds_to_go(task, run, steps, every, pace),
            memory_mb=memory_mb,
            file_mb=model.parameters.flat.nbytes / 1e6,
            command=command,
        )
