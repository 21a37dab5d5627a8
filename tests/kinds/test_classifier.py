"""The classifier from labelled text to a file and back: it learns, every promise holds."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import lmtool
from lmtool import model_file, tensor_file
from lmtool.faces.classifier import Classifier as Face
from lmtool.inference.classify import Classifier
from lmtool.settings import ClassifierSettings
from lmtool.training import step
from lmtool.training.events import Progress
from lmtool.training.resume import path_of
from tests.refused import refused

SMALL: dict[str, Any] = {"writes": "label", "hidden": 8, "embed": 8, "steps": 30, "batch": 6}


def majority(n: int, seed: int) -> Iterator[str]:
    """Lines of noughts and ones, labelled by which are more, in whatever order."""
    rng = np.random.default_rng(seed)
    for _ in range(n):
        ones = rng.random(2 * int(rng.integers(1, 6)) + 1) < 0.5
        label = "more" if ones.mean() > 0.5 else "fewer"
        yield f"{label}\t{' '.join('one' if one else 'nought' for one in ones)}\n"


def last_first(n: int, seed: int) -> Iterator[str]:
    """Lines labelled by whether first and last word agree: the order of the words says it all."""
    rng = np.random.default_rng(seed)
    for _ in range(n):
        words = rng.choice(["a", "b"], int(rng.integers(3, 8)))
        yield f"{'same' if words[0] == words[-1] else 'other'}\t{' '.join(words)}\n"


def written(path: Path, lines: Iterator[str]) -> Path:
    """The file of these lines."""
    path.write_text("".join(lines), encoding="utf-8")
    return path


@pytest.fixture
def reviews(tmp_path: Path) -> Path:
    return written(tmp_path / "train.tsv", majority(200, 1))


def said(model: Any, text: str) -> Any:
    """ln p of each label (K,)."""
    return model.log_probabilities([model.source(text)])[0]


def weights(model: Any) -> bytes:
    """All of them."""
    return bytes(model.parameters.flat.tobytes())


@pytest.fixture(autouse=True)
def raw(monkeypatch: pytest.MonkeyPatch) -> None:
    """Trained models as they are, without the face that the library gives them."""
    monkeypatch.setattr("lmtool.faces.face_of", lambda trained: trained)


@pytest.mark.parametrize("cell", ["lstm", "gru", "none"])
def test_counting_is_learnt(tmp_path: Path, cell: str) -> None:
    train = written(tmp_path / "train.tsv", majority(600, 1))
    valid = written(tmp_path / "valid.tsv", majority(200, 2))
    options: dict[str, Any] = {"hidden": 16, "ngrams": 0, "epochs": 12, "cell": cell}
    model = lmtool.train(train, valid=valid, writes="label", word_drop=0.0, dropout=0.0, **options)
    assert model.provenance["result"]["valid_accuracy"] > 97


def test_order_is_learnt(tmp_path: Path) -> None:
    train = written(tmp_path / "train.tsv", last_first(1500, 1))
    valid = written(tmp_path / "valid.tsv", last_first(200, 2))
    options: dict[str, Any] = {"hidden": 32, "ngrams": 0, "epochs": 10, "batch": 16, "lr": 0.01}
    model = lmtool.train(train, valid=valid, writes="label", word_drop=0.0, dropout=0.0, **options)
    assert model.provenance["result"]["valid_accuracy"] > 97


@pytest.mark.parametrize("members", [1, 2])
def test_threads_change_no_bit(reviews: Path, members: int) -> None:
    one, two, five = (
        weights(lmtool.train(reviews, members=members, shards=2, threads=n, **SMALL))
        for n in (1, 2, 5)
    )
    assert one == two == five


@pytest.mark.parametrize("more", [{}, {"members": 2}, {"cell": "none"}, {"ngrams": 0}])
@pytest.mark.parametrize("stop", [11, 37])  # the second falls into the second run
def test_resumed_equals_uninterrupted(
    reviews: Path, tmp_path: Path, more: dict[str, Any], stop: int
) -> None:
    options = SMALL | more
    whole = lmtool.train(reviews, model=tmp_path / "whole", **options)
    calls = iter(range(100))
    with pytest.raises(lmtool.InterruptionError):
        lmtool.train(
            reviews, model=tmp_path / "m", stop=lambda: 2 * (next(calls) == stop), **options
        )
    assert path_of(tmp_path / "m").exists()
    again = lmtool.resume(tmp_path / "m")
    assert weights(again) == weights(whole)
    bare = [{k: v for k, v in m.provenance.items() if k != "command"} for m in (again, whole)]
    assert bare[0] == bare[1]


def test_round_trip(reviews: Path, tmp_path: Path) -> None:
    model = lmtool.train(reviews, model=tmp_path / "m", **SMALL)
    again = model_file.load(tmp_path / "m")
    assert isinstance(again, Classifier)
    assert (weights(again), again.settings) == (weights(model), model.settings)
    assert again.labels.names == ("fewer", "more") and again.temperature == model.temperature
    text = "one one nought"
    np.testing.assert_array_equal(said(again, text), said(model, text))


def test_probabilities_sum_to_one(reviews: Path) -> None:
    model = lmtool.train(reviews, **SMALL)
    for text in ("one", "one nought one", "", "unheard of", "one " * 300):
        assert np.exp(said(model, text)).sum() == pytest.approx(1, abs=1e-6)


@pytest.mark.parametrize("more", [{}, {"members": 2, "cell": "gru"}, {"ngrams": 0}])
def test_what_is_kept_is_what_is_said(reviews: Path, tmp_path: Path, more: dict[str, Any]) -> None:
    """The validation loss in the card is what ``evaluate`` finds on the same file, to the bit."""
    valid = written(tmp_path / "valid.tsv", majority(90, 2))
    model = lmtool.train(reviews, valid=valid, **SMALL | more)
    found = Face(model).evaluate(valid, threads=2)
    assert found.nats == model.provenance["result"]["valid_loss"]
    assert found.accuracy == model.provenance["result"]["valid_accuracy"]


def test_several_labels_are_each_for_themselves(tmp_path: Path) -> None:
    lines = ["__label__a __label__b x y\n", "__label__a x\n", "__label__b y\n"] * 40
    path = written(tmp_path / "train.txt", iter(lines))
    model = lmtool.train(path, **SMALL | {"steps": 300, "lr": 0.02, "word_drop": 0.0})
    assert model.settings.labelling == "sigmoid"
    p = {text: np.exp(said(model, text)) for text in ("x", "y", "x y")}
    assert [list(p[text] > 0.5) for text in p] == [[True, False], [False, True], [True, True]]


@pytest.mark.parametrize("budget", [{}, {"steps": None, "time": "1s"}])
def test_the_same_command_repeats_the_run(
    reviews: Path, tmp_path: Path, budget: dict[str, Any]
) -> None:
    import shlex

    from lmtool.cli.app import main

    first = lmtool.train(reviews, model=tmp_path / "m", **SMALL | budget)
    words = shlex.split(first.provenance["command"])
    assert words[:2] == ["lmtool", "train"]
    assert main([*words[1:], "--overwrite", "--quiet"]) == 0
    assert weights(model_file.load(tmp_path / "m")) == weights(first)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda card, t: card.pop("temperature"), "it lacks 'temperature'"),
        (lambda card, t: card.update(temperature=-1.0), "temperature is damaged"),
        (lambda card, t: card.update(temperature="hot"), "temperature is damaged"),
        (lambda card, t: card["model"].update(labelling="sigmoid"), "labels contradict"),
        (lambda card, t: card["model"].update(pool="sum"), "pool: must be one of"),
        (lambda card, t: card["model"].update(ngrams=3), "n-grams"),
        (lambda card, t: card.update(kind="language model"), "unknown or missing names"),
        (lambda card, t: t.pop("labels"), "it lacks 'labels'"),
        (lambda card, t: t.update(labels=t["labels"][:3]), "labels"),
        (lambda card, t: t.update({"ngrams.2": t["ngrams.2"][::-1].copy()}), "n-grams"),
        (lambda card, t: t.pop("source.vocabulary"), "it lacks 'source.vocabulary'"),
    ],
)
def test_a_hostile_file_is_refused(reviews: Path, tmp_path: Path, change: Any, reason: str) -> None:
    lmtool.train(reviews, model=tmp_path / "m", **SMALL | {"steps": 1})
    card, tensors = tensor_file.read(tmp_path / "m", *model_file.FORMATS)
    change(card, tensors)
    tensor_file.write(tmp_path / "m", card, tensors)
    with refused(lmtool.ModelFileError) as told:
        model_file.load(tmp_path / "m")
    assert reason in str(told.value) and "\n" not in str(told.value)


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ("a\tx\na\ty\n", "every text has the label 'a'"),
        ("a\tx\nb\n", r"train\.tsv:2: no TAB in it"),
        ("a\tx\nb\t\n", r"train\.tsv:2: the text is empty"),
        ("a\tx\n\ty\n", r"train\.tsv:2: a label is empty"),
    ],
)
def test_bad_input_is_one_line(tmp_path: Path, lines: str, message: str) -> None:
    path = written(tmp_path / "train.tsv", iter([lines]))
    with pytest.raises(lmtool.InputError, match=message):
        lmtool.train(path, model=tmp_path / "m", **SMALL)
    assert [p.name for p in tmp_path.iterdir()] == ["train.tsv"]


def test_a_label_only_in_the_validation_file(reviews: Path, tmp_path: Path) -> None:
    valid = written(tmp_path / "valid.tsv", iter(["more\tone\n", "none\tnought\n"]))
    with pytest.raises(lmtool.InputError, match=r"valid\.tsv:2: the label 'none' is in no"):
        lmtool.train(reviews, valid=valid, **SMALL)


def test_twenty_examples_are_enough_to_begin(tmp_path: Path) -> None:
    path = written(tmp_path / "train.tsv", majority(20, 3))
    model = lmtool.train(path, writes="label", steps=20)
    assert isinstance(model.settings, ClassifierSettings)
    assert replace(model.settings, hidden=None).hidden is None


def test_few_examples_are_all_learnt_for_as_long_as_a_tenth_chose(reviews: Path) -> None:
    events: list[Any] = []
    options = SMALL | {"steps": 40, "epochs": None}
    model = lmtool.train(reviews, on_event=events.append, **options)
    steps = [event.step for event in events if isinstance(event, Progress)]
    result = model.provenance["result"]
    best = next(p["step"] for p in reversed(model.provenance["curve"]) if p["best"])
    n_first, n_all = 30, 34  # batches of 6 in 180 and in 200 examples
    assert (steps[-1], result["step"]) == (result["step"], round(best / n_first * n_all))
    assert result["steps"] == 40
    assert model.provenance["corpus"]["train"]["n"] == 200
    assert any("all of them are learnt" in getattr(event, "message", "") for event in events)


def test_a_validation_file_leaves_nothing_to_choose(reviews: Path, tmp_path: Path) -> None:
    valid = written(tmp_path / "valid.tsv", majority(50, 2))
    calls = iter(range(100))
    lmtool.train(reviews, valid=valid, stop=lambda: 2 * (next(calls) > 31), **SMALL)


def test_a_second_run_that_blows_up_leaves_the_first_ones_model(
    reviews: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = lmtool.train(reviews, model=tmp_path / "whole", **SMALL)
    reduce, calls = step.reduce_gradients, iter(range(1000))

    def broken(*arguments: Any) -> float:
        return float("inf") if next(calls) > 100 else reduce(*arguments)

    monkeypatch.setattr(step, "reduce_gradients", broken)
    with pytest.raises(lmtool.TrainingError, match=r"best weights so far are in"):
        lmtool.train(reviews, model=tmp_path / "m", **SMALL)
    kept = model_file.load(tmp_path / "m")
    assert weights(kept) != weights(whole) and np.isfinite(kept.parameters.flat).all()


def test_plan_forecasts(reviews: Path) -> None:
    forecast = lmtool.plan(reviews, writes="label", hidden=8)
    assert (forecast.kind, forecast.n_outputs) == ("classifier", 2)
    assert forecast.steps > 0 and forecast.tokens_per_second > 0


def test_a_run_against_the_clock(reviews: Path) -> None:
    model = lmtool.train(reviews, writes="label", hidden=8, time="2s")
    assert model.provenance["result"]["steps"] > 10
