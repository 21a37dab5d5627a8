"""What a person sees: help, numbers and tables on terminals of any width, waiting, streams."""

import ast
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from lmtool import __file__ as package
from lmtool import kernel_cache
from lmtool.cli import counter
from lmtool.cli.app import COMMANDS, GROUPS, whole
from lmtool.cli.layout import blocks, folded, shared
from lmtool.cli.render import decimals, json_line, number
from lmtool.cli.terminal import Status
from lmtool.display import counted

Run = Callable[..., Any]
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(Path(package).parents[1])}
PRINTING = [
    ("--help",), ("--version",), ("help",), ("help", "score"), ("info", "--help"), ("info",),
]  # fmt: skip

every_way_to_print = pytest.mark.parametrize("arguments", PRINTING, ids=" ".join)


def printed_to(stdout: int, arguments: tuple[str, ...], model: Path) -> tuple[int, bytes]:
    """Exit code and stderr."""
    command = [sys.executable, "-m", "lmtool", *arguments]
    environment = ENVIRONMENT | {"LMTOOL_MODEL": str(model)}
    done = subprocess.run(
        command, stdout=stdout, stderr=subprocess.PIPE, env=environment, check=False
    )
    return done.returncode, done.stderr


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="only Linux has it")
@every_way_to_print
def test_a_full_disk_is_one_line(arguments: tuple[str, ...], model: Path) -> None:
    with open("/dev/full", "wb") as full:
        code, err = printed_to(full.fileno(), arguments, model)
    assert (code, err) == (1, b"lmtool: error: standard output: No space left on device\n")


@every_way_to_print
def test_a_reader_that_is_gone_is_no_error(arguments: tuple[str, ...], model: Path) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    try:
        assert printed_to(writer, arguments, model) == (0, b"")
    finally:
        os.close(writer)


def test_help_has_groups_and_how_to_go_on(run: Run) -> None:
    out = run("--help").out
    assert [title for title in GROUPS if f"─ {title} ─" in out] == list(GROUPS)
    assert "lmtool help COMMAND" in out
    assert run("help").out == out


@pytest.mark.parametrize("name", COMMANDS)
def test_help_of_a_command_ends_with_an_example_that_parses(name: str, run: Run) -> None:
    example = COMMANDS[name].example
    out = run("help", name).out
    assert out == run(name, "--help").out
    assert out.rstrip().endswith(example)
    first, second, *arguments = shlex.split(example)
    assert (first, second) == ("lmtool", name)
    whole(name).make_context(name, arguments)


@pytest.mark.parametrize("name", COMMANDS)
def test_usage_says_where_several_are_allowed(name: str) -> None:
    several = [p.metavar for p in whole(name).params if p.nargs == -1]
    assert all(metavar.endswith("...") or metavar == "GOOD BAD | TABLE" for metavar in several)


def test_help_of_what_is_no_command(run: Run) -> None:
    result = run("help", "scroe")
    assert result.code == 2 and result.err.startswith("lmtool: error: No such command")


def test_choices_are_completed() -> None:
    words = {"COMP_WORDS": "lmtool train --cell ", "COMP_CWORD": "3"}
    environment = ENVIRONMENT | words | {"_LMTOOL_COMPLETE": "complete_bash"}
    command = [sys.executable, "-m", "lmtool"]
    done = subprocess.run(command, capture_output=True, env=environment, check=False)
    assert done.stdout.split() == [b"lstm", b"gru", b"rnn", b"window", b"none"]


def test_a_missing_model_is_named_as_it_was_given(
    model: Path, corpus: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    for arguments, source in (
        (("compare", "missing", model, "-f", corpus), "the argument A.model"),
        (("compare", model, "missing", "-f", corpus), "the argument B.model"),
        (("next", "-m", "missing"), "-m"),
    ):
        result = run(*arguments)
        assert result.code == 1 and result.err.endswith(f"or name one with {source}\n")
    command = [sys.executable, "-m", "lmtool", "info"]
    environment = ENVIRONMENT | {"LMTOOL_MODEL": "missing"}
    done = subprocess.run(command, capture_output=True, env=environment, check=False)
    assert done.returncode == 1 and done.stderr.endswith(b" -m; $LMTOOL_MODEL names it\n")


def formats(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """(line, what stands after the colon) of each f-string's field."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FormattedValue) and node.format_spec is not None:
            yield node.lineno, ast.unparse(node.format_spec)


@pytest.mark.parametrize(
    "path", sorted(Path(package).parent.glob("cli/**/*.py")), ids=lambda path: path.stem
)
def test_no_format_of_a_float_makes_a_negative_zero(path: Path) -> None:
    found = formats(ast.parse(path.read_text(encoding="utf-8")))
    floats = [(line, spec) for line, spec in found if re.search(r"[feg%]['\"]?$", spec)]
    assert [place for place in floats if "z" not in place[1]] == []


def test_numbers_that_are_nearly_nothing_have_no_sign() -> None:
    assert number(-0.0) == "0" and decimals(-1e-9, 4) == "0.0000"
    assert json_line({"a": [-0.0]}) == '{"a": [0.0]}'


def test_numbers_too_long_to_read_are_powers() -> None:
    assert decimals(54071273124352.1719, 4) == "5.41e+13"
    assert decimals(58.41279, 4) == "58.4128" and decimals(5.0, 2, "+") == "+5.00"
    assert decimals(None) == decimals(float("nan")) == ""


def test_one_thing_is_no_plural() -> None:
    assert counted(1, "line") == "1 line" and counted(1.0, "epoch") == "1 epoch"
    assert counted(1234, "step") == "1,234 steps" and counted(0.5, "epoch") == "0.5 epochs"


def test_layout() -> None:
    assert blocks((10, 30, 30, 30), 80) == [[0, 1, 2], [0, 3]]
    assert blocks((100, 100), 80) == [[0, 1]]
    assert shared((10, 60, 20), (10, 9, 20), 80) == [10, 46, 20]
    assert folded("a bb ccc dddd", 6, " ") == "a bb\n ccc\n dddd"


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """Standard output is a terminal of 80 columns."""
    for module in ("render", "score", "pairs", "surprisal"):
        monkeypatch.setattr(f"lmtool.cli.{module}.is_terminal", lambda stream: True)
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("NO_COLOR", "1")


LONG = "Todd understandably met Pete extraordinarily calmly"


@pytest.mark.usefixtures("terminal")
def test_eighty_columns_break_no_word(model: Path, tmp_path: Path, run: Run) -> None:
    pairs = tmp_path / "pairs.tsv"
    pairs.write_text(f"good\tbad\tkind\n{LONG}\tToad met\tunremarkable\n", encoding="utf-8")
    words = ("understandably", "extraordinarily", "perplexity")
    for arguments, known in (
        (("score", LONG), words),
        (("score", LONG, "Todd"), words),
        (("surprisal", "--top", 9, LONG), ("understandably", "reduction", "entropy", "<EOS>")),
        (("pairs", pairs, "--by", "kind"), ("unremarkable", "difference", "accuracy")),
        (("pairs", pairs, "--items"), ("difference", "log10", "Toad")),
    ):
        result = run(arguments[0], "-m", model, *arguments[1:])
        assert result.code == 0, result.err
        assert max(map(len, result.out.splitlines())) <= 80
        assert [word for word in known if word not in result.out] == []


def test_lines_are_counted_where_a_person_waits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "text.txt"
    path.write_text("a b\nc\n", encoding="utf-8")
    assert list(counter.followed(["a b", "c"], path)) == ["a b", "c"]
    assert capsys.readouterr().err == ""
    monkeypatch.setattr(counter, "is_terminal", lambda stream: True)
    monkeypatch.setattr(counter, "PATIENCE", -1.0)
    monkeypatch.setattr(counter, "PAUSE", -1.0)
    assert list(counter.followed(["a b", "c"], path)) == ["a b", "c"]
    err = capsys.readouterr().err
    assert "\r1 line  " in err and "67 %" in err and "\r2 lines  " in err and "100 %" in err
    assert re.search(r"\r +\r$", err)
    assert counter.status(1234, 2.0, 0.5) == "1,234 lines  617 lines/s  50 %  0:02 left"
    assert counter.total_bytes("-") == counter.total_bytes("text.gz") == 0


def test_a_status_is_gone_before_anything_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    status = Status()
    status.show("12 lines\x1b")
    status.show("13")
    status.clear()
    status.clear()
    assert capsys.readouterr().err == "\r12 lines\\x1b\r13          \r  \r"


def test_the_first_compilation_is_told_once() -> None:
    told: list[str] = []
    missing = SimpleNamespace(load_overload=lambda *a: None, save_overload=lambda *a: None)
    kernel = kernel_cache.forgiving(SimpleNamespace(_cache=missing))
    kernel_cache.on_compiling(lambda: told.append("compiling"))
    kernel._cache.load_overload("signature")
    kernel._cache.load_overload("signature")
    assert told == ["compiling"]
    found = SimpleNamespace(load_overload=lambda *a: "code", save_overload=lambda *a: None)
    kernel_cache.on_compiling(lambda: told.append("again"))
    kernel_cache.forgiving(SimpleNamespace(_cache=found))._cache.load_overload("signature")
    kernel_cache._told.clear()
    assert told == ["compiling"]
