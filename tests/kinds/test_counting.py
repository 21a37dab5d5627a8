"""What is counted beside the networks, or instead of them: training, files, resuming, damage."""

import errno
import itertools
import math
import os
import signal
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import lmtool
from lmtool import model_file, tensor_file
from lmtool.errors import ConfigError, InputError, InterruptionError, ModelFileError, OptionError
from lmtool.inference.judgement import Judgement
from lmtool.inference.mixing import Fit
from lmtool.kinds import counting
from lmtool.models import tally
from lmtool.models.kneser_ney import count
from lmtool.settings import TrainSettings
from lmtool.tensor_file import Card, Tensors
from tests.refused import refused

LINES = [
    "Todd met Pete", "Pete met Todd", "the cat saw Todd", "the dog saw the cat", "Todd saw Pete",
] * 8  # fmt: skip
SMALL: Any = {"hidden": 8, "embed": 8, "members": 1, "steps": 30, "batch": 4, "bptt": 5}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """With a counted model and a mixture."""
    folder = tmp_path_factory.mktemp("counted")
    lmtool.train(sentences=LINES, model=folder / "counted", members=0, ngram=3)
    lmtool.train(sentences=LINES, model=folder / "mixed", ngram=3, prune="0 0 1", **SMALL)
    return folder


def test_a_counted_model_alone(folder: Path) -> None:
    model = lmtool.load(folder / "counted")
    own = model.language_model
    assert not own.networks and own.ngram.order == 3
    assert [part.name for part in own.parts] == ["3-gram"]
    assert model.info()["ngram"]["n"] == [len(one) for one in own.ngram.orders]
    assert math.isfinite(model.score("Todd met Zork").log10_p)
    assert model.next("Todd", k=99)[0].word in ("saw", "met")
    assert model.sample(seed=1)[0].text
    assert "|model:3-gram|" in model.evaluate(LINES).signature
    assert model.surprisal("Todd met Pete").words[-1].entropy_before > 0
    with pytest.raises(ConfigError, match="no network"):
        _ = model.embeddings


def test_files_as_they_were_kept_at_first(folder: Path, tmp_path: Path) -> None:
    for name in ("counted", "mixed"):
        card, tensors = tensor_file.read(folder / name, 2)
        ngram: Any = lmtool.load(folder / name).language_model.ngram
        for k in (2, 3):
            for field in ("words", "after", "many"):
                del tensors[f"ngram.{k}.{field}"]
            tensors[f"ngram.{k}.keys"] = ngram.orders[k - 1].keys
        mixture = card.pop("mixture", {"weights": []})
        tensors.pop("mixture.table", None)
        card["ngram"]["weights"] = mixture["weights"]
        tensor_file.write(tmp_path / name, card, tensors)
        again: Any = lmtool.load(tmp_path / name).language_model
        assert again.weights == tuple(mixture["weights"])
        assert again.ngram.digest == ngram.digest


def test_it_is_what_counting_gives(folder: Path) -> None:
    model = lmtool.load(folder / "counted").language_model
    held_out = range(19, 40, 20)  # as the corpus splits forty lines
    lines = [line for n, line in enumerate(LINES) if n not in held_out]
    vocabulary = model.vocabulary
    ids = np.concatenate([vocabulary.sentence(vocabulary.split(line)) for line in lines])
    expected = count(ids, vocabulary, 3)
    for one, two in zip(model.ngram.orders, expected.orders, strict=True):
        np.testing.assert_array_equal(one.logp, two.logp)


def test_a_full_disk(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def full(_: object, numbers: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(tally.Spill, "add", full)
    with refused(InputError) as one:
        lmtool.train(sentences=LINES, model=tmp_path / "counted", members=0, ngram=3)
    assert "cannot keep counts" in str(one.value) and "TMPDIR" in str(one.value)
    assert not list(tmp_path.glob("*"))


def test_a_mixture_and_its_parts(folder: Path) -> None:
    model = lmtool.load(folder / "mixed")
    own = model.language_model
    assert [part.name for part in own.parts] == ["network", "3-gram"]
    assert math.fsum(own.weights) == pytest.approx(1)
    result = model.evaluate(LINES)
    parts = result.to_dict()["parts"]
    assert [part["weight"] for part in parts] == list(own.weights)
    p = np.exp([np.log(part["perplexity"]) for part in parts])
    assert result.perplexity <= max(p)
    assert model.info()["result"]["valid_perplexity"] > 1
    assert model.info()["recipe"]["ngram"] == 3


def test_the_networks_are_those_trained_alone(folder: Path, tmp_path: Path) -> None:
    alone = lmtool.train(sentences=LINES, model=tmp_path / "alone", **SMALL)
    mixed = lmtool.load(folder / "mixed").language_model
    np.testing.assert_array_equal(alone.language_model.parameters.flat, mixed.parameters.flat)
    card, tensors = tensor_file.read(tmp_path / "alone", 2)
    assert not {"ngram", "prune"} & {*card, *card["model"], *card["provenance"]["recipe"]}
    assert not any(name.startswith("ngram") for name in tensors)


def test_saving_again_changes_nothing(folder: Path, tmp_path: Path) -> None:
    for name in ("counted", "mixed"):
        lmtool.load(folder / name).save(tmp_path / name)
        assert (tmp_path / name).read_bytes() == (folder / name).read_bytes()


def test_the_digest_knows_what_is_counted(folder: Path) -> None:
    digests = {lmtool.load(folder / name).info()["digest"] for name in ("counted", "mixed")}
    again = lmtool.train(sentences=LINES, members=0, ngram=2)
    assert len(digests | {again.info()["digest"]}) == 3


def test_equal_weights_where_the_text_was_seen() -> None:
    few = lmtool.train(sentences=LINES[:5], ngram=2, **SMALL)
    assert few.language_model.weights == (0.5, 0.5)


def test_resumed_it_is_counted_again(tmp_path: Path, folder: Path) -> None:
    model, calls = tmp_path / "mixed", itertools.count()
    options = {"ngram": 3, "prune": "0 0 1", **SMALL}

    def stop() -> int:
        return signal.SIGTERM if next(calls) == 10 else 0

    with pytest.raises(InterruptionError):
        lmtool.train(sentences=LINES, model=model, stop=stop, **options)
    _, tensors = tensor_file.read(Path(f"{model}.resume"), 2)
    assert not any("ngram" in name for name in tensors)
    lmtool.resume(model, sentences=LINES)
    one, two = (tensor_file.read(path, 2)[1] for path in (model, folder / "mixed"))
    assert {k: x.tobytes() for k, x in one.items()} == {k: x.tobytes() for k, x in two.items()}


def test_going_on_with_a_model_whose_text_was_counted(folder: Path) -> None:
    again = lmtool.train(sentences=LINES, init=folder / "mixed", steps=2, batch=4, bptt=5)
    assert again.language_model.ngram is None
    counted = lmtool.train(sentences=LINES, init=folder / "counted", ngram=2)
    assert counted.language_model.ngram.order == 2


def test_what_cannot_be_meant() -> None:
    with pytest.raises(OptionError, match="ngram"):
        lmtool.train(sentences=LINES, members=0)
    with pytest.raises(OptionError, match="nothing is trained"):
        lmtool.train(sentences=LINES, members=0, ngram=3, steps=3)
    with pytest.raises(OptionError, match="no n-grams"):
        lmtool.train(sentences=LINES, prune="0 1")
    for prune in ("1", "0 2 1", "x", "0;1", "0 -1"):
        with pytest.raises(OptionError, match="counts"):
            lmtool.train(sentences=LINES, ngram=3, prune=prune)
    wrong: tuple[Any, ...] = (-1, 21, 2.5)
    for ngram in wrong:
        with pytest.raises(OptionError):
            lmtool.train(sentences=LINES, ngram=ngram)
    with pytest.raises(OptionError, match="no n-grams"):
        lmtool.train(sentences=LINES, ngram=0, prune="0 1", time=1)
    with pytest.raises(OptionError, match="does not take it"):
        lmtool.train(sentences=LINES, writes="label", ngram=3)


def test_against_the_clock(folder: Path) -> None:
    def texts(train: str, valid: str, n: int = 9) -> Any:
        return SimpleNamespace(
            train=SimpleNamespace(fingerprint=train, ids=range(n)),
            valid=SimpleNamespace(fingerprint=valid),
        )

    for n, prune in ((9, "0,0,0,1"), (5_000_000, "0,0,0,1"), (5_000_001, "0,0,1")):
        found = counting.planned(TrainSettings(seconds=9), texts("a", "b", n))
        assert (found.ngram, found.prune) == (5, prune)
    for recipe in (TrainSettings(), TrainSettings(steps=9), TrainSettings(seconds=9, ngram=0)):
        assert counting.planned(recipe, texts("a", "b")) == recipe
    assert counting.planned(TrainSettings(seconds=9), texts("a", "a")).ngram is None
    assert counting.planned(TrainSettings(seconds=9), texts("a", "b", 20_000_001)).ngram is None


def test_what_does_not_help_is_left_out(folder: Path) -> None:
    own = lmtool.load(folder / "mixed").language_model
    for loss, kept in ((1.0, False), (0.9, True)):
        fit = Fit((0.9, 0.1), (1.0, 1.0), None, loss, (1.0, 2.0), 10)
        judge: Any = SimpleNamespace(
            counting=lambda: own.ngram,
            seen=False,
            fit=lambda both, fit=fit: fit,
            judge=lambda model: Judgement(1.0, {}),
            both=lambda model, score: {"valid_perplexity": score},
        )
        model, measures, said = counting.complete(own.alone, judge, {})
        assert (model.ngram is not None) == kept
        assert measures == {"valid_perplexity": loss}
        assert ("does not help" in said) != kept


def test_plan() -> None:
    forecast = lmtool.plan(sentences=LINES, members=0, ngram=3)
    assert (forecast.steps, forecast.n_parameters) == (0, 0)


def changed(tensors: Tensors, name: str, value: float, at: int = 0) -> Tensors:
    """One number of a tensor is another one."""
    x = tensors[name].copy()
    x[at] = value
    return tensors | {name: x}


def mixed(card: Card) -> Card:
    """What a card says of weights, made up where there are none."""
    found: Card = card.setdefault("mixture", {"weights": [0.5, 0.5], "temperatures": []})
    return found


DAMAGE: dict[str, tuple[str, Callable[[Card, Tensors], Any]]] = {
    "no order": ("lacks", lambda c, t: c["ngram"].pop("order")),
    "another order": ("lacks|names", lambda c, t: c["ngram"].update(order=4)),
    "a smaller order": ("damaged|names", lambda c, t: c["ngram"].update(order=2)),
    "no order at all": ("order", lambda c, t: c["ngram"].update(order=0)),
    "a huge order": ("order", lambda c, t: c["ngram"].update(order=10**9)),
    "an odd order": ("order", lambda c, t: c["ngram"].update(order="3")),
    "no tensors": ("lacks", lambda c, t: t.pop("ngram.2.words")),
    "no card": ("names|neither|weights", lambda c, t: c.pop("ngram")),
    "a tensor too many": ("names", lambda c, t: t.update({"ngram.9.logp": t["ngram.1.logp"]})),
    "unsorted": ("order 2", lambda c, t: t.update(changed(t, "ngram.2.words", 8))),
    "NaN": ("order 3", lambda c, t: t.update(changed(t, "ngram.3.logp", np.nan))),
    "above 1": ("order 1", lambda c, t: t.update(changed(t, "ngram.1.logp", 0.5))),
    "infinite": ("order 2", lambda c, t: t.update(changed(t, "ngram.2.backoff", np.inf))),
    "another sum": ("sum", lambda c, t: t.update(changed(t, "ngram.1.logp", -9.0, 2))),
    "short": ("order 2", lambda c, t: t.update({"ngram.2.logp": t["ngram.2.logp"][1:]})),
    "a matrix": ("contexts", lambda c, t: t.update({"ngram.2.words": t["ngram.2.words"][None]})),
    "another token": ("contexts", lambda c, t: t.update(changed(t, "ngram.2.words", 10**6))),
    "more after": ("contexts", lambda c, t: t.update(changed(t, "ngram.2.after", 99))),
    "many after": ("contexts", lambda c, t: t.update(changed(t, "ngram.2.after", 255))),
    "odd weights": ("weights|lacks", lambda c, t: mixed(c).update(weights=[0.5])),
    "weights of NaN": ("numbers|weights", lambda c, t: mixed(c).update(weights=[math.nan, 0.5])),
    "weights that do not sum": ("sum|weights", lambda c, t: mixed(c).update(weights=[0.9, 0.5])),
    "no warmth": ("weights|damaged", lambda c, t: mixed(c).update(temperatures=[0.0, 1.0])),
    "buckets of nothing": ("lacks|damaged", lambda c, t: mixed(c).update(clues=[])),
    "odd parts": ("parts|damaged", lambda c, t: c.update(parts=7)),
    "a part of nothing": ("lacks|weights", lambda c, t: c.update(parts=[{"name": "x"}])),
    "odd discounts": ("numbers|not", lambda c, t: c["ngram"].update(discounts=7)),
    "no network": ("lacks|weights", lambda c, t: c["model"].update(members=0)),
}


@pytest.mark.parametrize("how", DAMAGE)
@pytest.mark.parametrize("name", ["counted", "mixed"])
def test_damaged_files(how: str, name: str, folder: Path, tmp_path: Path) -> None:
    message, damage = DAMAGE[how]
    card, tensors = tensor_file.read(folder / name, 2)
    if how == "no network" and name == "counted":
        del tensors["ngram.1.logp"]
    damage(card, tensors)
    if how == "weights of NaN":
        card["mixture"]["weights"] = [1e400, 0.5]
    tensor_file.write(tmp_path / "model", card, tensors)
    with refused(ModelFileError, match=message) as error:
        model_file.load(tmp_path / "model")
    assert "\n" not in str(error.value)
