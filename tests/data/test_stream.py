"""Batches against a naive twin, and the stream that each column is."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from lmtool.data.batch import Data
from lmtool.data.stream import Stream, segment

sizes = st.tuples(st.integers(1, 50), st.integers(1, 9), st.integers(1, 9))  # N, T, B


@given(sizes, st.integers(0, 10**12))
def test_equals_the_naive_twin(size: tuple[int, int, int], step: int) -> None:
    N, T, B = size
    ids = np.arange(N, dtype=np.int32) * 3
    inputs, targets = segment(ids, step, T, B)
    for t in range(T):
        for b in range(B):
            position = b * N // B + step * T + t
            assert inputs[t, b] == ids[position % N]
            assert targets[t, b] == ids[(position + 1) % N]


@given(sizes, st.integers(0, 100))
def test_shapes_and_layout(size: tuple[int, int, int], step: int) -> None:
    N, T, B = size
    for array in segment(np.zeros(N, np.int32), step, T, B):
        assert array.shape == (T, B)
        assert array.dtype == np.int32
        assert array.flags.c_contiguous


@given(sizes, st.integers(0, 100))
def test_a_stream_runs_on_from_step_to_step(size: tuple[int, int, int], step: int) -> None:
    N, T, B = size
    ids = np.random.default_rng(N).permutation(N).astype(np.int32)
    now, then = segment(ids, step, T, B), segment(ids, step + 1, T, B)
    assert (now.targets[-1] == then.inputs[0]).all()
    assert (now.targets[:-1] == now.inputs[1:]).all()


@given(st.integers(1, 9), st.integers(1, 9), st.integers(1, 9))
def test_a_pass_meets_each_id_once(n_steps: int, T: int, B: int) -> None:
    ids = np.arange(n_steps * T * B, dtype=np.int32)
    seen = np.concatenate([segment(ids, step, T, B).inputs.ravel() for step in range(n_steps)])
    assert (np.sort(seen) == ids).all()


@given(sizes, st.integers(0, 100))
def test_a_stream_gives_its_segments(size: tuple[int, int, int], step: int) -> None:
    N, T, B = size
    stream: Data = Stream(np.arange(N, dtype=np.int32), batch=B, bptt=T)
    batch, (inputs, targets) = stream.batch(step), segment(np.arange(N, dtype=np.int32), step, T, B)
    assert batch.inputs is not None and (batch.inputs == inputs).all()
    assert (batch.targets == targets).all() and batch.n == T * B
    assert (batch.source, batch.starts, batch.spellings) == (None, None, None)
    assert stream.tokens_a_step == T * B
    assert (stream.steps_a_pass - 1) * T * B < N <= stream.steps_a_pass * T * B
