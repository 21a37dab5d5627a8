"""A stand-in until the measures land."""

from typing import Any

__all__ = ["fit_temperature"]


def fit_temperature(logp: Any, targets: Any) -> float:
    """1."""
    return 1.0
