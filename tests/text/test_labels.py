"""Labels: their order, their file, and what is refused."""

from typing import Any, NamedTuple

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lmtool.errors import ConfigError, InputError
from lmtool.text.labels import LONGEST, Labels, check_label, in_order
from tests.refused import refused

names = st.text(st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp"]), min_size=1, max_size=9)
name_sets = st.sets(names.filter(lambda name: not check_label(name)), min_size=2, max_size=20)


class Record(NamedTuple):
    labels: tuple[str, ...]
    line: int = 7
    path: str = "t.tsv"


def labels(*names: str, several: bool = False) -> Labels:
    return Labels.from_counts(dict.fromkeys(names, 1), several)


@pytest.mark.parametrize(
    ("names", "numbers"),
    [
        ("1 2 10", [1, 2, 10]),
        ("-1 0 +1", [-1, 0, 1]),
        ("0.5 .75 1. 2e1", [0.5, 0.75, 1, 20]),
        ("1 01 2", None),
        ("a b", None),
        ("a2 a10", None),
        ("2 10 x", None),
        ("1 nan", None),
        ("1 1e999", None),
        ("1 1_0", None),
        ("1 \u0662", None),
        (f"a1 a{'9' * 190}", None),
    ],
)
def test_order_and_numbers(names: str, numbers: list[float] | None) -> None:
    expected = names.split()
    made = labels(*reversed(expected))
    if names == "1 01 2":
        expected, numbers = ["01", "1", "2"], [1, 1, 2]
    assert list(made.names) == expected
    assert (None if made.numbers is None else made.numbers.tolist()) == numbers


@given(name_sets, st.randoms())
def test_order_does_not_depend_on_where_names_come_from(names: set[str], rng: Any) -> None:
    mixed = sorted(names)
    rng.shuffle(mixed)
    assert in_order(mixed) == in_order(names)
    assert sorted(in_order(mixed)) == sorted(names)


@given(name_sets, st.booleans())
def test_what_is_saved_comes_back(names: set[str], several: bool) -> None:
    made = labels(*names, several=several)
    again = Labels.from_tensors({"weights": np.zeros(3), **made.tensors()})
    assert (again.names, again.several) == (made.names, several)
    assert np.array_equal(again.counts, made.counts)
    assert tuple(made.tensors()) == Labels.TENSORS


def test_build_counts_examples() -> None:
    records = [Record(("neg",)), Record(("pos",)), Record(("pos",))]
    made = Labels.build(records)
    assert (made.names, made.counts.tolist(), made.several) == (("neg", "pos"), [1, 2], False)
    both = Labels.build([*records, Record(("pos", "neg"))])
    assert (both.counts.tolist(), both.several) == ([2, 3], True)


def test_targets() -> None:
    one, many = labels("a", "b", "c"), labels("a", "b", "c", several=True)
    assert one.targets(Record(("c",))).tolist() == [2]
    assert many.targets(Record(("c", "a"))).tolist() == [1, 0, 1]
    assert many.targets(Record(("b",))).dtype == one.targets(Record(("b",))).dtype == np.int32
    assert one.id("b") == 1


def test_targets_refused() -> None:
    message = r"t\.tsv:7: the label 'd' is in no training text; 3 labels \(a, b, c\) are known"
    with pytest.raises(InputError, match=message):
        labels("a", "b", "c").targets(Record(("d",)))
    with pytest.raises(InputError, match=r"t\.tsv:7: 2 labels, but each training text has one"):
        labels("a", "b").targets(Record(("a", "b")))
    with pytest.raises(InputError, match=r"t\.tsv: every text has the label 'a'"):
        Labels.build([Record(("a",))] * 3)
    with pytest.raises(InputError, match="there is no labelled text"):
        Labels.build([])


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (("a",), "two at least needed, not 1"),
        (("a", "a"), "'a' occurs twice"),
        (("a", ""), "a label is empty"),
        (("a", " "), "a label is empty"),
        (("a", " b"), "blanks around it"),
        (("a", "b\tc"), "control characters"),
        (("a", "b\nc"), "control characters"),
        (("a", "\x1b[2J"), "control characters"),
        (("a", "\u2028x"), "blanks around it"),
        (("a", "x\u2028x"), "control characters"),
        (("a", "\ud800"), "control characters"),
        (("a", "b" * (LONGEST + 1)), "201 characters, at most 200"),
    ],
)
def test_names_refused(names: tuple[str, ...], message: str) -> None:
    with refused(ConfigError, match=message) as told:
        Labels(names, np.ones(len(names), np.int64), False)
    assert "\n" not in str(told.value)


@pytest.mark.parametrize(
    "changed",
    [
        {"labels": np.frombuffer(b"a\nb", np.uint8)[None]},
        {"labels": np.frombuffer(b"a\nb", np.int8)},
        {"labels": np.frombuffer(b"a\n\xff", np.uint8)},
        {"labels": np.frombuffer(b"a\na", np.uint8)},
        {"labels": np.frombuffer(b"a\nb\n", np.uint8)},
        {"labels": np.zeros(0, np.uint8)},
        {"labels.counts": np.ones(2, np.int32)},
        {"labels.counts": np.ones(3, np.int64)},
        {"labels.counts": np.array(2)},
        {"labels.counts": -np.ones(2, np.int64)},
        {"labels.several": np.zeros(1, np.int64)},
        {"labels.several": np.zeros(2, np.uint8)},
        {"labels.several": np.full(1, 2, np.uint8)},
    ],
)
def test_tensors_refused(changed: dict[str, Any]) -> None:
    with pytest.raises((ValueError, ConfigError)):
        Labels.from_tensors({**labels("a", "b").tensors(), **changed})
    left = {name: x for name, x in labels("a", "b").tensors().items() if name not in changed}
    with pytest.raises(KeyError):
        Labels.from_tensors(left)


@pytest.mark.parametrize(
    ("names", "shown"),
    [
        ("1 2 3 4 5", "5 labels (1 .. 5)"),
        ("0 1", "2 labels (0, 1)"),
        ("neg pos", "2 labels (neg, pos)"),
        ("a b c d e", "5 labels (a, b, c, d, e)"),
        ("a b c d e f g", "7 labels (a, b, c, d, e, ...)"),
        ("a b\u202e", "2 labels (a, 'b\\u202e')"),
        (f"a {'b' * 40}", f"2 labels (a, '{'b' * 27}...')"),
    ],
)
def test_in_a_line(names: str, shown: str) -> None:
    made = labels(*names.split())
    assert str(made) == shown
    assert repr(made) == f"Labels({shown})"
