"""The one way along a text: sentences in, what is measured at each of their positions out.

A sentence is read from zero state and its numbers are its own, whatever is read beside it. So
lines of like length are read side by side, in blocks: ``in_blocks``, for models of every kind. In
a document the state carries over from line to line, and there is one stream to read.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain, pairwise
from typing import Any, NamedTuple, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from lmtool.arrays import Ids
from lmtool.models.predictor import Predictor, State, Top, forgets, joined, rows
from lmtool.text.vocabulary import EOS_ID, UNK_ID, Vocabulary
from lmtool.workers import Workers

__all__ = ["AHEAD", "Ahead", "Asked", "Measure", "Reader", "Sentence", "Sized", "Values", "follow"]
__all__ += [
    "in_blocks",
    "of_words",
    "read_block",
    "read_sources",
    "reading",
    "sentence",
    "shifted",
    "side_by_side",
]

AHEAD = 1024  # lines read before the first of them is answered
TOKENS = 1 << 17  # at which no further line is
STEPS = 1 << 15  # of a block, unless one line has more
CHUNK = 64  # positions of one stream alone
ROWS = 1024  # positions of a block measured at once
LEAST = 2  # streams of a block
NOTHING: Ids = np.zeros(0, np.int32)

Values = tuple[Any, ...]  # arrays whose axis 0 is the position
Ahead = int | Callable[[], bool]  # so many lines; or AHEAD of them while the next is at hand
Measure = Callable[[Top, Ids], Values]  # n rows, the ids (n,) that they predict -> n values each


class Sentence(NamedTuple):
    """A line on its way."""

    text: str
    words: list[str]  # as spelled
    ids: Ids  # (T,) of tokens, <EOS> last; (0,): nothing to read
    pieces: list[list[str]] | None = None  # the tokens of each word; None: itself

    @property
    def length(self) -> int:
        """T"""
        return len(self.ids)

    @property
    def tokens(self) -> list[str]:
        """As spelled, without <EOS>."""
        return self.words if self.pieces is None else [*chain.from_iterable(self.pieces)]

    def lengths(self) -> list[int]:
        """How many tokens each word has, and <EOS>."""
        return [*([1] * len(self.words) if self.pieces is None else map(len, self.pieces)), 1]

    def oov(self) -> NDArray[np.bool_]:
        """Whether a token of a word is unknown, (n + 1,) with <EOS>."""
        unknown: NDArray[np.bool_] = self.ids == UNK_ID
        return unknown if self.pieces is None else any_of(unknown, self.lengths())


class Sized(Protocol):
    """What is read."""

    @property
    def length(self) -> int:
        """Steps; 0: nothing to read."""


class Reader(Protocol):
    """What reads."""

    @property
    def block(self) -> int:
        """Lines that it reads side by side to the same bits as alone; 1: none."""


Item = TypeVar("Item", bound=Sized)
Result = TypeVar("Result")


class Window(NamedTuple):
    """Neighbouring lines."""

    items: list[Any]
    results: list[Any]  # of each, as soon as they are there


class Block(NamedTuple):
    """Some lines of a window."""

    window: Window
    places: list[int]  # longest first
    last: bool


def any_of(values: NDArray[np.bool_], lengths: Sequence[int]) -> NDArray[np.bool_]:
    """Whether any of each run of these lengths, none of them 0, is so: (N,) -> (n,)."""
    starts = np.cumsum([0, *lengths[:-1]])
    runs: NDArray[np.bool_] = np.logical_or.reduceat(values, starts)
    return runs


def sentence(vocabulary: Vocabulary, text: str) -> Sentence:
    """A line's words and ids; a blank line has nothing to read."""
    words = vocabulary.words(text)
    return of_words(vocabulary, text, words) if words else Sentence(text, [], NOTHING)


def of_words(vocabulary: Vocabulary, text: str, words: list[str]) -> Sentence:
    """Words, or <EOS> alone."""
    if not vocabulary.several:
        return Sentence(text, words, vocabulary.sentence(words))
    pieces = [*map(vocabulary.pieces, words)]
    return Sentence(text, words, vocabulary.sentence(chain.from_iterable(pieces)), pieces)


def reading(model: Reader) -> str:
    """How lines are read on this processor: ``"blocks of 32"`` or ``"one by one"``."""
    return f"blocks of {model.block}" if model.block > 1 else "one by one"


def follow(
    model: Predictor, sentences: Iterable[Sentence], measure: Measure
) -> Iterator[tuple[Sentence, Values]]:
    """Each sentence with what is measured along it, from the state that the one before left."""
    alone = model.block == 1
    state = model.zero_state(1 if alone else LEAST)
    for one in sentences:
        values: Values = ()
        if len(one.ids) and alone:
            values, state = along(model, one.ids, state, measure)
        elif len(one.ids):
            (values,), state = beside(model, [one.ids], state, measure)
        yield one, values


def shifted(ids: Ids) -> Ids:
    """What is read where ids (T, ...) are predicted: <EOS> and all but the last."""
    return np.concatenate([np.full_like(ids[:1], EOS_ID), ids[:-1]])


def side_by_side(
    model: Predictor,
    sentences: Iterable[Sentence],
    measure: Measure,
    workers: Workers,
    ahead: Ahead = AHEAD,
) -> Iterator[tuple[Sentence, Values]]:
    """Each sentence with what is measured along it, from zero state, as ``in_blocks`` has it."""

    def read(block: list[Sentence]) -> list[Values]:
        return read_block(model, [one.ids for one in block], measure)

    for one, values in in_blocks(sentences, read, model.block, workers, ahead):
        yield one, () if values is None else values


def in_blocks(
    items: Iterable[Item],
    read: Callable[[list[Item]], Iterable[Result]],
    size: int,
    workers: Workers,
    ahead: Ahead = AHEAD,
) -> Iterator[tuple[Item, Result | None]]:
    """Each item with what comes of it, in order; None where there is nothing to read.

    ``read`` gets at most ``size`` of like length, the longest first, and gives a result for each.
    At most ``ahead`` items are asked for before the first of them is given back; where it is a
    function, AHEAD of them, and none that is not at hand. Where asking fails, those before are
    given back first.
    """
    more = ahead if callable(ahead) else always

    def done(block: Block) -> tuple[Block, Iterable[Result]]:
        some = [block.window.items[place] for place in block.places]
        return block, read(some) if some else ()

    def goes_on(block: Block) -> bool:
        return not block.last or more()

    found = blocks(items, size, AHEAD if callable(ahead) else ahead, more)
    for block, results in workers.stream(done, found, goes_on):
        for place, result in zip(block.places, results, strict=True):
            block.window.results[place] = result
        if block.last:
            yield from zip(*block.window, strict=True)


class Asked(NamedTuple):
    """What has a source, on its way: a text, or a record with its targets."""

    what: Any
    source: Any  # (T,) ids, (T, F) frames or T words; None: it is blank

    @property
    def length(self) -> int:
        """Steps; a source without any is read as one."""
        return 0 if self.source is None else max(1, len(self.source))


def read_sources(
    asked: Iterable[Asked],
    read: Callable[[list[Any]], Iterable[Result]],
    size: int,
    workers: Workers,
    ahead: Ahead = AHEAD,
) -> Iterator[tuple[Asked, Result | None]]:
    """``in_blocks`` for what reads sources: a result each, be it of the whole or of each step."""

    def of(block: list[Asked]) -> Iterable[Result]:
        return read([one.source for one in block if one.source is not None])

    return in_blocks(asked, of, size, workers, ahead)


def always() -> bool:
    """The next item is at hand."""
    return True


def blocks(
    items: Iterable[Sized], size: int, ahead: int, more: Callable[[], bool] = always
) -> Iterator[Block]:
    """Lines of like length together; every window has a block, be it empty."""
    for window in windows(items, ahead, more):
        lengths = [one.length for one in window.items]
        some = [place for place, length in enumerate(lengths) if length]
        some.sort(key=lambda place: -lengths[place])
        cut = list(runs([lengths[place] for place in some], size)) or [slice(0)]
        for part in cut:
            yield Block(window, some[part], part == cut[-1])


def runs(lengths: Sequence[int], size: int) -> Iterator[slice]:
    """Falling lengths in parts of at most ``size``, which hold no more than STEPS if they can."""
    start = 0
    while start < len(lengths):
        part = slice(start, start + min(size, max(1, STEPS // lengths[start])))
        yield part
        start = part.stop


def windows(
    items: Iterable[Sized], ahead: int, more: Callable[[], bool] = always
) -> Iterator[Window]:
    """Neighbouring lines, at most ``ahead`` and those there at once; before one that fails, too."""
    pending: list[Sized] = []
    n_tokens = 0
    try:
        for one in items:
            pending.append(one)
            n_tokens += one.length
            if len(pending) >= ahead or n_tokens >= TOKENS or not more():
                yield opened(pending)
                pending, n_tokens = [], 0
    except Exception:
        if pending:
            yield opened(pending)
        raise
    if pending:
        yield opened(pending)


def opened(items: list[Sized]) -> Window:
    """A window without results."""
    return Window(items, [None] * len(items))


def read_block(model: Predictor, sentences: Sequence[Ids], measure: Measure) -> list[Values]:
    """What is measured along each of some sentences, longest first, from zero state."""
    stream = getattr(measure, "stream", None)
    if sentences and stream is not None and forgets(model):
        values = stream(np.concatenate(sentences))
        ends = np.cumsum([0, *map(len, sentences)]).tolist()
        return [rows(values, slice(*span)) for span in pairwise(ends)]
    if model.block == 1 or not sentences:
        return [along(model, ids, model.zero_state(), measure)[0] for ids in sentences]
    state = model.zero_state(max(LEAST, len(sentences)))
    return beside(model, sentences, state, measure)[0]


def along(model: Predictor, ids: Ids, state: State, measure: Measure) -> tuple[Values, State]:
    """What is measured along ids (T,), one stream, and the state after the last but one."""
    inputs, measured = shifted(ids), []
    for start in range(0, len(ids), CHUNK):
        part = slice(start, start + CHUNK)
        top, state = model.read(inputs[part], state)
        measured.append(measure(top, ids[part]))
    return joined(measured), state


def beside(
    model: Predictor, sentences: Sequence[Ids], state: State, measure: Measure
) -> tuple[list[Values], State]:
    """What is measured along sentences side by side, and the states where the longest ends.

    They come longest first, with a state (B, ...) of LEAST streams at least: where fewer go on,
    others are stepped along and not measured.
    """
    lengths = np.array([len(ids) for ids in sentences])
    active = np.count_nonzero(lengths > np.arange(lengths[0])[:, None], axis=1).tolist()  # (T,)
    targets = padded(sentences, max(LEAST, len(sentences)))
    inputs, measured, streams = shifted(targets), [], []
    size = ROWS // targets.shape[1]
    for start in range(0, len(targets), size):
        steps, tops, wanted = range(start, min(start + size, len(targets))), [], []
        for t in steps:
            n = max(active[t], LEAST if len(steps) == 1 else 1)  # LEAST rows are measured
            width = max(LEAST, n)
            top, state = model.step(inputs[t, :width], rows(state, slice(width)))
            tops.append(rows(top, slice(n)))
            wanted.append(targets[t, :n])
            streams.append(np.arange(n))
        measured.append(measure(joined(tops), np.concatenate(wanted)))
    return by_stream(joined(measured), np.concatenate(streams), lengths.tolist()), state


def padded(sentences: Sequence[Ids], B: int) -> Ids:
    """The ids as columns (T, B), <EOS> below and beside them."""
    targets = np.full((len(sentences[0]), B), EOS_ID, np.int32)
    for b, ids in enumerate(sentences):
        targets[: len(ids), b] = ids
    return targets


def by_stream(values: Values, streams: Ids, lengths: list[int]) -> list[Values]:
    """Values of rows that belong to these streams, time by time -> those of each stream."""
    order = np.argsort(streams, kind="stable")
    values, starts = rows(values, order), np.searchsorted(streams[order], range(len(lengths)))
    spans = zip(starts.tolist(), lengths, strict=True)
    return [rows(values, slice(start, start + length)) for start, length in spans]
