"""lmtool surprisal: layouts, tables in, pages out, refusals."""

import csv
import io
import json
from pathlib import Path

import pytest

from tests.cli.conftest import Run

COLUMNS = [
    "line", "sentence_id", "position", "word", "token", "oov", "log_p", "surprisal",
    "entropy_before", "entropy_after", "entropy_reduction", "rank", "length", "frequency",
    "unigram_surprisal", "base",
]  # fmt: skip


@pytest.fixture
def items(tmp_path: Path) -> Path:
    """Two items of an experiment, one of them over two lines, and an empty one."""
    path = tmp_path / "items.csv"
    text = 'item,sentence,position\n7,"Todd met\nPete",a\n8,,b\n9,"the ""sea"", calm",c\n'
    path.write_text(text, encoding="utf-8")
    return path


def test_tsv_is_what_a_pipe_gets(model: Path, run: Run) -> None:
    rows = [
        line.split("\t") for line in run("surprisal", "-m", model, "Todd met Zork").out.splitlines()
    ]
    assert rows[0] == COLUMNS
    assert [row[3:6] for row in rows[1:]] == [
        ["Todd", "Todd", "0"], ["met", "met", "0"], ["Zork", "<UNK>", "1"], ["<EOS>", "<EOS>", "0"],
    ]  # fmt: skip
    assert rows[4][9] == rows[4][10] == ""  # nothing follows <EOS>


def test_jsonl_has_the_same_names(model: Path, run: Run) -> None:
    result = run("surprisal", "-m", model, "--json", "--base", "e", "--top", 1, "Todd met Pete")
    records = [json.loads(line) for line in result.out.splitlines()]
    assert list(records[0]) == [*COLUMNS, "guess1", "guess1_p"]
    assert {record["base"] for record in records} == {"e"}


def test_argument_file_and_stdin_agree(model: Path, run: Run, tmp_path: Path) -> None:
    path = tmp_path / "text.txt"
    path.write_text("Todd met Pete\n")
    options = ("surprisal", "-m", model, "--spillover", 1)
    one, two, three = (
        run(*options, "Todd met Pete").out,
        run(*options, "-f", path).out,
        run(*options, stdin="Todd met Pete\n").out,
    )
    assert one == two == three


def test_columns_of_a_table_are_carried_through(model: Path, items: Path, run: Run) -> None:
    options = ("-f", items, "--text", "sentence", "--keep", "item,position", "--format", "csv")
    rows = list(csv.DictReader(io.StringIO(run("surprisal", "-m", model, *options).out)))
    assert [(row["item"], row["line"], row["word"]) for row in rows] == [
        ("7", "2", "Todd"), ("7", "2", "met"), ("7", "2", "Pete"), ("7", "2", "<EOS>"),
        ("8", "4", ""),
        ("9", "5", "the"), ("9", "5", '"sea",'), ("9", "5", "calm"), ("9", "5", "<EOS>"),
    ]  # fmt: skip
    assert [row["input_position"] for row in rows] == [*"aaaabcccc"]
    assert [row["position"] for row in rows] == ["1", "2", "3", "4", "", "1", "2", "3", "4"]


def test_layouts_for_people(model: Path, run: Run) -> None:
    table = run("surprisal", "-m", model, "--format", "table", "--top", 1, "Todd met Zork").out
    assert "Zork as <UNK>" in table and "guess 1" in table
    heat = run("surprisal", "-m", model, "--format", "heat", stdin="Todd met\n\nPete\n").out
    assert heat.startswith("Todd/") and "\n\nPete/" in heat


def test_pages(model: Path, run: Run, tmp_path: Path) -> None:
    html, svg = tmp_path / "page.html", tmp_path / "page.svg"
    text = "Todd met <script>\x1b[2J Pete\n"
    assert run("surprisal", "-m", model, "--html", html, "--svg", svg, stdin=text).code == 0
    page = html.read_text(encoding="utf-8")
    assert "Todd" in page and 'class="s' in page
    assert "<script>Pete" not in page and "&lt;script&gt;" in page and "\x1b" not in page
    drawing = svg.read_text(encoding="utf-8")
    assert drawing.startswith("<svg") and "font-face" not in drawing
    assert [path.name for path in sorted(tmp_path.iterdir())] == ["page.html", "page.svg"]


def test_a_page_that_cannot_be_written(model: Path, run: Run, tmp_path: Path) -> None:
    result = run("surprisal", "-m", model, "--html", tmp_path / "no" / "page.html", "Todd")
    assert result.code == 1 and "cannot be written" in result.err and result.err.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("-f", "ITEMS", "--text", "text"), 1, "items.csv:1: no column named 'text'"),
        (("-f", "ITEMS", "--text", "sentence", "--keep", "x"), 1, "no column named 'x'"),
        (("--keep", "x", "Todd"), 2, "--text"),
        (("-f", "ITEMS", "Todd"), 2, "not both"),
        (("--format", "xml", "Todd"), 2, "table, heat, tsv, csv, jsonl"),
        (("--base", "3", "Todd"), 2, "2, e, 10"),
        (("--json", "--format", "tsv", "Todd"), 2, "contradict"),
        ((" ",), 1, "sentence 1 is empty"),
    ],
)
def test_refusals(
    arguments: tuple[str, ...], code: int, message: str, model: Path, items: Path, run: Run
) -> None:
    given = (items if argument == "ITEMS" else argument for argument in arguments)
    result = run("surprisal", "-m", model, *given)
    assert result.code == code and message in result.err
    assert result.err.count("\n") == 1 and result.out == ""


def test_a_ragged_table(model: Path, run: Run, tmp_path: Path) -> None:
    path = tmp_path / "ragged.csv"
    path.write_text("item,sentence\n1,Todd met Pete\n2,Todd, Pete\n")
    result = run("surprisal", "-m", model, "-f", path, "--text", "sentence")
    assert result.code == 1 and "ragged.csv:3: 3 columns where the header names 2" in result.err
