"""What training tells whoever listens; frozen values, in the order in which they happen."""

from dataclasses import dataclass
from typing import Any

from lmtool.settings import TrainSettings

__all__ = ["Event", "Finished", "Note", "Planned", "Progress", "Validated", "begins"]


@dataclass(frozen=True, slots=True)
class Note:
    """Something the user should know."""

    message: str


@dataclass(frozen=True, slots=True)
class Planned:
    """What is going to be trained; the settings hold no None, except ``seconds`` or ``epochs``."""

    network: Any  # settings of the kind
    recipe: TrainSettings
    kind: str
    talk: list[str]  # what was read
    n_train_tokens: int
    n_parameters: int
    command: str  # repeats the run


@dataclass(frozen=True, slots=True)
class Progress:
    """After some optimiser steps."""

    step: int
    steps: int
    epoch: float
    loss: float  # nats per target, mean since the last Progress
    tokens_per_second: float
    seconds: float
    seconds_left: float
    lr: float


@dataclass(frozen=True, slots=True)
class Validated:
    """A validation."""

    step: int
    epoch: float
    measures: dict[str, float]
    best: bool
    seconds: float


@dataclass(frozen=True, slots=True)
class Finished:
    """The end; measures are those of the weights that are kept."""

    measures: dict[str, float]
    step: int  # of the weights that are kept
    steps: int
    seconds: float
    tokens_per_second: float
    peak_memory_mb: float
    stopped_early: bool
    model: str | None = None
    command: str | None = None  # repeats the run bit for bit

    def repeatable(self) -> dict[str, Any]:
        """What a model file keeps: nothing that another run of the same bits would change."""
        steps = {"step": self.step, "steps": self.steps, "stopped_early": self.stopped_early}
        return self.measures | steps


Event = Note | Planned | Progress | Validated | Finished


def begins(event: Event) -> bool:
    """Whether training begins: it does when it is planned, if there is anything to train."""
    return isinstance(event, Planned) and event.n_parameters > 0
