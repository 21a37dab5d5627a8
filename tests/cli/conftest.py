"""A tiny model, scores made by hand, and a command line to call."""

import io
import math
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from lmtool.cli.app import main
from lmtool.inference.score import SentenceScore, WordScore

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


def word(text: str, log10_p: float, token: str | None = None) -> WordScore:
    """A word with its probability; unknown where the token is <UNK>."""
    return WordScore(
        word=text,
        token=token or text,
        oov=token == "<UNK>",
        log10_p=log10_p,
        surprisal_bits=-log10_p / math.log10(2),
        p=10**log10_p,
    )


def sentence(text: str, *words: WordScore) -> SentenceScore:
    """A sentence of words, the last being <EOS>."""
    log10_p = sum(part.log10_p for part in words)
    return SentenceScore(
        text=text,
        log10_p=log10_p,
        p=10**log10_p,
        perplexity=10 ** (-log10_p / len(words)) if words else math.nan,
        n_words=max(0, len(words) - 1),
        n_oov=sum(part.oov for part in words),
        words=words,
    )


@pytest.fixture
def scores() -> list[SentenceScore]:
    """A known sentence, a blank line, and a sentence with an unknown word."""
    return [
        sentence("Todd met", word("Todd", -1.0), word("met", -0.25), word("<EOS>", -0.5)),
        sentence(""),
        sentence("Zork met", word("Zork", -3.0, "<UNK>"), word("met", -1.5), word("<EOS>", -0.5)),
    ]
