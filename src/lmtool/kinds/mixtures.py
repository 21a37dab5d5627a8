"""What a file of language models keeps of a mixture: n-grams, other networks, weights."""

import math
from collections.abc import Callable, Iterator
from dataclasses import asdict, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lmtool.models.buckets import Buckets, Clue
from lmtool.models.language_model import LanguageModel, parameter_shapes
from lmtool.models.ngram import MOST_ORDER, NgramModel
from lmtool.nn.outputs import SOFTMAXES
from lmtool.nn.parameters import Parameters
from lmtool.settings import ModelSettings
from lmtool.tensor_file import Card, Tensors
from lmtool.text.vocabulary import Vocabulary

__all__ = ["beside", "described"]

NGRAM, OTHERS, MIXTURE = "ngram", "parts", "mixture"  # in the card
TABLE = "mixture.table"  # a tensor
MOST_PARTS = 100


def described(model: LanguageModel) -> tuple[Card, Tensors]:
    """What a file keeps of it; nothing of networks alone."""
    card: Card = {}
    tensors: Tensors = {}
    if model.ngram is not None:
        card[NGRAM], own = of_ngrams(model.ngram)
        tensors |= own
    if model.others:
        card[OTHERS] = []
    for k, (name, one) in enumerate(model.others):
        own_card, own = of_ngrams(one) if isinstance(one, NgramModel) else of_networks(one)
        card[OTHERS].append({"name": name, **own_card})
        tensors |= {f"{place(k)}{field}": x for field, x in own.items()}
    if len(model.parts) > 1:
        card[MIXTURE], own = of_mixture(model)
        tensors |= own
    return card, tensors


def place(k: int) -> str:
    """What the names of a part's tensors begin with."""
    return f"part.{k}."


def of_ngrams(ngram: NgramModel) -> tuple[Card, Tensors]:
    """An n-gram model."""
    card = {
        "order": ngram.order,
        "n": [len(one) for one in ngram.orders],
        "discounts": [list(some) for some in ngram.discounts],
    }
    return card, ngram.tensors()


def of_networks(model: LanguageModel) -> tuple[Card, Tensors]:
    """Networks without what they may be mixed with."""
    return {"model": asdict(model.settings)}, dict(model.parameters.items())


def of_mixture(model: LanguageModel) -> tuple[Card, Tensors]:
    """How the parts are mixed."""
    card = {"weights": list(model.weights), "temperatures": list(model.temperatures)}
    if model.buckets is None:
        return card, {}
    clues = [{**asdict(clue), "knots": list(clue.knots)} for clue in model.buckets.clues]
    return card | {"clues": clues}, {TABLE: model.buckets.table.astype(np.float32)}


def beside(
    settings: ModelSettings, vocabulary: Vocabulary, card: Card, tensors: Tensors
) -> Callable[[LanguageModel], LanguageModel]:
    """What adds to a model what its file mixes, its tensors taken out. Raises ValueError."""
    ngram = ngrams(card[NGRAM], vocabulary, tensors) if NGRAM in card else None
    others = tuple(parts(card.get(OTHERS, []), vocabulary, tensors))
    K = (settings.members != 0) + (ngram is not None) + len(others)
    if not K:
        raise ValueError("it holds neither a network nor n-grams")
    if (K > 1) != (MIXTURE in card):
        raise ValueError("the weights of its parts are missing or damaged")
    added: dict[str, Any] = {"ngram": ngram, "others": others}
    added |= mixed(card[MIXTURE], K, tensors) if K > 1 else {}
    return lambda model: replace(model, **added)


def ngrams(said: Card, vocabulary: Vocabulary, tensors: Tensors) -> NgramModel:
    """The n-grams that a card speaks of."""
    order = said["order"]
    if type(order) is not int or not 1 <= order <= MOST_ORDER:
        raise ValueError("the order of its n-grams is damaged")
    discounts = tuple(numbers(some) for some in said["discounts"])
    return NgramModel.from_tensors(tensors, vocabulary, order, discounts)


def parts(said: Any, vocabulary: Vocabulary, tensors: Tensors) -> Iterator[tuple[str, Any]]:
    """The other parts, each with its name."""
    if not isinstance(said, list) or len(said) > MOST_PARTS:
        raise ValueError("its parts are damaged")
    for k, one in enumerate(said):
        own = {
            name.removeprefix(place(k)): tensors.pop(name)
            for name in [*tensors]
            if name.startswith(place(k))
        }
        if type(one["name"]) is not str or not one["name"].isprintable():
            raise ValueError("the names of its parts are damaged")
        networks = "model" in one
        part = network(one["model"], vocabulary, own) if networks else ngrams(one, vocabulary, own)
        if not networks and own:
            raise ValueError("a part of it has tensors that nothing asks for")
        yield one["name"], part


def network(values: Any, vocabulary: Vocabulary, tensors: Tensors) -> LanguageModel:
    """Networks from their settings and all their weights."""
    if not isinstance(values, dict) or set(values) != set(ModelSettings.__slots__):
        raise ValueError("the settings of a part have unknown or missing names")
    settings = ModelSettings(**values)
    if settings.softmax not in SOFTMAXES or settings.members == 0:
        raise ValueError("the settings of a part are damaged")
    if settings.layers * (settings.members or 1) > len(tensors):
        raise ValueError("a part has fewer weights than layers")
    shapes = parameter_shapes(settings, vocabulary.n_tokens)
    if {name: x.shape for name, x in tensors.items()} != shapes:
        raise ValueError("the weights of a part do not fit its settings")
    flat: NDArray[Any] = np.concatenate([tensors[name].ravel() for name in shapes])
    if flat.dtype != np.float32 or not np.isfinite(flat).all():
        raise ValueError("the weights of a part are not finite numbers")
    return LanguageModel(settings, vocabulary, Parameters(shapes, flat))


def mixed(said: Card, K: int, tensors: Tensors) -> dict[str, Any]:
    """Weights, temperatures and buckets."""
    weights, warmth = numbers(said["weights"]), numbers(said["temperatures"])
    if len(weights) != K or len(warmth) not in (0, K) or not all(0.01 < T < 100 for T in warmth):
        raise ValueError("the weights of its parts are damaged")
    found = {"weights": weights, "temperatures": warmth}
    if "clues" not in said:
        return found
    table = tensors.pop(TABLE)
    if table.dtype != np.float32:
        raise ValueError("the weights of its parts are damaged")
    clues = tuple(Clue(one["kind"], one["part"], numbers(one["knots"])) for one in said["clues"])
    return found | {"buckets": Buckets(clues, table)}


def numbers(values: Any) -> tuple[float, ...]:
    """Finite numbers. Raises ValueError."""
    if not isinstance(values, list) or not all(
        type(x) is float and math.isfinite(x) for x in values
    ):
        raise ValueError("the numbers of its n-grams are damaged")
    return tuple(values)
