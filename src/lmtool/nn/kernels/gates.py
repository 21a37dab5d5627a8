"""What the cells compute in a step of time: fused loops over gates; products stay in numpy.

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

__all__ = [
    "ACTIVATE",
    "ACTIVATE_BACKWARD",
    "enter",
    "gru_gates",
    "gru_gates_backward",
    "lstm_gates",
    "lstm_gates_backward",
    "relu_gate",
    "relu_gate_backward",
    "row",
    "tanh_gate",
    "tanh_gate_backward",
]

kernel = compiler(__file__)

FLAGS: dict[str, Any] = {
    "nogil": True,
    "error_model": "numpy",
    "fastmath": {"contract", "nsz"},
}


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
