"""``lmtool tag`` and ``lmtool evaluate`` of a tagger."""

import itertools
import json
import re
from pathlib import Path

import pytest

import lmtool
from lmtool.cli.app import main
from lmtool.cli.spans import Palette
from lmtool.inference.tagging import Span, TaggedSentence
from tests.cli.conftest import Run

NAMES = "Todd/B-PER met/O Pete/B-PER in/O New/B-LOC York/I-LOC\nthe/O dog/O saw/O Todd/B-PER\n"
TEXT = "Todd met Pete\n\nthe dog saw New York\n"
SENTENCE = TaggedSentence(
    "Mohan was driving a Maruti 800",
    ("Mohan", "was", "driving", "a", "Maruti", "800"),
    ("B-PER", "O", "O", "O", "B-CAR", "I-CAR"),
    (0.97, 1.0, 1.0, 1.0, 0.9, 0.9),
    (Span(0, 1, "PER", "Mohan", 0.97), Span(4, 6, "CAR", "Maruti 800", 0.88)),
)


@pytest.fixture(scope="session")
def tagger(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One that knows two sentences by heart."""
    folder = tmp_path_factory.mktemp("tagger")
    (folder / "names.txt").write_text(NAMES * 20)
    words = [
        "--valid",
        str(folder / "names.txt"),
        "--writes",
        "tags",
        "--hidden",
        "12",
        "--steps",
        "150",
        "--members",
        "1",
    ]
    words += ["--dropout", "0", "--lr", "0.02", "-m", str(folder / "m"), "--quiet"]
    assert main(["train", str(folder / "names.txt"), *words]) == 0
    return folder / "m"


def test_one_line_in_one_line_out(tagger: Path, run: Run, tmp_path: Path) -> None:
    result = run("tag", "-m", tagger, stdin=TEXT)
    lines = ["Todd/B-PER met/O Pete/B-PER", "", "the/O dog/O saw/O New/B-LOC York/I-LOC"]
    assert (result.code, result.err, result.out.splitlines()) == (0, "", lines)
    (tmp_path / "a.txt").write_text(TEXT)
    assert run("tag", "-m", tagger, "-f", tmp_path / "a.txt").out == result.out
    assert run("tag", "-m", tagger, "Todd met Pete").out.splitlines() == lines[:1]


def test_columns_and_objects(tagger: Path, run: Run) -> None:
    conll = run("tag", "-m", tagger, "--format", "conll", stdin="Todd met\n\nPete\n").out
    assert conll == "Todd B-PER\nmet O\n\nPete B-PER\n\n"
    found = json.loads(run("tag", "-m", tagger, "--json", "the dog saw New York").out)
    assert set(found) == {"text", "tokens", "tags", "p", "spans"}
    assert found["tags"] == ["O", "O", "O", "B-LOC", "I-LOC"]
    (span,) = found["spans"]
    assert (span["start"], span["end"], span["type"], span["text"]) == (3, 5, "LOC", "New York")
    assert 0.5 < span["p"] <= min(found["p"][3:]) <= 1


@pytest.mark.parametrize("threads", [1, 3])
def test_results_know_no_neighbours(tagger: Path, threads: int) -> None:
    model = lmtool.load(tagger, lmtool.Tagger)
    lines = [
        " ".join(words)
        for words in itertools.permutations(["Todd", "met", "Pete", "the", "dog"], 4)
    ]
    alone = [model.tag(line) for line in lines]
    together = list(model.tag_lines(lines, threads=threads))
    assert [one.to_dict() for one in together] == [one.to_dict() for one in alone]
    fast = list(model.tag_lines(lines, threads=threads, probabilities=False))
    assert [(one.tags, one.p) for one in fast] == [(one.tags, ()) for one in alone]


def test_spans_for_people(tagger: Path, run: Run) -> None:
    shown = run("tag", "-m", tagger, "--format", "spans", "Todd met Pete").out
    assert re.fullmatch(r"\[Todd PER [01]\.\d\d\] met \[Pete PER [01]\.\d\d\]\n", shown)
    plain = Palette(("CAR", "PER"), False)(SENTENCE).plain
    assert plain == "[Mohan PER 0.97] was driving a [Maruti 800 CAR 0.88]"
    coloured = Palette(("CAR", "PER"), True)(SENTENCE)
    assert coloured.plain == " Mohan PER 0.97  was driving a  Maruti 800 CAR 0.88 "
    assert len({span.style for span in coloured.spans}) == 2
    bare = SENTENCE.__class__("a b", ("a", "b"), ("1", "0"), (0.9, 0.9), ())
    assert Palette(("0", "1"), False)(bare).plain == "a/1 b"


def test_pages(tagger: Path, run: Run, tmp_path: Path) -> None:
    html, svg = tmp_path / "a.html", tmp_path / "a.svg"
    text = "Todd met <b>Pete</b>"
    result = run("tag", "-m", tagger, "--html", html, "--svg", svg, text)
    assert result.code == 0
    assert "PER" in html.read_text() and "<b>Pete" not in html.read_text()
    assert svg.read_text().startswith("<svg") and "http" not in svg.read_text().split("xmlns")[0]
    missing = run("tag", "-m", tagger, "--html", tmp_path / "no" / "a.html", text)
    assert missing.code == 1 and missing.err.startswith("lmtool: error: ")


def test_evaluate_prints_conlleval(tagger: Path, run: Run, tmp_path: Path) -> None:
    (tmp_path / "t.txt").write_text(NAMES)
    result = run("evaluate", "-m", tagger, tmp_path / "t.txt")
    lines = result.out.splitlines()
    assert lines[0] == "processed 10 tokens with 4 phrases; found: 4 phrases; correct: 4."
    assert lines[1].startswith("accuracy: 100.00%; precision: 100.00%; recall: 100.00%; FB1: 100")
    assert [line.split(":")[0].strip() for line in lines[2:]] == ["LOC", "PER", "strict FB1"]
    found = json.loads(run("evaluate", "-m", tagger, tmp_path / "t.txt", "--json").out)
    assert (found["f1"], found["n_phrases"], len(found["per_type"])) == (100.0, 4, 2)


def test_what_does_not_fit(tagger: Path, run: Run, tmp_path: Path) -> None:
    (tmp_path / "t.txt").write_text("Todd/B-DOG\n")
    unknown = run("evaluate", "-m", tagger, tmp_path / "t.txt")
    assert unknown.code == 1 and "t.txt:1: the tag 'S-DOG' is in no training text" in unknown.err
    verb = run("score", "-m", tagger, "Todd")
    assert verb.code == 1 and "is a tagger (tag, evaluate), not" in verb.err
    option = run("evaluate", "-m", tagger, tmp_path / "t.txt", "--label", "x")
    assert option.code == 2 and "only a classifier" in option.err
    both = run("tag", "-m", tagger, "--json", "--format", "conll", "Todd")
    assert both.code == 2
