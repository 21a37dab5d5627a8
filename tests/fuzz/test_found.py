"""What the fuzzers found, each as small as it can be."""

import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import lmtool
from lmtool import tensor_file
from lmtool.inference.sample import sample
from lmtool.model_file import FORMATS, load, save
from lmtool.models.language_model import LanguageModel
from lmtool.settings import SampleSettings
from lmtool.text.tables import read_table
from tests.fuzz.targets import COMMANDS, commanded
from tests.refused import refused

Change = Callable[[dict[str, Any], dict[str, Any]], object]


@pytest.fixture
def path(lstm: LanguageModel, tmp_path: Path) -> Path:
    save(lstm, tmp_path / "m")
    return tmp_path / "m"


def change(path: Path, altered: Change) -> None:
    """A file with another card or other tensors, under a checksum that fits."""
    card, tensors = tensor_file.read(path, *FORMATS)
    altered(card, tensors)
    tensor_file.write(path, card, tensors)


@pytest.mark.parametrize(
    ("altered", "reason"),
    [
        (lambda card, t: card.update(provenance=7), "provenance"),
        (lambda card, t: card.update(provenance=[["a", 1]]), "provenance"),
        (
            lambda card, t: card["model"].update(cell="x" * 10_000),
            "cell: must be one of lstm, gru",
        ),
        (lambda card, t: card["model"].update(layers=10**9), "layers: must be at most 100"),
        (lambda card, t: card["model"].update(hidden=10**12), "hidden: must be at most"),
        (lambda card, t: card["model"].update(hidden=10**5), "names and shapes"),
        (lambda card, t: card["model"].update(layers=99), "fewer weights than layers"),
        (lambda card, t: card["model"].pop("cell"), "unknown or missing names"),
        (lambda card, t: card.pop("text"), "it lacks 'text'"),
        (lambda card, t: t.update(vocabulary=np.array(10**10)), "its vocabulary is damaged"),
        (lambda card, t: t.update(vocabulary=t["vocabulary"][None]), "its vocabulary is damaged"),
        (
            lambda card, t: t.update(counts=np.full(len(t["counts"]), np.nan, np.float32)),
            "its vocabulary is damaged",
        ),
        (lambda card, t: t.update(counts=-t["counts"]), "none of them negative"),
        (lambda card, t: t.pop("counts"), "it lacks 'counts'"),
    ],
)
def test_refused_with_its_reason(path: Path, altered: Change, reason: str) -> None:
    change(path, altered)
    with refused(lmtool.ModelFileError) as told:
        load(path)
    assert reason in str(told.value)
    assert "\n" not in str(told.value) and len(str(told.value)) < 500


def with_header(path: Path, altered: Callable[[str], str]) -> None:
    content = path.read_bytes()
    (size,) = struct.unpack("<Q", content[:8])
    header = altered(content[8 : 8 + size].decode()).encode()
    path.write_bytes(struct.pack("<Q", len(header)) + header + content[8 + size :])


@pytest.mark.parametrize(
    ("altered", "reason"),
    [
        (lambda text: text.replace('"counts"', '"counts": 1, "counts"', 1), "a name twice"),
        (lambda text: '{"a": ' + "[" * 60 + "]" * 60 + "," + text[1:], "nested too deep"),
        (lambda text: '{"a": ' + "[" * 10**5 + "]" * 10**5 + "," + text[1:], "recursion"),
        (lambda text: text.replace('"shape":[9]', f'"shape":[0,{10**30}]', 1), "shape is damaged"),
    ],
    ids=["twice", "deep", "deeper", "huge"],
)
def test_headers(path: Path, altered: Callable[[str], str], reason: str) -> None:
    with_header(path, altered)
    with pytest.raises(lmtool.ModelFileError, match=reason):
        load(path)


ANY: tuple[Any, ...] = (
    {"curve": 5, "result": {"a": {"b": [1, {"c": None}]}}},
    {"curve": [{"step": 1}, {"epoch": 2}], "parameters": "none", "n_parameters": "few"},
    {"curve": [{"\x1b[2J": "\x1b[2J"}], "model": "\x1b]0;x\x07", "n_bytes": -1},
    {"curve": [{"name": [1]}, {"name": [1]}], "x": [1, {"a": 2}], "y": {}, "z": [[]]},
    {"curve": {}, "n": float("nan"), "s": "\ud800", "long": 10**4000},
)


@pytest.mark.parametrize("provenance", ANY, ids=range(len(ANY)))
@pytest.mark.parametrize("terminal", [False, True])
def test_info_shows_any_provenance(path: Path, provenance: Any, terminal: bool) -> None:
    change(path, lambda card, tensors: card.update(provenance=provenance))
    for words in (["info"], ["info", "--json"]):
        assert commanded([*words, "-m", str(path)], terminal=terminal) == 0


def test_what_a_file_claims_does_not_hide_what_it_holds(path: Path) -> None:
    change(path, lambda card, tensors: card.update(provenance={"n_tokens": 1, "more": 2}))
    card = lmtool.load(path).info()
    assert (card["n_tokens"], card["more"]) == (9, 2)


@pytest.mark.parametrize("words", COMMANDS[2:], ids=lambda words: words[0])
@pytest.mark.parametrize("factor", [1e4, 1e20, 1e38])
def test_weights_too_large(
    lstm: LanguageModel, tmp_path: Path, words: tuple[str, ...], factor: float
) -> None:
    huge = lstm.parameters.copy()
    huge.flat[...] = np.sign(huge.flat) * np.float32(factor)
    path = tmp_path / "m"
    save(LanguageModel(lstm.settings, lstm.vocabulary, huge), path)
    for terminal in (False, True):
        assert commanded([*words, "-m", str(path)], b"Todd met Pete\n", terminal) in (0, 1)


def test_a_temperature_near_0_is_greedy(lstm: LanguageModel) -> None:
    settings = SampleSettings(temperature=1e-320, max_words=5)
    greedy = sample(lstm, np.random.default_rng(1), SampleSettings(temperature=0, max_words=5))
    assert sample(lstm, np.random.default_rng(1), settings).text == greedy.text


def test_seeds_that_cannot_be(path: Path, tmp_path: Path) -> None:
    text = tmp_path / "text"
    text.write_text("Todd met Pete\n" * 3)
    with pytest.raises(lmtool.ConfigError, match="seed: must be at least 0, not -1"):
        lmtool.load(path).sample(seed=-1)
    with pytest.raises(lmtool.ConfigError, match="seed: must be at least 0, not -1"):
        lmtool.train(text, seed=-1, steps=1)


def test_more_guesses_than_tokens(path: Path) -> None:
    for top in ("50", "9" * 400):
        assert commanded(["surprisal", "Todd", "--top", top, "-m", str(path)]) == 0
    assert commanded(["surprisal", "Todd", "--spillover", "9" * 30, "-m", str(path)]) == 2


def test_counts_whose_sum_overflows(path: Path) -> None:
    change(path, lambda card, t: t.update(counts=np.full(len(t["counts"]), 2**62, np.int64)))
    words = lmtool.load(path).surprisal("Todd met").words
    assert words[0].unigram_surprisal == pytest.approx(np.log2(9))


@pytest.mark.parametrize("header", ["a\rb,c", "x" * 200_000 + ",b"])
def test_a_header_that_is_no_row(tmp_path: Path, header: str) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes(header.encode() + b"\n1,2\n")
    with pytest.raises(lmtool.InputError, match=r"t\.csv:1: not a row of a table"):
        read_table(path)


@pytest.mark.parametrize(
    "option",
    [
        ("--layers", "1000000000"),
        ("--hidden", "1000000000000"),
        ("--hidden", "9" * 400),
        ("--epochs", "1e308"),
        ("--time", "99999999999999d"),
        ("--steps", "9" * 400),
        ("--batch", "100000000000"),
        ("--bptt", "9" * 30),
        ("--shards", "1000000"),
    ],
)
def test_absurd_sizes_are_refused_at_once(tmp_path: Path, option: tuple[str, str]) -> None:
    text = tmp_path / "text"
    text.write_text("Todd met Pete\nPete met Todd\n")
    assert commanded(["train", str(text), "-m", str(tmp_path / "m"), *option]) == 2
    assert not (tmp_path / "m").exists()


def test_a_resume_file_that_asks_for_more_than_it_holds(tmp_path: Path) -> None:
    text = tmp_path / "text"
    text.write_text("Todd met Pete\nPete met Todd\n" * 20)
    small: dict[str, Any] = {"steps": 9, "hidden": 4, "batch": 2, "bptt": 3}
    with pytest.raises(lmtool.InterruptionError):
        lmtool.train(text, model=tmp_path / "m", stop=iter([0, 0, 2]).__next__, **small)
    kept = (tmp_path / "m.resume").read_bytes()
    changes: tuple[Change, ...] = (
        lambda card, t: card["request"]["network"].update(layers=100),
        lambda card, t: card["request"]["network"].update(hidden=10**6),
        lambda card, t: card["request"]["network"].update(cell="none"),
        lambda card, t: card["request"]["recipe"].update(batch=10**6),
        lambda card, t: card["request"]["recipe"].update(bptt=10**12),
        lambda card, t: card["request"]["recipe"].update(optimizer="none"),
        lambda card, t: card["request"]["recipe"].update(seed=-1),
        lambda card, t: card["request"]["recipe"].update(clip=10**4000),
        lambda card, t: card["run"].update(steps=10**4000),
        lambda card, t: card["curve"].append({"step": 1, "epoch": 10**4000, "perplexity": 1}),
        lambda card, t: card["run"].update(rate=1e300),
        lambda card, t: card["run"].update(training_seconds=1e300),
        lambda card, t: card["run"].update(waited=10**4000),
        lambda card, t: card.update(elapsed=1e308),
    )
    for altered in changes:
        (tmp_path / "m.resume").write_bytes(kept)
        change(tmp_path / "m.resume", altered)
        with refused(lmtool.ModelFileError, match="not a usable resume file") as told:
            lmtool.resume(tmp_path / "m")
        assert len(str(told.value)) < 500
