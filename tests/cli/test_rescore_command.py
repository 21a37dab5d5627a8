"""lmtool rescore from the outside."""

import json
from pathlib import Path
from typing import Any

import pytest

import lmtool
from tests.cli.conftest import Run

ROWS: list[dict[str, Any]] = [
    {"id": "u1", "hyps": ["Pete met sea", "Todd met Pete"], "scores": [-1.0, -1.1]},
    {"id": "u2", "hyps": ["the sea was calm", "calm sea was the"], "scores": [-2.0, -2.5]},
    {"id": "u3", "hyps": [], "scores": []},
]
REFS = ["Todd met Pete", "the sea was calm", "Todd"]
KALDI = "u1-1 Pete met sea\nu1-2 Todd met Pete\nu2-1 the sea was calm\nu2-2 calm sea was the\n"


@pytest.fixture(autouse=True)
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, model: Path) -> Path:
    """A folder to be in, and a model."""
    rows = [json.dumps(row | {"ref": ref}) for row, ref in zip(ROWS, REFS, strict=True)]
    (tmp_path / "n.jsonl").write_text("\n".join(rows) + "\n")
    (tmp_path / "dev.jsonl").write_text("\n".join(rows[:2]) + "\n")
    (tmp_path / "bare.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in ROWS))
    (tmp_path / "ref").write_text("\n".join(REFS) + "\n")
    (tmp_path / "kaldi").write_text(KALDI)
    (tmp_path / "costs").write_text("u1-1 1\nu1-2 1.1\nu2-1 2\nu2-2 2.5\n")
    (tmp_path / "kref").write_text("u2 the sea was calm\nu1 Todd met Pete\n")
    (tmp_path / "model.safetensors").write_bytes(model.read_bytes())
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_line_for_each_list(run: Run) -> None:
    result = run("rescore", "n.jsonl")
    assert result.code == 0
    assert result.out == "Todd met Pete\nthe sea was calm\n\n"
    said = result.err.splitlines()
    assert said[0] == "weights: recogniser 1, model.safetensors 1, words 0, unknown 0"
    assert said[1] == "1 of 3 lists changed, 1 better, 0 worse"
    assert said[4].split() == ["first", "37.50", "2", "1", "0", "8", "33.3"]
    assert said[5].split()[:2] == ["chosen", "12.50"]
    assert said[8].startswith("chosen - first: -25.00 WER, 95 % interval ")


def test_json_ends_with_the_summary(run: Run) -> None:
    *lists, last = map(json.loads, run("rescore", "n.jsonl", "--json").out.splitlines())
    assert [one["id"] for one in lists] == ["u1", "u2", "u3"]
    first = lists[0]["hypotheses"][0]
    assert (first["text"], first["rank"], first["n_errors"]) == ("Todd met Pete", 2, 0)
    assert (last["wer_first"], last["wer"], last["wer_oracle"], last["n"]) == (37.5, 12.5, 12.5, 3)
    assert last["weights"]["models"] == [1.0]
    own = lmtool.rescore("n.jsonl", "model.safetensors")
    assert last == json.loads(json.dumps(own.to_dict()))
    assert lists == [json.loads(json.dumps(one.to_dict())) for one in own.lists]


def test_references_change_nothing_but_the_rates(run: Run) -> None:
    with_them, without = run("rescore", "n.jsonl"), run("rescore", "bare.jsonl")
    assert with_them.out == without.out and "WER" not in without.err
    assert run("rescore", "bare.jsonl", "--ref", "ref") == with_them
    last = json.loads(run("rescore", "bare.jsonl", "--json").out.splitlines()[-1])
    assert last["wer"] is None and last["n"] == 3


def test_standard_input(run: Run, files: Path) -> None:
    text = (files / "n.jsonl").read_text()
    assert run("rescore", "-", stdin=text) == run("rescore", "n.jsonl")
    assert run("rescore", "-", "--tune", "-", stdin=text).code == 2


def test_weights_given_and_tuned(run: Run) -> None:
    stays = run("rescore", "bare.jsonl", "--weights", "1,0,0,0")
    assert stays.out.startswith("Pete met sea\n") and "0 of 3 lists changed" in stays.err
    tuned = run("rescore", "bare.jsonl", "--tune", "dev.jsonl")
    assert tuned.out.startswith("Todd met Pete\n") and "tuned on dev.jsonl" in tuned.err
    again = run("rescore", "bare.jsonl", "--tune", "bare.jsonl", "--tune-ref", "ref")
    assert again.code == 1 and "tuned on the lists" in again.err


def test_two_models(run: Run) -> None:
    result = run("rescore", "bare.jsonl", "-m", "model.safetensors", "-m", "model.safetensors")
    assert result.code == 0 and "model.safetensors 0.5, model.safetensors 0.5" in result.err


def test_kaldi_in_and_out(run: Run) -> None:
    result = run("rescore", "kaldi", "--costs", "costs", "--ref", "kref", "--format", "utterances")
    assert result.out == "u1 Todd met Pete\nu2 the sea was calm\n"
    assert "chosen   0.00" in result.err
    whole = run("rescore", "kaldi", "--costs", "costs", "--format", "kaldi").out
    assert whole.splitlines()[:2] == ["u1-1 Todd met Pete", "u1-2 Pete met sea"]


@pytest.mark.parametrize("form", ["moses", "srilm", "jsonl", "kaldi"])
def test_what_is_printed_can_be_read(form: str, run: Run, files: Path) -> None:
    (files / "out").write_text(run("rescore", "dev.jsonl", "--format", form).out)
    again = run("rescore", "out")
    assert again.code == 0 and again.out == "Todd met Pete\nthe sea was calm\n"


def test_a_table(run: Run) -> None:
    lines = run("rescore", "dev.jsonl", "--format", "table").out.splitlines()
    assert lines[0] == "u1: Todd met Pete"
    heads = ["text", "was", "recogniser", "log10", "p", "words", "unknown", "total", "errors"]
    assert lines[1].split() == heads
    assert lines[2].startswith("1  Todd met Pete    2")
    assert any(line.startswith("chosen - first") for line in lines)


def test_control_characters_are_spelled_out(run: Run, files: Path) -> None:
    (files / "odd").write_text(json.dumps({"hyps": ["a\u001b[31m"]}) + "\n")
    assert run("rescore", "odd").out == "a\\x1b[31m\n"


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (("n.jsonl", "--tune", "n.jsonl"), 1, "--tune: n.jsonl: the weights would be tuned on"),
        (("n.jsonl", "--tune", "dev.jsonl", "--weights", "1,1,0,0"), 2, "give one of both"),
        (("n.jsonl", "--tune-ref", "ref"), 2, "needs --tune DEV"),
        (("n.jsonl", "--weights", "a"), 2, "no list of numbers"),
        (("n.jsonl", "--weights", "1,2"), 2, "--weights: 4 numbers are wanted"),
        (("n.jsonl", "--from", "xml"), 2, "is not one of jsonl, moses, kaldi, srilm"),
        (("n.jsonl", "--from", "moses"), 1, "n.jsonl:1: 1 fields"),
        (("n.jsonl", "--format", "xml"), 2, "is not one of"),
        (("n.jsonl", "--ref", "kref"), 1, "kref: 2 lines, but there are 3 lists"),
        (("gone.jsonl",), 1, "gone.jsonl: cannot be read"),
        (("n.jsonl", "-m", "gone.safetensors"), 1, "gone.safetensors"),
        ((), 2, "Missing argument"),
    ],
)
def test_what_is_refused(words: tuple[str, ...], code: int, message: str, run: Run) -> None:
    result = run("rescore", *words)
    assert (result.code, result.out) == (code, "")
    assert message in result.err and result.err.count("\n") == 1
