"""Matrices of attention in others' formats."""

import numpy as np
import pytest

from lmtool.inference.attention import COLUMNS, nematus, pharaoh, weights

ATTENTION = np.array([[0.75, 0.25, 0.0], [0.125, 0.25, 0.625], [0.25, 0.5, 0.25]], np.float32)


@pytest.mark.parametrize(
    ("ends", "links"),
    [
        ((False, True), "0-0 2-1"),
        ((False, False), "0-0 2-1 1-2"),
        ((True, True), "0-0"),
        ((True, False), "0-0 1-2"),
    ],
)
def test_pharaoh_links_words_alone(ends: tuple[bool, bool], links: str) -> None:
    assert pharaoh(ATTENTION, *ends) == links
    assert pharaoh(ATTENTION) == "0-0 2-1"


@pytest.mark.parametrize("shape", [(1, 3), (1, 1), (1, 0)])
def test_nothing_written_has_no_links(shape: tuple[int, int]) -> None:
    assert pharaoh(np.ones(shape, np.float32)) == ""


def test_the_first_of_equals_is_linked() -> None:
    assert pharaoh(np.full((3, 4), 0.25)) == "0-0 0-1"


def test_weights_are_a_row_each() -> None:
    rows = list(weights(["a", "b"], ["x", "<EOS>"], ATTENTION[:2, :2]))
    assert [tuple(row) for row in rows] == [COLUMNS] * 4
    assert [tuple(row.values()) for row in rows] == [
        (1, "x", 1, "a", 0.75),
        (1, "x", 2, "b", 0.25),
        (2, "<EOS>", 1, "a", 0.125),
        (2, "<EOS>", 2, "b", 0.25),
    ]


def test_weights_need_a_token_for_each_number() -> None:
    with pytest.raises(ValueError, match="zip"):
        list(weights(["a"], ["x", "<EOS>"], ATTENTION[:2, :2]))


def test_a_block_of_nematus() -> None:
    block = nematus(7, ["ein", "Hund", "<EOS>"], ["a", "dog", "<EOS>"], ATTENTION, -1.5)
    assert block == (
        "7 ||| a dog ||| -1.5 ||| ein Hund ||| 3 3\n0.75 0.25 0\n0.125 0.25 0.625\n0.25 0.5 0.25\n"
    )


def test_a_word_ends_neither_a_field_nor_a_line() -> None:
    source, target = ["a b", "|||", "\n", "\u2028"], ["<EOS>", "\x85", "<EOS>"]
    head, *rows = nematus(0, source, target, np.full((3, 4), 0.25), -0.0).split("\n")
    fields = head.split(" ||| ")
    assert fields == [
        "0", "<EOS> &#133;", "0", "a&#32;b &#124;&#124;&#124; &#10; &#8232;", "4 3",
    ]  # fmt: skip
    assert len(rows) == 4 and rows[-1] == ""
