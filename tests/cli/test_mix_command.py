"""``lmtool mix``: the table, the file, every command with it, and what cannot be mixed."""

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import lmtool
from lmtool.cli.app import main

Run = Callable[..., Any]
OTHER = "Todd met Zork\nPete saw the lake\n"


@pytest.fixture(scope="module")
def counted(corpus: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A trigram model of the corpus."""
    path = tmp_path_factory.mktemp("counted") / "kn.safetensors"
    given = ["train", corpus, "--members", 0, "--ngram", 3, "-m", path, "--quiet"]
    assert main([*map(str, given)]) == 0
    return path


@pytest.fixture(scope="module")
def mixed(
    model: Path, counted: Path, corpus: Path, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """Both."""
    path = tmp_path_factory.mktemp("mixed") / "both.safetensors"
    assert main([*map(str, ["mix", model, counted, "--valid", corpus, "-o", path])]) == 0
    return path


def test_a_table_and_json(
    run: Run, model: Path, counted: Path, mixed: Path, corpus: Path, tmp_path: Path
) -> None:
    options = ("--valid", corpus, "-o", tmp_path / "m")
    table = run("mix", model, counted, *options)
    assert table.code == 0 and "perplexity" in table.out and "mixture" in table.out
    again = run("mix", model, counted, *options)
    assert again.code == 1 and "--overwrite" in again.err
    result = json.loads(run("mix", model, counted, mixed, *options, "--overwrite", "--json").out)
    names = [part["name"] for part in result["parts"]]
    assert names == ["tiny", "kn", "both tiny", "both kn"]
    assert math.fsum(part["weight"] for part in result["parts"]) == pytest.approx(1)
    found = json.loads(run("evaluate", "-m", tmp_path / "m", corpus, "--json").out)
    assert found["perplexity"] == pytest.approx(result["perplexity"], rel=1e-4)
    assert found["perplexity"] <= min(part["perplexity"] for part in result["parts"]) + 1e-4
    for one, two in zip(found["parts"], result["parts"], strict=True):
        assert one["name"] == two["name"]
        assert one["perplexity"] == pytest.approx(two["perplexity"], rel=1e-4)


def test_every_command_takes_it(run: Run, mixed: Path, corpus: Path, tmp_path: Path) -> None:
    lists = tmp_path / "lists.jsonl"
    lists.write_text('{"hyps": ["Todd met Pete", "Todd met peat"], "scores": [-1, -1]}\n')
    pairs = tmp_path / "pairs.tsv"
    pairs.write_text("good\tbad\nTodd met Pete\tmet Pete Todd\n")
    for command in (
        ["score", "Todd met Pete"], ["sample", "--seed", 1], ["surprisal", "Todd met"], ["info"],
        ["next", "Todd"], ["pairs", pairs], ["rescore", lists], ["evaluate", corpus],
    ):  # fmt: skip
        result = run(command[0], "-m", mixed, *command[1:])
        assert result.code == 0, result.err
    assert run("compare", mixed, mixed, "-f", corpus).code == 0
    assert "tiny" in run("evaluate", "-m", mixed, corpus).out


def test_it_sums_to_one_and_is_saved_whole(mixed: Path, tmp_path: Path) -> None:
    model = lmtool.load(mixed)
    every = model.next("Todd met", k=99)
    own = model.language_model
    top, _ = own.read(np.array([0, 2, 3], np.int32), own.zero_state())
    sums = np.exp(own.log_probabilities(top), dtype=np.float64).sum(axis=1)
    assert sums == pytest.approx(1, abs=1e-5)
    assert sum(word.p for word in every) == pytest.approx(1, abs=1e-5)
    model.save(tmp_path / "again")
    assert (tmp_path / "again").read_bytes() == mixed.read_bytes()


def test_other_words(run: Run, model: Path, corpus: Path, tmp_path: Path) -> None:
    text, other = tmp_path / "other.txt", tmp_path / "other"
    text.write_text(OTHER * 20)
    assert run("train", text, "--members", 0, "--ngram", 2, "-m", other, "-q").code == 0
    result = run("mix", model, other, "--valid", corpus, "-o", tmp_path / "m")
    assert result.code == 1 and "\n" not in result.err.strip()
    assert "only other has 2 tokens: 'Zork', 'lake'" in result.err
    assert not (tmp_path / "m").exists()


def test_wrong_usage(run: Run, model: Path, mixed: Path, tmp_path: Path) -> None:
    assert run("mix", model, "--valid", "x", "-o", tmp_path / "m").code == 2
    assert run("mix", model, mixed, "-o", tmp_path / "m").code == 2
    blank = run("mix", model, mixed, "--valid", "-", "-o", tmp_path / "m", stdin="\n\n")
    assert blank.code == 1 and "no word" in blank.err
