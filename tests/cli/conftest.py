"""A tiny model and a command line to call."""

import io
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from lmtool.cli.app import main

LINES = ("Todd met Pete", "Pete met Todd", "Todd saw the sea", "the sea was calm", "Pete was calm")


class Result(NamedTuple):
    """What a command left behind."""

    code: int
    out: str
    err: str


Run = Callable[..., Result]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """run(*arguments, stdin="") -> Result; no exception gets past ``main``."""
    monkeypatch.delenv("LMTOOL_MODEL", raising=False)

    def call(*arguments: object, stdin: str | bytes = b"") -> Result:
        given = stdin.encode() if isinstance(stdin, str) else stdin
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(given), encoding="utf-8"))
        capsys.readouterr()
        code = main([str(argument) for argument in arguments])
        return Result(code, *capsys.readouterr())

    return call


@pytest.fixture(scope="session")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Forty short lines."""
    path = tmp_path_factory.mktemp("corpus") / "corpus.txt"
    path.write_text("\n".join(LINES * 8) + "\n", encoding="utf-8")
    return path


@pytest.fixture(scope="session")
def model(corpus: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A word model trained for a moment."""
    path = tmp_path_factory.mktemp("model") / "tiny.safetensors"
    arguments = ["train", corpus, "-m", path, "--steps", 60, "--hidden", 16, "--quiet"]
    assert main([str(argument) for argument in arguments]) == 0
    return path
