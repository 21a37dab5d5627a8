"""The finished model that a run goes on with."""

from collections.abc import Collection
from pathlib import Path
from typing import Any

from lmtool import model_file
from lmtool.errors import ConfigError, ModelFileError, option
from lmtool.kinds import Kind
from lmtool.kinds.base import BEGUN
from lmtool.settings import TextSettings, TrainSettings
from lmtool.training.request import Given
from lmtool.training.resume import Saved

__all__ = ["IN_MEMORY", "agreed", "initial_of", "replaces"]

IN_MEMORY = "MODEL"  # what a command calls a model that is in no file


def agreed(
    kind: Kind,
    model: Any,
    said: Collection[str],
    text: TextSettings,
    network: Any,
    recipe: TrainSettings,
) -> tuple[TextSettings, Any, TrainSettings]:
    """Settings of a run that goes on with the model. Raises ConfigError where none can."""
    own = model_file.kind_of(model)
    if kind.agreed is None or own is not kind:
        message = f"a {kind.name} cannot go on with a {own.name}"
        known = "only a language model with another one; leave it out"
        raise ConfigError(f"{option('init')}: {message}, {known}")
    return kind.agreed(model, said, text, network, recipe)


def initial_of(model: str, saved: Saved, given: Given) -> Any:
    """The model that the run began with, if any. Raises ModelFileError."""
    if BEGUN not in saved.data:
        if given.init is None:
            return None
        message = f"it began with no model; leave {option('init')} out"
        raise ModelFileError(f"{model}: cannot be resumed: {message}")
    init = given.init
    if init is None and saved.request.init is None:
        message = f"give the model again: lmtool.resume({model!r}, init=...)"
        raise ModelFileError(f"{model}: cannot be resumed: it began with a model; {message}")
    if init is None:
        init = model_file.load(str(saved.request.init), "init")
    if model_file.kind_of(init) is not saved.request.kind or init.settings != saved.request.network:
        message = f"the {BEGUN} is not the one that the run began with; put it back, or start anew"
        raise ModelFileError(f"{model}: cannot be resumed: {message}")
    return init


def replaces(model: str | None, init: str | None) -> bool:
    """Whether the new model takes the place of the one that it began with."""
    if model is None or init is None:
        return False
    return Path(model).resolve() == Path(init).resolve()
