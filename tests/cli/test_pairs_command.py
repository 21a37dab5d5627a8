"""lmtool pairs and lmtool compare from the outside."""

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Run

TABLE = (
    "phenomenon\tgood\tbad\n"
    "order\tTodd met Pete\tmet Todd Pete\n"
    "order\tthe sea was calm\twas the calm sea\n"
    "words\tTodd met Zork\tZork Todd met\n"
)


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / "pairs.tsv"
    path.write_text(TABLE)
    return path


@pytest.fixture
def other(corpus: Path, tmp_path: Path, run: Run) -> Path:
    """A model with a smaller vocabulary."""
    path = tmp_path / "other.safetensors"
    options = ("--steps", 20, "--hidden", 8, "--vocab-size", 4, "--quiet")
    assert run("train", corpus, "-m", path, *options).code == 0
    return path


def test_pairs_of_a_table(model: Path, table: Path, run: Run) -> None:
    out = run("pairs", "-m", model, table, "--by", "phenomenon").out
    rows = [line.split("\t") for line in out.splitlines()]
    assert rows[0] == [
        "phenomenon", "n", "n_right", "accuracy", "low", "high", "mean_difference_bits", "n_oov",
        "accuracy_oov",
    ]  # fmt: skip
    assert [row[0] for row in rows[1:]] == ["order", "words", "all"]
    assert [(row[1], row[7]) for row in rows[1:]] == [("2", "0"), ("0", "1"), ("2", "1")]


def test_items_and_json(model: Path, table: Path, run: Run) -> None:
    out = run("pairs", "-m", model, table, "--items", "--json", "--by", "phenomenon").out
    values = [json.loads(line) for line in out.splitlines()]
    assert [(value["line"], value["oov"]) for value in values] == [
        (2, False),
        (3, False),
        (4, True),
    ]
    assert values[0]["good"] == "Todd met Pete" and values[0]["phenomenon"] == "order"


def test_pairs_of_two_files(model: Path, run: Run, tmp_path: Path) -> None:
    good, bad = tmp_path / "good.txt", tmp_path / "bad.txt"
    good.write_text("Todd met Pete\nthe sea was calm\n")
    bad.write_text("met Todd Pete\nwas the calm sea\n")
    shown = run("pairs", "-m", model, good, bad, "--format", "table", "--per-word")
    assert shown.code == 0 and "accuracy" in shown.out
    bad.write_text("met Todd Pete\n")
    result = run("pairs", "-m", model, good, bad)
    assert result.code == 1 and "good.txt:2: the other file has no such line" in result.err
    bad.write_text("met Todd Pete\n\n")
    result = run("pairs", "-m", model, good, bad)
    assert result.code == 1 and "bad.txt:2: one sentence of the pair is empty" in result.err


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("TABLE", "--good", "better"), 1, "no column named 'better'"),
        (("TABLE", "TABLE", "TABLE"), 2, "two files"),
        (("TABLE", "TABLE", "--by", "phenomenon"), 2, "one table"),
        (("TABLE", "--format", "xml"), 2, "table, tsv, csv, jsonl"),
        (("nowhere.tsv",), 1, "cannot be read"),
    ],
)
def test_refused_pairs(
    arguments: tuple[str, ...], code: int, message: str, model: Path, table: Path, run: Run
) -> None:
    given = (table if argument == "TABLE" else argument for argument in arguments)
    result = run("pairs", "-m", model, *given)
    assert result.code == code and message in result.err and result.err.count("\n") == 1


def test_compare(model: Path, corpus: Path, run: Run) -> None:
    shown = run("compare", model, model, "-f", corpus)
    assert shown.code == 0 and "B - A: +0.0000 bits per word" in shown.out
    assert "95 % interval +0.0000 to +0.0000" in shown.out
    one = run("compare", model, model, "-f", "-", stdin="Todd met Pete\n")
    assert "one line has no interval" in one.out
    value = json.loads(run("compare", model, model, "-f", "-", "--json", stdin="Todd met\n").out)
    assert (value["n_lines"], value["difference_bits"], value["a"]["name"]) == (1, 0, str(model))


def test_compare_other_vocabularies(model: Path, other: Path, corpus: Path, run: Run) -> None:
    refused = run("compare", model, other, "-f", corpus)
    assert refused.code == 1 and "--oov spell" in refused.err and refused.err.count("\n") == 1
    options = ("--oov", "spell", "--json", "--resamples", 50, "--context", "document")
    value = json.loads(run("compare", model, other, "-f", corpus, *options).out)
    assert value["b"]["spelling_bits"] > 0 == value["a"]["spelling_bits"]
    assert value["difference_bits"] > 0


def test_a_speller_without_spelling(model: Path, corpus: Path, run: Run) -> None:
    result = run("compare", model, model, "-f", corpus, "--speller", model)
    assert result.code == 2 and "--oov spell" in result.err
    result = run("compare", model, model, "-f", corpus, "--speller", model, "--oov", "spell")
    assert result.code == 1 and "model of characters" in result.err
