"""Note tokens."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lmtool.errors import InputError
from lmtool.music.notes import read_notes
from lmtool.music.reading import form_of
from lmtool.music.tune import Tune


def tune(line: str) -> Tune:
    (found,) = read_notes([(3, line)], "a.txt")
    return found


def steps(line: str) -> list[tuple[float, int]]:
    """(quarter, key)"""
    return [(float(note.start * 4), note.pitch) for note in tune(line).voices[0]]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("60 64 67 | 60 |", [(0, 60), (0, 64), (0, 67), (1, 60)]),
        ("60 | | 62 |", [(0, 60), (2, 62)]),
        ("60_64 rest 62", [(0, 60), (0, 64), (2, 62)]),
        ("60 62", [(0, 60), (1, 62)]),
        ("60 | 62", [(0, 60), (1, 62)]),
        ("60 | 62 ...", [(0, 60), (1, 62)]),
        ("0 127 |", [(0, 0), (0, 127)]),
    ],
)
def test_steps(line: str, expected: list[tuple[float, int]]) -> None:
    assert steps(line) == expected


@pytest.mark.parametrize(
    ("line", "faults"),
    [
        ("60 64 | |", ()),
        ("60 64 | 67 60 |", ("the notes of step 2 do not rise",)),
        ("60 60 |", ("the notes of step 1 do not rise",)),
        ("60 | 64", ("the last step has no | behind it",)),
        ("60 | 64 ...", ()),  # cut on purpose
    ],
)
def test_faults(line: str, faults: tuple[str, ...]) -> None:
    assert tune(line).faults == faults


@pytest.mark.parametrize("line", ["60 x |", "128 |", "60_999", "-1", "6e1 |", "60 | " + "9" * 99])
def test_what_is_no_note(line: str) -> None:
    with pytest.raises(InputError, match=r"a\.txt:3: .* is no note"):
        tune(line)


def test_a_line_may_be_too_long() -> None:
    with pytest.raises(InputError, match="more than 50,000 notes"):
        tune("60 " * 50_001)


@pytest.mark.parametrize(
    ("text", "form"),
    [
        ("60 64 |\n", "notes"),
        ("\n\n60_64 rest\n", "notes"),
        ("X:1\nK:C\nC\n", "abc"),
        ("words\n", "abc"),
        ("", "abc"),
        ("60 64 x\n67", "abc"),
    ],
)
def test_forms_are_told_apart(text: str, form: str) -> None:
    lines = list(enumerate(text.split("\n"), 1))
    found, again = form_of(lines)
    assert (found, list(again)) == (form, lines)


@given(st.text(alphabet="0123456789_| rest.\t", max_size=60))
def test_no_line_breaks_the_reader(line: str) -> None:
    try:
        found = list(read_notes([(1, line)], "a"))
    except InputError as error:
        assert "\n" not in str(error)
    else:
        assert all(0 <= n.pitch <= 127 for t in found for v in t.voices for n in v)
