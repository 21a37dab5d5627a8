"""``lmtool classify`` and ``lmtool evaluate`` of a classifier, and verbs for the wrong kind."""

import json
import re
from pathlib import Path

import pytest

import lmtool
from lmtool.cli import evaluate, label_report
from lmtool.kinds import KINDS
from tests.cli.conftest import Result, Run
from tests.standin import Loads, loads, stars, topics

__all__ = ["loads"]

LINES = "bad\n\ngood Zork\nfine\n"
OF_LANGUAGE = {
    "score": ("Todd",),
    "sample": (),
    "next": ("Todd",),
    "surprisal": ("Todd",),
    "pairs": ("t.tsv",),
    "compare": ("stars", "stars", "-f", "t.tsv"),
}


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, loads: Loads) -> Path:
    """A folder to stand in; the model ``stars`` gives one label, ``topics`` several."""
    monkeypatch.chdir(tmp_path)
    loads("stars", stars())
    loads("topics", topics())
    (tmp_path / "a.txt").write_text(LINES)
    (tmp_path / "t.tsv").write_text("1\tbad\n5\tgood\n3\tgood\n")
    (tmp_path / "u.tsv").write_text("5\tgood\n")
    (tmp_path / "t.csv").write_text("item,review,stars\n1,bad,1\n2,good,5\n")
    (tmp_path / "several.txt").write_text("__label__sea boat\n__label__town __label__sea boat\n")
    return tmp_path


def cells(result: Result) -> list[list[str]]:
    return [line.split("\t") for line in result.out.splitlines()]


def test_one_line_in_one_line_out(files: Path, run: Run) -> None:
    result = run("classify", "-m", "stars", stdin=LINES)
    assert (result.code, result.err) == (0, "")
    assert [row[0] for row in cells(result)] == ["1", "", "5", "3"]
    assert run("classify", "-m", "stars", "-f", "a.txt").out == result.out
    assert run("classify", "-m", "stars", "-", stdin=LINES).out == result.out
    twice = run("classify", "-m", "stars", "-f", "a.txt", "-f", "a.txt")
    assert twice.out == result.out * 2
    one = run("classify", "-m", "stars", "good Zork")
    assert cells(one) == [cells(result)[2]] == [["5", "0.866813"]]


def test_k_pairs(files: Path, run: Run) -> None:
    rows = cells(run("classify", "-m", "stars", "-k", 2, stdin=LINES))
    assert [row[::2] for row in rows] == [["1", "3"], [""], ["5", "3"], ["3", "1"]]
    assert [float(p) for p in rows[0][1::2]] == sorted(map(float, rows[0][1::2]), reverse=True)


def test_several_labels_are_those_that_are_likely(files: Path, run: Run) -> None:
    lines = "boat market\nwood\n\nboat\n"
    rows = cells(run("classify", "-m", "topics", stdin=lines))
    assert [row[::2] for row in rows] == [["sea", "town"], [""], [""], ["sea"]]


def test_objects(files: Path, run: Run) -> None:
    result = run("classify", "-m", "stars", "--json", "-k", 2, stdin="bad\n\n")
    first, blank = map(json.loads, result.out.splitlines())
    assert list(first) == ["text", "label", "p", "labels"]
    assert (first["text"], first["label"], len(first["labels"])) == ("bad", "1", 2)
    assert first["labels"][0] == {"label": "1", "p": first["p"]}
    assert blank == {"text": "", "label": None, "p": None, "labels": []}
    whole = json.loads(run("classify", "-m", "stars", "--json", "bad").out)
    assert len(whole["labels"]) == 3
    again = run("classify", "-m", "stars", "--format", "jsonl", "-k", 2, stdin="bad\n\n")
    assert again.out == result.out


def test_fasttext(files: Path, run: Run) -> None:
    result = run("classify", "-m", "stars", "--format", "fasttext", "-k", 2, stdin="bad\n\n")
    assert result.out == "__label__1 0.866813 __label__3 0.11731\n\n"


def test_rows_of_a_table_come_back_with_their_labels(files: Path, run: Run) -> None:
    options = ("classify", "-m", "stars", "-f", "t.csv", "--text", "review")
    result = run(*options)
    assert result.err == ""
    assert cells(result) == [
        ["item", "review", "stars", "label", "p"],
        ["1", "bad", "1", "1", "0.866813"],
        ["2", "good", "5", "5", "0.866813"],
    ]
    assert run(*options, "--format", "csv").out == result.out.replace("\t", ",")
    kept = run(*options, "--keep", "stars,item")
    assert cells(kept)[:2] == [
        ["stars", "item", "text", "label", "p"],
        ["1", "1", "bad", "1", "0.866813"],
    ]
    few = run(*options, "--keep", "item", "--columns", "label,item")
    assert cells(few) == [["label", "item"], ["1", "1"], ["5", "2"]]
    value = json.loads(run(*options, "--keep", "item", "--json", "-k", 1).out.splitlines()[1])
    assert list(value) == ["item", "text", "label", "p", "labels"]
    assert (value["item"], value["text"], len(value["labels"])) == ("2", "good", 1)
    whole = json.loads(run(*options, "--json").out.splitlines()[0])
    assert list(whole) == ["item", "review", "stars", "label", "p", "labels"]
    assert "no column named 'x'" in run(*options[:-1], "x").err
    assert run(*options, "--format", "fasttext").out == "__label__1 0.866813\n__label__5 0.866813\n"


def test_a_column_with_a_name_of_ours(files: Path, run: Run) -> None:
    (files / "l.csv").write_text("label,text\nx,bad\ny,\n")
    result = run("classify", "-m", "stars", "-f", "l.csv", "--text", "text")
    assert cells(result) == [
        ["input_label", "text", "label", "p"],
        ["x", "bad", "1", "0.866813"],
        ["y", "", "", ""],
    ]


def test_chosen_columns_of_lines(files: Path, run: Run) -> None:
    options = ("classify", "-m", "stars", "-f", "a.txt")
    rows = cells(run(*options, "--columns", "label,text"))
    assert rows == [["label", "text"], ["1", "bad"], ["", ""], ["5", "good Zork"], ["3", "fine"]]
    rows = cells(run(*options, "-k", 9, "--format", "csv"))
    assert rows[0] == ["text,label,p,label_2,p_2,label_3,p_3"] and rows[2] == [",,,,,,"]
    both = run("classify", "-m", "topics", "--columns", "label,p", stdin="boat market\nwood\n")
    assert cells(both)[1:] == [["sea, town", "0.982014, 0.952574"], ["", ""]]


def test_a_note_where_there_is_nothing(files: Path, run: Run) -> None:
    (files / "empty.txt").write_text("")
    for result in (
        run("classify", "-m", "stars", "-f", "empty.txt"),
        run("classify", "-m", "stars"),
    ):
        assert (result.code, result.out) == (0, "")
        assert result.err == "note: nothing to classify: the input holds no line\n"


def test_for_people(files: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    options = ("classify", "-m", "stars", "--format", "table")
    lines = run(*options, "bad").out.splitlines()
    assert lines[0] == "bad" and [line.split()[0] for line in lines[1:]] == ["label", "1", "3", "5"]
    assert lines[2].split()[1] == "█" * 17
    rows = run(*options, "-f", "a.txt").out.splitlines()
    assert [row.split()[:2] for row in rows] == [
        ["1", "0.867"],
        [],
        ["5", "0.867"],
        ["3", "0.576"],
    ]
    assert rows[2].endswith("good Zork")
    assert run(*options, "-k", 2, "bad", "good").out.count("\n") == 2 * 4 + 1


def test_a_note_where_labels_are_read_as_words(files: Path, run: Run) -> None:
    (files / "labelled.txt").write_text("1\tbad\n5\tgood\n")
    result = run("classify", "-m", "stars", "-f", "labelled.txt")
    assert (result.code, result.out.count("\n")) == (0, 2)
    assert result.err == (
        "note: the labels are read as words of the texts; lmtool evaluate takes labelled texts\n"
    )
    table = run("classify", "-m", "stars", "-f", "t.csv")
    assert table.err == (
        "note: t.csv looks like a table; whole lines are taken as texts; "
        "--text COLUMN takes the texts of a column\n"
    )


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("classify", "-m", "stars", "-k", 0, "bad"), 2, "-k"),
        (("classify", "-m", "stars", "bad", "-f", "a.txt"), 2, "not both"),
        (("classify", "-m", "stars", " "), 1, "sentence 1 is empty"),
        (("classify", "-m", "stars", "bad", "--keep", "x"), 2, "--keep: needs a table"),
        (
            ("classify", "-m", "stars", "bad", "--columns", "p", "--format", "fasttext"),
            2,
            "--columns and --format fasttext contradict",
        ),
        (("classify", "-m", "stars", "bad", "--columns", "x"), 2, "no column named 'x'"),
        (("classify", "-m", "stars", "--json", "--format", "tsv", "bad"), 2, "contradict"),
        (("classify", "-m", "stars", "--format", "xml", "bad"), 2, "'xml' is not one of"),
        (("classify", "-m", "stars", "-f", "missing.txt"), 1, "missing.txt: cannot be read"),
        (("classify", "-m", "missing", "bad"), 1, "missing: there is no model"),
        (("evaluate", "-m", "stars", "-", "-"), 2, "standard input can be read once only"),
        (("evaluate", "-m", "stars", "a.txt"), 1, "a.txt:1: no TAB in it"),
        (("evaluate", "-m", "stars", "t.csv", "--label", "x"), 1, "t.csv:1: no column named 'x'"),
        (("evaluate", "-m", "stars", "several.txt"), 1, "several.txt:1: the label 'sea' is in no"),
    ],
)
def test_wrong_usage(
    arguments: tuple[object, ...], code: int, message: str, files: Path, run: Run
) -> None:
    result = run(*arguments)
    assert (result.code, result.out) == (code, "")
    assert message in result.err and result.err.count("\n") == 1


def test_evaluate_in_a_pipe(files: Path, run: Run) -> None:
    result = run("evaluate", "-m", "stars", "t.tsv")
    measures, by_label, confusion = result.out.strip().split("\n\n")
    values = dict(line.split("\t") for line in measures.splitlines())
    assert (values["accuracy"], values["majority"], values["n"]) == ("66.6667", "33.3333", "3")
    assert float(values["mae"]) == pytest.approx(2 / 3, rel=1e-5)
    assert "micro_f1" not in values
    rows = [line.split() for line in by_label.splitlines()]
    assert rows[0] == ["label", "precision", "recall", "f1", "n", "n_predicted"]
    assert rows[3] == ["5", "50.0", "100.0", "66.7", "1", "2"]
    assert [line.split()[-3:] for line in confusion.splitlines()] == [
        ["1", "3", "5"],
        ["1", "0", "0"],
        ["0", "0", "1"],
        ["0", "0", "1"],
    ]


def test_evaluate_objects_and_several_files(files: Path, run: Run) -> None:
    result = run("evaluate", "-m", "stars", "t.tsv", "u.tsv", "--json")
    first, second = map(json.loads, result.out.splitlines())
    assert (first["file"], first["n"], second["file"], second["n"]) == ("t.tsv", 3, "u.tsv", 1)
    assert first["confusion"] == [[1, 0, 0], [0, 0, 1], [0, 0, 1]]
    assert {"accuracy", "macro_f1", "mae", "majority", "ece", "ece_uncalibrated"} <= set(first)
    shown = run("evaluate", "-m", "stars", "t.tsv", "u.tsv").out
    assert shown.startswith("file\tt.tsv\tu.tsv\naccuracy\t66.6667\t100\n")
    assert "\n\nu.tsv\nlabel " in shown
    piped = run("evaluate", "-m", "stars", "-", "--json", stdin=(files / "u.tsv").read_text())
    assert json.loads(piped.out) == second | {"file": "-"}


def test_evaluate_columns_and_several_labels(files: Path, run: Run) -> None:
    columns = ("--text", "review", "--label", "stars", "--json")
    assert json.loads(run("evaluate", "-m", "stars", "t.csv", *columns).out)["accuracy"] == 100
    several = json.loads(run("evaluate", "-m", "topics", "several.txt", "--json").out)
    assert (several["accuracy"], several["confusion"]) == (50.0, None)
    assert several["micro_f1"] == pytest.approx(80)
    assert run("evaluate", "-m", "topics", "several.txt").out.count("\n\n") == 1


def test_of_many_labels_the_confusions_are_listed() -> None:
    labels = [str(n) for n in range(30)]
    counts = [[9 if i == j else 0 for j in range(30)] for i in range(30)]
    counts[3][4], counts[5][6] = 7, 8
    lines = label_report.confusions(labels, counts).splitlines()
    assert [line.split() for line in lines] == [
        ["true", "given", "n"],
        ["5", "6", "8"],
        ["3", "4", "7"],
    ]


def test_the_picture_holds_the_counts() -> None:
    text = label_report.picture(("a", "b"), ((12, 3), (0, 7)))
    assert [line.split() for line in text.plain.splitlines()][1:] == [
        ["a", "12", "3"],
        ["b", "0", "7"],
    ]
    assert len(text.spans) == 4
    darkest, palest = text.spans[3].style, text.spans[2].style
    assert darkest != palest


def test_shades_are_there_where_colours_are(monkeypatch: pytest.MonkeyPatch) -> None:
    plain = label_report.confusions(("a", "b"), ((12, 3), (0, 7)))
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm-256color")
    shaded = label_report.confusions(("a", "b"), ((12, 3), (0, 7)))
    assert "\x1b[" in shaded and "\x1b[" not in plain
    for shown in (plain, re.sub(r"\x1b\[[0-9;]*m", "", shaded)):
        assert [line.split() for line in shown.splitlines()][1:] == [
            ["a", "12", "3"],
            ["b", "0", "7"],
        ]


def test_what_is_wider_than_the_screen_is_listed(monkeypatch: pytest.MonkeyPatch) -> None:
    labels, counts = ("a", "b", "c"), ((12, 3, 0), (0, 7, 0), (0, 0, 1))
    monkeypatch.setattr(label_report, "is_terminal", lambda stream: True)
    monkeypatch.setattr(label_report, "screen_width", lambda: label_report.width(labels, counts))
    assert "12" in label_report.confusions(labels, counts)
    monkeypatch.setattr(label_report, "screen_width", lambda: 20)
    listed = label_report.confusions(labels, counts)
    assert [line.split() for line in listed.splitlines()][1:] == [["a", "b", "3"]]


def test_an_option_of_another_kind(model: Path, files: Path, run: Run) -> None:
    result = run("evaluate", "-m", "stars", "t.tsv", "--context", "sentence")
    assert result.code == 2 and "--context: stars is a classifier; only a language model" in (
        result.err
    )
    for option, takers in (("--text", "classifier or tagger"), ("--label", "classifier")):
        result = run("evaluate", "-m", model, "a.txt", option, "x")
        assert result.code == 2 and f"is a language model; only a {takers}" in result.err


def test_every_kind_is_evaluated() -> None:
    measured = {kind.name for kind in KINDS.values() if "evaluate" in kind.verbs}
    assert measured == set(evaluate.KINDS) and len(measured) > 7


@pytest.mark.parametrize("command", OF_LANGUAGE)
def test_verbs_of_language_models(command: str, files: Path, run: Run) -> None:
    options = () if command == "compare" else ("-m", "stars")
    result = run(command, *OF_LANGUAGE[command], *options)
    assert (result.code, result.out) == (1, "")
    others = " or translator or captioner" * (command in ("score", "sample", "next"))
    assert result.err.splitlines()[-1] == (
        f"lmtool: error: stars: is a classifier (classify, evaluate), not a language model"
        f"{others}; lmtool {command} needs one: lmtool train makes it"
    )


def test_the_verb_of_classifiers(model: Path, files: Path, run: Run) -> None:
    result = run("classify", "-m", model, "bad")
    assert (result.code, result.out) == (1, "")
    assert "is a language model (score, sample," in result.err
    assert "lmtool classify needs one: train it with --writes label or" in result.err


def test_from_python(model: Path, files: Path, tmp_path: Path) -> None:
    classifier = lmtool.load("stars", lmtool.Classifier)
    assert isinstance(lmtool.load("stars"), lmtool.Classifier)
    assert isinstance(lmtool.load(model, lmtool.Model), lmtool.Model)
    with pytest.raises(lmtool.ModelFileError, match=r"lmtool\.Model needs one"):
        lmtool.load("stars", lmtool.Model)
    with pytest.raises(lmtool.ModelFileError, match=r"not a classifier.*writes='label'"):
        lmtool.load(model, lmtool.Classifier)
    assert repr(classifier) == "Classifier(words, 3 labels (1 .. 5))"
    assert classifier.classify("bad", k=1).label == "1"
    assert [one.label for one in classifier.classify_lines(["bad", "", "good"])] == ["1", None, "5"]
    by_file = classifier.evaluate("t.tsv")
    assert by_file == classifier.evaluate([("1", "bad"), ("5", "good"), (["3"], "good")])
    assert by_file.n == 3 and classifier.temperature == 1.0
    card = classifier.info()
    assert (card["kind"], card["labels"]) == ("classifier", {"1": 3, "3": 4, "5": 9})
    assert card["recipe"] == {"seed": 1} and card["n_parameters"] == 2


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("bad and good", "there is no such file"),
        (5, "a path or a list of pairs is wanted, not an int"),
        ([("1", "bad"), "good"], r"source\[1\]: a pair \(label, text\) is wanted, not the str"),
        ([("1", 5)], r"source\[0\]: text: a str is wanted, not an int"),
        ([(1, "bad")], r"source\[0\]: label: a str is wanted, not an int"),
        ([("1", " ")], r"source\[0\]: the text is empty"),
        ([("4", "bad")], "the label '4' is in no training text"),
        ([(["1", "3"], "bad")], "2 labels, but each training text has one"),
        ([], "there is no labelled text"),
    ],
)
def test_wrong_labelled_texts(source: object, message: str, files: Path) -> None:
    classifier = lmtool.load("stars")
    with pytest.raises(lmtool.InputError, match=message):
        classifier.evaluate(source)
    with pytest.raises(lmtool.ConfigError, match="columns of a file"):
        classifier.evaluate([("1", "bad")], label="x")
