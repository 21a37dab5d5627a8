"""Rows of sequences without padding: where each stands, reversed, put back."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from lmtool.nn.packed import packed

lengths = st.lists(st.integers(1, 9), min_size=1, max_size=6).map(np.array)


@given(lengths, st.integers(0, 3))
def test_every_real_step_has_a_row(lengths: np.ndarray, more: int) -> None:
    S = int(lengths.max()) + more
    rows = packed(S - lengths, S)
    assert sum(rows.counts) == lengths.sum() and rows.counts[-1] == len(lengths)
    assert (np.diff(rows.counts) >= 0).all() and rows.counts[0] > 0
    x = np.arange(S * len(lengths)).reshape(S, -1)
    flat = x[rows.times, rows.columns]
    for b, own in enumerate(rows.split(flat)):
        np.testing.assert_array_equal(own, x[S - lengths[b] :, b])
    for b, own in enumerate(rows.split(flat[rows.turn])):
        np.testing.assert_array_equal(own, x[S - lengths[b] :, b][::-1])
    np.testing.assert_array_equal(rows.by_column(rows.lengths()), lengths)
    np.testing.assert_array_equal(rows.by_column(rows.order), np.arange(len(lengths)))
    for step, n in zip(rows.steps(), rows.counts, strict=True):
        np.testing.assert_array_equal(rows.columns[step], rows.order[:n])
        np.testing.assert_array_equal(rows.places()[step], np.arange(n))
