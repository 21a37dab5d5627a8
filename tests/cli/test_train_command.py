"""``lmtool train`` from the outside."""

import json
import re
import shlex
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from lmtool.cli.progress import Live, Plain, live_text, log_line, plan_lines
from lmtool.cli.train import summary
from lmtool.settings import ModelSettings, TrainSettings
from lmtool.training.events import Event, Finished, Note, Planned, Progress, Validated

Run = Callable[..., Any]
READ = "4,000 lines, 30,000 tokens to train on"
SMALL = ("--steps", 10, "--hidden", 8)


def events() -> list[Event]:
    network = ModelSettings(embed=8, hidden=16)
    recipe = TrainSettings(
        output="full", epochs=2, batch=4, bptt=20, lr=0.004, dropout=0.1, threads=2
    )
    return [
        Planned(network, recipe, "language model", [READ], 30000, 123456, "lmtool train x"),
        Progress(10, 100, 0.2, 4.5, 12345.0, 3.0, 27.0, 0.004),
        Validated(50, 1.0, {"perplexity": 85.25}, True, 15.0),
        Note("careful with \x1b[2J"),
        Finished(
            {"valid_perplexity": 80.5}, 100, 100, 30.0, 12345.0, 111.0, False, "x.safetensors"
        ),
    ]


def test_train_says_what_it_does(corpus: Path, tmp_path: Path, run: Run) -> None:
    path = tmp_path / "m.safetensors"
    result = run("train", corpus, "-m", path, *SMALL)
    assert (result.code, result.out) == (0, "")
    assert path.exists()
    for part in ("corpus ", "lstm, 1 x 8 hidden", "10 steps", "lmtool train", "perplexity"):
        assert part in result.err
    assert f"lmtool score -m {path}" in result.err


def test_train_json_and_log(corpus: Path, tmp_path: Path, run: Run) -> None:
    log = tmp_path / "log.jsonl"
    options = ("-m", tmp_path / "m.safetensors", "--log", log, "--json", "--quiet")
    result = run("train", corpus, *options, *SMALL, "--valid", corpus)
    assert result.err == ""
    value = json.loads(result.out.splitlines()[-1])
    assert value["model"] == str(tmp_path / "m.safetensors")
    names = {"valid_perplexity", "tokens_per_second", "seconds", "steps", "peak_memory_mb"}
    assert names <= set(value)
    logged = [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]
    assert (logged[0]["event"], logged[-1]["event"]) == ("planned", "finished")
    assert logged[0]["network"]["hidden"] == 8


def test_train_goes_on_with_a_model(corpus: Path, model: Path, tmp_path: Path, run: Run) -> None:
    path, more = tmp_path / "m.safetensors", ("--init", model, "--steps", 10)
    assert run("train", corpus, "-m", path, *more, "-q").code == 0
    command = json.loads(run("info", path, "--json").out)["command"]
    assert f"--init {model}" in command
    first = path.read_bytes()
    assert run(*shlex.split(command)[1:], "--overwrite", "-q").code == 0
    assert path.read_bytes() == first
    shown = dict(line.split("\t") for line in run("info", path).out.splitlines())
    parent = json.loads(run("info", model, "--json").out)
    assert shown["ancestors.1.digest"] == parent["digest"]
    assert shown["ancestors.1.command"] == parent["command"]
    result = run("plan", corpus, *more, "--json")
    assert json.loads(result.out)["network"] == parent["network"]


@pytest.mark.parametrize("command", ["train", "plan"])
def test_an_option_that_contradicts_the_model(
    command: str, corpus: Path, model: Path, tmp_path: Path, run: Run
) -> None:
    for options in [("--hidden", "17"), ("--no-tie",), ("--tokens", "char"), ("--lower",)]:
        result = run(command, corpus, "--init", model, *options)
        assert (result.code, result.out) == (1, "")
        said = result.err.splitlines()[-1]
        assert said.startswith(f"lmtool: error: {options[0].replace('no-', '')}: the model to go")
    deep = tmp_path / "deep"
    assert run("train", corpus, "-m", deep, "--layers", 2, *SMALL, "-q").code == 0
    result = run(command, corpus, "--init", deep, "--layers", 1)  # the default, but said
    assert result.code == 1 and "--layers: the model to go on with has 2, not 1" in result.err


def test_no_model_to_go_on_with(corpus: Path, tmp_path: Path, run: Run) -> None:
    result = run("train", corpus, "--init", tmp_path / "no", "-m", tmp_path / "m", *SMALL)
    assert result.code == 1 and result.err.count("\n") == 1
    assert result.err.endswith("or name one with --init\n")


def test_train_from_stdin_by_character(tmp_path: Path, run: Run) -> None:
    path = tmp_path / "m.safetensors"
    names = "\n".join(["Ada", "Bob", "Cleo", "Dora"] * 5)
    result = run("train", "-", "-m", path, "--tokens", "char", "--cell", "gru", *SMALL, stdin=names)
    assert result.code == 0
    assert json.loads(run("score", "-m", path, "--json", "Ada").out)["n_words"] == 3


def test_train_never_overwrites_unasked(corpus: Path, tmp_path: Path, run: Run) -> None:
    path = tmp_path / "m.safetensors"
    path.write_text("precious", encoding="utf-8")
    result = run("train", corpus, "-m", path, *SMALL)
    assert result.code == 1 and "--overwrite" in result.err
    assert path.read_text(encoding="utf-8") == "precious"
    assert run("train", corpus, "-m", path, "--overwrite", "-q", *SMALL).code == 0
    assert path.read_bytes() != b"precious"


@pytest.mark.parametrize(
    "content", [None, b"", b"\n\n\n", b"\x00\x01\x02", b"caf\xe9\n", b"\xff\xfeT\x00"]
)
def test_train_on_what_is_no_text(content: bytes | None, tmp_path: Path, run: Run) -> None:
    path = tmp_path / "corpus.txt"
    if content is not None:
        path.write_bytes(content)
    result = run("train", path, "-m", tmp_path / "m.safetensors", *SMALL)
    assert (result.code, result.out) == (1, "")
    assert result.err.startswith("lmtool: error: ") and result.err.count("\n") == 1
    assert not (tmp_path / "m.safetensors").exists()


def test_train_into_a_missing_folder(corpus: Path, tmp_path: Path, run: Run) -> None:
    result = run("train", corpus, "-m", tmp_path / "no" / "m.safetensors", *SMALL)
    assert result.code == 1 and result.err.splitlines()[-1].startswith("lmtool: error: ")
    result = run("train", corpus, "--log", tmp_path / "no" / "log.jsonl", *SMALL)
    assert result.code == 1 and "log.jsonl" in result.err


def test_ctrl_c_leaves_nothing(
    corpus: Path, tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(self: Plain, event: Validated) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Plain, "on_validated", interrupt)
    result = run("train", corpus, "-m", tmp_path / "m.safetensors", *SMALL)
    assert result.code == 130 and result.err.endswith("lmtool: interrupted\n")
    assert list(tmp_path.iterdir()) == []


def test_plain_talk(capsys: pytest.CaptureFixture[str]) -> None:
    with Plain() as talker:
        for event in events():
            talker(event)
    out, err = capsys.readouterr()
    assert out == ""
    assert err.splitlines() == [
        f"corpus    {READ}",
        "model     lstm, 1 x 16 hidden, 8 embedding, tied output weights: 123,456 parameters",
        "training  2 epochs, batch 4 x 20, adam 0.004, dropout 0.1, full softmax, mixed context,"
        " seed 1",
        "epoch 1.00  step 50  validation perplexity 85.25  0:15  best",
        r"note: careful with \x1b[2J",
    ]
    assert talker.finished == events()[-1]


@pytest.mark.parametrize(
    ("width", "line"),
    [
        (10, "0.20  0:27"),
        (30, "epoch 0.20  best -  0:27"),
        (60, "epoch 0.20  loss 4.50  best -  0:27 left"),
        (80, "epoch 0.20  loss 4.50  best -  0:27 left"),
        (
            120,
            "epoch 0.20  12,345 tokens/s  loss 4.50  best - in validation  0:27 left",
        ),
    ],
)
def test_the_live_line_has_the_numbers_that_fit(width: int, line: str) -> None:
    event = Progress(10, 100, 0.2, 4.5, 12345.0, 3.0, 27.0, 0.004)
    assert live_text(event, "best -", width) == line


@pytest.mark.parametrize("width", [30, 60, 80, 120])
def test_live_talk(
    width: int, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    monkeypatch.setenv("FORCE_COLOR", "1")
    with Live() as talker:
        for event in events():
            talker(event)
        talker.line.refresh()
    out, err = capsys.readouterr()
    assert out == "" and "\x1b[2J" not in err
    assert "ppl 85.2" in err
    shown = [re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", part) for part in re.split(r"[\r\n]", err)]
    assert max(map(len, shown)) <= width
    assert ("\u2501" in err) == (width >= 60)


def test_numbers_without_worth_are_not_shown(tmp_path: Path) -> None:
    path = tmp_path / "x.safetensors"
    path.write_bytes(b"")
    done = events()[-1]
    assert isinstance(done, Finished)
    first = "done      validation perplexity 80.50; 1 step in 0:30"
    told = list(summary(replace(done, steps=1, tokens_per_second=0.0), path, "language model"))
    assert told[0] == first and not any("speed" in line for line in told)
    planned = events()[0]
    assert isinstance(planned, Planned)
    once = replace(planned, recipe=replace(planned.recipe, epochs=1))
    lines = list(plan_lines(once))
    assert lines[2].startswith("training  1 epoch,")


def test_log_lines_name_their_event() -> None:
    logged = [json.loads(log_line(event)) for event in events()]
    assert [value["event"] for value in logged] == [
        "planned",
        "progress",
        "validated",
        "note",
        "finished",
    ]
    assert logged[0]["recipe"]["batch"] == 4
