"""What is wanted of a look inside a model: its steps, and its gradients."""

from dataclasses import dataclass
from typing import Any

from lmtool.settings.fields import check, option

__all__ = ["GradientSettings", "TraceSettings"]


def member() -> Any:
    """The option that both share."""
    return option(1, "Which network, where a model has several.", at_least=1, metavar="K")


@dataclass(frozen=True, slots=True)
class TraceSettings:
    """Which steps are shown, and how much of them. Raises OptionError."""

    step: int | None = option(
        None, "This step alone with its products.", at_least=1, metavar="T", shown="the first ones"
    )
    back: int | None = option(
        None, "The gradient of this step's loss, as a sum.", at_least=1, metavar="T", shown="none"
    )
    top: int = option(3, "The largest K probabilities of a step.", at_least=0, metavar="K")
    all: bool = option(False, "All steps and all numbers of each vector.")
    member: int = member()

    def __post_init__(self) -> None:
        check(self)


@dataclass(frozen=True, slots=True)
class GradientSettings:
    """How gradients are checked. Raises OptionError for a value that cannot be meant."""

    epsilon: float = option(
        1e-5, "How far a number is moved, up and down.", at_least=1e-8, at_most=0.1
    )
    limit: float = option(
        1e-6, "Of the relative difference; above it gradients differ.", above=0, below=1
    )
    entries: int = option(
        200, "Numbers of each parameter that are checked.", at_least=2, at_most=1_000_000
    )
    member: int = member()
    seed: int = option(1, "Of the numbers that are drawn.", at_least=0)

    def __post_init__(self) -> None:
        check(self)
