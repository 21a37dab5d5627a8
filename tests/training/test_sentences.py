"""Sentences from a program train the same model as the same lines in a file."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import lmtool
from lmtool.text.sentences import BLOCK

LINES = ["Todd met Pete", "Pete met Todd", "", "the cat saw the żółw", "Pete saw Todd  </s>"] * 30
SMALL: dict[str, Any] = {"steps": 20, "hidden": 8, "embed": 8, "batch": 4, "bptt": 7}


@pytest.fixture
def corpus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "corpus.txt"
    path.write_text("".join(f"{line}\n" for line in LINES), encoding="utf-8")
    return path


def bits(lm: lmtool.Model) -> tuple[bytes, str, Any]:
    flat = lm.language_model.parameters.flat.tobytes()
    return flat, lm.vocabulary.digest, lm.provenance["corpus"]


def after(n: int) -> Callable[[], int]:
    calls = iter(range(n))
    return lambda: 0 if next(calls, None) is not None else 2


@pytest.mark.parametrize("tokens", ["word", "char"])
def test_the_same_bits_as_from_a_file(corpus: Path, tokens: str) -> None:
    whole = bits(lmtool.train(corpus, tokens=tokens, **SMALL))
    for given in (LINES, iter(LINES), (f"{line}\r\n" for line in LINES)):
        assert bits(lmtool.train(sentences=given, tokens=tokens, **SMALL)) == whole
    with open(corpus, encoding="utf-8") as file:
        assert bits(lmtool.train(sentences=file, tokens=tokens, **SMALL)) == whole


def test_more_lines_than_a_block(corpus: Path) -> None:
    lines = [f"word{i % 50} met Todd" for i in range(2 * BLOCK + 1)]
    corpus.write_text("\n".join(lines))
    few = SMALL | {"steps": 1}
    assert bits(lmtool.train(sentences=lines, **few)) == bits(lmtool.train(corpus, **few))


def test_the_command_reads_them_from_standard_input() -> None:
    lm = lmtool.train(sentences=LINES, **SMALL)
    assert lm.provenance["command"].startswith("lmtool train - ")
    assert lmtool.plan(sentences=LINES, **SMALL).command.startswith("lmtool train - ")


def test_a_run_goes_on_with_the_sentences(corpus: Path, tmp_path: Path) -> None:
    model = tmp_path / "m"
    lmtool.train(sentences=LINES, model=model, **SMALL)
    whole = model.read_bytes()
    model.unlink()
    with pytest.raises(lmtool.InterruptionError):
        lmtool.train(sentences=LINES, model=model, stop=after(5), **SMALL)
    with pytest.raises(lmtool.ModelFileError, match=r"give the sentences again: .*sentences="):
        lmtool.resume(model)
    with pytest.raises(lmtool.ModelFileError, match="the training text is not the one"):
        lmtool.resume(model, sentences=LINES[1:])
    with pytest.raises(lmtool.InterruptionError):
        lmtool.resume(model, sentences=LINES, stop=after(5))
    lmtool.resume(model, sentences=LINES)
    assert model.read_bytes() == whole
    with pytest.raises(lmtool.InterruptionError):
        lmtool.train(sentences=LINES, model=model, overwrite=True, stop=after(5), **SMALL)
    lmtool.resume(model, corpus=corpus)  # where they are in a file by now
    assert model.read_bytes() == whole


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("Todd\nmet", r"sentences\[1\]: holds a line end"),
        ("Todd\0", r"sentences\[1\]: looks binary"),
        ("Todd \ud800", r"sentences\[1\]: not UTF-8: half a character, U\+D800"),
    ],
)
def test_a_sentence_that_no_file_could_hold(line: str, reason: str) -> None:
    with pytest.raises(lmtool.InputError, match=reason):
        lmtool.train(sentences=["Todd", line], **SMALL)


@pytest.mark.parametrize("lines", [[], ["", " "]])
def test_no_sentence(lines: list[str]) -> None:
    with pytest.raises(lmtool.InputError, match="sentences: no text in it"):
        lmtool.train(sentences=lines, **SMALL)
