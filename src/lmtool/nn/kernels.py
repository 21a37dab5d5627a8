"""Every kernel of the models: fused loops over arrays and scalars; matrix products stay in numpy.

All kernels live in this one file because numba's cache does not notice edits in another.
float32 takes rational and polynomial approximations that vectorise (a few units in the last
place); float64, and Python when the JIT is off, takes the exact functions of libm.
One loop per gate range: a loop that writes several ranges of a row does not vectorise.
"""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numba import types
from numba.extending import intrinsic, overload

from lmtool.arrays import Array
from lmtool.kernel_cache import compiler

kernel = compiler(__file__)

FLAGS: dict[str, Any] = {
    "nogil": True,
    "error_model": "numpy",
    "fastmath": {"contract", "nsz"},
}
SUMS = FLAGS | {"fastmath": {"contract", "nsz", "reassoc"}}


# --- elementary functions -------------------------------------------------------------------


def _tanh(x: float) -> float:
    return math.tanh(x)


def _exp(x: float) -> float:
    return math.exp(min(x, 709.0))


def _sigmoid(x: float) -> float:
    return 1.0 / (1.0 + math.exp(min(-x, 709.0)))


def _bitcast(context: Any, bits: Any) -> Any:
    """The float32 with the bits of an int32."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.bitcast(arguments[0], context.get_value_type(types.float32))

    return types.float32(types.int32), generate


_float_from_bits: Any = intrinsic(_bitcast)


@kernel(**FLAGS)
def _exp32(x: Any) -> Any:
    """exp by 2^n times a polynomial in the remainder (Cephes expf), clamped to +-87."""
    x = min(max(x, np.float32(-87.0)), np.float32(87.0))
    n = np.floor(x * np.float32(1.44269504) + np.float32(0.5))
    r = x - n * np.float32(0.693359375)
    r = r - n * np.float32(-2.12194440e-4)
    p = np.float32(1.9875691500e-4)
    p = p * r + np.float32(1.3981999507e-3)
    p = p * r + np.float32(8.3334519073e-3)
    p = p * r + np.float32(4.1665795894e-2)
    p = p * r + np.float32(1.6666665459e-1)
    p = p * r + np.float32(5.0000001201e-1)
    p = p * r * r + r + np.float32(1.0)
    return p * _float_from_bits(np.int32((np.int32(n) + np.int32(127)) << np.int32(23)))


@kernel(**FLAGS)
def _tanh32(x: Any) -> Any:
    """tanh by the rational function of degree 13/6 that Eigen uses, clamped to +-7.9."""
    x = min(max(x, np.float32(-7.90531110763549805)), np.float32(7.90531110763549805))
    s = x * x
    p = np.float32(-2.76076847742355e-16)
    p = p * s + np.float32(2.00018790482477e-13)
    p = p * s + np.float32(-8.60467152213735e-11)
    p = p * s + np.float32(5.12229709037114e-08)
    p = p * s + np.float32(1.48572235717979e-05)
    p = p * s + np.float32(6.37261928875436e-04)
    p = p * s + np.float32(4.89352455891786e-03)
    q = np.float32(1.19825839466702e-06)
    q = q * s + np.float32(1.18534705686654e-04)
    q = q * s + np.float32(2.26843463243900e-03)
    q = q * s + np.float32(4.89352518554385e-03)
    return x * p / q


def _exp_by_type(x: Any) -> Any:
    def fast(x: float) -> float:
        return _exp32(x)  # type: ignore[no-any-return]

    return fast if x == types.float32 else _exp


def _tanh_by_type(x: Any) -> Any:
    def fast(x: float) -> float:
        return _tanh32(x)  # type: ignore[no-any-return]

    return fast if x == types.float32 else _tanh


def _sigmoid_by_type(x: Any) -> Any:
    def fast(x: float) -> float:
        return np.float32(1.0) / (np.float32(1.0) + _exp32(-x))  # type: ignore[no-any-return]

    return fast if x == types.float32 else _sigmoid


overload(_exp, strict=False)(_exp_by_type)
overload(_tanh, strict=False)(_tanh_by_type)
overload(_sigmoid, strict=False)(_sigmoid_by_type)


# --- time steps -----------------------------------------------------------------------------


def row(keep: Array | None, t: int) -> Array | None:
    """keep[t], or None where nothing is ever reset."""
    return None if keep is None else keep[t]


@kernel(**FLAGS)
def enter(state: Array, keep: Array | None, out: Array) -> None:
    """out (B, H) = state, with the streams reset whose keep (B,) is 0."""
    for b in range(state.shape[0]):
        source, target = state[b], out[b]
        if keep is not None and keep[b] == 0:
            target[:] = 0
        else:
            for j in range(source.shape[0]):
                target[j] = source[j]


@kernel(**FLAGS)
def lstm_gates(
    z: Array, recurrent: Array, bias: Array, c_in: Array, c: Array, tanh_c: Array, h: Array
) -> None:
    """LSTM equations (1) to (4); z (B, 4H) enters as x W' + bias_ih and leaves as i, f, g, o."""
    B, H = h.shape
    for b in range(B):
        zb, rb, cb, tb, hb, pb = z[b], recurrent[b], c[b], tanh_c[b], h[b], c_in[b]
        for j in range(2 * H):
            zb[j] = _sigmoid(zb[j] + rb[j] + bias[j])
        zg, rg, bg = zb[2 * H : 3 * H], rb[2 * H : 3 * H], bias[2 * H : 3 * H]
        for j in range(H):
            zg[j] = _tanh(zg[j] + rg[j] + bg[j])
        zo, ro, bo = zb[3 * H :], rb[3 * H :], bias[3 * H :]
        for j in range(H):
            zo[j] = _sigmoid(zo[j] + ro[j] + bo[j])
        zi, zf = zb[:H], zb[H : 2 * H]
        for j in range(H):
            cb[j] = zf[j] * pb[j] + zi[j] * zg[j]
        for j in range(H):
            tb[j] = _tanh(cb[j])
        for j in range(H):
            hb[j] = zo[j] * tb[j]


@kernel(**FLAGS)
def lstm_gates_backward(
    gates: Array, tanh_c: Array, c_in: Array, dh: Array, dh_next: Array, dc: Array, dz: Array
) -> None:
    """LSTM equations 4', 3', 2': dz (B, 4H) of the sums; dc becomes the gradient of c_in."""
    B, H = dh.shape
    one = gates.dtype.type(1)
    for b in range(B):
        gb, tb, pb, db, nb, cb, zb = (
            gates[b], tanh_c[b], c_in[b], dh[b], dh_next[b], dc[b], dz[b]
        )  # fmt: skip
        i, f, g, o = gb[:H], gb[H : 2 * H], gb[2 * H : 3 * H], gb[3 * H :]
        zi, zf, zg, zo = zb[:H], zb[H : 2 * H], zb[2 * H : 3 * H], zb[3 * H :]
        for j in range(H):
            zo[j] = (db[j] + nb[j]) * tb[j] * o[j] * (one - o[j])
        for j in range(H):
            cb[j] += (db[j] + nb[j]) * o[j] * (one - tb[j] * tb[j])
        for j in range(H):
            zi[j] = cb[j] * g[j] * i[j] * (one - i[j])
        for j in range(H):
            zf[j] = cb[j] * pb[j] * f[j] * (one - f[j])
        for j in range(H):
            zg[j] = cb[j] * i[j] * (one - g[j] * g[j])
        for j in range(H):
            cb[j] *= f[j]


@kernel(**FLAGS)
def gru_gates(z: Array, recurrent: Array, bias: Array, h_in: Array, m: Array, h: Array) -> None:
    """GRU equations (1) to (5); z (B, 3H) enters as x W' + bias_ih and leaves as r, u, n."""
    B, H = h.shape
    one = z.dtype.type(1)
    for b in range(B):
        zb, rb, mb, hb, pb = z[b], recurrent[b], m[b], h[b], h_in[b]
        for j in range(2 * H):
            zb[j] = _sigmoid(zb[j] + rb[j] + bias[j])
        r, u, n = zb[:H], zb[H : 2 * H], zb[2 * H :]
        rm, bm = rb[2 * H :], bias[2 * H :]
        for j in range(H):
            mb[j] = rm[j] + bm[j]
        for j in range(H):
            n[j] = _tanh(n[j] + r[j] * mb[j])
        for j in range(H):
            hb[j] = (one - u[j]) * n[j] + u[j] * pb[j]


@kernel(**FLAGS)
def gru_gates_backward(
    gates: Array, m: Array, h_in: Array, dh: Array, dh_next: Array, dzx: Array, dzh: Array
) -> None:
    """GRU equations 5' to 1': gradients of both sums; dh_next becomes dh * u."""
    B, H = dh.shape
    one = gates.dtype.type(1)
    for b in range(B):
        gb, mb, pb, db, nb, xb, hb = gates[b], m[b], h_in[b], dh[b], dh_next[b], dzx[b], dzh[b]
        r, u, n = gb[:H], gb[H : 2 * H], gb[2 * H :]
        xr, xu, xn = xb[:H], xb[H : 2 * H], xb[2 * H :]
        hr, hu, hn = hb[:H], hb[H : 2 * H], hb[2 * H :]
        for j in range(H):
            nb[j] += db[j]
        for j in range(H):
            xn[j] = nb[j] * (one - u[j]) * (one - n[j] * n[j])
        for j in range(H):
            xu[j] = nb[j] * (pb[j] - n[j]) * u[j] * (one - u[j])
        for j in range(H):
            xr[j] = xn[j] * mb[j] * r[j] * (one - r[j])
        for j in range(H):
            hn[j] = xn[j] * r[j]
        for j in range(H):
            hu[j] = xu[j]
        for j in range(H):
            hr[j] = xr[j]
        for j in range(H):
            nb[j] *= u[j]


@kernel(**FLAGS)
def tanh_gate(h: Array, recurrent: Array, bias: Array) -> None:
    """RNN equation (1): h (B, H) enters as x W' + bias_ih."""
    for b in range(h.shape[0]):
        hb, rb = h[b], recurrent[b]
        for j in range(h.shape[1]):
            hb[j] = _tanh(hb[j] + rb[j] + bias[j])


@kernel(**FLAGS)
def tanh_gate_backward(h: Array, dh: Array, dh_next: Array, dz: Array) -> None:
    """RNN equation 1' with tanh: dz = (dh + dh_next) (1 - h^2)."""
    one = h.dtype.type(1)
    for b in range(h.shape[0]):
        hb, db, nb, zb = h[b], dh[b], dh_next[b], dz[b]
        for j in range(h.shape[1]):
            zb[j] = (db[j] + nb[j]) * (one - hb[j] * hb[j])


@kernel(**FLAGS)
def relu_gate(h: Array, recurrent: Array, bias: Array) -> None:
    """RNN equation (1) with ReLU: h (B, H) enters as x W' + bias_ih."""
    zero = h.dtype.type(0)
    for b in range(h.shape[0]):
        hb, rb = h[b], recurrent[b]
        for j in range(h.shape[1]):
            z = hb[j] + rb[j] + bias[j]
            hb[j] = z if z > zero or z != z else zero  # NaN stays NaN


@kernel(**FLAGS)
def relu_gate_backward(h: Array, dh: Array, dh_next: Array, dz: Array) -> None:
    """RNN equation 1' with ReLU."""
    zero = h.dtype.type(0)
    for b in range(h.shape[0]):
        hb, db, nb, zb = h[b], dh[b], dh_next[b], dz[b]
        for j in range(h.shape[1]):
            zb[j] = db[j] + nb[j] if hb[j] > zero else zero


ACTIVATE: dict[str, Callable[..., None]] = {"tanh": tanh_gate, "relu": relu_gate}
ACTIVATE_BACKWARD: dict[str, Callable[..., None]] = {
    "tanh": tanh_gate_backward,
    "relu": relu_gate_backward,
}


# --- embedding, softmax, optimisers ---------------------------------------------------------


@kernel(**FLAGS)
def scatter_add(rows: Array, ids: Any, out: Array) -> None:
    """out[ids[n]] += rows[n]: rows (N, E), ids (N,), out (V, E)."""
    for n in range(rows.shape[0]):
        source, target = rows[n], out[ids[n]]
        for j in range(source.shape[0]):
            target[j] += source[j]


@kernel(**SUMS)
def _sum(x: Array) -> Any:
    total = 0.0
    for j in range(x.shape[0]):
        total += x[j]
    return total


@kernel(**SUMS)
def _exp_and_sum(x: Array, peak: float) -> Any:
    """x = exp(x - peak); returns the sum."""
    for j in range(x.shape[0]):
        x[j] = _exp(x[j] - peak)
    return _sum(x)


@kernel(**SUMS)
def _add_and_peak(x: Array, bias: Array) -> Any:
    """x += bias; returns the largest entry."""
    for j in range(x.shape[0]):
        x[j] += bias[j]
    peaks = x[:8].copy() if x.shape[0] >= 8 else np.full(8, x[0], x.dtype)
    n = x.shape[0] // 8 * 8
    for j in range(0, n, 8):
        for k in range(8):
            peaks[k] = max(peaks[k], x[j + k])
    peak = peaks.max()
    for j in range(n, x.shape[0]):
        peak = max(peak, x[j])
    return peak


@kernel(**FLAGS)
def softmax_cross_entropy(logits: Array, bias: Array, targets: Any, scale: float) -> float:
    """Sum of -ln p[target] over rows; logits (N, V) become scale * d loss / d logits."""
    loss = 0.0
    for n in range(logits.shape[0]):
        x, target = logits[n], targets[n]
        peak = _add_and_peak(x, bias)
        wanted = x[target]
        total = _exp_and_sum(x, peak)
        loss += math.log(total) - (wanted - peak)
        factor = x.dtype.type(scale / total)
        for j in range(x.shape[0]):
            x[j] *= factor
        x[target] -= x.dtype.type(scale)
    return loss


@kernel(**FLAGS)
def sampled_cross_entropy(
    logits: Array, offset: Array, wanted: Array, hits: Any, scale: float
) -> float:
    """Sum over rows of the sampled softmax's equation (2).

    logits (N, K) become scale * d loss / d logits, wanted (N,) too; hits (N,) is the column of
    the row's own target, which is left out, or -1.
    """
    loss = 0.0
    for n in range(logits.shape[0]):
        x = logits[n]
        peak = max(_add_and_peak(x, offset), wanted[n])
        _exp_and_sum(x, peak)
        if hits[n] >= 0:
            x[hits[n]] = 0
        own = math.exp(wanted[n] - peak)
        total = own + _sum(x)
        loss += math.log(total) - (wanted[n] - peak)
        factor = x.dtype.type(scale / total)
        for j in range(x.shape[0]):
            x[j] *= factor
        wanted[n] = scale * (own / total - 1)
    return loss


@kernel(**SUMS)
def _dot(x: Array, y: Array) -> Any:
    total = x.dtype.type(0)
    for j in range(x.shape[0]):
        total += x[j] * y[j]
    return total


@kernel(**FLAGS)
def _add_scaled(x: Array, factor: Any, y: Array) -> None:
    """x += factor * y."""
    for j in range(x.shape[0]):
        x[j] += factor * y[j]


@kernel(**FLAGS)
def block_cross_entropy(
    x: Array, weight: Array, bias: Array, tail: Any, firsts: Any, sizes: Any, targets: Any,
    scale: float, dx: Array, dweight: Array, dbias: Array,
) -> float:  # fmt: skip
    """Sum of -ln p[target | its block] over the rows tail (M,) of x (N, D).

    The block of tail[m] is rows firsts[m] .. firsts[m] + sizes[m] of weight and bias; scale times
    the gradients is added to dx (N, D), dweight and dbias.
    """
    loss = 0.0
    for m in range(tail.shape[0]):
        n, first, size = tail[m], firsts[m], sizes[m]
        p, target = np.empty(size, x.dtype), targets[tail[m]] - firsts[m]
        for k in range(size):
            p[k] = _dot(x[n], weight[first + k])
        peak = _add_and_peak(p, bias[first : first + size])
        wanted = p[target]
        total = _exp_and_sum(p, peak)
        loss += math.log(total) - (wanted - peak)
        for k in range(size):
            d = x.dtype.type(scale * (p[k] / total - (1.0 if k == target else 0.0)))
            dbias[first + k] += d
            _add_scaled(dweight[first + k], d, x[n])
            _add_scaled(dx[n], d, weight[first + k])
    return loss


@kernel(**SUMS)
def sum_of_squares(x: Array) -> float:
    """The squared Euclidean norm of x (N,), accumulated in double precision."""
    total = 0.0
    for j in range(x.shape[0]):
        total += np.float64(x[j]) * np.float64(x[j])
    return total


@kernel(**FLAGS)
def adam_step(
    x: Array, gradient: Array, factor: float, m: Array, v: Array, rate: float, decays: Any
) -> None:
    """Adam's update of x (N,) by factor * gradient; ``rate`` already holds the bias correction."""
    kind = x.dtype.type
    a, b, step, one, tiny = kind(decays[0]), kind(decays[1]), kind(rate), kind(1), kind(1e-8)
    scale = kind(factor)
    for j in range(x.shape[0]):
        g = scale * gradient[j]
        m[j] = a * m[j] + (one - a) * g
        v[j] = b * v[j] + (one - b) * g * g
        x[j] -= step * m[j] / (np.sqrt(v[j]) + tiny)


@kernel(**FLAGS)
def adam_rows(
    x: Array,
    gradient: Array,
    factor: float,
    m: Array,
    v: Array,
    rows: Any,
    rate: float,
    decays: Any,
) -> None:
    """``adam_step`` of the rows (n,) of x, m, v (V, D), gradient (n, D)."""
    for n in range(rows.shape[0]):
        i = rows[n]
        adam_step(x[i], gradient[n], factor, m[i], v[i], rate, decays)


@kernel(**FLAGS)
def adam_catch_up(
    x: Array, m: Array, v: Array, rows: Any, gaps: Any, rate: float, decays: Any
) -> None:
    """The updates of gradient 0 that rows (n,) of x, m, v (V, D) missed, gaps (n,) of them each.

    The k-th would have been rate m a^k / sqrt(v b^k), so they are a geometric series.
    """
    kind, (a, b) = x.dtype.type, decays
    ratio = a / math.sqrt(b)
    for n in range(rows.shape[0]):
        gap = gaps[n]
        if gap == 0:
            continue
        xi, mi, vi = x[rows[n]], m[rows[n]], v[rows[n]]
        step = kind(rate * ratio * (1 - ratio**gap) / (1 - ratio))
        am, bv, tiny = kind(a**gap), kind(b**gap), kind(1e-8)
        for j in range(xi.shape[0]):
            xi[j] -= step * mi[j] / (np.sqrt(vi[j]) + tiny)
        for j in range(xi.shape[0]):
            mi[j] *= am
            vi[j] *= bv


@kernel(**FLAGS)
def sgd_step(x: Array, gradient: Array, rate: float) -> None:
    """x (N,) -= rate * gradient."""
    step = x.dtype.type(rate)
    for j in range(x.shape[0]):
        x[j] -= step * gradient[j]


@kernel(**FLAGS)
def sgd_rows(x: Array, gradient: Array, factor: float, rows: Any, rate: float) -> None:
    """x[rows] (n, D) -= rate * factor * gradient (n, D)."""
    for n in range(rows.shape[0]):
        sgd_step(x[rows[n]], gradient[n], rate * factor)


@kernel(**FLAGS)
def add(x: Array, y: Array) -> None:
    """x (N,) += y."""
    for j in range(x.shape[0]):
        x[j] += y[j]


# --- letters --------------------------------------------------------------------------------


@kernel(**FLAGS)
def largest_of_windows(P: Array, letters: Any, v: Array, where: Any) -> None:
    """Equations (2), (3) of letters, without b: P (3, A, F), letters (N, W) -> v, where (N, F)."""
    N, W = letters.shape
    for n in range(N):
        word, best, at = letters[n], v[n], where[n]
        best[:] = -np.inf
        at[:] = 0
        for w in range(W):
            if w > 0 and word[w] == 0:
                break
            before = P[0, word[w - 1] if w > 0 else 0]
            here, after = P[1, word[w]], P[2, word[w + 1] if w + 1 < W else 0]
            for f in range(best.shape[0]):
                y = before[f] + here[f] + after[f]
                if y > best[f]:
                    best[f] = y
                    at[f] = w


@kernel(**FLAGS)
def largest_of_windows_backward(letters: Any, where: Any, dv: Array, dP: Array) -> None:
    """dv (N, F) is added to dP (3, A, F) where the maximum stood."""
    N, W = letters.shape
    for n in range(N):
        word, at, d = letters[n], where[n], dv[n]
        for f in range(d.shape[0]):
            w = at[f]
            dP[0, word[w - 1] if w > 0 else 0, f] += d[f]
            dP[1, word[w], f] += d[f]
            dP[2, word[w + 1] if w + 1 < W else 0, f] += d[f]
