"""A language model to go on with: what is the model's stays, the rest follows the text."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import fields, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from lmtool.errors import ConfigError, option
from lmtool.models.language_model import LanguageModel
from lmtool.nn.outputs import OUTPUTS

if TYPE_CHECKING:
    from lmtool.settings import ModelSettings, TextSettings, TrainSettings


__all__ = ["agreed", "descended", "plan_on"]

LR_SHARE = 0.5  # of the rate that would suit a fresh model
MOST_EPOCHS = 3.0  # more passes over a small text forget more than they learn
MOST_ANCESTORS = 100  # a card is no archive

Ancestor = dict[str, str]


def agreed(
    model: LanguageModel,
    said: Collection[str],
    text: TextSettings,
    network: ModelSettings,
    recipe: TrainSettings,
) -> tuple[TextSettings, ModelSettings, TrainSettings]:
    """The model's settings of text and network, and the recipe.

    Raises ConfigError where a field that was ``said``, or is not the default, is not the model's.
    """
    agree(model.vocabulary.settings, text, said)
    agree(model.settings, network, said)
    outputs = [name for name, one in OUTPUTS.items() if one.softmax == model.settings.softmax]
    if len(outputs) == 1:
        recipe = replace(recipe, output=recipe.output or outputs[0])
    if recipe.output not in (None, *outputs):
        refuse("output", " or ".join(outputs), recipe.output)
    return model.vocabulary.settings, model.settings, recipe


def agree(own: Any, given: Any, said: Collection[str]) -> None:
    """Raises ConfigError for a setting that is given and not the model's; None gives nothing."""
    for field in fields(own):
        value = getattr(given, field.name)
        meant = field.name in said or value != field.default
        if meant and value is not None and value != getattr(own, field.name):
            refuse(field.name, getattr(own, field.name), value)


def refuse(name: str, own: object, given: object) -> None:
    """Raises ConfigError."""
    message = f"the model to go on with has {own}, not {given}; leave it out"
    raise ConfigError(f"{option(name)}: {message}")


def plan_on(
    network: ModelSettings, recipe: TrainSettings, n_tokens: int, V: int, speed: float
) -> tuple[ModelSettings, TrainSettings]:
    """As ``sizes.plan``, for weights that have learnt already: a lower rate, fewer passes."""
    from lmtool.kinds.sizes import plan

    network, full = plan(network, recipe, n_tokens, V, speed)
    asked = recipe.epochs or recipe.steps or recipe.seconds
    epochs = full.epochs if asked else min(full.epochs or MOST_EPOCHS, MOST_EPOCHS)
    lr = recipe.lr or (full.lr or 0) * LR_SHARE
    return network, replace(full, lr=lr, epochs=epochs)


def descended(model: LanguageModel, init: LanguageModel | None) -> LanguageModel:
    """The model with the counts of all its texts and its ancestors, if it began with a model."""
    if init is None:
        return model
    most = np.iinfo(np.int64).max  # a file may claim any counts
    fresh = model.vocabulary.counts
    counts = fresh + np.minimum(init.vocabulary.counts, most - fresh)
    return replace(
        model,
        vocabulary=replace(model.vocabulary, counts=counts),
        provenance=model.provenance | {"ancestors": ancestors(init)},
    )


def ancestors(init: LanguageModel) -> list[Ancestor]:
    """The models that it came from, itself first, each with its digest and its command."""
    older = init.provenance.get("ancestors")
    known = [one for one in older if is_ancestor(one)] if isinstance(older, list) else []
    own = {"digest": init.digest, "command": str(init.provenance.get("command", "unknown"))}
    return [own, *known][:MOST_ANCESTORS]


def is_ancestor(value: Any) -> bool:
    """Whether it is a record that ``ancestors`` could have made: a file may claim anything."""
    named = isinstance(value, dict) and set(value) == {"digest", "command"}
    return named and all(type(text) is str for text in value.values())
