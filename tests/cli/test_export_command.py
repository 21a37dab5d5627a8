"""``lmtool export``, and an n-gram model on the command line."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lmtool.models.arpa import read_arpa

Run = Callable[..., Any]


@pytest.fixture
def counted(corpus: Path, run: Run, tmp_path: Path) -> Path:
    """A model without networks."""
    path = tmp_path / "counted.safetensors"
    result = run("train", corpus, "--members", 0, "--ngram", 3, "-m", path)
    assert result.code == 0
    assert "3-gram, counted" in result.err and "training" not in result.err
    assert "--members 0 --" in result.err and "--ngram 3" in result.err
    return path


def test_arpa(counted: Path, run: Run, tmp_path: Path) -> None:
    path = tmp_path / "model.arpa"
    assert run("export", "-m", counted, "--arpa", path).code == 0
    assert read_arpa(path).order == 3
    again = run("export", "-m", counted, "--arpa", path)
    assert again.code == 1
    assert "--overwrite or another --arpa" in again.err
    assert run("export", "-m", counted, "--arpa", path, "--overwrite").code == 0
    assert run("export", "-m", counted, "--arpa", "-").out == path.read_text()


def test_every_command(counted: Path, corpus: Path, run: Run) -> None:
    assert json.loads(run("score", "-m", counted, "--json", "Todd met Pete").out)["n_oov"] == 0
    for command in (["sample"], ["next", "Todd"], ["surprisal", "Todd met"], ["info"]):
        assert run(command[0], "-m", counted, *command[1:]).code == 0
    result = json.loads(run("evaluate", "-m", counted, "--json", corpus).out)
    assert "|model:3-gram|" in result["signature"] and "parts" not in result
    assert run("compare", counted, counted, "-f", corpus).code == 0


def test_wrong_usage(model: Path, run: Run, tmp_path: Path, corpus: Path) -> None:
    assert run("export", "-m", model).code == 2
    none = run("export", "-m", model, "--arpa", tmp_path / "a")
    assert none.code == 1 and "--ngram 5" in none.err
    assert not (tmp_path / "a").exists()
    assert run("train", corpus, "--members", 0, "-m", tmp_path / "m").code == 2
    bad = run("train", corpus, "--ngram", 3, "--prune", "2,1", "-m", tmp_path / "m")
    assert bad.code == 2 and "--prune" in bad.err


def test_a_mixture(corpus: Path, run: Run, tmp_path: Path) -> None:
    path = tmp_path / "mixed.safetensors"
    small = ("--steps", 20, "--hidden", 8, "--members", 1)
    result = run("train", corpus, "--ngram", 2, *small, "-m", path, "--json")
    assert result.code == 0
    assert "weights of the parts: network" in result.err
    parts = json.loads(run("evaluate", "-m", path, "--json", corpus).out)["parts"]
    assert [part["name"] for part in parts] == ["network", "2-gram"]
    table = run("evaluate", "-m", path, corpus).out
    assert "parts" not in table and "2-gram" in table
