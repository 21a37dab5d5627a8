"""--adapt, --cache and --tune: what is printed, what is refused."""

import json
from pathlib import Path

import pytest

from lmtool import load
from lmtool.errors import InputError
from lmtool.models import adaptation
from tests.cli.conftest import LINES, Run

FOLLOWING = ("--adapt", "--cache", 20)


@pytest.fixture(autouse=True)
def short_statistics(monkeypatch: pytest.MonkeyPatch) -> None:
    """A hundredth of the text that gradients are told from."""
    monkeypatch.setattr(adaptation, "DRAWN", 41)


def test_evaluate_says_what_was_done(model: Path, corpus: Path, run: Run) -> None:
    value = json.loads(run("evaluate", "-m", model, corpus, "--json", *FOLLOWING).out)
    assert value["context"] == "document"
    assert value["adaptation"] == {
        "adapt": {"rate": 0.001, "decay": 0.02},
        "cache": {"size": 20, "weight": 0.12, "sharpness": 8.0},
    }
    assert (
        "|adapt:rate=0.001,decay=0.02|cache:size=20,weight=0.12,sharpness=8|" in value["signature"]
    )
    rows = [
        line.split("\t")
        for line in run("evaluate", "-m", model, corpus, *FOLLOWING).out.splitlines()
    ]
    assert float(rows[0][1]) == pytest.approx(value["perplexity"], rel=1e-5)
    assert {len(row) for row in rows} == {2} and "adaptation" not in dict(rows)


def test_python_and_command_line_agree(model: Path, corpus: Path, run: Run) -> None:
    value = json.loads(run("evaluate", "-m", model, corpus, "--json", "--cache", 9).out)
    found = load(model).evaluate(corpus, "document", cache=9)
    assert found.to_dict() == {name: x for name, x in value.items() if name != "file"}


def test_surprisal_follows_a_document(model: Path, run: Run, tmp_path: Path) -> None:
    path = tmp_path / "text.txt"
    path.write_text("\n".join(LINES))
    command = ("surprisal", "-m", model, "-f", path, "--json")
    plain, moved = (
        [json.loads(line)["log_p"] for line in run(*command, *options).out.splitlines()]
        for options in (("--context", "document"), ("--context", "document", *FOLLOWING))
    )
    assert len(plain) == len(moved) and plain[0] == moved[0] and plain[-1] != moved[-1]
    refused = run(*command, *FOLLOWING)
    assert refused.code == 2 and "--context document" in refused.err


def test_tune_says_what_it_chose(model: Path, corpus: Path, run: Run) -> None:
    command = ("evaluate", "-m", model, corpus, "--json", *FOLLOWING)
    tuned = run(*command, "--tune", corpus)
    assert f"note: tuned on {corpus}: --adapt-rate " in tuned.err and "--cache-weight" in tuned.err
    best, usual = json.loads(tuned.out), json.loads(run(*command).out)
    assert best["perplexity"] <= usual["perplexity"]
    assert best["adaptation"]["cache"]["size"] == 20


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--adapt", "--context", "sentence"), "--adapt: follows a whole text"),
        (("--cache", 5, "--context", "both"), "--cache: follows a whole text"),
        (("--cache", -1), "--cache: must be at least 0"),
        (("--cache", 5, "--cache-weight", 2), "--cache-weight: must be at least 0"),
        (("--tune", "x"), "needs --adapt or --cache N"),
    ],
)
def test_refusals(model: Path, corpus: Path, run: Run, options: tuple[str, ...], said: str) -> None:
    result = run("evaluate", "-m", model, corpus, *options)
    assert result.code == 2 and said in result.err and not result.out


def test_what_cannot_follow(model: Path, corpus: Path, run: Run, tmp_path: Path) -> None:
    counted = tmp_path / "counted.safetensors"
    run("train", corpus, "-m", counted, "--members", 0, "--ngram", 2, "--quiet")
    result = run("evaluate", "-m", counted, corpus, "--adapt")
    assert result.code == 1 and "--adapt: the model has no networks" in result.err
    with pytest.raises(InputError, match="nothing to tune by"):
        load(model).tune([" "], cache=5)
