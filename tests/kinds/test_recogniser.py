"""The recogniser from frames to a file and back: it learns, every promise holds."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import lmtool
from lmtool import model_file, tensor_file
from lmtool.inference.recogniser import Recogniser
from lmtool.settings import RecogniserSettings
from lmtool.training.resume import path_of
from tests.refused import refused

SMALL: dict[str, Any] = {"reads": "frames", "hidden": 8, "embed": 8, "steps": 24, "batch": 6}
QUIET: dict[str, Any] = {"stretch": 0.0, "warp": 0.0, "channel": 0.0}
WORDS = ("ab", "ba", "cab")


def spoken(text: str, rng: np.random.Generator) -> list[list[float]]:
    """Six frames a letter, noisy, one of four numbers being high; silence between words."""
    loud = np.repeat(["abc ".index(letter) for letter in f" {text} "], 6)
    frames = np.eye(4)[loud] * 3 + rng.normal(size=(len(loud), 4)) * 0.3
    return [[round(x, 3) for x in frame] for frame in frames.tolist()]


def lines(n: int, seed: int) -> Iterator[str]:
    """Utterances of one to three words, by two speakers."""
    rng = np.random.default_rng(seed)
    for i in range(n):
        text = " ".join(rng.choice(WORDS, int(rng.integers(1, 4))))
        one = {"text": text, "frames": spoken(text, rng), "speaker": f"s{i % 2}"}
        yield json.dumps(one) + "\n"


def written(path: Path, n: int, seed: int) -> Path:
    """The file of such lines."""
    path.write_text("".join(lines(n, seed)), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def talk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return written(tmp_path_factory.mktemp("talk") / "train.jsonl", 60, 1)


@pytest.fixture(scope="module")
def model(talk: Path) -> lmtool.Recogniser:
    """Hardly trained."""
    trained: lmtool.Recogniser = lmtool.train(talk, **SMALL)
    return trained


def weights(model: Any) -> bytes:
    """All of them."""
    return bytes(model.recogniser.parameters.flat.tobytes())


def test_what_is_said_is_learnt(tmp_path: Path) -> None:
    train, valid = (written(tmp_path / f"{n}.jsonl", n, n) for n in (150, 40))
    options: dict[str, Any] = {"hidden": 16, "epochs": 25, "batch": 8, "dropout": 0.0, "lr": 0.02}
    model = lmtool.train(train, valid=valid, reads="frames", layers=1, **QUIET, **options)
    result = model.provenance["result"]
    assert result["valid_wer"] < 3
    assert 20 < result["valid_blank"] < 95
    evaluated = model.evaluate(valid)
    assert evaluated.wer == pytest.approx(result["valid_wer"])
    assert [one.speaker for one in evaluated.speakers] in (["s0", "s1"], ["s1", "s0"])
    rng = np.random.default_rng(0)
    heard = model.transcribe(np.array(spoken("ab cab", rng)))
    assert heard.text == "ab cab"
    assert [one.text for one in heard.words] == ["ab", "cab"]
    assert 0 < heard.words[0].end <= heard.words[1].start


def test_threads_change_no_bit(talk: Path) -> None:
    options = SMALL | {"members": 2, "shards": 2, "steps": 8}
    one, three = (weights(lmtool.train(talk, threads=n, **options)) for n in (1, 3))
    assert one == three


@pytest.mark.parametrize(
    ("more", "stop"),  # the second stop falls into the second run
    [({}, 11), ({"members": 2, "cell": "gru", "noise": 0.1}, 30)],
)
def test_resumed_equals_uninterrupted(
    talk: Path, tmp_path: Path, more: dict[str, Any], stop: int
) -> None:
    options = SMALL | more
    whole = lmtool.train(talk, model=tmp_path / "whole", **options)
    calls = iter(range(100))
    with pytest.raises(lmtool.InterruptionError):
        lmtool.train(talk, model=tmp_path / "m", stop=lambda: 2 * (next(calls) == stop), **options)
    assert path_of(tmp_path / "m").exists()
    again = lmtool.resume(tmp_path / "m")
    assert weights(again) == weights(whole)
    bare = [{k: v for k, v in m.provenance.items() if k != "command"} for m in (again, whole)]
    assert bare[0] == bare[1]


def test_round_trip(model: lmtool.Recogniser, tmp_path: Path) -> None:
    model.save(tmp_path / "m")
    again = lmtool.load(tmp_path / "m", lmtool.Recogniser)
    assert (weights(again), again.settings) == (weights(model), model.settings)
    assert again.info()["frames"] == "frames of 4 numbers"
    x = np.random.default_rng(0).normal(size=(17, 4))
    assert again.transcribe(x).to_dict() == model.transcribe(x).to_dict()


@pytest.mark.parametrize("tokens", ["char", "word", "subword"])
def test_utterances_have_bits_of_their_own(talk: Path, tokens: str) -> None:
    model = lmtool.train(talk, tokens=tokens, **SMALL | {"steps": 2})
    rng = np.random.default_rng(3)
    several = [rng.normal(size=(n, 4)) for n in (5, 40, 1, 40, 13)]
    together = [one.to_dict() for one in model.transcribe_files(several, n=2, threads=2)]
    alone = [next(model.transcribe_files([x], n=2)).to_dict() for x in several]
    for one, other in zip(together, alone, strict=True):
        assert one | {"source": ""} == other | {"source": ""}


def test_texts_that_cannot_fit_are_left_out_and_said(talk: Path, tmp_path: Path) -> None:
    long = {"text": "ab ba cab " * 20, "frames": [[0.0, 1, 2, 3]] * 9}
    both = tmp_path / "both.jsonl"
    both.write_text(talk.read_text() + json.dumps(long) + "\n")
    notes: list[Any] = []
    lmtool.train(both, on_event=notes.append, **SMALL | {"steps": 1})
    said = [one.message for one in notes if hasattr(one, "message")]
    assert any("1 of 61 utterances is left out: shorter than the text" in line for line in said)
    only = tmp_path / "only.jsonl"
    only.write_text(2 * (json.dumps(long) + "\n"))
    with pytest.raises(lmtool.InputError, match="every utterance is shorter than its text"):
        lmtool.train(only, **SMALL)


def test_damaged_files_are_refused(model: lmtool.Recogniser, tmp_path: Path) -> None:
    path = tmp_path / "m"
    model.save(path)
    for change in ({"bands": 5}, {"bands": 0}, {"bands": "4"}, {"text": {"tokens": "char"}}):
        card, tensors = tensor_file.read(path, 2)
        other = tmp_path / "other"
        tensor_file.write(other, card | change, tensors)
        with pytest.raises(lmtool.ModelFileError):
            model_file.load(other)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda card, t: card["model"].update(stack=0), "stack: must be"),
        (lambda card, t: card["model"].update(stack=101), "stack: must be"),
        (lambda card, t: card["model"].update(stack=4), "names and shapes"),
        (lambda card, t: card["model"].update(layers=99), "fewer weights than layers"),
        (lambda card, t: card["model"].update(hidden=10**12), "hidden: must be at most"),
        (lambda card, t: card["model"].update(both=False), "names and shapes"),
        (lambda card, t: card["model"].pop("stack"), "unknown or missing names"),
        (lambda card, t: card.pop("bands"), "it lacks 'bands'"),
        (lambda card, t: card.update(bands=True), "numbers of its frames"),
        (lambda card, t: card.update(bands=10**18), "names and shapes"),
        (lambda card, t: t.update(filterbank=np.zeros(2, np.int32)), "rate or bands"),
        (lambda card, t: t.update(filterbank=np.array([8000, 5], np.int32)), "of its frames"),
        (lambda card, t: t.update(filterbank=np.ones(3, np.int32)), "filterbank is damaged"),
        (lambda card, t: t.pop("vocabulary"), "it lacks 'vocabulary'"),
        (lambda card, t: t.update(vocabulary=t["vocabulary"][:-1]), ""),
        (lambda card, t: t.pop("output.bias"), "names and shapes"),
        (lambda card, t: card.update(kind="translator"), ""),
        (lambda card, t: card.update(kind="frame classifier"), ""),
    ],
)
def test_a_hostile_file_is_refused(
    model: lmtool.Recogniser, tmp_path: Path, change: Any, reason: str
) -> None:
    model.save(tmp_path / "m")
    card, tensors = tensor_file.read(tmp_path / "m", *model_file.FORMATS)
    change(card, tensors)
    tensor_file.write(tmp_path / "n", card, tensors)
    with refused(lmtool.ModelFileError) as told:
        model_file.load(tmp_path / "n")
    assert reason in str(told.value) and "\n" not in str(told.value)


@pytest.mark.parametrize("weight", [np.nan, np.inf])
def test_weights_that_cannot_be_are_not_heard(
    model: lmtool.Recogniser, tmp_path: Path, weight: float
) -> None:
    model.save(tmp_path / "m")
    card, tensors = tensor_file.read(tmp_path / "m", *model_file.FORMATS)
    tensors["output.weight"] = np.full_like(tensors["output.weight"], weight)
    tensor_file.write(tmp_path / "n", card, tensors)
    with refused(lmtool.ModelFileError):
        lmtool.load(tmp_path / "n").transcribe(np.ones((9, 4)))


def test_what_it_cannot_hear_is_refused(model: lmtool.Recogniser, tmp_path: Path) -> None:
    for wrong in (np.zeros((3, 5)), np.zeros(4), "no.wav", np.full((3, 4), np.nan)):
        with pytest.raises(lmtool.InputError):
            model.transcribe(wrong)
    with pytest.raises(lmtool.InputError, match="its text"):
        model.evaluate(saved(tmp_path / "x.npy"))
    assert isinstance(model.recogniser, Recogniser)
    assert isinstance(model.settings, RecogniserSettings)


def saved(path: Path) -> Path:
    """An array as a file."""
    np.save(path, np.zeros((3, 4), np.float32))
    return path
