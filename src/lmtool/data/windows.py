"""Words and those around them: batches of centres, a pure function of the step number.

keep(w) = min(1, sqrt(t / f_w) + t / f_w)     f_w: w's share of the words             (1)
W_c uniform in 1 .. W                         how far centre c looks, in kept words   (2)
q(w) ~ count(w)^0.75                          what negatives are drawn from           (3)

(1)-(3): Mikolov et al. 2013 and its code. Unknown words are left out, windows end with lines.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lmtool.arrays import Ids
from lmtool.data.batch import Batch
from lmtool.text.vocabulary import EOS_ID, N_SPECIALS

__all__ = ["LAYOUTS", "Nothing", "Running", "Windows", "keep", "negatives"]

FLATTEN = 0.75  # of (3)
OF_PASS, OF_STEP = 0, 1  # what a random number belongs to


class Running(NamedTuple):
    """A text as ids (N,) with <EOS> after each line, and how it is looked at."""

    ids: Ids
    counts: NDArray[np.int64]  # (V,)
    window: int  # W
    subsample: float  # t; 0: all words are read


class Kept(NamedTuple):
    """The words that a pass reads."""

    ids: Ids  # (n,)
    lines: Ids  # (n,) the line of each
    order: NDArray[np.int64]  # (n,) of the centres


def skipgram(centres: Ids, around: Ids) -> tuple[Ids, Ids]:
    """A word says those around it."""
    return centres, around


def cbow(centres: Ids, around: Ids) -> tuple[Ids, Ids]:
    """Those around a word say it; where there are none, nothing does."""
    return around, np.where((around >= 0).any(axis=0), centres, np.int32(-1))


LAYOUTS: dict[str, Callable[[Ids, Ids], tuple[Ids, Ids]]] = {"skipgram": skipgram, "cbow": cbow}


def negatives(counts: NDArray[np.int64]) -> NDArray[np.float64]:
    """(3), (V,): 0 for the specials."""
    q = counts.astype(np.float64) ** FLATTEN
    q[:N_SPECIALS] = 0
    return q / max(1e-300, float(q.sum()))


class Windows:
    """About ``batch`` centres a step with the words around them, and ``samples`` negatives."""

    def __init__(self, text: Running, batch: int, samples: int, output: str, seed: int) -> None:
        self._text, self._K, self._seed = text, samples, seed
        self._layout = LAYOUTS[output]
        self._keep = keep(text)
        self._cumulative = np.cumsum(negatives(text.counts))
        read = max(1.0, float(self._keep @ text.counts))
        self.steps_a_pass = max(1, round(read / batch))
        self.targets_a_step = read / self.steps_a_pass * (1 if output == "cbow" else text.window)
        self._last: tuple[int, Kept] | None = None

    @property
    def tokens(self) -> int:
        """N."""
        return len(self._text.ids)

    @property
    def tokens_a_step(self) -> float:
        """N / steps: words that are left out are read, too."""
        return self.tokens / self.steps_a_pass

    def batch(self, step: int) -> Batch:
        """Inputs and targets: one centre (1, B) and what is around (2 W, B), or the reverse."""
        number, place = divmod(step, self.steps_a_pass)
        rng = np.random.default_rng((self._seed, OF_STEP, step))
        kept = self._kept(number)
        n, S = len(kept.order), self.steps_a_pass
        centres = kept.order[n * place // S : n * (place + 1) // S]
        inputs, targets = self._layout(*around(kept, centres, self._text.window, rng))
        drawn = np.searchsorted(self._cumulative, rng.random(self._K) * self._cumulative[-1])
        n_targets = max(1, int(np.count_nonzero(targets >= 0)))
        return Batch(None, None, inputs, targets, n_targets, drawn=drawn.astype(np.int32))

    def _kept(self, number: int) -> Kept:
        """What a pass reads; the last one is remembered."""
        if self._last is None or self._last[0] != number:
            rng = np.random.default_rng((self._seed, OF_PASS, number))
            ids = np.asarray(self._text.ids)
            some = np.flatnonzero(rng.random(len(ids), np.float32) < self._keep[ids])
            lines = np.cumsum(ids == EOS_ID, dtype=np.int32)[some]
            self._last = number, Kept(ids[some], lines, rng.permutation(len(some)))
        return self._last[1]


class Nothing:
    """No batch but an empty one: what is counted has nothing left to learn."""

    steps_a_pass, targets_a_step = 1, 1.0

    def __init__(self, text: Running) -> None:
        self._text = text

    @property
    def tokens(self) -> int:
        """N."""
        return len(self._text.ids)

    @property
    def tokens_a_step(self) -> float:
        """All of them."""
        return float(self.tokens)

    def batch(self, step: int) -> Batch:
        """One centre that is none."""
        none = np.full((1, 1), -1, np.int32)
        return Batch(None, None, none, none, 1, drawn=np.array([N_SPECIALS], np.int32))


def keep(text: Running) -> NDArray[np.float64]:
    """(1), (V,): 0 for the specials."""
    words = text.counts[N_SPECIALS:].sum()
    share = text.subsample * words / np.maximum(1, text.counts) if text.subsample else np.inf
    kept: NDArray[np.float64] = np.minimum(1.0, np.sqrt(share) + share) * (text.counts > 0)
    kept[:N_SPECIALS] = 0
    return kept


def around(
    kept: Kept, centres: NDArray[np.int64], W: int, rng: np.random.Generator
) -> tuple[Ids, Ids]:
    """The centres (1, B) and the words around them (2 W, B), -1 beyond the window or the line."""
    offsets = np.array([*range(-W, 0), *range(1, W + 1)])[:, None]
    reach = rng.integers(1, W + 1, len(centres))  # (2)
    places = centres + offsets
    inside = (places >= 0) & (places < len(kept.ids)) & (np.abs(offsets) <= reach)
    places[~inside] = 0
    inside &= kept.lines[places] == kept.lines[centres]
    return kept.ids[centres][None], np.where(inside, kept.ids[places], np.int32(-1))
