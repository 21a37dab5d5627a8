"""Slow numpy twins of the compiled kernels, written from the equations."""

import numpy as np

from lmtool.arrays import Array

__all__ = ["adam", "gru", "log_softmax", "lstm", "sigmoid"]


def sigmoid(x: Array) -> Array:
    """1 / (1 + exp(-x))."""
    return np.asarray(1 / (1 + np.exp(-x)))


def log_softmax(x: Array) -> Array:
    """Over the last axis."""
    shifted = x - x.max(axis=-1, keepdims=True)
    return np.asarray(shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True)))


def lstm(z: Array, c_in: Array) -> tuple[Array, Array]:
    """(h, c) from the sums z (B, 4H)."""
    i, f, g, o = np.split(z, 4, axis=1)
    c = sigmoid(f) * c_in + sigmoid(i) * np.tanh(g)
    return sigmoid(o) * np.tanh(c), c


def gru(z: Array, recurrent: Array, h_in: Array) -> Array:
    """h from the input's sums z (B, 3H) and the state's."""
    zr, zu, zn = np.split(z, 3, axis=1)
    ur, uu, un = np.split(recurrent, 3, axis=1)
    u = sigmoid(zu + uu)
    return np.asarray((1 - u) * np.tanh(zn + sigmoid(zr + ur) * un) + u * h_in)


def adam(x: Array, gradients: list[Array], lr: float, decays: tuple[float, float]) -> Array:
    """x after a step for each gradient (Kingma & Ba 2015, algorithm 1)."""
    a, b = decays
    m = v = np.zeros_like(x)
    for t, g in enumerate(gradients, 1):
        m, v = a * m + (1 - a) * g, b * v + (1 - b) * g * g
        x = x - lr * (m / (1 - a**t)) / (np.sqrt(v / (1 - b**t)) + 1e-8)
    return x
