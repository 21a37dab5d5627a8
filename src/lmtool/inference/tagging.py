"""What a tagger says of lines of words, and how often that is right."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from lmtool.arrays import Ids
from lmtool.display import Shown, Tabular
from lmtool.inference.phrases import PhraseEvaluation, evaluate_tags
from lmtool.inference.reading import AHEAD, Ahead, Asked, read_sources
from lmtool.inference.score import verified
from lmtool.nn.outputs import Chain
from lmtool.nn.outputs.chain import decode, log_marginals, log_spans
from lmtool.text.schemes import Phrase, phrases
from lmtool.text.tags import TaggedWords, Tags
from lmtool.workers import Workers

__all__ = ["Span", "TagModel", "TaggedSentence", "evaluate_tagged", "tag", "tag_lines"]


class TagModel(Protocol):
    """What is needed of a tagger."""

    @property
    def tags(self) -> Tags:
        """The K tags that it knows."""

    @property
    def block(self) -> int:
        """Sentences that are read side by side to the same bits as alone; 1: none."""
        ...

    def words(self, text: str) -> list[str]:
        """The words of a line."""
        ...

    def chain(self, sentences: Sequence[Sequence[str]]) -> tuple[Chain, Ids]:
        """What is said of the tags of sentences of one word at least, and their first steps."""
        ...


class WordsWithTags(TaggedWords, Protocol):
    """A sentence whose tags are known."""

    @property
    def words(self) -> tuple[str, ...]:
        """One at least."""


@dataclass(frozen=True, slots=True, repr=False)
class Span(Shown):
    """A phrase, words from ``start`` up to ``end``, which is no longer one of them."""

    _shown = ("start", "end", "type", "text", "p")

    start: int
    end: int
    type: str
    text: str
    p: float  # that these words are such a phrase, no more and no fewer

    def to_dict(self) -> dict[str, Any]:
        """The same as plain values."""
        return asdict(self)


@dataclass(frozen=True, slots=True, repr=False)
class TaggedSentence(Tabular):
    """The best tags of a sentence; a blank line has none."""

    _shown = ("text", "tags", "spans")

    text: str
    tokens: tuple[str, ...]
    tags: tuple[str, ...]  # of phrases in IOB2
    p: tuple[float, ...]  # of each tag, whatever the others are
    spans: tuple[Span, ...]  # of plain tags none

    def _rows(self) -> Sequence[Shown]:
        return self.spans

    def to_dict(self) -> dict[str, Any]:
        """The same as plain values."""
        return asdict(self) | {"spans": [one.to_dict() for one in self.spans]}


class Answer(NamedTuple):
    """The best tags of a sentence, and what they are worth."""

    ids: Ids  # (T,)
    p: NDArray[np.float64] | None  # (T,)
    spans: tuple[tuple[Phrase, float], ...]


def tag(model: TagModel, text: str) -> TaggedSentence:
    """The best tags of the words of a line."""
    return next(tag_lines(model, [text]))


def tag_lines(
    model: TagModel,
    lines: Iterable[str],
    threads: int = 1,
    ahead: Ahead = AHEAD,
    probabilities: bool = True,
) -> Iterator[TaggedSentence]:
    """The same line by line, each on its own; a blank line has no tags.

    At most ``ahead`` lines are asked for before the first is answered. Without ``probabilities``
    p and spans are empty, and all is faster.
    """
    asked = (Asked(line, model.words(line) or None) for line in lines)
    for one, answer in answered(model, asked, threads, ahead, probabilities):
        yield sentence(model.tags, one, answer)


def answered(
    model: TagModel, asked: Iterable[Asked], threads: int, ahead: Ahead, probabilities: bool
) -> Iterator[tuple[Asked, Answer | None]]:
    """Each with what is said of it, in order. Raises ModelFileError for weights too large."""

    alike = written_alike(model.tags) if probabilities else None

    def read(sentences: list[Sequence[str]]) -> list[Answer]:
        chain, starts = model.chain(sentences)
        verified(chain.emissions)
        best = decode(chain, starts)
        ids = [best[t:, b] for b, t in enumerate(starts.tolist())]
        if alike is None:
            return [Answer(each, None, ()) for each in ids]
        logp = log_marginals(chain, starts)
        return [
            valued(model.tags, each, alone(chain, t, b), np.exp(logp[t:, b]) * alike[each])
            for each, b, t in zip(ids, range(len(ids)), starts.tolist(), strict=True)
        ]

    with Workers(threads) as workers:
        yield from read_sources(asked, read, model.block, workers, ahead)


def alone(chain: Chain, start: int, b: int) -> Chain:
    """The chain of one sequence, without padding."""
    return chain._replace(emissions=np.ascontiguousarray(chain.emissions[start:, b : b + 1]))


def valued(tags: Tags, ids: Ids, chain: Chain, p: NDArray[np.float64]) -> Answer:
    """Tags, and phrases with their probabilities; p (T, K) of tags that are written as these."""
    found = phrases(tags.iob2(ids.tolist())) if tags.phrased else []
    wanted = [(phrase.start, tags.phrase_ids(phrase)) for phrase in found]
    each = np.exp(log_spans(chain, wanted)).tolist() if wanted else []
    return Answer(ids, np.minimum(1.0, p.sum(1)), tuple(zip(found, each, strict=True)))


def written_alike(tags: Tags) -> NDArray[np.bool_]:
    """(K, K): which tags a reader cannot tell apart once they are written."""
    letters = {"S": "B", "E": "I"} if tags.phrased else {}  # in IOB2
    names = np.array([letters.get(name[0], name[0]) + name[1:] for name in tags.names])
    return np.asarray(names[:, None] == names)


def sentence(tags: Tags, asked: Asked, answer: Answer | None) -> TaggedSentence:
    """For people."""
    if answer is None:
        return TaggedSentence(asked.what, (), (), (), ())
    words = asked.source
    spans = tuple(
        Span(*phrase, " ".join(words[phrase.start : phrase.end]), p) for phrase, p in answer.spans
    )
    p = () if answer.p is None else tuple(answer.p.tolist())
    return TaggedSentence(asked.what, tuple(words), tags.iob2(answer.ids.tolist()), p, spans)


def evaluate_tagged(
    model: TagModel, records: Iterable[WordsWithTags], threads: int = 1
) -> PhraseEvaluation:
    """How well a model tags sentences whose tags are known.

    Raises InputError for a tag that the model does not know, and where there is no sentence.
    """
    asked = (Asked(model.tags.encode(record), record.words) for record in records)
    answers = answered(model, asked, threads, AHEAD, False)
    pairs = ((one.what, answer.ids) for one, answer in answers if answer is not None)
    return evaluate_tags(model.tags, pairs)
