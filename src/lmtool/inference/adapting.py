"""How a model follows texts of one kind best: a few settings tried on a text that is no test.

One constant after the other, each with the best of those before: how far weights move, how fast
they return, how alike states have to be, the share of the cache. What does not help stays as it is.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from math import inf

from lmtool.errors import ConfigError, InputError, ModelFileError
from lmtool.inference.evaluate import line_logps
from lmtool.inference.reading import sentence
from lmtool.models.adaptation import Squares, adapted
from lmtool.models.predictor import Predictor
from lmtool.settings import CONTEXTS, AdaptSettings
from lmtool.text.vocabulary import Vocabulary
from lmtool.workers import Workers

__all__ = ["tune"]

TOKENS = 10_000  # that are read, once for each value
FACTORS = {  # of what is asked for
    "adapt_rate": (1 / 4, 1 / 2, 2),
    "adapt_decay": (1 / 4, 4),
    "cache_sharpness": (1 / 2, 2),
    "cache_weight": (1 / 2, 1.8),  # of the largest, 0.5, less than 1
}


def tune(model: Predictor, lines: Iterable[str], settings: AdaptSettings) -> AdaptSettings:
    """The settings whose constants make the first lines of a text most probable.

    Raises InputError where there is no word, ConfigError where a model cannot follow a text.
    """
    text, known = [*beginning(model.vocabulary, lines)], Squares()
    if not text:
        raise InputError("nothing to tune by: there is no word in the text")
    best, lowest = settings, nats(model, text, settings, known)
    for name, factors in FACTORS.items():
        if getattr(settings, name.partition("_")[0]):
            for factor in factors:
                tried = replace(best, **{name: getattr(settings, name) * factor})
                found = nats(model, text, tried, known)
                if found < lowest:
                    best, lowest = tried, found
    return best


def beginning(vocabulary: Vocabulary, lines: Iterable[str]) -> Iterator[str]:
    """The first lines with words, some TOKENS in all."""
    n = 0
    for line in lines:
        n += sentence(vocabulary, line).length
        if n:
            yield line
        if n >= TOKENS:
            break


def nats(model: Predictor, text: list[str], settings: AdaptSettings, known: Squares) -> float:
    """-ln p of a text; infinity where the weights blow up."""
    moving = adapted(model, settings, known)
    with Workers(1) as workers:
        try:
            read = line_logps(moving, workers, CONTEXTS[1], text)
            return -sum(float(values[0].sum()) for _, values in read)
        except (ConfigError, ModelFileError):
            return inf
