"""A linear chain over tags (a conditional random field: Lafferty et al. 2001; Lample et al. 2016).

K tags y_0 .. y_T-1 of a sequence; e is z of the network, F, A, L are the weights output.first,
output.between and output.last, -inf where the rules forbid something:

score(y) = F[y_0] + sum_t e_t[y_t] + sum_t>0 A[y_t-1, y_t] + L[y_T-1]                        (1)
s_0 = exp F   s_t(j) = sum_i a_t-1(i) exp A[i, j]   a_t(j) = s_t(j) exp e_t(j)               (2)
b_T-1 = exp L   b_t(i) = sum_j exp A[i, j] g_t+1(j)   g_t(j) = b_t(j) exp e_t(j)             (3)
Z = sum_j a_T-1(j) exp L[j] = sum_j a_t(j) b_t(j) at every t                                 (4)
p_t(j) = s_t(j) g_t(j) / Z: tag j at step t                                                  (5)
p_t(i, j) = a_t-1(i) exp A[i, j] g_t(j) / Z: tag i at step t - 1 and j at t                  (6)
loss = -ln p(y) = ln Z - score(y)                                                            (7)
de_t = p_t - onehot(y_t)   dA = sum_t>0 (p_t(i, j) - onehot(y_t-1, y_t))
dF = p_0 - onehot(y_0)     dL = p_T-1 - onehot(y_T-1)                                        (7')
best tags = argmax of score(y): sums in (2) become maxima (Viterbi 1967)                     (8)
p(y_m .. y_n) = a_m(y_m) (prod_m<t<=n exp(A[y_t-1, y_t] + e_t[y_t])) b_n(y_n) / Z            (9)

Sums go over what the rules allow, so that all probability is on legal tags. The mean of several
networks' chains is no chain; the chain of their mean potentials is their geometric mean.
"""

from collections.abc import Sequence

import numpy as np

from lmtool.arrays import Array, Ids
from lmtool.nn.outputs.base import Chain, Rules, Tagging, Weights, obeying
from lmtool.nn.outputs.chain import two_ways

__all__ = ["TAGGING"]

FIRST, BETWEEN, LAST = "output.first", "output.between", "output.last"


def shapes(K: int) -> dict[str, tuple[int, ...]]:
    """F, A and L."""
    return {FIRST: (K,), BETWEEN: (K, K), LAST: (K,)}


def loss(
    weights: Weights, gradients: Weights, z: Array, targets: Ids, starts: Ids, rules: Rules,
    scale: float,
) -> tuple[float, Array]:  # fmt: skip
    """(7), (7'). Raises ValueError for targets that the rules forbid."""
    from lmtool.nn import kernels  # only training loads numba

    refuse_illegal(targets, starts, rules)
    z, targets = np.ascontiguousarray(z), np.ascontiguousarray(targets)
    ways = two_ways(chain([(weights, z)], rules))
    dz, dends, dbetween = np.empty_like(z), np.empty_like(ways[0]), np.empty_like(ways[1][0])
    total = kernels.chain_cross_entropy(
        z, targets, starts, *ways, scale, dz, dends, dbetween
    )  # fmt: skip
    gradients[FIRST][...], gradients[LAST][...] = dends
    gradients[BETWEEN][...] = dbetween
    return float(total), dz


def refuse_illegal(targets: Ids, starts: Ids, rules: Rules) -> None:
    """Raises ValueError where tags are missing, beyond K or not as the rules want them."""
    steps, K = np.arange(len(targets))[:, None], len(rules.first)
    real = steps >= starts
    if np.any((targets >= 0) != real) or np.any(targets >= K):
        raise ValueError(f"tags from 0 to {K - 1} are wanted from each start on, and -1 before it")
    legal = np.where(steps == starts, rules.first[targets], True)
    legal[1:] &= np.where(real[:-1], rules.between[targets[:-1], targets[1:]], True)
    legal[-1:] &= np.where(real[-1:], rules.last[targets[-1:]], True)
    if not legal.all():
        t, b = np.argwhere(~legal)[0]
        raise ValueError(f"sequence {b}: the rules forbid tag {targets[t, b]} at step {t}")


def chain(networks: Sequence[tuple[Weights, Array]], rules: Rules) -> Chain:
    """The mean of the networks' potentials."""
    F, A, L = (mean([weights[name] for weights, _ in networks]) for name in (FIRST, BETWEEN, LAST))
    first, between, last = rules
    emissions = mean([z for _, z in networks])
    return Chain(emissions, obeying(F, first), obeying(A, between), obeying(L, last))


def mean(arrays: Sequence[Array]) -> Array:
    """In double precision."""
    return np.asarray(np.mean(np.stack(arrays), axis=0, dtype=np.float64))


TAGGING = Tagging("crf", lambda K: K, shapes, loss, chain)
