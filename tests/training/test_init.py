"""A run that begins with a finished model keeps what is the model's and follows the new text."""

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import lmtool
from lmtool.kinds import initial
from lmtool.kinds.sizes import plan
from lmtool.settings import ModelSettings, TextSettings, TrainSettings
from lmtool.text.vocabulary import EOS_ID, UNK_ID
from lmtool.training import loop, resume
from lmtool.training.events import Note, Planned, Validated
from tests.refused import refused

OLD = ("Todd met Pete", "Pete met Todd", "the cat saw the dog", "the dog saw Todd") * 20
NEW = ("the sea was calm", "Todd saw the sea", "Pete saw the calm sea") * 20
SMALL: dict[str, Any] = {"steps": 40, "hidden": 12, "embed": 8, "batch": 6, "bptt": 7, "shards": 2}
MORE: dict[str, Any] = {"steps": 30, "batch": 6, "bptt": 7, "shards": 2}


def write(path: Path, lines: tuple[str, ...]) -> Path:
    path.write_text("".join(f"{line}\n" for line in lines))
    return path


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished model, two rnn layers; not to be changed."""
    folder = tmp_path_factory.mktemp("base")
    model = folder / "base"
    corpus = write(folder / "old.txt", OLD)
    lmtool.train(corpus, model=model, cell="rnn", layers=2, lower=True, **SMALL)
    return model


@pytest.fixture
def base(trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return Path(shutil.copy(trained, tmp_path / "base"))


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    return write(tmp_path / "new.txt", NEW)


def after(n: int) -> Callable[[], int]:
    """A stop that comes when it is asked for the n-th time."""
    calls = iter(range(n))
    return lambda: 0 if next(calls, None) is not None else 2


def test_vocabulary_and_network_are_the_models(base: Path, corpus: Path) -> None:
    old, new = lmtool.load(base), lmtool.train(corpus, init=base, **MORE)
    assert new.settings == old.settings
    assert new.vocabulary.digest == old.vocabulary.digest
    assert new.score("todd SAW the sea").words[-2].token == "<UNK>"
    assert new.info()["digest"] != old.info()["digest"]


def test_it_learns_from_where_the_model_stood(base: Path, corpus: Path) -> None:
    old, new = lmtool.load(base), lmtool.train(corpus, init=base, lr=0.01, **MORE)
    assert new.evaluate(corpus).perplexity < old.evaluate(corpus).perplexity
    first = new.provenance["curve"][0]
    assert first["step"] == 0 and first["best"]


def test_counts_are_of_all_texts_and_the_sampler_draws_from_the_new_one(
    base: Path, corpus: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn: list[Any] = []
    run = loop.train

    def look(session: Any, *arguments: Any, **more: Any) -> Any:
        drawn.append(session.parts.counts)
        return run(session, *arguments, **more)

    monkeypatch.setattr(loop, "train", look)
    old = lmtool.load(base).vocabulary
    new = lmtool.train(corpus, valid=corpus, init=base, **MORE).vocabulary
    words = " ".join(NEW).lower().split()
    fresh = np.array([words.count(token) for token in old.tokens])
    fresh[EOS_ID] = len(NEW)
    fresh[UNK_ID] = sum(word not in old.tokens for word in words)
    assert np.array_equal(drawn[0], fresh)
    assert np.array_equal(new.counts, old.counts + fresh)


def test_counts_too_large_to_add_stay_counts(base: Path, corpus: Path) -> None:
    model = lmtool.load(base)
    counts = np.full_like(model.vocabulary.counts, np.iinfo(np.int64).max)
    huge = replace(model.vocabulary, counts=counts)
    init = lmtool.Model(replace(model.language_model, vocabulary=huge))
    assert (lmtool.train(corpus, init=init, **MORE).vocabulary.counts == counts).all()


def test_nothing_worse_than_the_start_is_written(base: Path, corpus: Path, tmp_path: Path) -> None:
    model = tmp_path / "m"
    events: list[Any] = []
    wild: dict[str, Any] = {"optimizer": "sgd", "lr": 50.0, "clip": 1e3}
    lmtool.train(corpus, init=base, model=model, on_event=events.append, **MORE | wild)
    old, new = lmtool.load(base).language_model, lmtool.load(model).language_model
    assert np.array_equal(old.parameters.flat, new.parameters.flat)
    assert lmtool.load(model).provenance["result"]["step"] == 0
    notes = [event.message for event in events if isinstance(event, Note)]
    assert "no step made the model better: its weights are those that it began with" in notes
    validated = [event for event in events if isinstance(event, Validated)]
    assert [event.best for event in validated] == [True, *[False] * (len(validated) - 1)]


def test_a_run_that_blows_up_leaves_the_model_it_began_with(
    base: Path, corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lmtool.training.step.reduce_gradients", lambda *arguments: float("inf"))
    with pytest.raises(lmtool.TrainingError, match="best weights so far are in"):
        lmtool.train(corpus, init=base, model=tmp_path / "m", **MORE)
    old, new = lmtool.load(base), lmtool.load(tmp_path / "m")
    assert new.language_model.digest == old.language_model.digest
    assert new.provenance["ancestors"][0]["digest"] == old.language_model.digest


@pytest.mark.parametrize("options", [{}, {"output": "sampled", "samples": 4, "finish": 0.3}])
@pytest.mark.parametrize("stops", [(0,), (13, 1)])
def test_resumed_equals_uninterrupted(
    base: Path, corpus: Path, tmp_path: Path, options: dict[str, Any], stops: tuple[int, ...]
) -> None:
    model = tmp_path / "m"
    lmtool.train(corpus, init=base, model=model, **MORE | options)
    whole = model.read_bytes()
    model.unlink()
    with pytest.raises(lmtool.InterruptionError):
        lmtool.train(corpus, init=base, model=model, stop=after(stops[0]), **MORE | options)
    for n in stops[1:]:
        with pytest.raises(lmtool.InterruptionError):
            lmtool.resume(model, stop=after(n))
    moved = base.rename(tmp_path / "moved")
    with pytest.raises(lmtool.ModelFileError, match="there is no model"):
        lmtool.resume(model)
    lmtool.resume(model, init=moved, threads=3)
    assert model.read_bytes() == whole


def test_a_model_in_memory_is_given_again(base: Path, corpus: Path, tmp_path: Path) -> None:
    model, init = tmp_path / "m", lmtool.load(base)
    before = init.language_model.parameters.flat.copy()
    line = lmtool.train(corpus, init=init, model=model, **MORE).provenance["command"]
    assert "--init MODEL" in line
    assert np.array_equal(init.language_model.parameters.flat, before)
    whole = model.read_bytes()
    model.unlink()
    with pytest.raises(lmtool.InterruptionError):
        lmtool.train(corpus, init=init, model=model, stop=after(9), **MORE)
    with pytest.raises(lmtool.ModelFileError, match=r"give the model again: .*init=\.\.\."):
        lmtool.resume(model)
    lmtool.resume(model, init=init)
    assert model.read_bytes() == whole


def test_another_model_to_begin_with_is_refused(base: Path, corpus: Path, tmp_path: Path) -> None:
    model = tmp_path / "m"
    with pytest.raises(lmtool.InterruptionError):
        lmtool.train(corpus, init=base, model=model, stop=after(9), **MORE)
    other = lmtool.train(corpus, init=base, lr=0.01, **MORE)
    with pytest.raises(lmtool.ModelFileError, match="the model to begin with is not the one"):
        lmtool.resume(model, init=other)


def test_a_run_without_a_model_takes_none(base: Path, corpus: Path, tmp_path: Path) -> None:
    model = tmp_path / "m"
    with pytest.raises(lmtool.InterruptionError):
        lmtool.train(corpus, model=model, stop=after(9), **SMALL)
    with pytest.raises(lmtool.ModelFileError, match="it began with no model; leave init out"):
        lmtool.resume(model, init=base)


def test_the_model_may_take_the_place_of_the_one_it_began_with(base: Path, corpus: Path) -> None:
    with pytest.raises(lmtool.ModelFileError, match="exists already"):
        lmtool.train(corpus, init=base, model=base, **MORE)
    old = lmtool.load(base)
    events: list[Any] = []
    with pytest.raises(lmtool.InterruptionError):
        lmtool.train(corpus, init=base, model=base, overwrite=True, stop=after(9), **MORE)
    assert lmtool.load(base).language_model.digest == old.language_model.digest
    new = lmtool.resume(base, on_event=events.append)
    assert new.provenance["ancestors"][0]["digest"] == old.info()["digest"]
    assert any("only a copy repeats the run" in e.message for e in events if isinstance(e, Note))
    assert lmtool.load(base).info()["digest"] == new.info()["digest"]


def test_the_line_of_descent(base: Path, corpus: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    models = [lmtool.load(base)]
    for seed in range(2, 5):
        models.append(lmtool.train(corpus, init=models[-1], seed=seed, lr=0.01, **MORE))
    line = models[-1].provenance["ancestors"]
    assert [one["digest"] for one in line] == [m.info()["digest"] for m in models[-2::-1]]
    assert [one["command"] for one in line] == [m.provenance["command"] for m in models[-2::-1]]
    assert "ancestors" not in models[0].provenance
    monkeypatch.setattr(initial, "MOST_ANCESTORS", 2)
    assert lmtool.train(corpus, init=models[-1], **MORE).provenance["ancestors"][1:] == line[:1]


@pytest.mark.parametrize("claim", [7, [7], [{"digest": 1, "command": ""}], {"digest": ""}, None])
def test_a_file_that_claims_ancestors_of_another_kind(base: Path, corpus: Path, claim: Any) -> None:
    model = lmtool.load(base).language_model
    init = lmtool.Model(replace(model, provenance={"ancestors": claim}))
    line = lmtool.train(corpus, init=init, **MORE).provenance["ancestors"]
    assert line == [{"digest": model.digest, "command": "unknown"}]


OTHER: dict[str, Any] = {
    "tokens": "char",
    "lower": False,
    "vocab_size": 5,
    "min_count": 2,
    "cell": "lstm",  # a default is a word, too
    "activation": "relu",
    "layers": 1,
    "embed": 9,
    "hidden": 13,
    "tie": False,
    "softmax": "classes",
    "members": 2,
    "window": 3,
    "output": "classes",
}


def test_every_setting_of_the_model_is_in_the_list() -> None:
    names = {*TextSettings.__dataclass_fields__, *ModelSettings.__dataclass_fields__, "output"}
    assert set(OTHER) == names


@pytest.mark.parametrize("name", OTHER)
def test_options_that_contradict_the_model_are_refused(
    base: Path, corpus: Path, tmp_path: Path, name: str
) -> None:
    model = tmp_path / "m"
    with refused(lmtool.ConfigError, match=f"^{name}: the model to go on with has ") as no:
        lmtool.train(corpus, init=base, model=model, **MORE, **{name: OTHER[name]})
    assert "\n" not in str(no.value) and not model.exists()
    with pytest.raises(lmtool.ConfigError):
        lmtool.plan(corpus, init=base, **MORE, **{name: OTHER[name]})


def test_options_that_agree_are_taken(base: Path, corpus: Path) -> None:
    own: dict[str, Any] = {"cell": "rnn", "layers": 2, "hidden": 12, "embed": None, "lower": True}
    lmtool.train(corpus, init=base, output="sampled", **own, **MORE)
    with pytest.raises(lmtool.ConfigError, match="hidden: the model to go on with has 12, not 13"):
        lmtool.train(corpus, init=base, network=ModelSettings(hidden=13), **MORE)


def test_classes_stay_classes(corpus: Path) -> None:
    init = lmtool.train(corpus, output="classes", members=2, **SMALL)
    new = lmtool.train(corpus, init=init, **MORE)
    assert new.settings == init.settings
    with pytest.raises(lmtool.ConfigError, match=r"output: the model .* has classes, not full"):
        lmtool.train(corpus, init=init, output="full", **MORE)


def test_a_text_of_unknown_words_alone(base: Path, tmp_path: Path) -> None:
    text = write(tmp_path / "text.txt", ("zwei drei", "vier"))
    with pytest.raises(lmtool.InputError, match=r"text\.txt: every word is unknown to the model"):
        lmtool.train(text, init=base, **MORE)


@pytest.mark.parametrize("content", [None, b"", b"Todd met Pete\n", b"\x80\x02}q\x00."])
def test_no_model_to_go_on_with(corpus: Path, tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "init"
    if content is not None:
        path.write_bytes(content)
    with refused(lmtool.ModelFileError, match=f"^{path}: ") as told:
        lmtool.train(corpus, init=path, model=tmp_path / "m", **MORE)
    assert "\n" not in str(told.value) and not (tmp_path / "m").exists()


def test_plan_says_what_train_would_do(base: Path, corpus: Path) -> None:
    events: list[Any] = []
    forecast = lmtool.plan(corpus, init=base)
    lmtool.train(corpus, init=base, on_event=events.append)
    (planned,) = (event for event in events if isinstance(event, Planned))
    assert (forecast.network, forecast.recipe) == (planned.network, planned.recipe)
    assert forecast.command == planned.command and f"--init {base}" in forecast.command


@pytest.mark.parametrize("n_tokens", [20, 400, 4_000, 40_000, 10**6, 10**8])
def test_the_recipe_is_gentler_than_that_of_a_fresh_model(n_tokens: int) -> None:
    network = ModelSettings(hidden=8, embed=8)
    fresh, gentle = (make(network, TrainSettings(), n_tokens, 50, 1e9)[1] for make in BOTH)
    assert gentle.lr is not None and fresh.lr is not None and gentle.lr < fresh.lr
    assert gentle.epochs is not None and fresh.epochs is not None
    assert gentle.epochs <= min(fresh.epochs, initial.MOST_EPOCHS)
    again = initial.plan_on(network, gentle, n_tokens, 50, 1e9)[1]
    assert again == gentle


BOTH: tuple[Any, ...] = (plan, initial.plan_on)


def test_the_resume_file_names_the_model(base: Path, corpus: Path, tmp_path: Path) -> None:
    model = tmp_path / "m"
    with pytest.raises(lmtool.InterruptionError):
        lmtool.train(corpus, init=base, model=model, stop=after(9), **MORE)
    assert resume.read(model).request.init == str(base)
    assert json.dumps(resume.read(model).data)


@pytest.fixture
def labelled(tmp_path: Path) -> Path:
    return write(tmp_path / "labelled.tsv", ("good\tTodd met Pete", "bad\tPete saw Todd") * 10)


@pytest.fixture
def classifier(labelled: Path, tmp_path: Path) -> Path:
    lmtool.train(labelled, writes="label", model=tmp_path / "classifier", steps=2)
    return tmp_path / "classifier"


def test_only_language_models_go_on(
    base: Path, corpus: Path, classifier: Path, labelled: Path, tmp_path: Path
) -> None:
    runs: tuple[tuple[Path, Path, str], ...] = (
        (corpus, classifier, "text"),
        (labelled, classifier, "label"),
        (labelled, base, "label"),
    )
    for text, init, writes in runs:
        for command in (lmtool.train, lmtool.plan):
            with refused(lmtool.ConfigError, match=r"^init: a .* cannot go on with a ") as no:
                command(text, writes=writes, init=init)
            assert "\n" not in str(no.value)


def test_a_run_goes_on_with_no_classifier_in_the_models_place(
    base: Path, corpus: Path, classifier: Path, tmp_path: Path
) -> None:
    model = tmp_path / "m"
    with pytest.raises(lmtool.InterruptionError):
        lmtool.train(corpus, init=base, model=model, stop=after(9), **MORE)
    shutil.copy(classifier, base)
    with pytest.raises(lmtool.ModelFileError, match="the model to begin with is not the one"):
        lmtool.resume(model)
