# ruff: noqa: RUF001
"""Words apart from punctuation: what is a token, and that nothing is lost."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lmtool.settings import TextSettings
from lmtool.text.split import MARK, begins, join, split_word
from lmtool.text.vocabulary import UNK_ID, Vocabulary

PARTS = [
    "day", "Todd", "n't", "'s", "l'", "’", "'", '"', "!", "...", ",", ".", ":", "-", "(", ")", "«",
    "3", "14", "क्षि", "\u200d", "\u200c", "\u0301", "日本", "❤️", "👩", "<unk>", "</s>", "$", "%",
    "/", MARK, "\N{HALFWIDTH WHITE CIRCLE}", "0", "1", "_", "a.", "\x1f", "\xa0", " ", "  ",
]  # fmt: skip
characters = st.characters(exclude_categories=["Cs"], exclude_characters="\n")
lines = st.lists(st.sampled_from(PARTS)).map("".join) | st.text(characters)


def tokens(line: str) -> list[str]:
    return [token for word in line.split() for token in split_word(word)]


@given(lines)
def test_joined_tokens_are_the_line(line: str) -> None:
    assert join(tokens(line)) == " ".join(line.split())


@given(lines)
def test_tokens_are_pieces_of_the_line(line: str) -> None:
    for token in tokens(line):
        assert token.split() == [token]
        assert not token.isalpha() or token in line


@given(lines)
def test_a_word_begins_where_a_blank_is(line: str) -> None:
    known = tokens(line)
    n = sum(begins(*pair) for pair in pairwise(known))
    assert n + bool(known) == len(line.split())


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (
            "Adults need eight hours of sleep a day!",
            "Adults need eight hours of sleep a day !",
        ),
        ("If England, (or Wales) won: yes; no?", "If England , ( or Wales ) won : yes ; no ?"),
        (
            "pi is 3.14, not 3. At 12:30 1,000.",
            "pi is 3.14 , not 3 . At 12:30 1,000 .",
        ),
        ("don't can't Todd's I'll we've", "do n't ca n't Todd 's I 'll we 've"),
        ("couldn't've", "could n't 've"),
        ("L'homme qu'il aujourd'hui", "L' homme qu' il aujourd'hui"),
        ("it’s l’été", "it ’s l’ été"),
        ("a well-known o'clock rock-n-roll", "a well-known o'clock rock-n-roll"),
        ("the U.S. and, e.g., Mr. X", "the U.S. and , e.g. , Mr . X"),
        ("wait... what?!", "wait ... what ? !"),
        ("«oui» “yes” $5 50%", "« oui » “ yes ” $ 5 50 %"),
        ("हिन्दी\u200cमें क्षत्रिय।", "हिन्दी\u200cमें क्षत्रिय ।"),
        ("e\u0301te\u0301 👩\u200d👧!", "e\u0301te\u0301 👩\u200d👧 !"),
        ("<unk>, they said", "<unk> , they said"),
    ],
)
def test_habits_need_no_mark(line: str, expected: str) -> None:
    assert tokens(line) == expected.split()


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("and/or", "and ￭/￭ or"),
        ("Hello , world .", "Hello ￭, world ￭."),
        ("( a )", "(￭ a ￭)"),
        ('"so"', '" so ￭"￭'),
        ("do n't , Todd 's", "do ￭n't ￭, Todd ￭'s"),
        ("-5", "-￭ 5"),
    ],
)
def test_what_goes_against_habit_is_marked(line: str, expected: str) -> None:
    assert tokens(line) == expected.split()


@pytest.mark.parametrize("part", ["n't", "l'", "a'", "a.", "!?", "ab", "1,", "\u200d!"])
def test_no_word_takes_long(part: str) -> None:
    word = part * 20_000
    assert join(split_word(word)) == word  # in seconds, not in hours


def test_a_vocabulary_of_them() -> None:
    settings = TextSettings(tokens="split", lower=True)
    vocabulary = Vocabulary.build(["Well, don't!", "WELL? (Do)", "a <unk>"], settings)
    assert set(vocabulary.tokens[2:]) == set(["well", ",", "do", "n't", "!", "?", "(", ")", "a"])
    assert vocabulary.counts[vocabulary.id("do")] == 2
    assert vocabulary.counts[UNK_ID] == 1
    assert vocabulary.words("Well, DO!") == ["Well,", "DO!"]
    assert vocabulary.split("Well, DO!") == ["well", ",", "do", "!"]
    assert vocabulary.decode(vocabulary.encode("Well, DON'T (do)!")) == "well, don't (do)!"
    assert vocabulary.encode("strange!") == [UNK_ID, vocabulary.id("!")]
    assert vocabulary.decode(vocabulary.encode("strange!")) == "<UNK>!"
