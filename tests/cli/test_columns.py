"""Tables in, rows back: score and surprisal with --text, --keep, --group, --columns."""

import csv
import io
import json
import math
from pathlib import Path

import pytest

from lmtool.cli.app import main
from tests.cli.conftest import LINES, Result, Run

SENTENCES = "item,sentence,cond\n1,Todd met Pete,x\n2,,y\n3,Todd met Zork,z\n"
WORDS = """item,nr,word,rt
1,1,Todd,300
1,2,met the,310
1,3,,0
1,4,Pete,320
2,1,Pete,200
2,2,met,210
2,3,</s>,0
3,1,,5
"""


@pytest.fixture(autouse=True)
def tables(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder to stand in, with tables."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "s.csv").write_text(SENTENCES)
    (tmp_path / "w.csv").write_text(WORDS)
    (tmp_path / "other.csv").write_text("word,item,more\nTodd,1,a\n")


def rows(result: Result) -> list[dict[str, str]]:
    assert (result.code, result.err) == (0, "")
    return list(csv.DictReader(io.StringIO(result.out)))


def test_score_gives_rows_back_with_their_scores(model: Path, run: Run) -> None:
    options = ("score", "-m", model, "-f", "s.csv", "--text", "sentence", "--format", "csv")
    found = rows(run(*options))
    assert list(found[0]) == [
        "item",
        "sentence",
        "cond",
        *["log10_p", "p", "perplexity", "n_words", "n_oov"],
    ]
    plain = rows(
        run("score", "-m", model, "--format", "csv", stdin="Todd met Pete\n\nTodd met Zork\n")
    )
    assert [row["log10_p"] for row in found] == [row["log10_p"] for row in plain]
    assert [(row["item"], row["cond"]) for row in found] == [("1", "x"), ("2", "y"), ("3", "z")]


def test_score_keeps_what_is_asked_for(model: Path, run: Run) -> None:
    options = ("score", "-m", model, "-f", "s.csv", "--text", "sentence")
    kept = rows(run(*options, "--keep", "cond", "--format", "csv"))
    assert list(kept[0])[:2] == ["cond", "text"] and kept[0]["text"] == "Todd met Pete"
    by_word = rows(run(*options, "--keep", "cond", "--level", "word", "--format", "csv"))
    assert [row["cond"] for row in by_word] == [*"xxxxzzzz"]
    bare = rows(run(*options, "--level", "word", "--format", "csv"))
    assert next(iter(bare[0])) == "sentence"
    value = json.loads(run(*options, "--json").out.splitlines()[0])
    assert list(value)[:3] == ["item", "sentence", "cond"] and len(value["words"]) == 4
    assert "text" not in value


@pytest.mark.parametrize("form", ["srilm", "kenlm", "lmzoo", "table"])
def test_other_dialects_take_the_column_alone(form: str, model: Path, run: Run) -> None:
    options = ("score", "-m", model, "--format", form)
    found = run(*options, "-f", "s.csv", "--text", "sentence")
    plain = run(*options, stdin="Todd met Pete\n\nTodd met Zork\n")
    assert found.out.replace("file s.csv:", "file -:") == plain.out


def test_a_row_a_word(model: Path, run: Run) -> None:
    options = ("surprisal", "-m", model, "-f", "w.csv", "--text", "word", "--group", "item")
    found = rows(run(*options, "--format", "csv"))
    given = list(csv.DictReader(io.StringIO(WORDS)))
    names = {"item": "item", "nr": "nr", "word": "input_word", "rt": "rt"}
    assert [{name: row[new] for name, new in names.items()} for row in found] == given
    assert [row["line"] for row in found] == [*"23456789"]
    assert [row["position"] for row in found] == ["1", "2", "", "3", "1", "2", "3", ""]
    plain = [
        json.loads(line)["surprisal"]
        for line in run(
            "surprisal", "-m", model, "--json", "Todd met the Pete", "Pete met"
        ).out.splitlines()
    ]
    expected = [plain[0], plain[1] + plain[2], None, plain[3], *plain[5:8], None]
    for row, value in zip(found, expected, strict=True):
        assert row["surprisal"] == ("" if value is None else f"{value:.6g}")


def test_letters_add_up_to_words(tmp_path: Path, run: Run) -> None:
    path = tmp_path / "letters"
    (tmp_path / "corpus.txt").write_text("\n".join(LINES * 4))
    options = [
        "train",
        "corpus.txt",
        "-m",
        str(path),
        "--tokens",
        "char",
        "--steps",
        "5",
        "--quiet",
    ]
    assert main([*options, "--hidden", "8"]) == 0
    (tmp_path / "w.csv").write_text("item,word\n1,Todd\n1,met\n1,Pete\n")
    table = ("-f", "w.csv", "--text", "word", "--group", "item", "--json")
    grouped = run("surprisal", "-m", path, *table).out.splitlines()
    letters = run("surprisal", "-m", path, "--json", "Todd met Pete").out.splitlines()
    sums = [json.loads(line)["surprisal"] for line in (grouped, letters)[1]]
    assert [json.loads(line)["word"] for line in grouped] == ["Todd", "met", "Pete"]
    total = math.fsum(json.loads(line)["surprisal"] for line in grouped)
    assert math.isclose(total, math.fsum(sums[:-1]), rel_tol=1e-9)


def test_groups_end_with_their_file(model: Path, run: Run) -> None:
    options = ("surprisal", "-m", model, "-f", "other.csv", "-f", "w.csv", "--text", "word")
    found = rows(run(*options, "--group", "item", "--keep", "item", "--format", "csv"))
    assert [row["file"] for row in found] == ["other.csv"] + ["w.csv"] * 8
    assert found[0]["surprisal"] == found[1]["surprisal"]  # both begin a sentence


def test_layouts_for_people_show_rows(model: Path, run: Run) -> None:
    options = ("surprisal", "-m", model, "-f", "w.csv", "--text", "word", "--group", "item")
    assert "met the" in run(*options, "--format", "table").out
    assert run(*options, "--format", "heat").out.startswith("Todd/")


@pytest.mark.parametrize(
    ("columns", "options", "expected"),
    [
        ("surprisal,word", (), "surprisal,word"),
        ("word, word", (), "word"),
        ("file,word", (), "file,word"),
        ("word,surprisal", ("--spillover", 2),
         "word,surprisal,word_prev1,surprisal_prev1,word_prev2,surprisal_prev2"),
        ("word,surprisal_prev2", ("--spillover", 2), "word,surprisal_prev2"),
        ("line,guess1", ("--top", 1, "--spillover", 1), "line,guess1"),
    ],
)  # fmt: skip
def test_columns_are_those_of_choice(
    columns: str, options: tuple[object, ...], expected: str, model: Path, run: Run
) -> None:
    chosen = ("surprisal", "-m", model, *options, "Todd met Pete")
    found = rows(run(*chosen, "--columns", columns, "--format", "csv"))
    assert list(found[0]) == expected.split(",")
    every = rows(run(*chosen, "--format", "csv"))
    assert found == [{name: row.get(name, "") for name in expected.split(",")} for row in every]
    table = run(*chosen, "--columns", columns, "--format", "table").out
    assert table.split("\n", 1)[0].split() == expected.split(",")


def test_columns_of_scores(model: Path, run: Run) -> None:
    options = ("score", "-m", model, "Todd met Pete", "--columns")
    assert run(*options, "p,text").out.splitlines()[0] == "p\ttext"
    assert list(json.loads(run(*options, "n_words", "--json").out)) == ["n_words"]
    by_word = run(*options, "word", "--level", "word", "--format", "csv")
    assert by_word.out.splitlines() == ["word", "Todd", "met", "Pete", "<EOS>"]


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("surprisal", "Todd", "--columns", "wrod"), 2, "'wrod'; there are: line, sentence_id"),
        (("surprisal", "Todd", "--columns", ""), 2, "no column named ''"),
        (("surprisal", "Todd", "--columns", "word", "--format", "heat"), 2, "contradict"),
        (("score", "Todd", "--columns", "word"), 2, "there are: text, log10_p"),
        (("score", "Todd", "--columns", "p", "--format", "srilm"), 2, "contradict"),
        (("score", "-f", "s.csv", "--text", "sentence", "--keep", "item", "--format", "kenlm"), 2,
         "--keep and --format kenlm contradict"),
        (("score", "Todd", "--keep", "item"), 2, "name its text with --text"),
        (("score", "Todd", "--text", "word"), 2, "not both"),
        (("surprisal", "-f", "w.csv", "--group", "item"), 2, "name its text with --text"),
        (("surprisal", "-f", "w.csv", "--text", "word", "--group", "nr"), 1,
         "w.csv:6: the group '1' comes again"),
        (("surprisal", "-f", "w.csv", "--text", "word", "--group", "sent"), 1, "no column named"),
        (("surprisal", "-f", "w.csv", "-f", "other.csv", "--text", "word", "--group", "item"), 1,
         "other.csv:1: no column named 'nr'"),
    ],
)  # fmt: skip
def test_refusals(
    arguments: tuple[str, ...], code: int, message: str, model: Path, run: Run
) -> None:
    result = run(*arguments, "-m", model)
    assert result.code == code and message in result.err and result.err.count("\n") == 1
