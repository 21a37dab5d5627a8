"""Several language models as one mixture, its weights from a text that none of them has learnt."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from lmtool._version import __version__
from lmtool.arrays import Ids
from lmtool.display import counted
from lmtool.errors import ConfigError
from lmtool.inference.evaluate import perplexity
from lmtool.inference.mixing import Fit, fitted, with_fit
from lmtool.inference.reading import Sentence, sentence
from lmtool.models.language_model import LanguageModel
from lmtool.models.ngram import NgramModel
from lmtool.models.tempered import Tempered
from lmtool.nn.parameters import Parameters
from lmtool.settings import CONTEXTS, ModelSettings, Option, checked
from lmtool.text.vocabulary import Vocabulary
from lmtool.workers import Workers

__all__ = ["mix"]

SHOWN = 3  # words that only one vocabulary has
FOLLOWED = {
    "known": "how many words the n-grams know",
    "freed": "how well they know them",
}


class Text(NamedTuple):
    """Lines as ids."""

    ids: Ids
    n_words: int  # <EOS> included


def mix(
    models: Sequence[tuple[str, LanguageModel]],
    lines: Iterable[str],
    context: str = "document",
    threads: int = 1,
) -> LanguageModel:
    """One model of all, each with its name; of a mixture its parts, whose weights are found anew.

    Raises ConfigError for other vocabularies, OptionError for another context, InputError where
    there is no word in the lines.
    """
    checked("context", context, str, Option(choices=CONTEXTS))
    refuse_others(models)
    parts = tuple(named(models))
    vocabulary, text = models[0][1].vocabulary, text_of(models[0][1].vocabulary, lines)
    plain = unfitted(vocabulary, parts)
    assert plain.mixture is not None
    with Workers(threads) as workers:
        fit = fitted(plain.mixture, text.ids, context == "sentence", workers)
    mixed = with_fit(plain, fit)
    provenance = {
        "models": [{"name": name, "digest": model.digest} for name, model in models],
        "mixed": result(mixed, fit, text, context),
        "versions": {"lmtool": __version__, "numpy": np.__version__},
    }
    return replace(mixed, provenance=provenance)


def unfitted(vocabulary: Vocabulary, parts: tuple[tuple[str, Any], ...]) -> LanguageModel:
    """The parts with equal weights."""
    none = Parameters({}, np.zeros(0, np.float32))
    return LanguageModel(ModelSettings(members=0), vocabulary, none, others=parts)


def result(model: LanguageModel, fit: Fit, text: Text, context: str) -> dict[str, Any]:
    """What came of it, as plain values."""
    per_word = len(text.ids) / text.n_words
    each = zip(model.parts, fit.alone, fit.temperatures, strict=True)
    return {
        "perplexity": perplexity(-fit.loss * per_word, 1),
        "parts": [
            {
                "name": part.name,
                "weight": part.weight,  # the mean, where it follows the context
                "perplexity": perplexity(-loss * per_word, 1),  # alone
                "temperature": T,
            }
            for part, loss, T in each
        ],
        "follows": [FOLLOWED[clue.kind] for clue in fit.buckets.clues] if fit.buckets else [],
        "context": context,
        "n_tokens": len(text.ids),
    }


def text_of(vocabulary: Vocabulary, lines: Iterable[str]) -> Text:
    """The lines that hold words."""
    spoken: list[Sentence] = [one for one in (sentence(vocabulary, x) for x in lines) if one.words]
    ids = [one.ids for one in spoken]
    n_words = sum(len(one.words) + 1 for one in spoken)
    return Text(np.concatenate(ids) if ids else np.zeros(0, np.int32), n_words)


def named(models: Sequence[tuple[str, LanguageModel]]) -> Iterator[tuple[str, Any]]:
    """The parts of all models, no two of one name."""
    taken: set[str] = set()
    for name, model in models:
        for part, one in parts_with_names(name, model):
            unique = next(x for x in candidates(part) if x not in taken)
            taken.add(unique)
            yield unique, one


def candidates(name: str) -> Iterator[str]:
    """``a``, ``a 2``, ``a 3`` and so on."""
    yield name
    n = 2
    while True:
        yield f"{name} {n}"
        n += 1


def parts_with_names(name: str, model: LanguageModel) -> Iterator[tuple[str, Any]]:
    """A model by its name, or the parts of a mixture."""
    if not model.parts:
        yield name, replace(model, provenance={})
    for part in model.parts:
        one: Any = part.model.model if isinstance(part.model, Tempered) else part.model
        own = one if isinstance(one, NgramModel) else replace(one, provenance={})
        yield name if len(model.parts) == 1 else f"{name} {part.name}", own


def refuse_others(models: Sequence[tuple[str, LanguageModel]]) -> None:
    """Raises ConfigError where a model predicts other tokens than the first, and says which."""
    first, model = models[0]
    for name, other in models[1:]:
        if other.vocabulary.digest != model.vocabulary.digest:
            how = difference(model.vocabulary, other.vocabulary, first, name)
            message = f"{first} and {name} predict different tokens, so they cannot be mixed: {how}"
            raise ConfigError(message)


def difference(a: Vocabulary, b: Vocabulary, first: str, second: str) -> str:
    """How two vocabularies differ."""
    if a.tokenizer.name != b.tokenizer.name or a.settings.lower != b.settings.lower:
        return f"{spelled(a)} there, {spelled(b)} here"
    known = set(a.tokens), set(b.tokens)
    found = [(first, [x for x in a.tokens if x not in known[1]])]
    found += [(second, [x for x in b.tokens if x not in known[0]])]
    said = [f"only {name} has {some(tokens)}" for name, tokens in found if tokens]
    return ", ".join(said) if said else "the same ones in another order"


def spelled(vocabulary: Vocabulary) -> str:
    """``words, lower case``."""
    return f"{vocabulary.tokenizer.name}s{', lower case' * vocabulary.settings.lower}"


def some(tokens: list[str]) -> str:
    """``3 of them: 'a', 'b', 'c'``, the first few."""
    shown = ", ".join(repr(token) for token in tokens[:SHOWN])
    more = ", ..." if len(tokens) > SHOWN else ""
    return f"{counted(len(tokens), 'token')}: {shown}{more}"
