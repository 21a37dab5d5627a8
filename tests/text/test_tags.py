"""The tags that are learnt: their order, their file, their rules, and what is refused."""

from itertools import product
from typing import Any, NamedTuple

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lmtool.errors import ConfigError, InputError
from lmtool.text.schemes import IOB2, OUTSIDE, PLAIN, Phrase, detect, phrases, strict_phrases
from lmtool.text.tags import MOST, Tags, check_tag
from tests.refused import refused

visible = st.characters(exclude_categories=["Cs", "Zs", "Zl", "Zp", "Cc"])
names = st.text(visible, min_size=1, max_size=9).filter(lambda name: not check_tag(name))
name_sets = st.sets(names, min_size=2, max_size=20)


class Record(NamedTuple):
    tags: tuple[str, ...]
    line: int = 7
    path: str = "t.conll"


def record(tags: str) -> Record:
    return Record(tuple(tags.split()))


def tags(*sentences: str) -> Tags:
    records = [record(sentence) for sentence in sentences]
    return Tags.build(records, detect(one.tags for one in records).scheme)


def test_phrases_have_all_tags_of_each_type() -> None:
    made = tags("I-T10 I-T10 O I-T2", "I-T2 B-T2 I-T2")
    assert made.names == (OUTSIDE, *(f"{x}-{t}" for t in ("T2", "T10") for x in "BIES"))
    assert made.types == ("T2", "T10")
    assert made.counts.tolist() == [1, 1, 0, 1, 2, 1, 0, 1, 0]
    assert (made.scheme, made.phrased, made.n, len(made)) == ("IOB1", True, 9, 9)
    assert str(made) == "2 types (T2, T10)"
    assert repr(made) == "Tags(2 types (T2, T10), IOB1)"


def test_plain_tags_stay() -> None:
    made = tags("NNP VBD NNP", "DT")
    assert (made.names, made.counts.tolist()) == (("DT", "NNP", "VBD"), [1, 2, 1])
    assert (made.scheme, made.types, str(made)) == (PLAIN, (), "3 tags (DT, NNP, VBD)")
    zero_one = tags("1 0 0 0 1")
    assert (zero_one.names, zero_one.id("1")) == (("0", "1"), 1)
    assert zero_one.encode(record("1 0")).tolist() == [1, 0]
    assert str(tags("a b c d e f")) == "6 tags (a, b, c, d, e, ...)"


def test_letters_alone() -> None:
    made = tags("B M E S", "S")
    assert (made.names, made.types) == (("O", "B", "I", "E", "S"), ("",))
    assert made.iob2(made.encode(record("B M E S"))) == ("B", "I", "I", "B")
    assert str(made) == "phrases without types"


@pytest.mark.parametrize(
    ("given", "learnt", "out"),
    [
        ("I-A I-A O I-B", "B-A E-A O S-B", "B-A I-A O B-B"),
        ("U-A B-B L-B O", "S-A B-B E-B O", "B-A B-B I-B O"),
        ("I-A B-A E-B", "S-A S-A S-B", "B-A B-A B-B"),
        ("O", "O", "O"),
    ],
)
def test_any_scheme_is_encoded(given: str, learnt: str, out: str) -> None:
    made = tags("B-A I-A", "B-B I-B")
    ids = made.encode(record(given))
    assert ids.dtype == np.int32
    assert made.decode(ids) == tuple(learnt.split())
    assert made.iob2(ids) == made.spelled(given.split()) == tuple(out.split())


def test_plain_tags_are_spelled_as_they_are() -> None:
    made = tags("NNP VBD", "B")
    ids = made.encode(record("B NNP"))
    assert made.iob2(ids) == made.decode(ids) == made.spelled(["B", "NNP"]) == ("B", "NNP")


def test_ids_of_a_phrase() -> None:
    made = tags("B-A I-A", "B-B I-B")
    assert made.decode(made.phrase_ids(Phrase(3, 6, "B"))) == ("B-B", "I-B", "E-B")
    assert made.decode(made.phrase_ids(Phrase(3, 4, "A"))) == ("S-A",)
    with pytest.raises(KeyError):
        made.phrase_ids(Phrase(0, 1, "C"))


def test_rules_allow_what_is_written_and_nothing_else() -> None:
    made = tags("B-A I-A", "B-B I-B")
    first, between, last = made.rules
    assert first.dtype == between.dtype == last.dtype == np.bool_
    legal = 0
    for ids in product(range(made.n), repeat=4):
        allowed = first[ids[0]] and between[ids[:-1], ids[1:]].all() and last[ids[-1]]
        names = made.decode(ids)
        again = made.decode(made.encode(Record(names)))
        whole = strict_phrases(names, "BIOES") == phrases(names)
        assert allowed == (again == names) == whole
        legal += bool(allowed)
    assert legal > 100
    assert all(first[made.id(x)] and last[made.id(x)] for x in ("O", "S-A", "S-B"))


def test_rules_of_plain_tags_allow_everything() -> None:
    first, between, last = tags("NNP VBD").rules
    assert first.all() and between.all() and last.all()
    assert (first.shape, between.shape, last.shape) == ((2,), (2, 2), (2,))


@given(name_sets, st.booleans())
def test_what_is_saved_comes_back(names: set[str], plain: bool) -> None:
    counts = dict.fromkeys(names if plain else {f"B-{name}" for name in names}, 3)
    made = Tags.from_counts(counts, PLAIN if plain else IOB2)
    again = Tags.from_tensors({"weights": np.zeros(3), **made.tensors()})
    assert (again.names, again.scheme) == (made.names, made.scheme)
    assert np.array_equal(again.counts, made.counts)
    assert tuple(made.tensors()) == Tags.TENSORS


@given(name_sets, st.randoms())
def test_order_does_not_depend_on_where_names_come_from(names: set[str], rng: Any) -> None:
    mixed = sorted(names)
    rng.shuffle(mixed)
    made = [Tags.from_counts(dict.fromkeys(x, 1), PLAIN).names for x in (mixed, sorted(names))]
    assert made[0] == made[1]


@pytest.mark.parametrize(
    ("records", "scheme", "message"),
    [
        ([], IOB2, "there is no tagged text"),
        ([record("O O")], IOB2, r"t\.conll: every word has the tag 'O'; two tags at least"),
        ([record("NNP")], PLAIN, r"t\.conll: every word has the tag 'NNP'; two tags at least"),
        ([record("B-A O"), record("NNP")], IOB2, r"t\.conll:7: the tag 'NNP' says no phrase, un"),
        ([Record(tuple(map(str, range(MOST + 1))))], PLAIN, r"t\.conll: 5,001 different tags, at"),
        ([Record(tuple(f"B-{n}" for n in range(2000)))], IOB2, r"t\.conll: 8,001 different tags"),
    ],
)
def test_build_refused(records: list[Record], scheme: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        Tags.build(records, scheme)


def test_encode_refused() -> None:
    message = r"t\.conll:7: the tag 'S-C' is in no training text; 2 types \(A, B\) are known"
    with pytest.raises(InputError, match=message):
        tags("B-A B-B").encode(record("O B-C"))
    with pytest.raises(InputError, match=r"t\.conll:7: the tag 'X-A' says no phrase"):
        tags("B-A B-B").encode(record("O X-A"))
    with pytest.raises(InputError, match=r"the tag 'JJ' is in no training text; 2 tags \(DT, NN\)"):
        tags("NN DT").encode(record("NN JJ"))


@pytest.mark.parametrize(
    ("names", "scheme", "message"),
    [
        (("a",), PLAIN, "tags: 1 of them; 2 to 5,000"),
        (tuple(map(str, range(5001))), PLAIN, "tags: 5,001 of them"),
        (("a", "a"), PLAIN, "'a' occurs twice"),
        (("a", ""), PLAIN, "a tag is empty"),
        (("a", "\u2003"), PLAIN, "a tag is empty"),
        (("a", "b c"), PLAIN, "white space or control characters"),
        (("a", "b\u00a0c"), PLAIN, "white space or control characters"),
        (("a", "\x1b[2J"), PLAIN, "white space or control characters"),
        (("a", "\ud800"), PLAIN, "white space or control characters"),
        (("a", "b" * 201), PLAIN, "201 characters, at most 200"),
        (("a", "b"), "IOB9", "no scheme is named 'IOB9'"),
        (("a", "b"), IOB2, "not O and then B, I, E and S of each type"),
        (("O", "B-A", "I-A", "E-A"), IOB2, "not O and then"),
        (("O", "B-A", "I-A", "S-A", "E-A"), IOB2, "not O and then"),
        (("B-A", "I-A", "E-A", "S-A", "O"), IOB2, "not O and then"),
    ],
)
def test_names_refused(names: tuple[str, ...], scheme: str, message: str) -> None:
    with refused(ConfigError, match=message) as told:
        Tags(names, np.ones(len(names), np.int64), scheme)
    assert "\n" not in str(told.value) and len(str(told.value)) < 500


@pytest.mark.parametrize(
    "changed",
    [
        {"tags": np.frombuffer(b"a\nb", np.uint8)[None]},
        {"tags": np.frombuffer(b"a\nb", np.int8)},
        {"tags": np.frombuffer(b"a\n\xff", np.uint8)},
        {"tags": np.frombuffer(b"a\na", np.uint8)},
        {"tags": np.frombuffer(b"a\nb\n", np.uint8)},
        {"tags": np.zeros(0, np.uint8)},
        {"tags.counts": np.ones(2, np.int32)},
        {"tags.counts": np.ones(3, np.int64)},
        {"tags.counts": np.array(2)},
        {"tags.counts": -np.ones(2, np.int64)},
        {"tags.scheme": np.frombuffer(b"IOB2", np.uint8)},
        {"tags.scheme": np.frombuffer(b"\xff", np.uint8)},
        {"tags.scheme": np.zeros(0, np.uint8)},
        {"tags.scheme": np.zeros(5, np.int64)},
        {"tags.scheme": np.frombuffer(b"plain", np.uint8)[None]},
    ],
)
def test_tensors_refused(changed: dict[str, Any]) -> None:
    whole = tags("a b").tensors()
    with pytest.raises((ValueError, ConfigError)):
        Tags.from_tensors({**whole, **changed})
    with pytest.raises(KeyError):
        Tags.from_tensors({name: x for name, x in whole.items() if name not in changed})
