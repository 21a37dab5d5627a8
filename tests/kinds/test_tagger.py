"""The tagger from tagged text to a file and back: it learns, every promise holds."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import lmtool
from lmtool import model_file, tensor_file
from lmtool.inference.tag import Tagger
from lmtool.settings import TaggerSettings
from lmtool.training.resume import path_of
from tests.refused import refused

SMALL: dict[str, Any] = {"writes": "tags", "hidden": 8, "embed": 8, "steps": 30, "batch": 6}
SMALL |= {"letters": 4, "filters": 6, "case": 2}


def after_the_next(n: int, seed: int) -> Iterator[str]:
    """Sentences in which a name is a person if ``spoke`` comes next, else a place; in IOB2."""
    rng = np.random.default_rng(seed)
    for _ in range(n):
        for name in rng.choice(["Washington", "Paris", "Sydney"], int(rng.integers(1, 4))):
            person = rng.random() < 0.5
            yield f"{name} B-{'PER' if person else 'LOC'}\n"
            yield f"{'spoke' if person else 'burnt'} O\nthen O\n"
        yield "\n"


def endings(n: int, seed: int) -> Iterator[str]:
    """Words never seen twice; those that end in ``ing`` have the tag 1."""
    rng = np.random.default_rng(seed)
    for _ in range(n):
        words = ["".join(rng.choice([*"abcde"], 6)) for _ in range(int(rng.integers(2, 6)))]
        marked = [(word + "ing", 1) if rng.random() < 0.5 else (word, 0) for word in words]
        yield " ".join(f"{word}/{tag}" for word, tag in marked) + "\n"


def written(path: Path, lines: Iterator[str]) -> Path:
    """The file of these lines."""
    path.write_text("".join(lines), encoding="utf-8")
    return path


@pytest.fixture
def names(tmp_path: Path) -> Path:
    return written(tmp_path / "train.conll", after_the_next(150, 1))


@pytest.fixture(autouse=True)
def raw(monkeypatch: pytest.MonkeyPatch) -> None:
    """Trained models as they are, without the face that the library gives them."""
    monkeypatch.setattr("lmtool.faces.face_of", lambda trained: trained)


def weights(model: Any) -> bytes:
    """All of them."""
    return bytes(model.parameters.flat.tobytes())


@pytest.mark.parametrize("output", ["crf", "full"])
def test_what_comes_next_is_learnt_from_both_ends(tmp_path: Path, output: str) -> None:
    train = written(tmp_path / "train.conll", after_the_next(150, 1))
    valid = written(tmp_path / "valid.conll", after_the_next(60, 2))
    options: dict[str, Any] = {"hidden": 16, "epochs": 8, "members": 1, "dropout": 0.0, "lr": 0.01}
    both, one = (
        lmtool.train(train, valid=valid, writes="tags", output=output, both=both, **options)
        for both in (True, False)
    )
    assert both.provenance["result"]["valid_f1"] > 99
    assert one.provenance["result"]["valid_f1"] < 80  # the name comes before its only clue


def test_letters_tell_words_that_were_never_seen(tmp_path: Path) -> None:
    train, valid = (written(tmp_path / f"{n}.txt", endings(n, n)) for n in (200, 50))
    options: dict[str, Any] = {"hidden": 16, "epochs": 10, "members": 1, "dropout": 0.0, "lr": 0.01}
    spelled, blind = (
        lmtool.train(train, valid=valid, writes="tags", output="sigmoid", letters=n, **options)
        for n in (8, 0)
    )
    assert spelled.provenance["result"]["valid_f1"] > 99
    assert blind.provenance["result"]["valid_f1"] < 80


@pytest.mark.parametrize("members", [1, 2])
def test_threads_change_no_bit(names: Path, members: int) -> None:
    one, two, five = (
        weights(lmtool.train(names, members=members, shards=2, threads=n, **SMALL))
        for n in (1, 2, 5)
    )
    assert one == two == five


@pytest.mark.parametrize("more", [{}, {"members": 2, "output": "full"}, {"letters": 0, "case": 0}])
@pytest.mark.parametrize("stop", [11, 37])  # the second falls into the second run
def test_resumed_equals_uninterrupted(
    names: Path, tmp_path: Path, more: dict[str, Any], stop: int
) -> None:
    options = SMALL | more
    whole = lmtool.train(names, model=tmp_path / "whole", **options)
    calls = iter(range(100))
    with pytest.raises(lmtool.InterruptionError):
        lmtool.train(names, model=tmp_path / "m", stop=lambda: 2 * (next(calls) == stop), **options)
    assert path_of(tmp_path / "m").exists()
    again = lmtool.resume(tmp_path / "m")
    assert weights(again) == weights(whole)
    bare = [{k: v for k, v in m.provenance.items() if k != "command"} for m in (again, whole)]
    assert bare[0] == bare[1]


def test_round_trip(names: Path, tmp_path: Path) -> None:
    model = lmtool.train(names, model=tmp_path / "m", **SMALL)
    again = model_file.load(tmp_path / "m")
    assert isinstance(again, Tagger)
    assert (weights(again), again.settings) == (weights(model), model.settings)
    assert (again.tags.names, again.tags.scheme) == (model.tags.names, "IOB2")
    sentences = [["Paris", "spoke"], ["Sydney"]]
    (ours, starts), (theirs, _) = again.chain(sentences), model.chain(sentences)
    np.testing.assert_array_equal(ours.emissions, theirs.emissions)
    assert starts.tolist() == [0, 1]


def test_the_same_command_repeats_the_run(names: Path, tmp_path: Path) -> None:
    import shlex

    from lmtool.cli.app import main

    first = lmtool.train(names, model=tmp_path / "m", **SMALL, output="full")
    words = shlex.split(first.provenance["command"])
    assert words[:2] == ["lmtool", "train"]
    assert main([*words[1:], "--overwrite", "--quiet"]) == 0
    assert weights(model_file.load(tmp_path / "m")) == weights(first)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda card, tensors: card["model"].update(tagging="other"), "output is unknown"),
        (lambda card, tensors: card["model"].update(tagging="sigmoid"), ""),
        (lambda card, tensors: tensors.pop("tags"), ""),
        (lambda card, tensors: tensors.update(tags=tensors["tags"][:-2]), ""),
        (lambda card, tensors: tensors.pop("letters"), ""),
        (lambda card, tensors: card["model"].update(filters=7), ""),
    ],
)
def test_a_hostile_file_is_refused(names: Path, tmp_path: Path, change: Any, reason: str) -> None:
    lmtool.train(names, model=tmp_path / "m", **SMALL | {"steps": 1})
    card, tensors = tensor_file.read(tmp_path / "m", *model_file.FORMATS)
    change(card, tensors)
    tensor_file.write(tmp_path / "m", card, tensors)
    with refused(lmtool.ModelFileError) as told:
        model_file.load(tmp_path / "m")
    assert reason in str(told.value) and "\n" not in str(told.value)


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ("", "no text in it"),
        ("a O\nb O\n\n", "every word has the tag 'O'"),
        ("a O\nb\n", r"train:2: fewer columns"),
    ],
)
def test_bad_input_is_one_line(tmp_path: Path, lines: str, message: str) -> None:
    path = written(tmp_path / "train", iter([lines]))
    with refused(lmtool.InputError, match=message) as told:
        lmtool.train(path, **SMALL)
    assert "\n" not in str(told.value)


def test_a_tag_only_in_the_validation_file(names: Path, tmp_path: Path) -> None:
    valid = written(tmp_path / "valid.conll", iter("Paris B-LOC\nfell O\n\nOxford B-ORG\n"))
    with pytest.raises(lmtool.InputError, match=r"valid\.conll:4: the tag '.-ORG' is in no"):
        lmtool.train(names, valid=valid, **SMALL)


def test_options_of_others_are_refused(names: Path) -> None:
    with pytest.raises(lmtool.OptionError, match="pool"):
        lmtool.train(names, pool="attention", **SMALL)
    with pytest.raises(lmtool.OptionError, match="output"):
        lmtool.train(names, output="sampled", **SMALL)
    with pytest.raises(lmtool.OptionError, match="label"):
        lmtool.train(names, columns={"label": "2"}, **SMALL)
    with pytest.raises(lmtool.OptionError, match="tokens"):
        lmtool.train(names, tokens="char", **SMALL)


def test_twenty_sentences_are_enough_to_begin(tmp_path: Path) -> None:
    path = written(tmp_path / "train", after_the_next(20, 3))
    model = lmtool.train(path, writes="tags", steps=20)
    assert isinstance(model.settings, TaggerSettings)


def test_plan_forecasts(names: Path) -> None:
    forecast = lmtool.plan(names, writes="tags", hidden=8)
    assert (forecast.kind, forecast.n_outputs) == ("tagger", 9)
    assert forecast.steps > 0 and forecast.tokens_per_second > 0


def test_a_run_against_the_clock(names: Path) -> None:
    model = lmtool.train(names, writes="tags", hidden=8, time="2s")
    assert model.provenance["result"]["steps"] > 10
