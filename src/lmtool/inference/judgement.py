"""What training judges a model by."""

from typing import NamedTuple

__all__ = ["Judgement"]


class Judgement(NamedTuple):
    """How good a model is."""

    score: float  # lower is better
    measures: dict[str, float]  # for people
