"""What a run would be like, from a few steps of it."""

from dataclasses import asdict, dataclass
from typing import Any

from lmtool.nn.parameters import Parameters
from lmtool.settings import TrainSettings
from lmtool.training.clock import Pace, horizon, seconds_to_go, validation_interval
from lmtool.training.pace import measured
from lmtool.training.run import new_run
from lmtool.training.session import Session, n_steps

__all__ = ["Forecast", "forecast"]


@dataclass(frozen=True, slots=True)
class Forecast:
    """What ``train`` with the same options would do."""

    kind: str
    network: Any  # settings of the kind
    recipe: TrainSettings
    n_train_tokens: int
    n_outputs: int  # V
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
    session: Session,
    parameters: Parameters,
    command: str,
    memory_mb: float,
    known: Pace | None,
) -> Forecast:
    """Runs a few steps and the beginning of a validation and throws them away, if not known."""
    if not len(parameters):
        return untrained(session, command, memory_mb)
    data, pace = session.data, known or measured(session, parameters)
    run, every = new_run(session, parameters), validation_interval(session)
    steps = n_steps(session.recipe, data) or horizon(session, run, every, pace)
    return Forecast(
        kind=session.kind.name,
        network=session.settings,
        recipe=session.recipe,
        n_train_tokens=data.tokens,
        n_outputs=session.kind.n_outputs(session.parts),
        n_parameters=parameters.flat.size,
        steps=steps,
        epochs=steps * data.tokens_a_step / data.tokens,
        tokens_per_second=data.tokens_a_step / pace.step,
        seconds=(1 + session.again) * seconds_to_go(session, run, steps, every, pace),
        memory_mb=memory_mb,
        file_mb=parameters.flat.nbytes / 1e6,
        command=command,
    )


def untrained(session: Session, command: str, memory_mb: float) -> Forecast:
    """Where there is no network to train."""
    return Forecast(
        kind=session.kind.name,
        network=session.settings,
        recipe=session.recipe,
        n_train_tokens=session.data.tokens,
        n_outputs=session.kind.n_outputs(session.parts),
        n_parameters=0,
        steps=0,
        epochs=0.0,
        tokens_per_second=0.0,
        seconds=0.0,
        memory_mb=memory_mb,
        file_mb=0.0,
        command=command,
    )
