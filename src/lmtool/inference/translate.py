"""What a model writes about a source: a translation of a line, a caption of a vector.

Where a model looked at its source, a word that it does not know is copied from where it looked
most (Luong et al. 2015b); where it did not, or where the source has no words, it writes no <UNK>
unless that is asked for.
"""

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

from lmtool.arrays import Array
from lmtool.display import Shown, Tabular
from lmtool.inference.beam import Hypothesis, search
from lmtool.inference.reading import AHEAD, Ahead, Sentence, in_blocks, read_block, sentence
from lmtool.inference.score import LN10, SentenceScore, measured_logp, scored
from lmtool.models.predictor import Conditional
from lmtool.settings import SearchSettings
from lmtool.text.vocabulary import UNK_ID, Vocabulary
from lmtool.workers import Workers

__all__ = ["Candidate", "Translation", "score_given", "translate", "translate_lines"]

Places = tuple[tuple[float, ...], ...]
DEFAULT = SearchSettings()


@dataclass(frozen=True, slots=True, repr=False)
class Candidate(Shown):
    """A text that may be meant."""

    _shown = ("text", "log10_p", "score")

    text: str  # a word that the model does not know may be copied from the source
    tokens: tuple[str, ...]  # as the model has them, without <EOS>; a copied word is <UNK>
    log10_p: float  # of the tokens and <EOS>, given the source
    score: float  # log10_p / n^length_norm, n tokens with <EOS>
    attention: Places | None  # a row for each token and <EOS>: where in the source it looked

    def to_dict(self) -> dict[str, Any]:
        """The same as plain values."""
        return asdict(self)


@dataclass(frozen=True, slots=True, repr=False)
class Translation(Tabular):
    """What is written about a source; of a blank one nothing."""

    _shown = ("source", "text", "log10_p")

    source: str  # as given; of a vector its name
    text: str  # of the best hypothesis
    log10_p: float | None
    hypotheses: tuple[Candidate, ...]  # best first
    source_tokens: tuple[str, ...] = ()  # what attention has a column for

    def _rows(self) -> Sequence[Shown]:
        return self.hypotheses

    def to_dict(self) -> dict[str, Any]:
        """The same as plain values."""
        return asdict(self)


class About(NamedTuple):
    """What a text is wanted about."""

    name: str
    tokens: tuple[str, ...]  # of a line, one for each step of its source; else none
    source: Array | None  # None: the line is blank

    @property
    def length(self) -> int:
        """Steps."""
        return 0 if self.source is None else max(1, len(self.source))


class Pair(NamedTuple):
    """A text whose probability is wanted, and what it is about."""

    source: Array | None
    sentence: Sentence

    @property
    def length(self) -> int:
        """Tokens of the text."""
        return 0 if self.source is None else self.sentence.length


def translate(model: Conditional, what: Any, settings: SearchSettings = DEFAULT) -> Translation:
    """The best texts about a source."""
    return next(translate_lines(model, [what], settings))


def translate_lines(
    model: Conditional,
    sources: Iterable[Any],
    settings: SearchSettings = DEFAULT,
    threads: int = 1,
    ahead: Ahead = AHEAD,
) -> Iterator[Translation]:
    """The same one by one, each on its own; a blank line gives a blank text.

    At most ``ahead`` sources are asked for before the first is answered.
    """

    def read(block: list[About]) -> list[list[Hypothesis]]:
        read = [one.source for one in block if one.source is not None]
        lengths = [len(one) for one in read] if read[0].ndim == 1 else None
        copies = [bool(one.tokens) for one in block]
        return search(model.given(read), len(read), settings, lengths, copies)

    asked = (about(model, one) for one in sources)
    with Workers(threads) as workers:
        for one, found in in_blocks(asked, read, model.block, workers, ahead):
            yield translation(model.vocabulary, one, found or [])


def about(model: Conditional, what: Any) -> About:
    """A line, or a clip that holds a vector."""
    if not isinstance(what, str):
        return About(what.text, (), model.source(what.source))
    if not what.strip():
        return About(what, (), None)
    source = model.source(what)
    return About(what, tokens_of(model, what, len(source)), source)


def tokens_of(model: Any, text: str, S: int) -> tuple[str, ...]:
    """The S tokens of a line, as the model's ``tokens`` spells them, or its words; else none."""
    spelled = getattr(model, "tokens", str.split)
    tokens = tuple(spelled(text))
    return tokens if len(tokens) == S else ()


def translation(vocabulary: Vocabulary, one: About, found: Sequence[Hypothesis]) -> Translation:
    """For people."""
    candidates = tuple(candidate(vocabulary, one.tokens, each) for each in found)
    if not candidates:
        return Translation(one.name, "", None, (), one.tokens)
    best = candidates[0]
    return Translation(one.name, best.text, best.log10_p, candidates, one.tokens)


def candidate(vocabulary: Vocabulary, source: Sequence[str], found: Hypothesis) -> Candidate:
    """A hypothesis as text."""
    ids, looked = found.ids[:-1], found.attention
    return Candidate(
        text=written(vocabulary, ids, source, looked),
        tokens=tuple(vocabulary.tokens[i] for i in ids),
        log10_p=math.fsum(logp / LN10 for logp in found.logps),
        score=found.score / LN10,
        attention=None if looked is None else tuple(map(tuple, looked.tolist())),
    )


def written(
    vocabulary: Vocabulary, ids: Sequence[int], source: Sequence[str], looked: Array | None
) -> str:
    """The text of ids, an unknown word being that of the source that was looked at most."""
    if looked is None or not source or UNK_ID not in ids:
        return vocabulary.decode(ids)
    most = looked.argmax(1).tolist()
    pairs = zip(ids, most, strict=False)  # <EOS> looks, too
    words = (source[s] if i == UNK_ID else vocabulary.tokens[i] for i, s in pairs)
    return vocabulary.tokenizer.join(words)


def score_given(
    model: Conditional,
    pairs: Iterable[tuple[Any, str]],
    threads: int = 1,
    ahead: Ahead = AHEAD,
) -> Iterator[SentenceScore]:
    """P(text | source) of each (source, text), in order; where one is blank there are no words."""

    def read(block: list[Pair]) -> list[SentenceScore]:
        sources = [one.source for one in block if one.source is not None]
        predictor = model.given(sources)
        ids = [one.sentence.ids for one in block]
        values = read_block(predictor, ids, measured_logp(predictor))
        return [scored(predictor, one.sentence, v) for one, v in zip(block, values, strict=True)]

    asked = (pair(model, *one) for one in pairs)
    with Workers(threads) as workers:
        for one, score in in_blocks(asked, read, model.block, workers, ahead):
            yield score or SentenceScore(one.sentence.text, 0.0, 1.0, None, 0, 0, ())


def pair(model: Conditional, what: Any, text: str) -> Pair:
    """A source and a text about it."""
    return Pair(about(model, what).source, sentence(model.vocabulary, text))
