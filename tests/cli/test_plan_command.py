"""``lmtool plan`` from the outside."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

Run = Callable[..., Any]


def test_plan_says_what_train_would_do(corpus: Path, run: Run) -> None:
    result = run("plan", corpus, "--hidden", 8, "--steps", 10)
    assert result.code == 0
    shown = dict(line.split("\t") for line in result.out.splitlines())
    assert (shown["hidden"], shown["steps"]) == ("8", "10")
    assert shown["command"].startswith("lmtool train")


def test_plan_json(corpus: Path, run: Run) -> None:
    value = json.loads(run("plan", corpus, "--json", "--time", "5s", "--hidden", 8).out)
    assert value["network"]["hidden"] == 8
    assert value["tokens_per_second"] > 0 and value["steps"] > 0


def test_plan_from_stdin(run: Run) -> None:
    text = "Todd met Pete\nPete met Todd\n" * 20
    assert run("plan", "-", "--hidden", 8, "--steps", 10, stdin=text).code == 0


def test_plan_of_nothing(tmp_path: Path, run: Run) -> None:
    result = run("plan", tmp_path / "missing.txt")
    assert (result.code, result.out) == (1, "")
    assert "missing.txt" in result.err and len(result.err.splitlines()) == 1


def test_plan_has_no_option_of_train_that_writes(corpus: Path, run: Run) -> None:
    assert run("plan", corpus, "--overwrite").code == 2
