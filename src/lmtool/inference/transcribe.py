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

__all__ = ["Decoded", "Decoder", "Heard", "Piece", "Progress", "Recording", "Said", "Sight"]
__all__ += ["SpeechModel", "Transcription", "transcribe_all"]

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
    def width(self) -> int:
        """Numbers of a frame."""

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
Progress = Callable[[str, float], None]  # a recording's name, and the second where a piece begins


class Piece(NamedTuple):
    """Some of a recording."""

    begin: float  # seconds
    frames: Array | None  # (T, F); None: too short for one
    broken: bool = False  # what follows cannot be read


class Recording(NamedTuple):
    """What is to be written down."""

    name: str
    pieces: Iterable[Piece]  # one at least, asked for once
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


class Sight(NamedTuple):
    """What a picture shows of a piece."""

    begin: float  # seconds
    end: float
    frames: Array  # (T, F), as the networks read them
    letters: tuple[Said, ...]  # tokens, one by one


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
    sights: tuple[Sight, ...] = field(default=(), compare=False)  # where they are wanted

    def _rows(self) -> Sequence[Shown]:
        return self.hypotheses

    def to_dict(self) -> dict[str, Any]:
        """The same as plain values; what is not known is left out."""
        own = {name: getattr(self, name) for name in ("source", "text", "log10_p")}
        own["hypotheses"] = [one.to_dict() for one in self.hypotheses]
        own["words"] = [asdict(one) for one in self.words]
        known = {"reference": self.reference, "speaker": self.speaker}
        return own | {k: x for k, x in known.items() if x is not None}


class Read(NamedTuple):
    """What became of a piece."""

    texts: list[Decoded]
    words: tuple[Said, ...]  # of the best
    sight: Sight | None


def transcribe_all(
    model: SpeechModel,
    recordings: Iterable[Recording],
    decode: Decoder,
    n: int = 1,
    threads: int = 1,
    ahead: Ahead = AHEAD,
    sights: bool = False,
    progress: Progress | None = None,
) -> Iterator[Transcription]:
    """What is said in each, one by one; n hypotheses at most, what a picture shows if wanted.

    ``progress`` is told of each piece that more follow. Raises ModelFileError for weights that are
    too large.
    """

    def read(sources: list[Source]) -> list[Read]:
        found = model.log_probabilities([source.steps for source in sources])
        return [
            of_piece(model, decode, n, source, logp, sights)
            for source, logp in zip(sources, found, strict=True)
        ]

    with Workers(threads) as workers:
        results = read_sources(asked(model, recordings), read, model.block, workers, ahead)
        read_so_far: list[Read | None] = []
        for one, answer in results:
            read_so_far.append(answer)
            recording, piece, is_last = one.what
            if piece.broken:
                read_so_far = [None]
            if progress and not is_last:
                progress(recording.name, piece.begin)
            if is_last:
                yield whole(model.vocabulary, recording, read_so_far, n)
                read_so_far = []


@dataclass(frozen=True, slots=True)
class Source:
    """What a piece becomes for the networks."""

    begin: float
    steps: Array

    def __len__(self) -> int:
        return len(self.steps)


def asked(model: SpeechModel, recordings: Iterable[Recording]) -> Iterator[Asked]:
    """Each piece on its way, with its recording, and whether it is the last of it."""
    for recording in recordings:
        coming = iter(recording.pieces)
        piece = next(coming, None)
        while piece is not None:
            steps = None if piece.frames is None else model.source(piece.frames)
            source = None if steps is None else Source(piece.begin, steps)
            what, piece = piece._replace(frames=None), next(coming, None)
            yield Asked((recording, what, piece is None), source)


def of_piece(
    model: SpeechModel, decode: Decoder, n: int, source: "Source", logp: Array, sights: bool
) -> Read:
    """The texts of a piece, the words of the best, and what a picture shows."""
    verified(logp[:, :1])
    texts = decode(logp)[:n]
    path, step, begin = align(logp, texts[0].ids), model.step or UNIT, source.begin
    tokens = [model.vocabulary.tokens[i] for i in path.ids]
    times = Times(model.vocabulary, path, peaks(logp, path), begin, step)
    words = times.of(words_among(tokens, model.vocabulary))
    if not sights:
        return Read(texts, words, None)
    letters = times.of([(i, i + 1) for i in range(len(tokens))])
    frames = source.steps.reshape(-1, model.width)
    return Read(texts, words, Sight(begin, begin + step * len(logp), frames, letters))


class Times(NamedTuple):
    """Tokens along time."""

    vocabulary: Vocabulary
    path: Path
    peaks: list[float]  # ln p
    begin: float
    step: float

    def of(self, spans: Sequence[tuple[int, int]]) -> tuple[Said, ...]:
        """The text of tokens from and up to, when it is said, how probable it is."""
        found = []
        for first, last in spans:
            text = self.vocabulary.decode(self.path.ids[first:last]).strip()
            start = self.begin + self.path.first[first] * self.step
            end = self.begin + (self.path.last[last - 1] + 1) * self.step
            p = math.exp(sum(self.peaks[first:last]))
            found.append(Said(text, round(float(start), 3), round(float(end), 3), p))
        return tuple(one for one in found if one.text)


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
    ends = [*starts[1:], len(tokens)] if starts else []  # nothing is said
    return [*zip(starts, ends, strict=True)]


def whole(
    vocabulary: Vocabulary, recording: Recording, pieces: Sequence[Read | None], n: int
) -> Transcription:
    """The recording of these pieces."""
    read = [piece for piece in pieces if piece is not None]
    if not read:
        known = recording.reference, recording.speaker
        return Transcription(recording.name, "", None, (), (), *known)
    texts = read[0].texts
    for piece in read[1:]:
        texts = both(texts, piece.texts, n, vocabulary)
    heard = tuple(for_people(vocabulary, one) for one in texts)
    words = tuple(word for piece in read for word in piece.words)
    sights = tuple(piece.sight for piece in read if piece.sight is not None)
    best = heard[0]
    more = recording.reference, recording.speaker, len(pieces), sights
    return Transcription(recording.name, best.text, best.log10_p, heard, words, *more)


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
