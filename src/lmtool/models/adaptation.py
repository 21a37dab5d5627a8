"""A language model that changes with the text that it reads: adapt, then cache, then mix.

The networks are followed by dynamic evaluation, their tops feed the cache, and what comes of both
takes the networks' place in a mixture. Every word is predicted before anything learns from it, and
all that moves is in the state.
"""

from dataclasses import replace

from lmtool.arrays import Array
from lmtool.errors import ConfigError, OptionError, option
from lmtool.models.adaptive import Adaptive, drawn, root_mean_squares
from lmtool.models.cache import Cached
from lmtool.models.language_model import LanguageModel
from lmtool.models.mixture import Mixture, parts_of
from lmtool.models.network import output_weights
from lmtool.models.predictor import Predictor, Top
from lmtool.models.tempered import Tempered
from lmtool.settings import CONTEXTS, AdaptSettings
from lmtool.workers import single_threaded_blas

__all__ = ["Squares", "adapted", "in_documents"]

DOCUMENT = CONTEXTS[1]
DRAWN = 4000  # tokens, of which the gradients' mean squares are


class Squares(dict[str, Array]):
    """The root mean squares of gradients that were told already, by the networks' digests."""

    def of(self, networks: LanguageModel) -> Array:
        """(2) of ``adaptive``, on a text as the networks would write it: (P,)."""
        digest = networks.digest
        if digest not in self:
            with single_threaded_blas():
                self[digest] = root_mean_squares(networks, drawn(networks, DRAWN))
        return self[digest]


def adapted(model: Predictor, settings: AdaptSettings, known: Squares | None = None) -> Predictor:
    """The model that does what the settings say. Raises ConfigError where it has no networks."""
    if not settings.active:
        return model
    if not has_networks(model):
        wanted = option("adapt" if settings.adapt else "cache")
        raise ConfigError(f"{wanted}: the model has no networks that could follow a text")
    return moving(model, settings, Squares() if known is None else known)


def has_networks(model: Predictor) -> bool:
    """Whether there is something that can follow a text."""
    if isinstance(model, LanguageModel) and model.networks:
        return True
    inner = [model.model] if isinstance(model, Tempered) else [x.model for x in parts_of(model)]
    return any(map(has_networks, inner))


def moving(
    model: Predictor, settings: AdaptSettings, known: Squares, temperature: float = 1.0
) -> Predictor:
    """The same where the networks, those of its parts, too, follow the text."""
    if isinstance(model, Tempered):
        return moving(model.model, settings, known, model.temperature)
    if isinstance(model, LanguageModel) and model.mixture is None:
        return following(model, settings, known, temperature)
    mixture = getattr(model, "mixture", model)
    if not isinstance(mixture, Mixture):
        return at(model, temperature)
    parts = (part._replace(model=moving(part.model, settings, known)) for part in mixture.parts)
    return at(replace(mixture, parts=tuple(parts)), temperature)


def at(model: Predictor, temperature: float) -> Predictor:
    """The model at a temperature."""
    return model if temperature == 1 else Tempered(model, temperature)


def in_documents(settings: AdaptSettings, context: str) -> None:
    """Raises OptionError where something is to be followed that starts afresh with each line."""
    if settings.active and context != DOCUMENT:
        wanted = option("adapt" if settings.adapt else "cache")
        message = "follows a whole text, not lines that start afresh"
        raise OptionError(f"{wanted}: {message}; give {option('context', DOCUMENT)}")


def following(
    networks: LanguageModel, settings: AdaptSettings, known: Squares, temperature: float
) -> Predictor:
    """Networks alone: adapt, at their temperature, then cache."""
    model: Predictor = networks
    if settings.adapt:
        model = Adaptive(networks, known.of(networks), settings.adapt_rate, settings.adapt_decay)
    model = at(model, temperature)
    if not settings.cache:
        return model
    hidden = of_adaptive if settings.adapt else of_networks
    width = sum(output_weights(one.parameters).weight.shape[1] for one in networks.networks)
    shape = settings.cache, settings.cache_weight, settings.cache_sharpness
    return Cached(model, *shape, width, hidden)


def of_networks(top: Top) -> Array:
    """The tops of networks side by side are what the cache compares."""
    h: Array = top
    return h


def of_adaptive(top: Top) -> Array:
    """The same, beside ln p."""
    h: Array = top[1]
    return h
