"""A batch's shards, and where its sequences begin and how they turn."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lmtool.data.batch import Batch
from lmtool.workers import slices

lengths = st.lists(st.integers(1, 7), min_size=1, max_size=6)


def of(lengths: list[int], width: int = 0) -> Batch:
    """Sources 1, 2, 3, ... of these lengths, tagged with the same; frames of a width."""
    S = max(lengths)
    starts = np.array([S - n for n in lengths], np.int32)
    steps = np.arange(S, dtype=np.int32)[:, None] - starts + 1
    ids = np.where(steps > 0, steps, 0).astype(np.int32)
    source = np.repeat(ids[..., None], width, axis=2).astype(np.float32) if width else ids
    tags = np.where(ids > 0, ids, -1).astype(np.int32)
    return Batch(source, starts, ids, tags, sum(lengths), ids, ids, np.ones((9, 3), np.int32))


@given(lengths)
def test_real_and_keep(lengths: list[int]) -> None:
    batch = of(lengths)
    assert batch.source is not None
    assert (batch.real() == (batch.source > 0)).all()
    assert (batch.keep() == (batch.source != 1)).all()
    assert batch.keep().dtype == np.float32
    assert batch.real().dtype == np.bool_


@given(lengths)
def test_a_turn_reverses_each_sequence_in_place_and_undoes_itself(lengths: list[int]) -> None:
    batch = of(lengths)
    assert batch.source is not None
    turn = batch.turn()
    turned = np.take_along_axis(batch.source, turn, 0)
    for b, n in enumerate(lengths):
        padding = len(batch.source) - n
        assert turned[:, b].tolist() == [0] * padding + list(range(n, 0, -1))
    assert (np.take_along_axis(turned, turn, 0) == batch.source).all()
    assert turn.dtype == np.int64


@given(lengths, st.integers(1, 4), st.sampled_from([0, 3]))
def test_shards_side_by_side_are_the_whole(lengths: list[int], n: int, width: int) -> None:
    batch = of(lengths, width)
    shards = [batch.columns(some) for some in slices(len(lengths), n)]
    for place, name in enumerate(Batch._fields):
        pieces: list[Any] = [shard[place] for shard in shards]
        if name == "n":
            assert pieces == [batch.n] * n
        elif name in ("letters", "drawn"):  # one for all, not copied
            assert all(piece is batch[place] for piece in pieces)
        else:
            assert (np.concatenate(pieces, axis=int(name != "starts")) == batch[place]).all(), name
            assert all(piece.flags.c_contiguous for piece in pieces), name


def test_what_is_absent_stays_absent() -> None:
    ids = np.zeros((2, 3), np.int32)
    assert Batch(None, None, ids, ids, 6).columns(slice(1)).source is None
    for view in (Batch.keep, Batch.real, Batch.turn):
        with pytest.raises(ValueError, match="the batch has no source"):
            view(Batch(None, None, ids, ids, 6))
