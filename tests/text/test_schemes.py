"""Schemes of tags: what is detected, and that phrases survive each of them."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lmtool.errors import InputError
from lmtool.text.schemes import (
    BIOES,
    IOB2,
    PLAIN,
    SCHEMES,
    Found,
    Phrase,
    common,
    detect,
    phrases,
    strict_phrases,
    written,
)

kinds = st.sampled_from(["PER", "LOC", "a-b", "O"])
letters = st.sampled_from("BIESLUMW")
tags = st.lists(st.one_of(st.just("O"), st.builds("{}-{}".format, letters, kinds)), max_size=12)


@st.composite
def sentences(draw: st.DrawFn) -> tuple[list[Phrase], int]:
    """Phrases, some of them side by side, and how many words there are."""
    found, place = [], 0
    for _ in range(draw(st.integers(0, 5))):
        start = place + draw(st.integers(0, 2))
        place = start + draw(st.integers(1, 4))
        found.append(Phrase(start, place, draw(kinds)))
    return found, place + draw(st.integers(0, 2))


@given(sentences(), st.sampled_from(sorted(SCHEMES)), st.sampled_from(sorted(SCHEMES)))
def test_phrases_survive_each_scheme(
    sentence: tuple[list[Phrase], int], one: str, other: str
) -> None:
    found, n = sentence
    tags = written(found, n, one)
    assert len(tags) == n
    assert phrases(tags) == found
    assert written(phrases(written(phrases(tags), n, other)), n, one) == tags


@given(sentences())
def test_whole_phrases_are_found_by_the_strict_as_well(
    sentence: tuple[list[Phrase], int],
) -> None:
    found, n = sentence
    for scheme in (IOB2, BIOES):
        assert strict_phrases(written(found, n, scheme), scheme) == found


@given(tags)
def test_any_tags_say_phrases_that_can_be_written(tags: list[str]) -> None:
    found = phrases(tags)
    assert all(0 <= one.start < one.end <= len(tags) for one in found)
    assert all(a.end <= b.start for a, b in pairwise(found))
    inside = {at for one in found for at in range(one.start, one.end)}
    assert inside == {at for at, tag in enumerate(tags) if tag != "O"}
    for scheme in SCHEMES:
        assert phrases(written(found, len(tags), scheme)) == found


@given(st.lists(sentences(), min_size=1, max_size=6), st.sampled_from(sorted(SCHEMES)))
def test_what_is_written_in_a_scheme_is_not_out_of_order(
    several: list[tuple[list[Phrase], int]], scheme: str
) -> None:
    found = detect(written(*sentence, scheme) for sentence in several)
    assert found.n_mended == 0 and found.phrased
    assert set(found.names) == {phrase.type for own, _ in several for phrase in own}


@pytest.mark.parametrize(
    ("sentences", "said"),
    [
        ("I-A I-A O|O I-A B-A I-B", "tags IOB1, 2 types"),
        ("B-A I-A O|O B-A B-A B-B", "tags IOB2, 2 types"),
        ("B-A O B-B", "tags IOB2, 2 types"),  # as in IOB1 it would be: each B begins a phrase
        ("I-A I-A", "tags IOB1, 1 type"),
        ("B-A E-A S-B", "tags BIOES, 2 types"),
        ("S-A O", "tags BIOES, 1 type"),
        ("B-A I-A S-B", "tags BIOS, 2 types"),
        ("B-A I-A L-A U-B", "tags BILOU, 2 types"),
        ("B-A M-A M-A E-A S-B", "tags BMES, 2 types"),
        ("B-A M-A E-A W-B", "tags BMEW, 2 types"),
        ("B M E S|S S", "tags BMES, no types"),
        ("B I O", "tags IOB2, no types"),
        ("O O", "tags IOB2, 0 types"),
        ("B-A I-A O I-A|B-A I-A|B-B", "tags IOB2, 2 types, 1 tag out of order"),
        ("B-A O|B-A I-A O I-B|I-B O I-B|I-B", "tags IOB1, 2 types, 2 tags out of order"),
        ("B-A I-A O E-A|B-A E-A|S-A", "tags BIOES, 1 type, 2 tags out of order"),
        ("B-A L-A S-A|B-A L-A M-A", "tags BILOU, 1 type, 2 tags out of order"),
        ("NNP VBD", "tags plain, 2 of them"),
        ("NNP VBD B O", "tags plain, 4 of them"),
        ("0 1 0", "tags 0 and 1"),
        ("S E", "tags plain, 2 of them"),
        ("b-per o", "tags plain, 2 of them"),
        ("B-A I-A X O", "tags plain (X is of no scheme), 4 of them"),
        ("B- O", "tags plain, 2 of them"),
        ("-LRB- NN B-A", "tags plain, 3 of them"),
    ],
)
def test_detection(sentences: str, said: str) -> None:
    found = detect(sentence.split() for sentence in sentences.split("|"))
    assert str(found) == said
    assert found.phrased == ("plain" not in said and " and " not in said)
    again = detect(sentence.split() for sentence in reversed(sentences.split("|")))
    assert again == found


@pytest.mark.parametrize(
    ("tags", "found"),
    [
        ("B-A I-A O B-B", [(0, 2, "A"), (3, 4, "B")]),
        ("I-A B-A I-B", [(0, 1, "A"), (1, 2, "A"), (2, 3, "B")]),
        ("S-A S-A E-A I-A", [(0, 1, "A"), (1, 2, "A"), (2, 3, "A"), (3, 4, "A")]),
        ("B-a-b I-a-b I-a", [(0, 2, "a-b"), (2, 3, "a")]),
        ("B I O S", [(0, 2, ""), (3, 4, "")]),
        ("", []),
    ],
)
def test_phrases(tags: str, found: list[tuple[int, int, str]]) -> None:
    assert phrases(tags.split()) == found


@pytest.mark.parametrize(
    ("tags", "scheme", "found"),
    [
        ("I-A B-A I-A", IOB2, [(1, 3, "A")]),
        ("B-A I-B I-A O B-B", IOB2, [(0, 1, "A"), (4, 5, "B")]),
        ("B-A B-A I-A", IOB2, [(0, 1, "A"), (1, 3, "A")]),
        ("B-A O S-B B-A I-A E-A", BIOES, [(2, 3, "B"), (3, 6, "A")]),
        ("B-A E-B E-A S-A I-A E-A", BIOES, [(3, 4, "A")]),
        ("B-A B-A E-A B-A I-A", BIOES, [(1, 3, "A")]),
        ("I-A E-A B-A", BIOES, []),
    ],
)
def test_strict_phrases(tags: str, scheme: str, found: list[tuple[int, int, str]]) -> None:
    assert strict_phrases(tags.split(), scheme) == found


def test_strict_phrases_are_those_of_seqeval() -> None:
    report = pytest.importorskip("seqeval.scheme", reason="seqeval is not installed")
    cases = ["I-A B-A I-A", "B-A I-B I-A O B-B", "B-A O S-B B-A I-A E-A", "B-A E-B E-A S-A I-A"]
    for name, scheme in ((IOB2, report.IOB2), (BIOES, report.IOBES)):
        for tags in (case.split() for case in cases if name == BIOES or not set(case) & set("ES")):
            entities = report.Entities([tags], scheme).entities[0]
            expected = [(one.start, one.end, one.tag) for one in entities]
            assert strict_phrases(tags, name) == expected


def test_several_files() -> None:
    one, other, plain = Found("IOB1", ("A",)), Found("BIOES", ("B",)), Found(PLAIN, ("X", "Y"))
    nothing = detect([["O", "O"]])
    assert common([("a", nothing), ("b", one), ("c", other)]) == "IOB1"
    assert common([("a", plain), ("b", nothing)]) == PLAIN
    assert common([]) == IOB2
    with pytest.raises(InputError, match="b: tags plain, 2 of them, but in a tags IOB1, 1 type; a"):
        common([("a", one), ("b", plain)])
