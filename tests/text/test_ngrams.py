"""Runs of words: numbered as a plain dictionary would, for one line as for many."""

from collections import Counter
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lmtool.arrays import Ids
from lmtool.errors import ConfigError
from lmtool.text.ngrams import Keys, Ngrams

V = 5
lines_of_ids = st.lists(st.lists(st.integers(1, V - 1), max_size=6), max_size=8)


def flat(lines: list[list[int]]) -> tuple[Ids, Keys]:
    """Lines end to end, and where they begin."""
    offsets = np.cumsum([0, *map(len, lines)])
    return np.array([x for line in lines for x in line], np.int32), offsets


def runs(line: list[int], longest: int) -> list[tuple[int, ...]]:
    """All runs of a line."""
    return [tuple(line[i : i + n]) for n in range(1, longest + 1) for i in range(len(line) - n + 1)]


@given(lines_of_ids, lines_of_ids, st.integers(1, 3))
def test_numbers_are_those_of_a_dictionary(
    lines: list[list[int]], others: list[list[int]], longest: int
) -> None:
    ngrams = Ngrams.build(*flat(lines), V, longest)
    counts = Counter(run for line in lines for run in runs(line, longest))
    repeated = sorted((len(run), run) for run, n in counts.items() if n >= 2 and len(run) > 1)
    number = {(x,): x for x in range(V)} | {run: V + i for i, (_, run) in enumerate(repeated)}
    assert len(ngrams) == len(number)
    ids, offsets = ngrams.of(*flat(others))
    expected = [sorted({number[r] for r in runs(x, longest) if r in number}) for x in others]
    assert [list(ids[a:b]) for a, b in pairwise(offsets)] == expected
    again = Ngrams.from_tensors(ngrams.tensors(), V, longest)
    assert np.array_equal(again.of(*flat(others))[0], ids)


def test_it_says_what_it_holds() -> None:
    ngrams = Ngrams.build(*flat([[1, 2, 3], [1, 2, 4]]), V, 3)
    assert repr(ngrams) == "Ngrams(5 words, 1 of 2, 0 of 3)"


@pytest.mark.parametrize(
    "keys",
    [np.array([3, 2]), np.array([3, 3]), np.array([-1]), np.array([V * V]), np.array([[3]])],
    ids=repr,
)
def test_keys_that_cannot_be_are_refused(keys: Keys) -> None:
    with pytest.raises(ConfigError, match="n-grams: those of 2 words are damaged"):
        Ngrams(V, (keys.astype(np.int64),))
    with pytest.raises(ConfigError, match=r"ngrams\.2 expected"):
        Ngrams.from_tensors({}, V, 2)
