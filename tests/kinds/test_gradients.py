"""Every kind's gradients, through its record: right as they are, and seen where one is wrong."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import lmtool
from lmtool import faces, model_file
from lmtool.cli.app import main
from lmtool.errors import ConfigError, InputError, LmtoolError, OptionError
from lmtool.inference.gradients import checked_gradients
from lmtool.kinds import KINDS
from lmtool.kinds.base import Kind
from lmtool.kinds.gradients import check_gradients
from lmtool.nn.parameters import Parameters
from lmtool.settings.inside import GradientSettings

SMALL: dict[str, Any] = {"hidden": 4, "steps": 2, "batch": 4, "members": 1}
QUICK = GradientSettings(entries=6)
Files = Callable[[Path], dict[str, Any]]


def written(path: Path, lines: str) -> Path:
    """A file."""
    path.write_text(lines, encoding="utf-8")
    return path


def labelled_frames(folder: Path) -> dict[str, Any]:
    """Clips that go up or down."""
    rows = [
        {"label": a, "frames": [[0, 1], [s, 2], [2 * s, 0]]} for a, s in (("up", 1), ("no", -1))
    ]
    lines = "".join(json.dumps(row) + "\n" for row in rows * 4)
    return {"corpus": written(folder / "f.jsonl", lines), "reads": "frames", "writes": "label"}


def labelled_vectors(folder: Path) -> dict[str, Any]:
    """Points."""
    rows = [{"label": a, "vector": [s, 2 * s]} for a, s in (("in", 0.5), ("out", 3))]
    lines = "".join(json.dumps(row) + "\n" for row in rows * 4)
    return {"corpus": written(folder / "v.jsonl", lines), "reads": "vector", "writes": "label"}


def spoken(folder: Path) -> dict[str, Any]:
    """Frames and what is said in them."""
    x = np.random.default_rng(0).normal(size=(8, 24, 2)).round(3)
    rows = [{"text": "ab" if i % 2 else "ba", "frames": one.tolist()} for i, one in enumerate(x)]
    lines = "".join(json.dumps(row) + "\n" for row in rows)
    return {"corpus": written(folder / "s.jsonl", lines), "reads": "frames", "embed": 4}


def captions(folder: Path) -> dict[str, Any]:
    """Vectors and what is said of them."""
    np.save(folder / "x.npy", np.random.default_rng(0).normal(size=(8, 3)).astype(np.float32))
    texts = written(folder / "x.tsv", "".join(f"{i}\tred and no green\n" for i in range(8)))
    return {"corpus": [folder / "x.npy", texts], "reads": "vector", "embed": 4}


def asked(own: dict[str, Any]) -> dict[str, Any]:
    """With small sizes; vectors alone have no state."""
    foreign = {"hidden", "members"} if own.get("writes") == "vectors" else set()
    return own | {name: x for name, x in SMALL.items() if name not in foreign}


def around(folder: Path) -> dict[str, Any]:
    """Words around words."""
    return {
        "corpus": written(folder / "w.txt", "Todd met Pete\nPete saw Todd\n" * 9),
        "writes": "vectors",
        "embed": 4,
    }


FILES: dict[str, Files] = {
    "language model": lambda folder: {
        "corpus": written(folder / "c.txt", "Todd met Pete\nPete saw Todd\n" * 9),
        "embed": 3,
        "cell": "rnn",
    },
    "translator": lambda folder: {
        "corpus": written(folder / "p.tsv", "a b\tb a\nb b c\tc b\n" * 9),
        "reads": "text",
        "embed": 4,
        "tokens": "word",
    },
    "captioner": captions,
    "tagger": lambda folder: {
        "corpus": written(
            folder / "t.conll", "Paris B-LOC\nburnt O\n\nTodd B-PER\nspoke O\n\n" * 6
        ),
        "writes": "tags",
        "embed": 4,
        "letters": 3,
        "filters": 4,
        "case": 2,
    },
    "classifier": lambda folder: {
        "corpus": written(folder / "l.tsv", "more\tone one\nless\tone nought nought\n" * 9),
        "writes": "label",
        "embed": 4,
    },
    "recogniser": spoken,
    "frame classifier": labelled_frames,
    "vector classifier": labelled_vectors,
    "word embedding": around,
}
EXAMPLES: dict[str, dict[str, Any]] = {
    "language model": {"text": "Todd met Pete"},
    "translator": {"text": "b a", "given": "a b"},
    "captioner": {"text": "red and green", "given": [0.5, -1, 2]},
    "tagger": {"text": "Paris spoke", "target": "B-LOC O"},
    "classifier": {"text": "one nought one", "target": "more"},
    "recogniser": {"text": "ab", "given": np.random.default_rng(0).normal(size=(18, 2)).tolist()},
    "frame classifier": {"given": [[0.1, 1], [0.5, -1], [2, 3.0]], "target": "up"},
    "vector classifier": {"given": [1, 2.5], "target": "out"},
    "word embedding": {"text": "Todd met Pete"},
}


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """A face of each kind, with weights that are large enough for gradients to be seen."""
    folder, rng = tmp_path_factory.mktemp("kinds"), np.random.default_rng(1)
    faces_of = {name: lmtool.train(**asked(files(folder))) for name, files in FILES.items()}
    for face in faces_of.values():
        flat = trained(face).parameters.flat
        flat += rng.normal(0, 0.4, flat.size).astype(np.float32)
    return faces_of


def test_every_kind_is_here() -> None:
    assert {kind.name for kind in KINDS.values()} == set(FILES) == set(EXAMPLES)


@pytest.mark.parametrize("name", FILES)
def test_gradients_are_right(name: str, models: dict[str, Any]) -> None:
    found = lmtool.gradcheck(models[name], **EXAMPLES[name], entries=20)
    assert found.passed and found.relative < 1e-6
    assert found.kind == name and found.loss > 0
    assert {one.name for one in found.parameters} <= set(trained(models[name]).parameters)


def trained(face: Any) -> Any:
    """Without its face."""
    return faces.trained(face)


def with_flipped(kind: Kind, parameter: str) -> Kind:
    """The kind with a mistake: the gradient of one parameter has the wrong sign."""

    def learn(
        settings: Any, parts: Any, recipe: Any, weights: Any, gradients: Any, *more: Any
    ) -> Any:
        found = kind.learn(settings, parts, recipe, weights, gradients, *more)
        np.negative(gradients[parameter], out=gradients[parameter])
        return found

    return replace(kind, learn=learn)


@pytest.mark.parametrize(
    ("name", "parameter"),
    [
        ("language model", "rnn.weight_hh_l0"),
        ("translator", "encoder.weight_hh_l0_reverse"),
        ("captioner", "source.weight"),
        ("tagger", "letters.convolution.weight"),
        ("classifier", "source.embedding.weight"),
        ("recogniser", "encoder.weight_ih_l0"),
        ("frame classifier", "encoder.bias_hh_l0"),
        ("vector classifier", "output.weight"),
        ("word embedding", "embedding.weight"),
    ],
)
def test_a_flipped_sign_is_seen(name: str, parameter: str, models: dict[str, Any]) -> None:
    model, asked = trained(models[name]), EXAMPLES[name]
    kind, given = model_file.kind_of(model), faces.source_of(model, asked.get("given"))
    found = check_gradients(
        with_flipped(kind, parameter),
        model,
        asked.get("text", ""),
        given,
        asked.get("target", ""),
        QUICK,
    )
    assert not found.passed and found.relative > 0.1
    assert [one.name for one in found.parameters if not one.passed] == [parameter]


def test_what_is_not_overwritten_is_wrong(models: dict[str, Any]) -> None:
    model = trained(models["language model"])
    kind = model_file.kind_of(model)

    def learn(
        settings: Any, parts: Any, recipe: Any, weights: Any, gradients: Any, *more: Any
    ) -> Any:
        own = gradients["output.bias"].copy()
        found = kind.learn(settings, parts, recipe, weights, gradients, *more)
        gradients["output.bias"][...] = own
        return found

    found = check_gradients(replace(kind, learn=learn), model, "Todd met Pete", settings=QUICK)
    assert [one.name for one in found.parameters if not one.passed] == ["output.bias"]


def test_of_three_numbers_by_hand() -> None:
    """L = x^2 + 3 y + |z|, with a kink at z = 0: (2 x, 3, sign z)."""

    def evaluate(weights: Parameters, gradients: Parameters) -> float:
        x, y, z = weights["w"]
        gradients["w"][...] = 2 * x, 3, np.sign(z)
        return float(x * x + 3 * y + abs(z))

    weights = Parameters({"w": (3,)}, np.array([0.5, 2, 2e-6]))
    loss, (one,) = checked_gradients(evaluate, weights, GradientSettings())
    assert loss == pytest.approx(6.250002) and one.passed
    assert (one.checked, one.kinks, one.n) == (2, 1, 3)
    assert one.norm == pytest.approx(np.sqrt(1 + 9 + 1))
    assert one.relative < 1e-9
    np.testing.assert_array_equal(weights.flat, [0.5, 2, 2e-6])


@pytest.mark.parametrize(
    ("name", "asked", "error", "message"),
    [
        ("language model", {"text": " "}, InputError, "nothing to check: the sentence is empty"),
        ("language model", {"text": "a", "given": "b"}, OptionError, "has no other source"),
        ("language model", {"text": "a", "target": "b"}, OptionError, "writes text"),
        ("language model", {"text": "a", "member": 2}, ConfigError, "the model has 1"),
        ("translator", {"text": "b"}, OptionError, "a translator reads a text: say which"),
        ("captioner", {"text": "red"}, OptionError, "a captioner reads a vector: say which"),
        ("captioner", {"text": "red", "given": [1.0, 2]}, InputError, "numbers a vector"),
        ("tagger", {"text": "Paris burnt", "target": "O"}, InputError, "1 tags for 2 words"),
        ("tagger", {"text": "Paris", "target": "B-X"}, InputError, "is in no training text"),
        ("classifier", {"text": "one", "target": "x"}, InputError, "is in no training text"),
        ("recogniser", {"text": "ab"}, OptionError, "a recogniser reads frames: say which"),
        ("recogniser", {"text": "abab", "given": [[1.0, 2]]}, InputError, "nothing to check"),
        ("frame classifier", {"given": "up"}, InputError, "frames is wanted"),
        ("frame classifier", {"text": "up", "given": [[1.0, 2]]}, InputError, "writes no text"),
    ],
)
def test_an_example_that_a_model_cannot_take(
    name: str,
    asked: dict[str, Any],
    error: type[LmtoolError],
    message: str,
    models: dict[str, Any],
) -> None:
    with pytest.raises(error, match=message):
        lmtool.gradcheck(models[name], **asked)


def test_a_row_of_recordings(
    models: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path, files = tmp_path / "r.safetensors", spoken(tmp_path)
    models["recogniser"].save(path)
    call = ["gradcheck", "ab", "--given", str(files["corpus"]), "-m", str(path), "--entries", "4"]
    assert main([*call, "--row", "8"]) == 0
    assert "recogniser; float64" in capsys.readouterr().out
    assert main([*call, "--row", "9"]) == 1
    assert "there is no row 9 in it" in capsys.readouterr().err


def test_the_command(
    models: dict[str, Any],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    model, path = models["captioner"], tmp_path / "m.safetensors"
    model.save(path)
    np.save(tmp_path / "x.npy", np.ones((2, 3), np.float32))
    call = ["gradcheck", "red and green", "--given", f"{tmp_path / 'x.npy'}", "--row", "2"]
    call += ["-m", str(path), "--entries", "4"]
    assert main(call) == 0
    printed = capsys.readouterr().out
    assert printed.splitlines()[0].startswith("captioner; float64") and "passed" in printed
    assert main([*call, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["passed"] and found["parameters"][0]["shape"] and found["model"] == str(path)
    kind = model_file.kind_of(trained(model))
    monkeypatch.setattr(model_file, "kind_of", lambda _: with_flipped(kind, "decoder.weight_hh_l0"))
    assert main(call) == 1
    assert "decoder.weight_hh_l0" in capsys.readouterr().out.splitlines()[-2]


def test_the_table_says_what_each_kind_reads_and_writes() -> None:
    assert {pair: (kind.reads, kind.writes) for pair, kind in KINDS.items()} == {
        p: p for p in KINDS
    }
