"""Word error rates: by hand, by the definition, and as jiwer has them where it is."""

import random
from functools import cache

import numpy as np
import pytest

import lmtool
from lmtool.errors import InputError
from lmtool.inference import wer
from lmtool.inference.wer import (
    ERRORS,
    LONGEST,
    Wer,
    alignment,
    confusions,
    row_by_row,
    statistics,
    word_by_word,
)

ABSENT = "compared with jiwer only where it is installed"
# reference, hypothesis, substitutions, deletions, insertions, as jiwer 4.0.0 tells them apart
CASES = [
    ("Todd met Pete", "Todd met Pete", 0, 0, 0),
    ("Todd met Pete", "Toad met Pit", 2, 0, 0),
    ("Todd met Pete", "", 0, 3, 0),
    ("Todd met Pete", "Todd has met him Pete", 0, 0, 2),
    ("a b", "b c", 2, 0, 0),
    ("a a a a b a a b a", "b b", 0, 7, 0),
    ("b b", "a a a a b a a b a", 0, 0, 7),
]


def drawn(rng: random.Random, most: int) -> list[str]:
    """Words of few kinds."""
    return [rng.choice("abc") for _ in range(rng.randint(0, most))]


def distance(r: tuple[str, ...], h: tuple[str, ...]) -> int:
    """The definition, from the front."""

    @cache
    def least(i: int, j: int) -> int:
        if i == len(r) or j == len(h):
            return len(r) - i + len(h) - j
        hit = least(i + 1, j + 1) + (r[i] != h[j])
        return min(hit, least(i + 1, j) + 1, least(i, j + 1) + 1)

    return least(0, 0)


@pytest.mark.parametrize(("reference", "hypothesis", "s", "d", "i"), CASES)
def test_by_hand(reference: str, hypothesis: str, s: int, d: int, i: int) -> None:
    found = statistics(hypothesis.split(), reference.split())
    n = len(reference.split())
    assert found.tolist() == [1, s + d + i == 0, n, s, d, i]


def test_the_least_number_of_changes_and_a_path_that_makes_them() -> None:
    rng = random.Random(5)
    for _ in range(300):
        r, h = drawn(rng, 7), drawn(rng, 7)
        counts = statistics(h, r)
        assert counts[ERRORS].sum() == distance(tuple(r), tuple(h))
        path = alignment(h, r)
        assert [one.reference for one in path if one.reference is not None] == r
        assert [one.hypothesis for one in path if one.hypothesis is not None] == h
        pairs = [(one.reference, one.hypothesis) for one in path]
        told = [
            sum(a is not None and b is not None and a != b for a, b in pairs),
            sum(b is None for _, b in pairs),
            sum(a is None for a, _ in pairs),
        ]
        assert counts[ERRORS].tolist() == told


def test_both_ways_to_fill_the_table_are_one() -> None:
    rng = random.Random(6)
    for _ in range(50):
        r, h = drawn(rng, 30), drawn(rng, 30)
        assert np.array_equal(word_by_word(r, h), row_by_row(r, h))


def test_a_long_text_is_halved(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = random.Random(8)
    monkeypatch.setattr(wer, "LARGE", 3)
    for _ in range(200):
        r, h = drawn(rng, 9), drawn(rng, 9)
        assert statistics(h, r)[ERRORS].sum() == distance(tuple(r), tuple(h))
        path = alignment(h, r)
        assert [one.reference for one in path if one.reference is not None] == r
        assert [one.hypothesis for one in path if one.hypothesis is not None] == h


def test_letters_of_a_long_recording() -> None:
    rng = random.Random(9)
    said = [rng.choice("abcdefgh ") for _ in range(12_000)]
    heard = ["x", *said[5:6000], *said[6001:], "y"]
    errors = statistics(heard, said)[ERRORS]
    assert errors.sum() == 7 and errors[1] - errors[2] == 4


def test_as_jiwer() -> None:
    jiwer = pytest.importorskip("jiwer", reason=ABSENT)
    rng = random.Random(7)
    for most in [8] * 300 + [120] * 10:
        r, h = ["a", *drawn(rng, most)], drawn(rng, most)
        own = jiwer.process_words(" ".join(r), " ".join(h))
        wanted = [own.substitutions, own.deletions, own.insertions]
        assert statistics(h, r)[ERRORS].tolist() == wanted


def test_counts_are_added_before_they_are_divided() -> None:
    found = lmtool.wer(["Toad met Pit", "the sea"], ["Todd met Pete", "the sea"])
    assert found == Wer(40.0, 5, 2, 0, 0, 2, 50.0)
    assert found.to_dict()["wer"] == 40.0


def test_characters_blanks_included() -> None:
    found = lmtool.wer(["a bc"], ["a b"], characters=True)
    assert (found.n_words, found.insertions, found.substitutions) == (3, 1, 0)


def test_confusions_are_counted() -> None:
    pairs = [(["Toad", "met"], ["Todd", "met"]), (["a", "Toad"], ["Todd"])]
    found = confusions(pairs)
    assert tuple(found[0]) == ("Todd", "Toad", 2)
    assert tuple(found[1]) == (None, "a", 1)


def test_what_cannot_be_measured() -> None:
    with pytest.raises(InputError, match="2, but references for 1; each hypothesis needs its own"):
        lmtool.wer(["a", "b"], ["a"])
    with pytest.raises(InputError, match="no reference has a word"):
        lmtool.wer(["a"], [""])
    with pytest.raises(InputError, match="no reference has a word"):
        lmtool.wer([], [])
    with pytest.raises(InputError, match="at most 100,000 can be compared"):
        statistics(["a"] * (LONGEST + 1), ["b"])


def test_a_long_text_that_differs_little_is_quick() -> None:
    words = ["a"] * (3 * LONGEST)
    assert statistics(words, [*words, "b"])[ERRORS].tolist() == [0, 1, 0]
