"""What of a language model is counted: an n-gram model, alone or mixed with the networks."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache, partial
from typing import TYPE_CHECKING

from lmtool.arrays import Ids
from lmtool.errors import InputError, OptionError, option
from lmtool.models.language_model import LanguageModel
from lmtool.models.ngram import NgramModel, far_from_one
from lmtool.text.vocabulary import Vocabulary

if TYPE_CHECKING:
    from lmtool.inference.mixing import Fit
    from lmtool.inference.validation import Perplexity
    from lmtool.kinds.base import Material
    from lmtool.settings import ModelSettings, TrainSettings


__all__ = ["brought", "check", "complete", "counted_memory", "counting", "planned", "sample"]

ROW = 80  # bytes that sorting takes for each token that is sorted at once
WHOLE, REPEATED = 25, 3  # bytes a token of n-grams of one order, all of them or some
ORDER = 5  # of what is mixed with networks that are trained against the clock
PRUNES = ((5_000_000, "0,0,0,1"), (20_000_000, "0,0,1"))  # of texts up to so many tokens
SAMPLE = 50_000  # tokens whose counting is timed
SORTING = 2.0  # times longer than in a small text
LEAST_GAIN = 1e-4  # nats a token for which n-grams are kept


def check(settings: ModelSettings, recipe: TrainSettings) -> None:
    """Raises OptionError where there would be no model, or a budget that nothing uses."""
    if recipe.prune and not recipe.ngram and not (recipe.seconds and recipe.ngram is None):
        raise OptionError(f"{option('prune')}: there are no n-grams; give {option('ngram')}, too")
    if recipe.prune and isinstance(recipe.ngram, str):
        message = "the n-grams of a file are taken as they are"
        raise OptionError(f"{option('prune')}: {message}; leave it out")
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
    from lmtool.settings.thresholds import thresholds

    if not recipe.ngram:
        return None
    if material.counted is not None:
        return lambda: material.counted
    assert isinstance(recipe.ngram, int)
    dropped = thresholds(recipe.prune or "", "prune")
    return partial(kept, material.train.ids, material.parts, recipe.ngram, dropped)


def kept(ids: Ids, vocabulary: Vocabulary, order: int, dropped: Sequence[int]) -> NgramModel:
    """What is counted. Raises InputError where temporary files have no room."""
    from lmtool.models.kneser_ney import count

    try:
        return count(ids, vocabulary, order, dropped)
    except OSError as error:
        message = f"cannot keep counts in temporary files: {error.strerror or error}"
        raise InputError(f"{message}; set TMPDIR to a folder with room") from error


def brought(recipe: TrainSettings, vocabulary: Vocabulary) -> tuple[NgramModel | None, list[str]]:
    """The n-gram model of the file that the recipe names, over the text's tokens; what to say.

    Raises InputError where there is no such model.
    """
    from lmtool.models.arpa import read_arpa
    from lmtool.models.respelled import over

    if not isinstance(recipe.ngram, str):
        return None, []
    found, fit = over(read_arpa(recipe.ngram), vocabulary)
    if off := far_from_one(found):
        message = f"the probabilities of its n-grams do not sum to 1, but are off by {off:.3g}"
        raise InputError(f"{recipe.ngram}: {message}: give a model that was normalised")
    return found, [f"{found.name} of {recipe.ngram}: {fit}"]


def planned(recipe: TrainSettings, material: Material) -> TrainSettings:
    """Against the clock n-grams stand beside the networks, where unseen text can judge them.

    Not those of a very long text: the file would be larger than anybody has agreed to.
    """
    seen = material.train.fingerprint == material.valid.fingerprint
    fitting = [prune for most, prune in PRUNES if len(material.train.ids) <= most]
    if recipe.ngram is not None or not recipe.seconds or seen or not fitting:
        return recipe
    return replace(recipe, ngram=ORDER, prune=recipe.prune or fitting[0])


def sample(material: Material, recipe: TrainSettings) -> Callable[[], float] | None:
    """Seconds that counting the text takes, from a part of it; measured once."""
    from lmtool.models.kneser_ney import count
    from lmtool.settings.thresholds import thresholds

    if not recipe.ngram or material.counted is not None:
        return None
    ids = material.train.ids
    some, size, dropped = ids[:SAMPLE], recipe.ngram, thresholds(recipe.prune or "", "prune")
    assert isinstance(size, int)  # a file was brought along

    @cache
    def seconds() -> float:
        count(some[:1], material.parts, size, dropped)  # kernels are loaded or compiled
        began = time.monotonic()
        count(some, material.parts, size, dropped)
        return SORTING * (time.monotonic() - began) * len(ids) / max(1, len(some))

    return seconds


def counted_memory(recipe: TrainSettings, material: Material) -> int:
    """Bytes that counting takes, at most; of order 2 there are few."""
    from lmtool.models.kneser_ney import limits
    from lmtool.models.tally import ROWS
    from lmtool.settings.thresholds import thresholds

    if not isinstance(recipe.ngram, int) or not recipe.ngram:
        return 0
    T = len(material.train.ids)
    dropped = limits(thresholds(recipe.prune or "", "prune"), recipe.ngram)
    return ROW * min(T, ROWS) + sum(T * (REPEATED if limit else WHOLE) for limit in dropped[2:])


def complete(
    model: LanguageModel, judge: Perplexity, measures: dict[str, float]
) -> tuple[LanguageModel, dict[str, float], str]:
    """The model with what is counted beside it, where that makes it better, and mixed to suit."""
    from lmtool.inference.mixing import with_fit

    if judge.counting is None:
        return model, measures, ""
    both = replace(model, ngram=judge.counting())
    if not model.networks:
        loss = judge.judge(both).score
        return both, judge.both(both, loss), ""
    fit = judge.fit(both)
    if not judge.seen and fit.alone[0] - fit.loss < LEAST_GAIN:
        loss = judge.judge(model).score
        said = f"a {both.parts[1].name} model does not help: the network stays alone"
        return model, judge.both(model, loss), said
    mixed = with_fit(both, fit)
    return mixed, judge.both(mixed, fit.loss), said_of(mixed, fit)


def said_of(model: LanguageModel, fit: Fit) -> str:
    """What the parts are, for people: weights, perplexities, temperature."""
    from lmtool.inference.evaluate import perplexity

    parts = zip(model.parts, fit.alone, fit.temperatures, strict=True)
    shown = ", ".join(
        f"{part.name} {part.weight:.3f} (perplexity {perplexity(-loss, 1):.2f}"
        f"{f', temperature {T:g}' if T != 1 else ''})"
        for part, loss, T in parts
    )
    follow = " on average; they follow the context" if fit.buckets else ""
    return f"weights of the parts: {shown}{follow}"
