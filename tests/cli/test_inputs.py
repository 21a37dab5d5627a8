"""What commands take in: several files, ``-``, and notes where something else was meant."""

import io
import json
import os
import sys
from pathlib import Path

import pytest

from lmtool.cli.formats import FORMATS
from lmtool.cli.inputs import pace
from lmtool.text.reader import at_hand
from lmtool.workers import n_cores
from tests.cli.conftest import Result, Run

LINES = [("score",), ("surprisal",), ("next", "-k", 2)]  # commands that take lines
FIRST, SECOND = "Todd met Pete\n\nPete met Todd", "Zork\nTodd saw Zork\n"

by_line = pytest.mark.parametrize("command", LINES, ids=lambda command: command[0])


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder to stand in, with texts and tables."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.txt").write_text(FIRST)
    (tmp_path / "b.txt").write_text(SECOND)
    (tmp_path / "t.csv").write_text("item,sentence\n1,Todd met Pete\n")
    (tmp_path / "header.txt").write_text("item\tsentence\n1\tTodd met Pete\n")
    return tmp_path


@by_line
def test_several_files_are_one_stream(
    command: tuple[str, ...], model: Path, files: Path, run: Run
) -> None:
    options = (*command, "-m", model, "--json")
    together = run(*options, "-f", "a.txt", "-f", "b.txt")
    piped = run(*options, "-f", "-", stdin=f"{FIRST}\n{SECOND}")
    assert together.code == 0 and together.err == ""
    if command[0] != "surprisal":
        assert together.out == piped.out
        return
    records, plain = (list(map(json.loads, r.out.splitlines())) for r in (together, piped))
    assert [record.pop("file") for record in records] == ["a.txt"] * 8 + ["b.txt"] * 6
    assert [record.pop("line") for record in records] == [1] * 4 + [3] * 4 + [1] * 2 + [2] * 4
    assert records == [{k: v for k, v in record.items() if k != "line"} for record in plain]


@pytest.mark.parametrize("form", [form for form in FORMATS if form != "kaldi"])
def test_dialects_number_lines_through(form: str, model: Path, files: Path, run: Run) -> None:
    options = ("score", "-m", model, "--format", form)
    several = run(*options, "-f", "a.txt", "-f", "b.txt").out
    one = run(*options, stdin=f"{FIRST}\n{SECOND}").out
    assert several.replace("file a.txt+b.txt:", "file -:") == one


@by_line
def test_a_dash_is_standard_input(
    command: tuple[str, ...], model: Path, files: Path, run: Run
) -> None:
    options = (*command, "-m", model, "--json")
    named = run(*options, "-f", "-", stdin=FIRST)
    assert run(*options, "-", stdin=FIRST) == named
    after = run(*options, "-f", "a.txt", "-", stdin=SECOND)
    assert after.code == 0 and after.out.count("\n") > named.out.count("\n")


@pytest.mark.parametrize(
    "arguments",
    [
        ("score", "-", "-"),
        ("score", "-", "-f", "-"),
        ("surprisal", "-f", "-", "-f", "-"),
        ("next", "-", "-f", "-"),
        ("evaluate", "-", "-"),
        ("pairs", "-", "-"),
        ("compare", "x", "y", "-f", "-", "-f", "-"),
    ],
    ids=" ".join,
)
def test_standard_input_is_read_once(arguments: tuple[str, ...], run: Run) -> None:
    result = run(*arguments, stdin=FIRST)
    assert (result.code, result.out) == (2, "")
    assert "standard input can be read once only" in result.err and result.err.count("\n") == 1


@by_line
def test_sentences_and_files_at_once(command: tuple[str, ...], run: Run) -> None:
    for extra in (("-f", "a.txt"), ("-f", "-")):
        result = run(*command, "Todd", *extra)
        assert result.code == 2 and "not both" in result.err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("score", "a.txt"), "a.txt is a file; -f a.txt takes its lines"),
        (("surprisal", "Todd met", "a.txt"), "a.txt is a file; -f a.txt takes its lines"),
        (("next", "a.txt"), "a.txt is a file; -f a.txt takes its lines"),
        (
            ("score", "Todd", "met", "Pete"),
            '3 sentences of one word each; for one sentence quote it: lmtool score "Todd met Pete"',
        ),
        (
            ("surprisal", "Todd", "met"),
            '2 sentences of one word each; for one sentence quote it: lmtool surprisal "Todd met"',
        ),
        (
            ("score", "-f", "t.csv"),
            "t.csv looks like a table; its header is taken as a sentence; "
            "--text COLUMN takes the sentences of a column",
        ),
        (
            ("surprisal", "-f", "a.txt", "-f", "header.txt"),
            "header.txt looks like a table; its header is taken as a sentence; "
            "--text COLUMN takes the sentences of a column",
        ),
        (
            ("evaluate", "t.csv"),
            "t.csv looks like a table; its lines are taken as sentences, the header too",
        ),
        (
            ("pairs", "t.csv", "header.txt", "--items"),
            "t.csv looks like a table; its lines are taken as sentences, the header too",
        ),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else None,
)
def test_notes(
    arguments: tuple[str, ...], message: str, model: Path, files: Path, run: Run
) -> None:
    result = run(*arguments, "-m", model)
    assert result.code == 0 and result.out
    said = [line for line in result.err.splitlines() if "unknown to the model" not in line]
    assert said[0] == f"note: {message}"
    assert len(said) == 1 + (arguments[0] == "pairs")


@pytest.mark.parametrize(
    "arguments",
    [
        ("score", "Todd"),
        ("score", "Todd met", "Pete"),
        ("score", "-f", "a.txt"),
        ("score", "-f", "t.csv", "--text", "sentence"),
        ("surprisal", "-f", "t.csv", "--text", "sentence"),
        ("next", "Todd"),
        ("evaluate", "a.txt", "b.txt"),
    ],
    ids=" ".join,
)
def test_no_note_where_all_is_as_it_should_be(
    arguments: tuple[str, ...], model: Path, files: Path, run: Run
) -> None:
    assert run(*arguments, "-m", model)[::2] == (0, "")


def test_in_a_file_all_lines_are_there_and_in_a_pipe_they_come(
    files: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However the file is named; who writes into a pipe may wait for each answer."""
    at_once, one_by_one = {"threads": n_cores()}, {"threads": 1, "ahead": 1}
    with (files / "a.txt").open() as redirected:
        monkeypatch.setattr(sys, "stdin", redirected)
        for named in (["a.txt"], ["-"], ["a.txt", "-"]):
            assert pace(named, None) == at_once
        assert pace(["-"], 3) == {"threads": 3} and pace([], None) == one_by_one
    reading, writing = os.pipe()
    with os.fdopen(reading) as pipe, os.fdopen(writing, "w"):
        for stdin in (pipe, redirected, io.StringIO(), None):
            monkeypatch.setattr(sys, "stdin", stdin)
            assert pace(["a.txt"], None) == at_once
            for named in (["-"], ["a.txt", "-"]):
                assert pace(named, 3) == {"threads": 3, "ahead": at_hand}
                assert pace(named, 3, by_line=False) == one_by_one


@by_line
def test_a_missing_file_is_known_before_the_first_line(
    command: tuple[str, ...], model: Path, files: Path, run: Run
) -> None:
    result = run(*command, "-m", model, "-f", "a.txt", "-f", "missing.txt")
    assert (result.code, result.out) == (1, "") and "missing.txt: cannot be read" in result.err


def test_an_error_names_the_line_of_its_own_file(model: Path, files: Path, run: Run) -> None:
    (files / "c.txt").write_text("u1 Todd\n\n")
    result = run("score", "-m", model, "--format", "kaldi", "-f", "b.txt", "-f", "c.txt")
    assert result.code == 1 and "c.txt:2: no utterance id" in result.err


def values(result: Result) -> list[list[str]]:
    """The cells of a piped table."""
    return [line.split("\t") for line in result.out.splitlines()]


def test_evaluate_gives_each_text_a_result(model: Path, files: Path, run: Run) -> None:
    options = ("evaluate", "-m", model)
    rows = values(run(*options, "a.txt", "b.txt"))
    assert rows[0] == ["file", "a.txt", "a.txt", "b.txt", "b.txt"]
    alone = [values(run(*options, name)) for name in ("a.txt", "b.txt")]
    assert alone[0][0][0] == "perplexity"
    assert rows[1:] == [one + other[1:] for one, other in zip(*alone, strict=True)]
    objects = list(map(json.loads, run(*options, "a.txt", "b.txt", "--json").out.splitlines()))
    assert [value["file"] for value in objects] == ["a.txt", "b.txt"]
    assert objects == [json.loads(run(*options, value["file"], "--json").out) for value in objects]


def test_evaluate_names_the_text_without_words(model: Path, files: Path, run: Run) -> None:
    (files / "empty.txt").write_text("\n\n")
    result = run("evaluate", "-m", model, "a.txt", "empty.txt")
    assert (result.code, result.out) == (1, "") and "empty.txt: no text in it" in result.err


def test_compare_in_every_layout(model: Path, files: Path, run: Run) -> None:
    options = ("compare", model, model, "-f", "a.txt", "-f", "b.txt", "--resamples", 20)
    assert "a.txt\n" in run(*options).out and "\n\nb.txt\n" in run(*options).out
    rows = values(run(*options, "--format", "tsv"))
    assert [row[0] for row in rows] == ["file", "a.txt", "b.txt"] and len(rows[0]) == len(rows[2])
    comma = run(*options, "--format", "csv").out.splitlines()
    assert [line.split(",")[:2] for line in comma] == [row[:2] for row in rows]
    objects = [json.loads(line) for line in run(*options, "--json").out.splitlines()]
    assert [value["file"] for value in objects] == ["a.txt", "b.txt"]
    record = dict(zip(rows[0], rows[1], strict=True))
    assert float(record["a_perplexity"]) == pytest.approx(objects[0]["a"]["perplexity"], rel=1e-5)
    assert record["n_words"] == str(objects[0]["n_words"])
    assert run(*options, "--json", "--format", "csv").code == 2
    assert run(*options, "--format", "xml").code == 2


def test_next_after_each_line(model: Path, files: Path, run: Run) -> None:
    options = ("next", "-m", model, "-k", 2)
    rows = values(run(*options, "-f", "a.txt"))
    assert [row[0] for row in rows] == ["line", *"112233"]
    assert [row[1:] for row in rows[3:5]] == values(run(*options, ""))[1:]
