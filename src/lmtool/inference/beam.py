"""Beam search: the most probable texts, followed side by side.

    score(y) = log P(y) / |y|^alpha,   |y| with <EOS>; alpha = 1: the mean of a token   (1)

Each step goes from the k best beginnings to the k best of what they can become; a text that ends
leaves the beam and its place, so that a beam of 1 is greedy. log P falls with every token, so none
of the beginnings can reach more than log P / longest^alpha: the search goes on until that is less
than the n best have. After the longest allowed text only <EOS> comes, so that all texts have a
probability. Ties go to the lower ids. The texts of a stream are its own: neither their number nor
the streams beside it change a bit.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lmtool.arrays import Array, Ids
from lmtool.inference.reading import LEAST
from lmtool.inference.score import verified
from lmtool.models.predictor import Predictor, State, Top, rows
from lmtool.settings import SearchSettings
from lmtool.text.vocabulary import EOS_ID, UNK_ID

__all__ = ["Hypothesis", "longest", "search"]

RATIO, MORE = 2, 10  # tokens written of each one read, and beyond
DISTANT = 32  # numbers, as far apart as they can be, of which the largest is looked at first
UNASKED = 50  # tokens where the source says nothing of their number

Places = NDArray[np.intp]
Looks = Callable[[Top], Sequence[Array] | None]


class Hypothesis(NamedTuple):
    """A text that was found."""

    ids: tuple[int, ...]  # <EOS> last
    logps: tuple[float, ...]  # ln p of each
    score: float  # (1)
    finished: bool  # it ended by itself, and not where it had to
    attention: Array | None  # (T, S): where in the source each token looked; rows sum to 1

    @property
    def logp(self) -> float:
        """ln P of all, <EOS> included."""
        return math.fsum(self.logps)


class Live(NamedTuple):
    """Beginnings of one length t, those of a stream together and in the order of their ids."""

    streams: Places  # (N,)
    ids: Ids  # (N, t)
    logps: NDArray[np.float64]  # (N, t)
    path: Places  # (N, t): the rows of each step that they came from
    logp: NDArray[np.float64]  # (N,) sums
    state: State

    @property
    def length(self) -> int:
        """t"""
        return int(self.ids.shape[1])

    def some(self, which: NDArray[np.bool_]) -> "Live":
        """Some of them; the state stays that of all."""
        streams, ids, logps, path, logp, state = self
        return Live(streams[which], ids[which], logps[which], path[which], logp[which], state)


class Choice(NamedTuple):
    """What continues some beginnings."""

    parents: Places  # rows
    tokens: Places
    logp: NDArray[np.float64]  # sums


def search(
    model: Predictor,
    B: int,
    settings: SearchSettings,
    lengths: Sequence[int] | None = None,
    copies: Sequence[bool] = (),
) -> list[list[Hypothesis]]:
    """The n best texts of each of B streams, best first; fewer where there are fewer.

    ``lengths`` are those of the sources. Where ``copies`` says so of a stream, <UNK> may be written
    by a model that says where it looked, for whoever puts a word of the source there. Raises
    ModelFileError for numbers that overflow.
    """
    most = longest(settings, B, lengths)
    together = [range(B)] if model.block > 1 else [range(b, b + 1) for b in range(B)]
    found: list[list[Hypothesis]] = [[] for _ in range(B)]
    for streams in filter(None, together):
        Search(model, settings, most, found, copies).run(streams)
    return found


def longest(settings: SearchSettings, B: int, lengths: Sequence[int] | None) -> list[int]:
    """Tokens that each stream may have, without <EOS>."""
    if settings.max_length is not None or lengths is None:
        return [settings.max_length or UNASKED] * B
    return [RATIO * n + MORE for n in lengths]


class Search:
    """One search over some streams."""

    def __init__(
        self,
        model: Predictor,
        settings: SearchSettings,
        most: Sequence[int],
        found: list[list[Hypothesis]],
        copies: Sequence[bool],
    ) -> None:
        self.model, self.settings, self.most = model, settings, most
        self.found, self.copies = found, np.array(copies or [False] * len(found))
        self.looks: Looks = getattr(model, "attention", lambda top: None)
        self.looked: list[Sequence[Array] | None] = []  # of each step

    def run(self, streams: range) -> None:
        """Fills ``found`` for the streams."""
        state = rows(self.model.zero_state(len(self.found)), paired(np.array(streams)))
        live = begun(np.array(streams), state)
        while len(live.streams):
            live = self.stepped(live)
        for b in streams:
            self.found[b] = self.best(b)

    def best(self, b: int) -> list[Hypothesis]:
        """The n best of those found."""
        ranked = sorted(self.found[b], key=lambda one: (-one.score, one.ids))
        return ranked[: self.settings.n]

    def stepped(self, live: Live) -> Live:
        """One token further."""
        N = len(live.streams)
        last = live.ids[:, -1] if live.length else np.full(N, EOS_ID, np.int32)
        top, state = self.model.step(last[paired(np.arange(N))], live.state)
        self.looked.append(self.looks(top))
        logp = verified(self.model.log_probabilities(top))[:N]
        choice = self.chosen(live, logp)
        after = grown(live, choice, logp)
        ends = choice.tokens == EOS_ID
        for n in np.flatnonzero(ends).tolist():
            self.found[after.streams[n]].append(self.hypothesis(after, n))
        return self.kept(after, ~ends, state)

    def chosen(self, live: Live, logp: Array) -> Choice:
        """The best continuations of each stream, in the order of their ids."""
        self.ban(live, logp)
        parents, tokens = candidates(logp, self.settings.beam)
        sums = live.logp[parents] + logp[parents, tokens]  # in double precision
        parts = []
        for b, part in groups(live.streams[parents]):
            width = self.settings.beam - len(self.found[b])
            parts.append(part.start + largest(sums[part], width))
        best = np.concatenate(parts)
        return Choice(parents[best], tokens[best], sums[best])

    def ban(self, live: Live, logp: Array) -> None:
        """What must not come next gets -inf; <EOS> may always come."""
        if not self.settings.allow_unk:
            copies = self.copies[live.streams] & (self.looked[-1] is not None)
            logp[~copies, UNK_ID] = -np.inf
        if n := self.settings.no_repeat:
            for row, ids in enumerate(live.ids.tolist()):
                logp[row, repeating(ids, n)] = -np.inf
        full = live.length >= np.array(self.most)[live.streams]
        logp[full, EOS_ID + 1 :] = -np.inf

    def hypothesis(self, after: Live, n: int) -> Hypothesis:
        """A text that ended."""
        T = after.length
        attention = None
        if self.looked[0] is not None:
            looked = zip(self.looked, after.path[n], strict=True)
            attention = np.stack([each[row] for each, row in looked if each is not None])
        return Hypothesis(
            tuple(after.ids[n].tolist()),
            tuple(after.logps[n].tolist()),
            float(after.logp[n]) / float(T) ** self.settings.length_norm,
            self.most[after.streams[n]] >= T,
            attention,
        )

    def kept(self, after: Live, goes_on: NDArray[np.bool_], state: State) -> Live:
        """Those beginnings that can still change the result; ``state``: before they were chosen."""
        some = goes_on & self.open()[after.streams]
        for b, part in groups(after.streams):
            if some[part].any():
                some[part] &= not self.settled(b, after.logp[part][some[part]].max())
        left = after.some(some)
        return left._replace(state=rows(state, paired(left.path[:, -1]))) if some.any() else left

    def open(self) -> NDArray[np.bool_]:
        """Whether a stream has places in its beam."""
        return np.array([len(each) < self.settings.beam for each in self.found])

    def settled(self, b: int, logp: float) -> bool:
        """Whether no beginning of this log P can still be among the n best."""
        if len(self.found[b]) < self.settings.n:
            return False
        bound = logp / float(self.most[b] + 1) ** self.settings.length_norm
        return bool(bound < self.best(b)[-1].score)


def begun(streams: Places, state: State) -> Live:
    """One beginning a stream, without tokens."""
    N = len(streams)
    empty = np.zeros((N, 0))
    ids, path = empty.astype(np.int32), empty.astype(np.intp)
    return Live(streams, ids, empty, path, np.zeros(N), state)


def grown(live: Live, choice: Choice, logp: Array) -> Live:
    """The beginnings with the tokens that were chosen; the state is still that of all."""
    parents, tokens, sums = choice

    def with_last(before: Array, last: Array) -> Array:
        return np.concatenate([before[parents], last[:, None].astype(before.dtype)], axis=1)

    return Live(
        live.streams[parents],
        with_last(live.ids, tokens),
        with_last(live.logps, logp[parents, tokens]),
        with_last(live.path, parents),
        sums,
        live.state,
    )


def paired(some: Places) -> Places:
    """At least LEAST rows, the last one repeated: so a row's bits do not depend on its company."""
    return np.append(some, some[-1:].repeat(max(0, LEAST - len(some))))


def groups(streams: Places) -> Iterator[tuple[int, slice]]:
    """Each stream with its rows, which are neighbours."""
    values, starts, counts = np.unique(streams, return_index=True, return_counts=True)
    for b, start, n in zip(values.tolist(), starts.tolist(), counts.tolist(), strict=True):
        yield b, slice(start, start + n)


def candidates(x: Array, k: int) -> tuple[Places, Places]:
    """Rows and columns, in order, of some of x (N, V): the k largest of each row are among them.

    They are at least the k-th of the largest of DISTANT each; none is -inf.
    """
    N, V = x.shape
    least = np.full(N, np.finfo(x.dtype).min, x.dtype)
    if (n := V // DISTANT) >= k:
        peaks = x[:, : n * DISTANT].reshape(N, DISTANT, n).max(1)
        least = np.maximum(least, np.partition(peaks, -k, axis=1)[:, -k])
    rows, columns = np.divmod(np.flatnonzero(x >= least[:, None]), V)
    return rows, columns


def largest(x: NDArray[np.float64], k: int) -> Places:
    """Places of the k largest, in their order; of equal ones the first."""
    return np.sort(np.argsort(-x, kind="stable")[:k])


def repeating(ids: list[int], n: int) -> list[int]:
    """The tokens with which n in a row would come twice."""
    before = ids[len(ids) - n + 1 :]
    starts = range(len(ids) - n + 1)
    return [ids[i + n - 1] for i in starts if ids[i : i + n - 1] == before]
