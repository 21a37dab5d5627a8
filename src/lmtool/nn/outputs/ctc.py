"""Labels without times (connectionist temporal classification: Graves et al. 2006).

Each of T steps says one of V labels or nothing, the blank _; what is said is read without repeats
and then without blanks. So labels l_1 .. l_L are said along any path through the states
s = _ l_1 _ l_2 .. l_L _, 2 L + 1 of them, which stays, goes one on, or two where that leaves out a
blank between labels that differ (s_i -> s_i+2 if s_i+2 is a label and not s_i):

e_t(i) = ln softmax(z_t)[s_i]                                                             (1)
alpha_0(i) = e_0(i) for i = 0, 1    alpha_t(i) = e_t(i) + ln sum_j->i exp alpha_t-1(j)     (2)
beta_T-1(i) = 0 for the last two    beta_t(i) = ln sum_i->j exp(e_t+1(j) + beta_t+1(j))    (3)
ln P = ln sum of exp alpha_T-1 over the last two; loss = -ln P                            (4)
gamma_t(i) = exp(alpha_t(i) + beta_t(i) - ln P): state i at step t                        (5)
dz_t[k] = softmax(z_t)[k] - sum over the states i with s_i = k of gamma_t(i)              (6)
best path = argmax of (1) over k at each step, then read                                  (7)
best path of given labels: sums in (2) become maxima (Viterbi 1967)                       (8)

beta leaves out the emission of its own step, so that (5) divides by no probability. A sequence
needs a step for each label and for each blank between equal neighbours, else P = 0 (9).
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lmtool.arrays import Array, Ids

__all__ = ["BLANK", "Path", "align", "best_path", "log_probability", "loss", "steps_needed"]

BLANK = 0  # its label, where texts have <EOS>

Numbers = NDArray[np.float64]


class Path(NamedTuple):
    """Labels and the steps at which each is said."""

    ids: Ids  # (L,)
    first: NDArray[np.intp]  # (L,)
    last: NDArray[np.intp]  # (L,)


def loss(z: Array, targets: Ids, starts: Ids, scale: float) -> tuple[float, Array, int]:
    """The sum of (4) in nats, scale times (6), and how many sequences are too short (9).

    z (S, B, V) and labels (L, B) are padded at the front, labels with -1. Sequences that are too
    short count neither in the sum nor in the gradient.
    """
    from lmtool.nn import kernels  # only training loads numba

    z, targets = np.ascontiguousarray(z), np.ascontiguousarray(targets)
    dz = np.empty_like(z)
    total, n_left = kernels.ctc_cross_entropy(z, targets, starts, BLANK, scale, dz)
    return float(total), dz, int(n_left)


def steps_needed(ids: Sequence[int] | Ids) -> int:
    """(9): labels and blanks between equal neighbours. ``[7, 7, 5]`` -> 4"""
    y = np.asarray(ids)
    return len(y) + int(np.count_nonzero(y[1:] == y[:-1]))


def best_path(logp: Array) -> Path:
    """(7): ln p (T, V) -> what is said; of equals the lowest label."""
    return runs(np.argmax(logp, axis=1))


def runs(said: NDArray[np.intp]) -> Path:
    """Labels (T,) without repeats and then without blanks."""
    begins = np.flatnonzero(np.append(True, said[1:] != said[:-1])[: len(said)])
    ends = np.append(begins[1:], len(said))[: len(begins)] - 1
    real = said[begins] != BLANK
    return Path(said[begins[real]].astype(np.int32), begins[real], ends[real])


def states_of(ids: Sequence[int] | Ids) -> tuple[Ids, NDArray[np.bool_]]:
    """The states (2 L + 1,), and which may be reached from the one before the last."""
    states = np.full(2 * len(ids) + 1, BLANK, np.int32)
    states[1::2] = ids
    skips = np.zeros(len(states), np.bool_)
    skips[3::2] = states[3::2] != states[1:-2:2]
    return states, skips


def log_probability(logp: Array, ids: Sequence[int] | Ids) -> float:
    """(4): ln P of labels by ln p (T, V), in numpy; -inf where there are too few steps."""
    states, skips = states_of(ids)
    e = logp[:, states].astype(np.float64)
    alpha = np.full(len(states), -np.inf)
    alpha[:2] = e[0, :2]
    for row in e[1:]:
        alpha = np.logaddexp.reduce(reached(alpha, skips)) + row  # (2)
    return float(np.logaddexp.reduce(alpha[-2:]))


def reached(alpha: Numbers, skips: NDArray[np.bool_]) -> Numbers:
    """(3, 2 L + 1): what stays, comes from one before, from two before."""
    moves = np.full((3, len(alpha)), -np.inf)
    moves[0], moves[1, 1:] = alpha, alpha[:-1]
    moves[2, 2:] = np.where(skips[2:], alpha[:-2], -np.inf)
    return moves


def align(logp: Array, ids: Sequence[int] | Ids) -> Path:
    """(8): the steps at which labels are said. Raises ValueError where there are too few."""
    states, skips = states_of(ids)
    e = logp[:, states].astype(np.float64)
    alpha = np.full(len(states), -np.inf)
    alpha[:2] = e[0, :2]
    back = np.zeros((len(e), len(states)), np.int8)
    for t, row in enumerate(e[1:], 1):
        moves = reached(alpha, skips)
        back[t] = np.argmax(moves, axis=0)  # of equals the one that stays
        alpha = moves[back[t], np.arange(len(states))] + row
    s = len(states) - 1 - int(len(states) > 1 and alpha[-2] > alpha[-1])
    if alpha[s] == -np.inf:
        raise ValueError(f"{len(logp)} steps cannot say {len(ids)} labels")
    said = np.empty(len(e), np.intp)
    for t in range(len(e) - 1, -1, -1):
        said[t] = s
        s -= int(back[t, s])
    first = np.searchsorted(said, np.arange(1, len(states), 2))
    last = np.searchsorted(said, np.arange(1, len(states), 2), "right") - 1
    return Path(np.asarray(ids, np.int32), first, last)
