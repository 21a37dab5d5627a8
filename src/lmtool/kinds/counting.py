"""What of a language model is counted: an n-gram model, alone or mixed with the networks."""

import math
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

from lmtool.errors import OptionError, option
from lmtool.inference.validation import Perplexity
from lmtool.kinds.base import Material
from lmtool.models.kneser_ney import count
from lmtool.models.language_model import LanguageModel
from lmtool.models.ngram import MOST_ORDER, NgramModel
from lmtool.settings import ModelSettings, TrainSettings
from lmtool.settings.thresholds import thresholds
from lmtool.tensor_file import Card, Tensors
from lmtool.text.vocabulary import Vocabulary

__all__ = ["beside", "check", "complete", "counted_memory", "counting", "described", "remeasured"]

CARD = "ngram"  # the name of what the card says
BYTES = 250  # that counting takes for each token of the text


def check(settings: ModelSettings, recipe: TrainSettings) -> None:
    """Raises OptionError where there would be no model, or a budget that nothing uses."""
    if recipe.prune and not recipe.ngram:
        raise OptionError(f"{option('prune')}: there are no n-grams; give {option('ngram')}, too")
    if settings.members != 0:
        return
    if not recipe.ngram:
        message = f"without networks there is only what {option('ngram')} counts; give it, too"
        raise OptionError(f"{option('members')}: {message}")
    for name in ("epochs", "steps", "seconds"):
        if getattr(recipe, name) is not None:
            message = f"nothing is trained where {option('members')} is 0; leave it out"
            raise OptionError(f"{option(name)}: {message}")


def counting(material: Material, recipe: TrainSettings) -> Callable[[], NgramModel] | None:
    """What counts the text, if that is asked for."""
    if not recipe.ngram:
        return None
    dropped = thresholds(recipe.prune or "", "prune")
    return partial(count, material.train.ids, material.parts, recipe.ngram, dropped)


def counted_memory(recipe: TrainSettings, material: Material) -> int:
    """Bytes that counting takes."""
    return BYTES * len(material.train.ids) if recipe.ngram else 0


def complete(model: LanguageModel, judge: Perplexity) -> LanguageModel:
    """The model with what is counted, and the weights that the validation text wants."""
    if judge.counting is None:
        return model
    both = replace(model, ngram=judge.counting())
    if not model.networks:
        return both
    return replace(both, weights=judge.weights(both))


def remeasured(
    model: LanguageModel, judge: Perplexity, measures: dict[str, float]
) -> tuple[dict[str, float], str]:
    """The measures of the whole model, and what its parts are, for people."""
    if model.mixture is None:
        return measures, ""
    whole = judge.at_the_end(model, judge.judge(model).score)
    if len(model.parts) == 1:
        return whole, ""
    shown = ", ".join(f"{part.name} {part.weight:.3f}" for part in model.parts)
    return whole, f"weights of the parts: {shown}"


def described(model: LanguageModel) -> tuple[Card, Tensors]:
    """What a file keeps of it; nothing where nothing is counted."""
    ngram = model.ngram
    if ngram is None:
        return {}, {}
    card = {
        "order": ngram.order,
        "n": [len(one) for one in ngram.orders],
        "discounts": [list(some) for some in ngram.discounts],
        "weights": list(model.weights),
    }
    return {CARD: card}, ngram.tensors()


def beside(
    settings: ModelSettings, vocabulary: Vocabulary, card: Card, tensors: Tensors
) -> Callable[[LanguageModel], LanguageModel]:
    """What adds to a model what its file counts, its tensors taken out. Raises ValueError."""
    if CARD not in card:
        if settings.members == 0:
            raise ValueError("it holds neither a network nor n-grams")
        return lambda model: model
    said = card[CARD]
    order, weights = said["order"], numbers(said["weights"])
    if type(order) is not int or not 1 <= order <= MOST_ORDER:
        raise ValueError("the order of its n-grams is damaged")
    if len(weights) != (0 if settings.members == 0 else 2):
        raise ValueError("the weights of its parts are damaged")
    discounts = tuple(numbers(some) for some in said["discounts"])
    ngram = NgramModel.from_tensors(tensors, vocabulary, order, discounts)
    return lambda model: replace(model, ngram=ngram, weights=weights)


def numbers(values: Any) -> tuple[float, ...]:
    """Finite numbers. Raises ValueError."""
    if not isinstance(values, list) or not all(
        type(x) is float and math.isfinite(x) for x in values
    ):
        raise ValueError("the numbers of its n-grams are damaged")
    return tuple(values)
