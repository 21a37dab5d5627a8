"""Numbers, characters and options."""

import json
import math

import pytest
import typer

from lmtool.cli.options import seconds
from lmtool.cli.render import clock, cut, json_line, number, power
from lmtool.cli.terminal import harmless


@pytest.mark.parametrize(
    ("log10", "digits", "shown"),
    [
        (0.0, 3, "1"),
        (-1.0, 3, "0.1"),
        (-8.91, 3, "1.23e-09"),
        (-4566.91, 3, "1.23e-4567"),
        (-4566.0000001, 3, "1e-4566"),
        (5000.3010299957, 6, "2e+5000"),
        (-math.inf, 3, "0"),
        (None, 3, ""),
        (math.nan, 3, ""),
    ],
)
def test_power(log10: float | None, digits: int, shown: str) -> None:
    assert power(log10, digits) == shown


def test_numbers_have_six_significant_digits() -> None:
    assert [number(value) for value in (1 / 3, 12, True, None, math.nan, "x")] == [
        "0.333333",
        "12",
        "1",
        "",
        "",
        "x",
    ]


@pytest.mark.parametrize(("n", "shown"), [(5, "0:05"), (65, "1:05"), (3725.4, "1:02:05")])
def test_clock(n: float, shown: str) -> None:
    assert clock(n) == shown


@pytest.mark.parametrize(
    ("text", "value"),
    [("90", 90), ("90.0", 90), ("90s", 90), ("10m", 600), ("2h", 7200), ("1h30m", 5400)],
)
def test_seconds(text: str, value: float) -> None:
    assert seconds(text) == value


@pytest.mark.parametrize("text", ["", "m", "10 m", "10q", "-5s", "1e3"])
def test_no_span_of_time(text: str) -> None:
    with pytest.raises(typer.BadParameter):
        seconds(text)


def test_control_characters_are_spelled_out() -> None:
    assert harmless("a\x1b[2Jb\x9bc\td\x00\u2028é") == "a\\x1b[2Jb\\x9bc\\td\\x00\\u2028é"
    assert harmless(b"caf\xe9".decode("utf-8", "surrogateescape")) == "caf\\xe9"


def test_words_in_tables_are_short_and_visible() -> None:
    assert cut(" ") == "' '"
    assert len(cut("x" * 1000)) == 40


def test_json_has_no_nan_and_no_bare_control() -> None:
    line = json_line({"a": math.nan, "b": [math.inf, 1.5], "c": "\x9b\x7f"})
    assert json.loads(line) == {"a": None, "b": [None, 1.5], "c": "\x9b\x7f"}
    assert "\x9b" not in line and "\x7f" not in line
