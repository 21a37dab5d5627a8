"""The kernels that count n-grams: of places read backwards, and of trees of such rows.

A row is what a place of the text says, its token first and then the ones before it, the start of
the line the last one: codes, which are ids + 1, and 0 where there is nothing any more.
"""

from typing import Any

import numpy as np

from lmtool.kernel_cache import compiler

__all__ = ["collect", "grow", "rank", "smooth", "spend", "spread", "trace"]

kernel = compiler(__file__)

FLAGS: dict[str, Any] = {"nogil": True, "error_model": "numpy"}
WITHIN = FLAGS | {"forceinline": True}
EOS = 1  # the code


@kernel(**WITHIN)
def begins(ids: Any, place: int, head: Any) -> bool:
    """Whether the row of a place begins with a head (d,), and does not end with it."""
    for d in range(len(head)):
        code = ids[place - d] + 1
        if code != head[d] or (d > 0 and code == EOS):
            return False
    return True


@kernel(**FLAGS)
def spread(ids: Any, first: int, head: Any, out: Any) -> None:
    """Adds to out (V + 1,) how often each code follows a head in rows of places from first on."""
    for place in range(first, len(ids)):
        if begins(ids, place, head):
            out[ids[place - len(head)] + 1] += 1


@kernel(**FLAGS)
def collect(
    ids: Any, first: int, head: Any, low: int, high: int, columns: Any, out: Any, n: int
) -> int:
    """The rest of each row that goes on with a code in [low, high) after a head; how many now.

    Codes are packed into ``out`` (C, M) from n on, ``columns[c]`` (2,) being how many and of how
    many bits; the first code of all counts from ``low``.
    """
    d = len(head)
    for place in range(first, len(ids)):
        code = ids[place - d] + 1
        if code < low or code >= high or not begins(ids, place, head):
            continue
        at, packed, ended = place - d, np.uint64(code - low), False
        begun = True
        for c in range(len(columns)):
            shift = np.uint64(columns[c, 1])
            if not begun:
                packed = np.uint64(0)
            for _ in range(columns[c, 0] - begun):
                ended = ended or (code == EOS and at < place)
                at -= 1
                code = 0 if ended else ids[at] + 1
                packed = packed << shift | np.uint64(code)
            out[c, n] = packed
            begun = False
        n += 1
    return n


@kernel(**FLAGS)
def grow(
    rows: Any, counts: Any, least: Any, path: Any, seen: Any, kinds: Any, sizes: Any, out: Any
) -> Any:
    """How many n-grams of each order (N,) the tree of rows gains, and how many are passed over.

    Rows (U, N) ascend and go on where those of the call before ended, at ``path`` (N,), each level
    ``seen`` so often and with so many ``kinds`` of tokens before it; ``sizes`` (N,) are those of
    the tree. What occurs more often than ``least`` (N,) comes out: (4, N, U + 1) its first token,
    how often, what stands before it, and where the n-grams end that it is the ending of.
    """
    N = len(path)
    made, passed = np.zeros(N, np.int64), np.zeros(N, np.int64)
    for u in range(len(rows)):
        same = 0
        while same < N and rows[u, same] == path[same]:
            same += 1
        for t in range(N - 1, same - 1, -1):
            if path[t] == 0:
                continue
            if seen[t] <= least[t]:
                passed[t] += 1
                continue
            whole = t == N - 1 or (t > 0 and path[t] == EOS)
            out[0, t, made[t]] = path[t] - 1
            out[1, t, made[t]] = seen[t]
            out[2, t, made[t]] = seen[t] if whole else kinds[t]
            out[3, t, made[t]] = sizes[t + 1] if t + 1 < N else 0
            made[t] += 1
            sizes[t] += 1
        for t in range(same, N):
            path[t] = rows[u, t]
            seen[t] = kinds[t] = 0
            if t > 0 and path[t]:
                kinds[t - 1] += 1
        for t in range(N):
            seen[t] += counts[u]
    return made, passed


@kernel(**FLAGS)
def trace(
    firsts: Any, ends: Any, known: Any, stops: Any, shorter: Any, endings: Any, out: Any
) -> None:
    """The ending of each n-gram (n,) and, into ``out``, its number without the last token.

    All in the order of the tree, as are ``firsts`` (n,), first tokens. An ending's n-grams end
    before ``ends``; without its last token it is ``known``, and what ends with that stands before
    ``stops`` of it among ``shorter``, first tokens.
    """
    ending = 0
    for i in range(len(firsts)):
        while ends[ending] <= i:
            ending += 1
        node = known[ending]
        low = stops[node - 1] if node > 0 else 0
        high = stops[node]
        while low < high:
            middle = (low + high) // 2
            if shorter[middle] < firsts[i]:
                low = middle + 1
            else:
                high = middle
        endings[i], out[i] = ending, low


@kernel(**FLAGS)
def spend(contexts: Any, n: Any, left: Any) -> None:
    """Takes the n of each n-gram (n,) from what is left of its context (m,)."""
    for i in range(len(contexts)):
        left[contexts[i]] -= n[i]


@kernel(**FLAGS)
def rank(contexts: Any, lasts: Any, V: int, starts: Any, keys: Any, numbers: Any) -> None:
    """Keys (n,), ascending, and the place of each n-gram among them.

    Last tokens ascend; ``starts`` (m + 1,) are zeros for as many contexts.
    """
    for i in range(len(contexts)):
        starts[contexts[i] + 1] += 1
    for h in range(1, len(starts)):
        starts[h] += starts[h - 1]
    for i in range(len(contexts)):
        numbers[i] = starts[contexts[i]]
        keys[numbers[i]] = np.int64(contexts[i]) * V + lasts[i]
        starts[contexts[i]] += 1


@kernel(**FLAGS)
def smooth(
    keys: Any,
    V: int,
    a: Any,
    keep: Any,
    once: Any,
    D: Any,
    shorter: Any,
    lower: Any,
    gamma: Any,
    p: Any,
) -> None:
    """What each context (m,) leaves to shorter ones, 1 where nothing follows, and p (n,).

    Keys and a (n,), whether it is kept, ``shorter`` the place in ``lower`` of p without the first
    token; of contexts ``once``, what occurs once and is not among these; D (4,) discounts.
    """
    stop = 0
    for h in range(len(gamma)):
        first, S, dropped, freed = stop, np.int64(once[h]), np.int64(once[h]), 0.0
        while stop < len(keys) and keys[stop] < np.int64(h + 1) * V:
            S += a[stop]
            if keep[stop]:
                freed += D[min(a[stop], 3)]
            else:
                dropped += a[stop]
            stop += 1
        gamma[h] = (freed + dropped) / S if S > 0 else 1.0
        for i in range(first, stop):
            p[i] = (a[i] - D[min(a[i], 3)]) / S + gamma[h] * lower[shorter[i]]
