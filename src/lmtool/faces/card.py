"""The card of a model: what ``info`` shows."""

from dataclasses import asdict
from typing import Any

from lmtool.kinds.base import Trained
from lmtool.model_file import kind_of

__all__ = ["card"]


def card(model: Trained, facts: dict[str, Any]) -> dict[str, Any]:
    """Kind, settings, ``facts`` about the parts, parameters with shapes, provenance."""
    arrays = [
        {"name": name, "shape": list(array.shape), "n": array.size}
        for name, array in model.parameters.items()
    ]
    kind = kind_of(model)
    own = {
        "kind": kind.name,
        **kind.store(model)[0],
        "network": asdict(model.settings),
        **facts,
        "n_parameters": model.parameters.flat.size,
        "parameters": arrays,
    }
    return own | model.provenance | own  # nothing that a file claims hides what it holds
