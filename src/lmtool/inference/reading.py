"""The one way along a text: sentences in, what is measured at each of their positions out.

A sentence is read from zero state and its numbers are its own, whatever is read beside it. So
lines of like length are read side by side, in blocks. In a document the state carries over from
line to line, and there is one stream to read.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from lmtool.arrays import Ids
from lmtool.models.predictor import Predictor, State, Top, joined, rows
from lmtool.text.vocabulary import EOS_ID, Vocabulary
from lmtool.workers import Workers

__all__ = ["AHEAD", "Measure", "Sentence", "Values", "follow"]
__all__ += ["read_block", "reading", "sentence", "shifted", "side_by_side"]

AHEAD = 1024  # lines read before the first of them is answered
TOKENS = 1 << 17  # at which no further line is
CHUNK = 64  # positions of one stream alone
ROWS = 1024  # positions of a block measured at once
LEAST = 2  # streams of a block

Values = tuple[Any, ...]  # arrays whose axis 0 is the position
Measure = Callable[[Top, Ids], Values]  # n rows, the ids (n,) that they predict -> n values each


class Sentence(NamedTuple):
    """A line on its way."""

    text: str
    words: list[str]  # as spelled
    ids: Ids  # (T,) <EOS> last; (0,): nothing to read


class Window(NamedTuple):
    """Neighbouring lines."""

    sentences: list[Sentence]
    values: list[Values]  # of each, as soon as they are there


class Block(NamedTuple):
    """Some lines of a window."""

    window: Window
    places: list[int]  # longest first
    last: bool


def sentence(vocabulary: Vocabulary, text: str) -> Sentence:
    """A line's words and ids; a blank line has nothing to read."""
    words = vocabulary.split(text)
    return Sentence(text, words, vocabulary.sentence(words) if words else np.zeros(0, np.int32))


def reading(model: Predictor) -> str:
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
    ahead: int = AHEAD,
) -> Iterator[tuple[Sentence, Values]]:
    """Each sentence with what is measured along it, from zero state, in order.

    At most ``ahead`` sentences are asked for before the first of them is given back. Where asking
    fails, those before are given back first.
    """

    def done(block: Block) -> tuple[Block, list[Values]]:
        ids = [block.window.sentences[place].ids for place in block.places]
        return block, read_block(model, ids, measure)

    for block, results in workers.stream(done, blocks(sentences, model.block, ahead)):
        for place, values in zip(block.places, results, strict=True):
            block.window.values[place] = values
        if block.last:
            yield from zip(*block.window, strict=True)


def blocks(sentences: Iterable[Sentence], size: int, ahead: int) -> Iterator[Block]:
    """Lines of like length together; every window has a block, be it empty."""
    for window in windows(sentences, ahead):
        lengths = [len(one.ids) for one in window.sentences]
        some = [place for place, length in enumerate(lengths) if length]
        some.sort(key=lambda place: -lengths[place])
        starts = range(0, max(1, len(some)), size)
        for start in starts:
            yield Block(window, some[start : start + size], start == starts[-1])


def windows(sentences: Iterable[Sentence], ahead: int) -> Iterator[Window]:
    """Neighbouring lines, at most ``ahead``; where getting one fails, those before it first."""
    pending: list[Sentence] = []
    n_tokens = 0
    try:
        for one in sentences:
            pending.append(one)
            n_tokens += len(one.ids)
            if len(pending) >= ahead or n_tokens >= TOKENS:
                yield opened(pending)
                pending, n_tokens = [], 0
    except Exception:
        if pending:
            yield opened(pending)
        raise
    if pending:
        yield opened(pending)


def opened(sentences: list[Sentence]) -> Window:
    """A window without values."""
    return Window(sentences, [()] * len(sentences))


def read_block(model: Predictor, sentences: Sequence[Ids], measure: Measure) -> list[Values]:
    """What is measured along each of some sentences, longest first, from zero state."""
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
