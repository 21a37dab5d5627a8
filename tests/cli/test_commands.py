"""Each command from the outside: help, happy path, JSON, stdin, and what users get wrong."""

import json
import math
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from lmtool.cli.app import COMMANDS, app, whole
from lmtool.cli.formats import FORMATS

Run = Callable[..., Any]


@pytest.mark.parametrize("name", COMMANDS)
def test_help(name: str, run: Run) -> None:
    result = run(name, "--help")
    assert result.code == 0
    assert f"lmtool {name}" in result.out
    assert CliRunner().invoke(app, [name, "-h"]).exit_code == 0


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_explains_itself(name: str) -> None:
    for option in whole(name).params:
        assert getattr(option, "help", None), option.name


def test_version_and_no_command(run: Run) -> None:
    from lmtool import __version__

    assert run("--version").out == f"lmtool {__version__}\n"
    assert run().code == 2


@pytest.mark.parametrize(
    ("option", "module", "table"),
    [
        ("tokens", "lmtool.text.tokenizers", "TOKENIZERS"),
        ("activation", "lmtool.nn.cells.rnn", "ACTIVATIONS"),
        ("optimizer", "lmtool.training.optimizers", "OPTIMIZERS"),
        ("context", "lmtool.data.resets", "CONTEXTS"),
    ],
)
def test_help_names_what_the_tables_hold(option: str, module: str, table: str) -> None:
    import importlib

    shown = {param.name: param.metavar for param in whole("train").params}
    assert shown[option].split("|") == list(getattr(importlib.import_module(module), table))


def test_score_one_sentence(model: Path, run: Run) -> None:
    result = run("score", "-m", model, "Todd met Pete")
    assert (result.code, result.err) == (0, "")
    assert "P(Pete | Todd met)" in result.out
    assert "P(<EOS> | ... met Pete)" in result.out
    assert "(3 words + <EOS>, 0 OOV)" in result.out


def test_score_json(model: Path, run: Run) -> None:
    value = json.loads(run("score", "-m", model, "--json", "Todd met Zork").out)
    names = {"text", "log10_p", "p", "perplexity", "n_words", "n_oov", "words"}
    assert names <= set(value)
    assert (value["n_words"], value["n_oov"], len(value["words"])) == (3, 1, 4)
    assert value["words"][2]["word"] == "Zork" and value["words"][2]["token"] == "<UNK>"
    assert math.isclose(value["log10_p"], sum(word["log10_p"] for word in value["words"]))


def test_score_ranks_several(model: Path, run: Run) -> None:
    lines = run("score", "-m", model, "Toad sea Pit", "Todd met Pete").out.splitlines()
    assert "Todd met Pete" in lines[1] and "Toad sea Pit" in lines[2]
    assert lines[1].split()[-3:] == ["1", ":", "1"]


def test_score_lines_from_a_pipe(model: Path, run: Run) -> None:
    result = run("score", "-m", model, stdin="Todd met Pete\r\n\nPete met Todd")
    rows = [line.split("\t") for line in result.out.splitlines()]
    assert [row[0] for row in rows] == ["text", "Todd met Pete", "", "Pete met Todd"]
    again = run("score", "-m", model, "-f", "-", stdin="Todd met Pete\n\nPete met Todd\n")
    assert again.out == result.out


def test_score_a_file_gives_the_same_numbers(model: Path, tmp_path: Path, run: Run) -> None:
    path = tmp_path / "text.txt"
    path.write_text("Todd met Pete\n", encoding="utf-8")
    from_file = json.loads(run("score", "-m", model, "-f", path, "--format", "jsonl").out)
    assert from_file == json.loads(run("score", "-m", model, "--json", "Todd met Pete").out)


@pytest.mark.parametrize(
    ("form", "level"), [(form, level) for form in FORMATS for level in FORMATS[form].levels]
)
def test_score_formats(form: str, level: str, model: Path, run: Run) -> None:
    options = ("score", "-m", model, "--format", form, "--level", level)
    assert run(*options, "Todd met Pete").code == 0
    blank = "" if form == "kaldi" else "\n"
    result = run(*options, stdin=f"Todd met Pete\n{blank}Zork\n")
    assert result.code == 0 and result.out.count("\n") >= 2


@pytest.mark.parametrize(
    ("form", "level", "known"),
    [
        ("tsv", "corpus", "word, sentence"),
        ("kaldi", "word", "sentence"),
        ("lmzoo", "sentence", "word"),
        ("srilm", "paragraph", "word, sentence, corpus"),
    ],
)
def test_score_names_the_levels_of_the_format(
    form: str, level: str, known: str, model: Path, run: Run
) -> None:
    result = run("score", "-m", model, "--format", form, "--level", level, "Todd")
    assert result.code == 2 and result.out == ""
    assert f"'{level}' is not one of the levels of {form}: {known} (see" in result.err


def test_score_utterances(model: Path, tmp_path: Path, run: Run) -> None:
    path = tmp_path / "nbest.txt"
    path.write_text("utt-1 Todd met Pete\nutt-2\n", encoding="utf-8")
    options = ("score", "-m", model, "--format")
    rows = [line.split("\t") for line in run(*options, "kaldi", "-f", path).out.splitlines()]
    assert [row[0] for row in rows] == ["utt-1", "utt-2"]
    plain = json.loads(run(*options, "jsonl", "Todd met Pete").out)
    assert math.isclose(float(rows[0][1]), -plain["log10_p"] * math.log(10), rel_tol=1e-5)
    words = map(json.loads, run("next", "-m", model, "-k", 100, "--json").out.splitlines())
    end = next(word["log10_p"] for word in words if word["word"] == "<EOS>")
    assert math.isclose(float(rows[1][1]), -end * math.log(10), rel_tol=1e-4)


def test_score_of_an_utterance_without_id(model: Path, tmp_path: Path, run: Run) -> None:
    path = tmp_path / "nbest.txt"
    path.write_text("utt-1 Todd\n\nutt-2 met\n", encoding="utf-8")
    result = run("score", "-m", model, "--format", "kaldi", "-f", path)
    assert result.code == 1 and result.err.startswith(f"lmtool: error: {path}:2: no utterance id")
    assert [line.split("\t")[0] for line in result.out.splitlines()] == ["utt-1"]


def test_score_of_a_long_sentence_does_not_underflow(model: Path, run: Run) -> None:
    out = run("score", "-m", model, "--format", "tsv", stdin="Todd met " * 2500).out
    cells = out.splitlines()[1].split("\t")
    assert float(cells[1]) < -1000
    assert re.fullmatch(r"\d(\.\d+)?e-\d{4,5}", cells[2])
    out = run("score", "-m", model, "Todd met " * 2500).out
    assert re.search(r"^P = \d(\.\d+)?e-\d{4,5}   log10 P = -\d{4,5}\.", out, re.MULTILINE)


def test_sample_repeats_with_the_seed_it_printed(model: Path, run: Run) -> None:
    drawn = run("sample", "-m", model, "-n", 3)
    seed = drawn.err.removeprefix("seed ").strip()
    again = run("sample", "-m", model, "-n", 3, "--seed", seed)
    assert drawn.out == again.out and again.err == ""
    assert len(drawn.out.splitlines()) == 3


def test_sample_json_and_length(model: Path, run: Run) -> None:
    options = ("sample", "-m", model, "--prompt", "Todd", "--max-words", 1, "--seed", 5)
    values = [json.loads(line) for line in run(*options, "-n", 20, "--json").out.splitlines()]
    assert len(values) == 20
    assert {"text", "tokens", "log10_p", "truncated", "seed"} <= set(values[0])
    texts = run(*options, "-n", 20).out.splitlines()
    assert [text.endswith(" ...") for text in texts] == [value["truncated"] for value in values]


def test_sample_scores(model: Path, run: Run) -> None:
    result = run("sample", "-m", model, "--temperature", 0, "--scores")
    assert "P(word | words before)" in result.out and "log10 P = " in result.out


def test_evaluate(model: Path, corpus: Path, run: Run) -> None:
    rows = [line.split("\t") for line in run("evaluate", "-m", model, corpus).out.splitlines()]
    assert rows[0][0] == "perplexity" and rows[-1][0] == "signature"
    assert rows[-2] == ["context", "sentence", "document"]
    value = json.loads(run("evaluate", "-m", model, corpus, "--json").out)
    both = run("evaluate", "-m", model, corpus, "--json", "--context", "both").out.splitlines()
    assert [json.loads(line)["context"] for line in both] == ["sentence", "document"]
    assert json.loads(both[0]) == value
    assert math.isclose(float(rows[0][1]), value["perplexity"], rel_tol=1e-5)
    assert value["n_sentences"] == 40 and value["context"] == "sentence"


def test_evaluate_document_context_and_stdin(model: Path, run: Run) -> None:
    options = ("evaluate", "-m", model, "-", "--json", "--context", "document")
    value = json.loads(run(*options, stdin="Todd met Pete\n\nPete met Todd\n").out)
    assert (value["context"], value["n_words"]) == ("document", 6)


def test_next(model: Path, run: Run) -> None:
    rows = [line.split("\t") for line in run("next", "-m", model, "Todd", "-k", 3).out.splitlines()]
    assert rows[0] == ["word", "p", "log10_p"] and len(rows) == 4
    assert float(rows[1][1]) >= float(rows[2][1]) >= float(rows[3][1])
    values = [json.loads(line) for line in run("next", "-m", model, "--json").out.splitlines()]
    assert len(values) == 10 and {"word", "p"} <= set(values[0])


def test_info(model: Path, run: Run) -> None:
    lines = dict(line.split("\t") for line in run("info", "-m", model).out.splitlines())
    assert lines["network.cell"] == "lstm" and lines["network.hidden"] == "16"
    value = json.loads(run("info", model, "--json").out)
    total = sum(math.prod(part["shape"]) for part in value["parameters"])
    assert total == value["n_parameters"] == int(lines["n_parameters"])


def test_model_from_the_environment(model: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LMTOOL_MODEL", str(model))
    assert CliRunner().invoke(app, ["next", "Todd"]).exit_code == 0


WRONG_USAGE = [
    ("score", "x", "--format", "xml"),
    ("score", "x", "--level", "corpus"),
    ("score", "x", "-f", "y"),
    ("score", "x", "--json", "--format", "tsv"),
    ("sample", "--temperature", "-1"),
    ("sample", "--top-p", "2"),
    ("sample", "-n", "-1"),
    ("evaluate",),
    ("evaluate", "x", "--context", "chapter"),
    ("next", "x", "-k", "0"),
    ("train",),
    ("train", "x", "--cell", "transformer"),
    ("train", "x", "--tokens", "byte"),
    ("train", "x", "--optimizer", "magic"),
    ("train", "x", "--time", "soon"),
    ("train", "x", "--epochs", "1", "--time", "1m"),
    ("train", "x", "--hidden", "0"),
    ("scroe", "x"),
    ("score", "--bogus"),
]


@pytest.mark.parametrize("arguments", WRONG_USAGE, ids=" ".join)
def test_wrong_usage_is_one_line_and_two(arguments: tuple[str, ...], run: Run) -> None:
    result = run(*arguments)
    assert (result.code, result.out) == (2, "")
    assert result.err.startswith("lmtool: error: ") and result.err.count("\n") == 1
    assert "--help)" in result.err


def test_wrong_input_is_one_line_and_one(model: Path, tmp_path: Path, run: Run) -> None:
    foreign = tmp_path / "foreign"
    foreign.write_bytes(b"not a model")
    binary = tmp_path / "binary"
    binary.write_bytes(b"\xff\x00\xfe")
    for arguments in (
        ("score", "-m", model, ""),
        ("score", "-m", model, "Todd", "  "),
        ("score", "-m", model, "-f", tmp_path / "missing"),
        ("score", "-m", model, "-f", tmp_path),
        ("score", "-m", model, "-f", binary),
        ("score", "-m", model, "-f", binary, "--format", "srilm"),
        ("surprisal", "-m", model, "-f", tmp_path / "missing"),
        ("score", "-m", tmp_path / "missing", "Todd"),
        ("score", "-m", foreign, "Todd"),
        ("evaluate", "-m", model, tmp_path / "missing"),
        ("info", tmp_path / "missing"),
        ("next", "-m", foreign, "Todd"),
        ("sample", "-m", foreign),
    ):
        result = run(*arguments)
        assert (result.code, result.out) == (1, ""), arguments
        assert result.err.splitlines()[-1].startswith("lmtool: error: "), arguments
        assert len(result.err.splitlines()) == 1 + result.err.startswith("seed"), arguments


def test_no_number_is_no_temperature(model: Path, run: Run) -> None:
    assert run("sample", "-m", model, "--temperature", "nan").code in (1, 2)


def test_escape_sequences_in_errors_are_harmless(tmp_path: Path, run: Run) -> None:
    result = run("score", "-m", tmp_path / "a\x1b[2J", "Todd")
    assert result.code == 1 and "\x1b" not in result.err and r"\x1b[2J" in result.err


@pytest.mark.parametrize(
    ("failure", "code", "message"),
    [
        (KeyboardInterrupt(), 130, "lmtool: interrupted\n"),
        (OSError(28, "No space left on device"), 1, "lmtool: error: No space left on device\n"),
        (MemoryError(), 1, "lmtool: error: out of memory: try a smaller model, batch or file\n"),
    ],
)
def test_failures_on_the_way(
    failure: BaseException, code: int, message: str, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    from lmtool import api

    def fail(command: str, path: object) -> None:
        raise failure

    monkeypatch.setattr(api, "load_for", fail)
    assert run("next", "Todd") == (code, "", message)


def test_a_terminal_gets_tables(model: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("render", "next", "info", "score"):
        monkeypatch.setattr(sys.modules[f"lmtool.cli.{module}"], "is_terminal", lambda stream: True)
    monkeypatch.setenv("COLUMNS", "40")
    for arguments in (("score", "Todd met [bold]"), ("next", "Todd"), ("info",)):
        result = run(arguments[0], "-m", model, *arguments[1:])
        assert result.code == 0 and "─" in result.out
        assert max(map(len, result.out.splitlines())) <= 60 + 40 * (arguments[0] == "score")
