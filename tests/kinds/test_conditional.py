"""Translators and captioners from files to a file and back: they learn, every promise holds."""

import json
import shlex
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import lmtool
from lmtool import model_file, tensor_file
from lmtool.cli.app import main
from lmtool.inference.conditional import Captioner, Translator
from lmtool.inference.translate import translate
from lmtool.training.resume import path_of
from tests.refused import refused

SMALL: dict[str, Any] = {"hidden": 8, "embed": 8, "steps": 30, "batch": 6, "smoothing": 0.1}
WORDS = [*"abcdefgh"]

Files = tuple[list[Path], dict[str, Any]]


def sentences(n: int, seed: int) -> Iterator[list[str]]:
    """Letters at random."""
    rng = np.random.default_rng(seed)
    for _ in range(n):
        yield rng.choice(WORDS, int(rng.integers(1, 7))).tolist()


def pairs(folder: Path, change: Callable[[list[str]], list[str]], n: int, seed: int) -> list[Path]:
    """Two files, line n of the second being the first's, changed."""
    paths = [folder / f"{n}.src", folder / f"{n}.trg"]
    own = list(sentences(n, seed))
    for path, lines in zip(paths, (own, map(change, own)), strict=True):
        path.write_text("".join(f"{' '.join(words)}\n" for words in lines), encoding="utf-8")
    return paths


def pictures(folder: Path, n: int, seed: int) -> list[Path]:
    """Vectors of three numbers, and a word for the sign of each, in two orders of speaking."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, 3)).astype(np.float32)
    np.save(folder / f"{n}.npy", x)
    texts = folder / f"{n}.tsv"
    with texts.open("w", encoding="utf-8") as out:
        for i, row in enumerate(x):
            words = [
                name if value > 0 else f"no {name}" for name, value in zip("rgb", row, strict=True)
            ]
            out.write(f"{i}\t{' and '.join(words)}\n{i}\t{' , '.join(words)}\n")
    return [folder / f"{n}.npy", texts]


@pytest.fixture(params=["translator", "captioner"])
def given(request: pytest.FixtureRequest, tmp_path: Path) -> Files:
    """Files and options of a small run of each kind."""
    if request.param == "translator":
        return pairs(tmp_path, lambda words: words[::-1], 60, 1), {"reads": "text"} | SMALL
    return pictures(tmp_path, 40, 1), {"reads": "vector"} | SMALL


@pytest.fixture(autouse=True)
def raw(monkeypatch: pytest.MonkeyPatch) -> None:
    """Trained models as they are, without the face that the library gives them."""
    monkeypatch.setattr("lmtool.faces.face_of", lambda trained: trained)


def weights(model: Any) -> bytes:
    """All of them."""
    return bytes(model.parameters.flat.tobytes())


@pytest.mark.parametrize(
    ("change", "more"),
    [
        (lambda words: words, {"attention": "after"}),
        (lambda words: words[::-1], {"attention": "after"}),
        (lambda words: words[::-1], {"attention": "between", "layers": 2}),
        (lambda words: [str(words.count("a"))], {"attention": "none"}),
    ],
    ids=["copies", "reverses", "reverses with attention between", "counts"],
)
def test_a_translator_learns(
    tmp_path: Path, change: Callable[[list[str]], list[str]], more: dict[str, Any]
) -> None:
    train, valid = (pairs(tmp_path, change, n, n) for n in (800, 50))
    options: dict[str, Any] = {"hidden": 32, "embed": 32, "epochs": 15, "batch": 16, "lr": 0.01}
    options |= {"dropout": 0.0, "smoothing": 0.0, "tokens": "word", **more}
    model = lmtool.train(train, valid=valid, reads="text", **options)
    said = model.provenance["result"]
    assert said["valid_perplexity"] < 1.1
    texts = valid[0].read_text().splitlines(), valid[1].read_text().splitlines()
    right = sum(
        translate(model, source).text == target for source, target in zip(*texts, strict=True)
    )
    assert right >= 47


def test_a_captioner_learns(tmp_path: Path) -> None:
    train, valid = (pictures(tmp_path, n, n) for n in (400, 50))
    options: dict[str, Any] = {"hidden": 16, "embed": 16, "epochs": 15, "batch": 16, "lr": 0.01}
    options |= {"dropout": 0.0, "smoothing": 0.0}
    model = lmtool.train(train, valid=valid, reads="vector", **options)
    assert model.provenance["result"]["valid_bleu"] > 90


@pytest.mark.parametrize("output", ["full", "sampled"])
def test_every_weight_learns(given: Files, output: str) -> None:
    files, options = given
    few, more = (
        lmtool.train(files, **options | {"steps": n, "output": output, "samples": 3})
        for n in (1, 20)
    )
    for name, x in few.parameters.items():
        assert (x != more.parameters[name]).any(), name


def test_threads_change_no_bit(given: Files) -> None:
    files, options = given
    for members in (1, 2):
        one, two, five = (
            weights(lmtool.train(files, members=members, shards=2, threads=n, **options))
            for n in (1, 2, 5)
        )
        assert one == two == five


@pytest.mark.parametrize("more", [{}, {"members": 2, "output": "sampled", "samples": 5}])
@pytest.mark.parametrize("stop", [11, 37])  # the second falls into the second run
def test_resumed_equals_uninterrupted(
    given: Files, tmp_path: Path, more: dict[str, Any], stop: int
) -> None:
    files, options = given
    options = options | more
    whole = lmtool.train(files, model=tmp_path / "whole", **options)
    calls = iter(range(100))
    with pytest.raises(lmtool.InterruptionError):
        lmtool.train(files, model=tmp_path / "m", stop=lambda: 2 * (next(calls) == stop), **options)
    assert path_of(tmp_path / "m").exists()
    again = lmtool.resume(tmp_path / "m")
    assert weights(again) == weights(whole)
    bare = [{k: v for k, v in m.provenance.items() if k != "command"} for m in (again, whole)]
    assert bare[0] == bare[1]


def test_round_trip(given: Files, tmp_path: Path) -> None:
    files, options = given
    model = lmtool.train(files, model=tmp_path / "m", **options)
    again = model_file.load(tmp_path / "m")
    assert type(again) is type(model) and isinstance(again, Translator | Captioner)
    assert (weights(again), again.settings) == (weights(model), model.settings)
    assert again.digest == model.digest
    source = model.source("a b c") if isinstance(model, Translator) else model.source([1, 2, 3])
    ours, theirs = (one.given([source]) for one in (again, model))
    ids = np.zeros(2, np.int32)
    top, other = (one.step(ids, one.zero_state(2))[0] for one in (ours, theirs))
    np.testing.assert_array_equal(ours.log_probabilities(top), theirs.log_probabilities(other))


def test_the_same_command_repeats_the_run(given: Files, tmp_path: Path) -> None:
    files, options = given
    first = lmtool.train(files, model=tmp_path / "m", **options)
    words = shlex.split(first.provenance["command"])
    assert main([*words[1:], "--overwrite", "--quiet"]) == 0
    assert weights(model_file.load(tmp_path / "m")) == weights(first)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda card, tensors: card["model"].update(attention="up"), "must be one of|contradict"),
        (lambda card, tensors: card["model"].update(layers=2), "names and shapes"),
        (lambda card, tensors: tensors.pop("counts"), "counts"),
        (lambda card, tensors: tensors.update(counts=tensors["counts"][:-1]), "counts needed"),
        (lambda card, tensors: card.pop("text"), "text"),
    ],
)
def test_damaged_files_are_refused(
    given: Files, tmp_path: Path, change: Callable[[Any, Any], Any], reason: str
) -> None:
    files, options = given
    lmtool.train(files, model=tmp_path / "m", **options)
    card, tensors = tensor_file.read(tmp_path / "m", *model_file.FORMATS)
    card = json.loads(json.dumps(card))
    change(card, tensors)
    tensor_file.write(tmp_path / "m", card, tensors)
    with refused(lmtool.ModelFileError, match=reason) as error:
        model_file.load(tmp_path / "m")
    assert "\n" not in str(error.value)


def test_sentences_of_one_source_stay_together(tmp_path: Path) -> None:
    from lmtool.kinds.paired import captions
    from lmtool.settings import TextSettings, TrainSettings

    class Request:
        """What is asked."""

        text, recipe, columns = TextSettings(), TrainSettings(), dict[str, str]()

    found = captions(pictures(tmp_path, 100, 1), (), Request, tmp_path)
    own, held = (set(part.source_of[part.rows].tolist()) for part in (found.train, found.valid))
    assert not own & held and len(own | held) == 100 and len(held) == 10


def test_unequal_files_are_refused(tmp_path: Path) -> None:
    files = pairs(tmp_path, lambda words: words, 30, 1)
    files[1].write_text("a\n" * 29)
    with pytest.raises(lmtool.InputError, match=r"30 lines.*29"):
        lmtool.train(files, model=tmp_path / "m", reads="text", **SMALL)
    assert not (tmp_path / "m").exists()
