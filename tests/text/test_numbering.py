"""Numbers of words and characters against Python's own splitting."""

import threading
from collections.abc import Callable, Iterator

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lmtool.errors import InputError
from lmtool.text import numbering
from lmtool.text.numbering import LINE_END, CharacterNumbering, Numbering, WordNumbering

WHITE = "\t\v\f\r\x1c\x1d\x1e\x1f \x85\xa0\u1680\u2000\u200a\u2028\u2029\u202f\u205f\u3000"
NEARLY_WHITE = "\x1b\x84\xa1\u1681\u1fff\u200b\u202a\u2060\u3001\U0001f600"
letters = st.sampled_from("ab" + "\n" * 3 + WHITE + NEARLY_WHITE)
texts = st.lists(st.text(letters | st.characters(exclude_characters="\0", codec="utf-8")))

SPLIT: list[tuple[Callable[[], Numbering], Callable[[str], list[str]]]] = [
    (WordNumbering, str.split),
    (CharacterNumbering, list),
]


@pytest.mark.parametrize(("make", "split"), SPLIT)
@given(texts)
def test_numbers_spell_the_lines(
    make: Callable[[], Numbering], split: Callable[[str], list[str]], blocks: list[str]
) -> None:
    numbers = make()
    for block in blocks:
        lines = block.split("\n")
        found = numbers.numbers("".join(f"{line}\n" for line in lines))
        spelled = [numbers.spellings()[number] for number in found.tolist()]
        assert spelled == [token for line in lines for token in (*split(line), "\n")]
        assert ((found == LINE_END) == [token == "\n" for token in spelled]).all()
        assert len(set(numbers.spellings())) == len(numbers.spellings())


def test_numbers_follow_the_text() -> None:
    words = WordNumbering()
    assert words.numbers("b a b\n").tolist() == [1, 2, 1, 0]
    assert words.numbers("c a\n").tolist() == [3, 2, 0]
    assert CharacterNumbering().numbers("ba\nbc\n").tolist() == [1, 2, 0, 1, 3, 0]


@given(texts, st.integers(1, 3), st.integers(1, 30))
def test_all_threads_number_as_one(blocks: list[str], threads: int, at_once: int) -> None:
    whole = ["".join(f"{line}\n" for line in block.split("\n")) for block in blocks]
    alone, together = WordNumbering(1), WordNumbering(threads)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(numbering, "AT_ONCE", at_once)
        found = [n for some in together.along(iter(whole)) for n in some.tolist()]
    assert found == [n for text in whole for n in alone.numbers(text).tolist()]
    assert together.spellings() == alone.spellings()


def test_what_fails_in_the_text_ends_all_threads() -> None:
    def broken() -> Iterator[str]:
        yield "a\n"
        raise InputError("no text")

    before = threading.active_count()
    with pytest.raises(InputError, match="no text"):
        list(WordNumbering(2).along(broken()))
    assert threading.active_count() == before


def test_tables_grow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(numbering, "FIRST_WORDS", 2)
    monkeypatch.setattr(numbering, "FIRST_BYTES", 2)
    rng = np.random.default_rng(1)
    text = [
        str(x) * int(n)
        for x, n in zip(rng.integers(999, size=5000), rng.integers(1, 9, 5000), strict=True)
    ]
    words = WordNumbering()
    found = words.numbers(" ".join(text) + "\n").tolist()
    assert [words.spellings()[number] for number in found] == [*text, "\n"]
    assert len(words.spellings()) == len(set(text)) + 1


@pytest.mark.parametrize("length", range(5, 20))
def test_neighbours_in_length_and_last_letter_differ(length: int) -> None:
    words = ["x" * n + end for n in (length, length + 1) for end in ("a", "b", "")]
    assert len(set(WordNumbering().numbers(" ".join(words)).tolist())) == len(set(words))
