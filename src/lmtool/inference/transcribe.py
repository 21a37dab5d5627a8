"""What is said in recordings: the text of each, how sure that is, and when each word was said.

A recording is read in pieces, which do not know each other; a piece has its own bits, whatever is
read beside it. How ln p of tokens along steps becomes texts is the decoder's affair (``decoding``).
"""

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from itertools import groupby
from typing import Any, NamedTuple, Protocol

import numpy as np

from lmtool.arrays import Array, Ids
from lmtool.display import Shown, Tabular
from lmtool.inference.reading import AHEAD, Ahead, Asked, read_sources
from lmtool.inference.score import verified
from lmtool.nn.outputs.ctc import Path, align
from lmtool.text.vocabulary import Vocabulary
from lmtool.workers import Workers

__all__ = ["Decoded", "Decoder", "Heard", "Piece", "Recording", "Said", "SpeechModel"]
__all__ += ["Transcription", "transcribe_all"]

LN10 = math.log(10)
UNIT = 1.0  # seconds of a step, where frames are no sound's


class SpeechModel(Protocol):
    """What is needed of a recogniser."""

    @property
    def vocabulary(self) -> Vocabulary:
        """What is written."""

    @property
    def block(self) -> int:
        """Pieces that are read side by side to the same bits as alone; 1: none."""

    @property
    def step(self) -> float | None:
        """Seconds of a step; None where frames are no sound's."""

    def source(self, frames: Array) -> Array:
        """Frames (T, F) -> what the networks read."""
        ...

    def log_probabilities(self, sources: Sequence[Array]) -> list[Array]:
        """ln p of each token at each step: (T, V) each; the blank is 0."""
        ...


class Decoded(NamedTuple):
    """A text that may be meant by a piece; natural logarithms."""

    ids: Ids  # (L,)
    logp: float  # of the text, given the sound
    score: float  # with all that counts beside it
    parts: tuple[float, ...] = ()  # what the score is made of, for whoever tunes the weights


Decoder = Callable[[Array], list[Decoded]]  # ln p (T, V) -> best first, one at least


class Piece(NamedTuple):
    """Some of a recording."""

    begin: float  # seconds
    frames: Array | None  # (T, F); None: too short for one


class Recording(NamedTuple):
    """What is to be written down."""

    name: str
    pieces: Iterable[Piece]
    reference: str | None = None
    speaker: str | None = None


@dataclass(frozen=True, slots=True, repr=False)
class Said(Shown):
    """A word, from ``start`` to ``end`` seconds."""

    _shown = ("text", "start", "end", "p")

    text: str
    start: float  # steps where frames are no sound's
    end: float
    p: float  # of its tokens where each is said, together


@dataclass(frozen=True, slots=True, repr=False)
class Heard(Shown):
    """A text that may be meant."""

    _shown = ("text", "log10_p", "score")

    text: str
    tokens: tuple[str, ...]
    log10_p: float  # of the tokens, given the recording
    score: float  # with a language model and a bonus for each word, where there are such
    parts: tuple[float, ...] = field(default=(), compare=False)

    def to_dict(self) -> dict[str, Any]:
        """The same as plain values."""
        return {k: x for k, x in asdict(self).items() if k != "parts"}


@dataclass(frozen=True, slots=True, repr=False)
class Transcription(Tabular):
    """What is said in a recording; of one too short for a frame nothing."""

    _shown = ("source", "text", "log10_p")

    source: str  # its name
    text: str  # of the best hypothesis
    log10_p: float | None
    hypotheses: tuple[Heard, ...]  # best first
    words: tuple[Said, ...]  # of the text
    reference: str | None = None
    speaker: str | None = None
    pieces: int = 1

    def _rows(self) -> Sequence[Shown]:
        return self.hypotheses

    def to_dict(self) -> dict[str, Any]:
        """The same as plain values; what is not known is left out."""
        own = asdict(self) | {"hypotheses": [one.to_dict() for one in self.hypotheses]}
        own.pop("pieces")
        return {k: x for k, x in own.items() if x is not None or k == "log10_p"}


class Read(NamedTuple):
    """What became of a piece."""

    texts: list[Decoded]
    words: tuple[Said, ...]  # of the best


def transcribe_all(
    model: SpeechModel,
    recordings: Iterable[Recording],
    decode: Decoder,
    n: int = 1,
    threads: int = 1,
    ahead: Ahead = AHEAD,
) -> Iterator[Transcription]:
    """What is said in each, one by one; n hypotheses at most.

    Raises ModelFileError for weights that are too large.
    """

    def read(sources: list[Source]) -> list[Read]:
        found = model.log_probabilities([source.steps for source in sources])
        return [
            of_piece(model, decode, n, source.begin, logp)
            for source, logp in zip(sources, found, strict=True)
        ]

    with Workers(threads) as workers:
        results = read_sources(asked(model, recordings), read, model.block, workers, ahead)
        for _, group in groupby(results, key=lambda result: result[0].what[0]):
            parts = [(one.what[1], answer) for one, answer in group]
            yield whole(model.vocabulary, parts[0][0], [x for _, x in parts], n)


@dataclass(frozen=True, slots=True)
class Source:
    """What a piece becomes for the networks."""

    begin: float
    steps: Array

    def __len__(self) -> int:
        return len(self.steps)


def asked(model: SpeechModel, recordings: Iterable[Recording]) -> Iterator[Asked]:
    """Each piece on its way, with the number of its recording."""
    for number, recording in enumerate(recordings):
        for piece in recording.pieces:
            steps = None if piece.frames is None else model.source(piece.frames)
            source = None if steps is None else Source(piece.begin, steps)
            yield Asked((number, recording), source)


def of_piece(
    model: SpeechModel, decode: Decoder, n: int, begin: float, logp: Array
) -> Read:
    """The texts of a piece, and the words of the best."""
    verified(logp[:, :1])
    texts = decode(logp)[:n]
    words = words_of(model, texts[0].ids, begin, logp)
    return Read(texts, words)


def words_of(model: SpeechModel, ids: Ids, begin: float, logp: Array) -> tuple[Said, ...]:
    """When the words of tokens are said on the best path that says them."""
    path, step, vocabulary = align(logp, ids), model.step or UNIT, model.vocabulary
    found = []
    for first, last in words_among([vocabulary.tokens[i] for i in ids], vocabulary):
        text = vocabulary.decode(ids[first:last]).strip()
        if text:
            start, end = path.first[first] * step, (path.last[last - 1] + 1) * step
            p = math.exp(sum(peaks(logp, path)[first:last]))
            found.append(Said(text, round(begin + start, 3), round(begin + end, 3), p))
    return tuple(found)


def peaks(logp: Array, path: Path) -> list[float]:
    """ln p of each token where it is likeliest on its path."""
    runs = zip(path.ids.tolist(), path.first.tolist(), path.last.tolist(), strict=True)
    return [float(logp[first : last + 1, k].max()) for k, first, last in runs]


def words_among(tokens: Sequence[str], vocabulary: Vocabulary) -> list[tuple[int, int]]:
    """Places of the tokens of each word, from and up to; blanks between letters are in none."""
    if vocabulary.settings.tokens == "char":
        runs = groupby(range(len(tokens)), key=lambda i: not tokens[i].isspace())
        spans = [[*places] for real, places in runs if real]
        return [(span[0], span[-1] + 1) for span in spans]
    begins = vocabulary.tokenizer.begins
    starts = [i for i in range(len(tokens)) if i == 0 or begins(tokens[i - 1], tokens[i])]
    return [*zip(starts, [*starts[1:], len(tokens)], strict=True)]


def whole(
    vocabulary: Vocabulary, recording: Recording, pieces: Sequence[Read | None], n: int
) -> Transcription:
    """The recording of these pieces."""
    read = [piece for piece in pieces if piece is not None]
    own = recording.name, recording.reference, recording.speaker
    if not read:
        return Transcription(own[0], "", None, (), (), *own[1:], len(pieces))
    texts = read[0].texts
    for piece in read[1:]:
        texts = both(texts, piece.texts, n, vocabulary)
    heard = tuple(for_people(vocabulary, one) for one in texts)
    words = tuple(word for piece in read for word in piece.words)
    best = heard[0]
    return Transcription(
        own[0], best.text, best.log10_p, heard, words, own[1], own[2], len(pieces)
    )


def both(
    before: Sequence[Decoded], after: Sequence[Decoded], n: int, vocabulary: Vocabulary
) -> list[Decoded]:
    """The n best of what two neighbouring pieces may mean together."""
    between = between_words(vocabulary)
    pairs = [
        Decoded(
            np.concatenate([a.ids, between[: len(a.ids) and len(b.ids)], b.ids]),
            a.logp + b.logp,
            a.score + b.score,
            tuple(x + y for x, y in zip(a.parts, b.parts, strict=True)),
        )
        for a in before
        for b in after
    ]
    return sorted(pairs, key=lambda one: (-one.score, one.ids.tolist()))[:n]


def between_words(vocabulary: Vocabulary) -> Ids:
    """What stands between words: of letters a blank."""
    blank = [vocabulary.id(" ")] if vocabulary.settings.tokens == "char" else []
    return np.array(blank, np.int32)


def for_people(vocabulary: Vocabulary, one: Decoded) -> Heard:
    """A text as it is shown."""
    text = " ".join(vocabulary.decode(one.ids).split())
    tokens = tuple(vocabulary.tokens[i] for i in one.ids)
    return Heard(text, tokens, one.logp / LN10, one.score / LN10, one.parts)
