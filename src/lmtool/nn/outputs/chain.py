"""What a chain says of the tags of a sequence; the equations are those of nn/outputs/crf.py."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from lmtool.arrays import Array, Ids
from lmtool.nn.outputs.base import Chain

__all__ = ["decode", "log_marginals", "log_spans", "messages", "two_ways"]

Numbers = NDArray[np.float64]


def decode(chain: Chain, starts: Ids) -> Ids:
    """The best tags (8): (S, B), -1 at padding; of equals those with the lowest id at the end.

    Raises ValueError where the rules allow no tags at all.
    """
    from lmtool.nn import kernels  # loads numba

    out = np.full(chain.emissions.shape[:2], -1, np.int32)
    failed = kernels.chain_decode(chain.emissions, starts, *two_ways(chain), out)
    if failed >= 0:
        raise ValueError(nothing_legal(chain, starts, failed))
    return out


def log_marginals(chain: Chain, starts: Ids) -> Numbers:
    """ln of (5): (S, B, K), -inf at padding.

    Raises ValueError where the rules allow no tags at all.
    """
    alpha, beta, log_z = messages(chain, starts)
    real = np.arange(len(alpha))[:, None] >= starts
    logp = np.minimum(alpha + beta - log_z[:, None], 0)
    return np.where(real[..., None], logp, -np.inf)


def log_spans(chain: Chain, spans: Sequence[tuple[int, Sequence[int]]]) -> Numbers:
    """ln of the probability that the steps from each start on have exactly these tags: (n,).

    The chain is of one sequence without padding, (T, 1, K). It is (9): not a product of (5), for
    tags depend on each other. Raises ValueError where the rules allow no tags at all.
    """
    alpha, beta, log_z = messages(chain, np.zeros(1, np.int32))
    out = np.empty(len(spans))
    for n, (start, tags) in enumerate(spans):
        y, stop = np.asarray(tags), start + len(tags)
        inside = (
            chain.emissions[np.arange(start + 1, stop), 0, y[1:]] + chain.between[y[:-1], y[1:]]
        )
        ends = alpha[start, 0, y[0]] + beta[stop - 1, 0, y[-1]]
        out[n] = min(0.0, ends + inside.sum() - log_z[0])
    return out


def messages(chain: Chain, starts: Ids) -> tuple[Numbers, Numbers, Numbers]:
    """ln of a and of b, (2) and (3), both (S, B, K) and 0 at padding, and ln Z (B,).

    Raises ValueError where the rules allow no tags at all.
    """
    from lmtool.nn import kernels  # loads numba

    alpha, beta = np.zeros_like(chain.emissions), np.zeros_like(chain.emissions)
    log_z = np.empty(len(starts))
    kernels.chain_messages(chain.emissions, starts, *two_ways(chain), alpha, beta, log_z)
    for failed in np.flatnonzero(log_z == -np.inf):
        raise ValueError(nothing_legal(chain, starts, int(failed)))
    return alpha, beta, log_z


def two_ways(chain: Chain) -> tuple[Array, Array]:
    """What the kernels take: first and last (2, K), between and its transpose (2, K, K)."""
    return np.stack([chain.first, chain.last]), np.stack([chain.between, chain.between.T])


def nothing_legal(chain: Chain, starts: Ids, b: int) -> str:
    """What is wrong with sequence b."""
    T = len(chain.emissions) - starts[b]
    return f"sequence {b}: the rules allow no tags for {T} steps"
