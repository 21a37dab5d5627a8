"""Words as rows: what each letter becomes, long words, and what is no such vocabulary."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lmtool.errors import ConfigError
from lmtool.text.letters import CASES, LONGEST, MOST, UNKNOWN, Letters, case_of

TODD = Letters("Tdo")
words = st.lists(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])))


def test_a_row_is_the_case_and_the_letters() -> None:
    row = TODD.rows(["Todd"])[0]
    assert row[:6].tolist() == [CASES.index("initial upper"), 2, 4, 3, 3, 0]
    assert (row[5:] == 0).all() and row.shape == (1 + LONGEST,) and row.dtype == np.int32
    assert TODD.rows(["dxt"])[0, 1:5].tolist() == [3, UNKNOWN, UNKNOWN, 0]


def test_long_words_keep_their_beginning_and_their_end() -> None:
    whole, long = TODD.rows(["T" * 12 + "d" * 12, "T" * 12 + "o" * 100 + "d" * 12])
    assert (whole == long).all() or whole[0] != long[0]
    assert (whole[1:] == long[1:]).all() and (whole[1:] > 0).all()


@given(words)
def test_a_row_is_the_words_alone(some: list[str]) -> None:
    letters = Letters.build({word: 2 for word in some})
    rows = letters.rows(some)
    assert rows.shape == (len(some), 1 + LONGEST)
    for word, row in zip(some, rows, strict=True):
        assert (row == letters.rows([word])[0]).all()
        assert np.count_nonzero(row[1:]) == min(len(word), LONGEST)
        assert (row[1:] < len(letters)).all() and (row[1:] != UNKNOWN).all()


@pytest.mark.parametrize(
    ("case", "some"),
    [
        ("numeric", "7 1996"),
        ("mainly numeric", "1996-08-22 '97 24x7 10,5"),
        ("lower", "eu mid-day l' öl"),
        ("upper", "EU U.N. ÖL"),
        ("initial upper", "Eu McDonald U2b Boeing747"),
        ("mixed", "eU iPhone u2 U2 x-25 -1-"),
        ("other", "% -- 漢字 . ½"),
    ],
)
def test_cases(case: str, some: str) -> None:
    assert {word: CASES[case_of(word)] for word in some.split()} == dict.fromkeys(
        some.split(), case
    )
    assert CASES[case_of("")] == "other"


def test_the_most_frequent_are_known_and_those_seen_once_are_not() -> None:
    assert Letters.build({"Todd": 1, "met": 2, "x": 1, "ab": 0}).known == "demt"
    many = {chr(0x4E00 + i): 2 + (i >= 100) for i in range(MOST + 50)}
    known = Letters.build(many)
    assert len(known) == MOST + 2 and chr(0x4E00 + 49) in known.known
    assert chr(0x4E00 + 50) not in known.known


@given(words)
def test_tensors_and_back(some: list[str]) -> None:
    letters = Letters.build({word: 2 for word in some})
    tensors = letters.tensors()
    assert set(tensors) == {"letters"}
    assert Letters.from_tensors(tensors).known == letters.known


@pytest.mark.parametrize(
    "damaged",
    [
        np.array([[97, 98]], np.uint8),
        np.array([97.0]),
        np.array([255], np.uint8),  # no UTF-8
        np.array([98, 97], np.uint8),
        np.array([97, 97], np.uint8),
        np.array([0, 97], np.uint8),
        np.frombuffer("".join(map(chr, range(1, MOST + 2))).encode(), np.uint8),
    ],
    ids=["two dimensions", "floats", "bytes", "order", "twice", "NUL", "too many"],
)
def test_what_build_never_makes_is_refused(damaged: Any) -> None:
    with pytest.raises((ValueError, ConfigError), match=r"damaged|decode"):
        Letters.from_tensors({"letters": damaged})
    with pytest.raises(KeyError):
        Letters.from_tensors({})
