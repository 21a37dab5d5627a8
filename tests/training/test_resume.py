"""A run that was interrupted ends with the same bytes as one that was not."""

import contextlib
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import lmtool
from lmtool import model_file, tensor_file
from lmtool.files import locked
from lmtool.training import clock, resume, step
from lmtool.training.events import Note, Validated
from tests.refused import refused

LINES = ("Todd met Pete", "Pete met Todd", "the cat saw the dog", "the dog saw Todd") * 40
SMALL: dict[str, Any] = {"steps": 60, "hidden": 12, "embed": 8, "batch": 6, "bptt": 7, "shards": 2}


@pytest.fixture
def corpus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "corpus.txt"
    path.write_text("".join(f"{line}\n" for line in LINES))
    monkeypatch.chdir(tmp_path)
    return path


def after(n: int) -> Callable[[], int]:
    """A stop that comes when it is asked for the n-th time."""
    calls = iter(range(n))
    return lambda: 0 if next(calls, None) is not None else 2


def uninterrupted(corpus: Path, model: Path, **options: Any) -> bytes:
    lmtool.train(corpus, model=model, **SMALL | options)
    content = model.read_bytes()
    model.unlink()
    return content


@pytest.mark.parametrize(
    "options",
    [
        {},
        {
            "cell": "gru",
            "layers": 2,
            "tie": False,
            "optimizer": "sgd",
            "dropout": 0.3,
            "weight_drop": 0.2,
            "word_drop": 0.1,
            "drop_warmup": 20,
        },
        {"cell": "rnn", "output": "sampled", "samples": 4, "finish": 0.3},
        {"output": "classes", "context": "sentence", "dropout": 0.2},
        {"members": 2, "dropout": 0.2},
        {"cell": "window", "window": 3, "dropout": 0.2},
        {"tokens": "subword", "vocab_size": 30, "output": "sampled", "samples": 4},
        {"tokens": "split", "lower": True},
    ],
)
@pytest.mark.parametrize("stops", [(1,), (13, 1, 20)])
def test_resumed_equals_uninterrupted(
    corpus: Path, tmp_path: Path, options: dict[str, Any], stops: tuple[int, ...]
) -> None:
    model = tmp_path / "model.safetensors"
    whole = uninterrupted(corpus, model, **options)
    with refused(lmtool.InterruptionError) as stopped:
        lmtool.train(corpus, model=model, stop=after(stops[0]), **SMALL | options)
    assert stopped.value.signal == 2
    assert "lmtool train --resume -m " in str(stopped.value)
    for n in stops[1:]:
        with pytest.raises(lmtool.InterruptionError):
            lmtool.resume(model, stop=after(n))
    lmtool.resume(model, threads=3)
    assert model.read_bytes() == whole
    assert sorted(path.name for path in tmp_path.iterdir()) == ["corpus.txt", model.name]


def test_early_stopping_and_validations_are_part_of_the_state(
    corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clock, "FEWEST_BETWEEN", 4)
    monkeypatch.setattr(clock, "VALID_SHARE", 0.1)
    options = {"lr": 0.3, "steps": 400, "valid": [corpus]}
    model = tmp_path / "m"
    whole = uninterrupted(corpus, model, **options)
    assert json.loads(json.dumps(lmtool.train(corpus, **SMALL | options).provenance["curve"]))
    with pytest.raises(lmtool.InterruptionError):
        lmtool.train(corpus, model=model, stop=after(8), **SMALL | options)
    lmtool.resume(model)
    assert model.read_bytes() == whole


def test_a_run_against_the_clock_goes_on_where_its_time_stood(corpus: Path, tmp_path: Path) -> None:
    model = tmp_path / "m"
    options = {k: v for k, v in SMALL.items() if k != "steps"} | {"seconds": 1.5}
    with pytest.raises(lmtool.InterruptionError):
        lmtool.train(corpus, model=model, stop=after(30), **options)
    elapsed = resume.read(model).elapsed
    events: list[Any] = []
    lmtool.resume(model, on_event=events.append)
    assert events[-1].seconds >= elapsed and events[-1].steps > 30


def test_saved_now_and_then_without_being_told(corpus: Path, tmp_path: Path) -> None:
    model, seen = tmp_path / "m", []
    beside = resume.path_of(model)

    def look(event: object) -> None:
        seen.append(beside.exists())

    lmtool.train(corpus, model=model, checkpoint_every=0.0, on_event=look, **SMALL)
    assert any(seen) and not beside.exists()


def test_saving_takes_a_small_share_of_the_time(
    corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock, writes = [0.0], []

    def write(*arguments: object) -> None:
        clock[0] += 2.0
        writes.append(clock[0])

    def pause(*arguments: object) -> int:
        clock[0] += 10.0  # a step
        return 0

    monkeypatch.setattr("lmtool.training.resume.time.monotonic", lambda: clock[0])
    monkeypatch.setattr(tensor_file, "write", write)
    lmtool.train(corpus, model=tmp_path / "m", checkpoint_every=1.0, stop=pause, **SMALL)
    gaps = np.diff(writes[:-1])
    assert len(gaps) >= 2 and (gaps >= 200).all()  # 2 s each is 1 %


def test_a_disk_that_is_full_is_noted_once(
    corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*arguments: object) -> None:
        raise OSError(28, "No space left on device")

    events: list[Any] = []
    with monkeypatch.context() as patch:
        patch.setattr(tensor_file, "write", full)
        patch.setattr(model_file, "save", lambda *arguments, **options: None)
        lmtool.train(
            corpus, model=tmp_path / "m", checkpoint_every=0.0, on_event=events.append, **SMALL
        )
    notes = [event.message for event in events if isinstance(event, Note)]
    assert [note for note in notes if "No space left" in note] == [
        "the run could not be saved (No space left on device); training goes on"
    ]


@pytest.fixture
def interrupted(corpus: Path, tmp_path: Path) -> Path:
    model = tmp_path / "m"
    with pytest.raises(lmtool.InterruptionError):
        lmtool.train(corpus, model=model, stop=after(9), **SMALL)
    return model


def test_other_text_is_refused(interrupted: Path, corpus: Path) -> None:
    corpus.write_text(corpus.read_text() + "Todd saw the sea\n")
    with pytest.raises(lmtool.ModelFileError, match="the training text is not the one"):
        lmtool.resume(interrupted)


def test_moved_text_is_found_by_name(interrupted: Path, corpus: Path, tmp_path: Path) -> None:
    moved = corpus.rename(tmp_path / "moved.txt")
    with pytest.raises(lmtool.InputError, match=r"corpus\.txt: cannot be read"):
        lmtool.resume(interrupted)
    assert lmtool.resume(interrupted, corpus=moved).score("Todd met Pete").n_words == 3


def test_other_options_are_refused(interrupted: Path) -> None:
    with pytest.raises(lmtool.ModelFileError, match="hidden was 12, not 13"):
        lmtool.resume(interrupted, hidden=13)
    lmtool.resume(interrupted, hidden=12, threads=1)


def test_starting_anew_over_an_interrupted_run_needs_a_word(
    interrupted: Path, corpus: Path
) -> None:
    with pytest.raises(lmtool.ModelFileError, match="resume goes on with it"):
        lmtool.train(corpus, model=interrupted, **SMALL)
    lmtool.train(corpus, model=interrupted, overwrite=True, **SMALL)
    with pytest.raises(lmtool.ModelFileError, match="nothing to resume"):
        lmtool.resume(interrupted)


def test_starting_anew_forgets_the_old_run_at_once(interrupted: Path, corpus: Path) -> None:
    seen: list[bool] = []

    def look(event: object) -> None:
        seen.append(resume.path_of(interrupted).exists())

    lmtool.train(corpus, model=interrupted, overwrite=True, on_event=look, **SMALL)
    assert seen and not any(seen)


def test_a_lock_that_cannot_be_had_is_no_obstacle(
    corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unsupported(*arguments: object) -> None:
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr("lmtool.files.fcntl.flock", unsupported)
    lmtool.train(corpus, model=tmp_path / "m", **SMALL)


def test_other_versions_are_noted(interrupted: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    events: list[Any] = []
    monkeypatch.setattr(resume, "installed", lambda package: "0.1")
    lmtool.resume(interrupted, on_event=events.append)
    assert any("this is 0.1" in event.message for event in events if isinstance(event, Note))


def test_two_trainings_on_one_path(corpus: Path, tmp_path: Path) -> None:
    model = tmp_path / "m"
    with locked(model) as free:
        assert free
        with pytest.raises(lmtool.ModelFileError, match="another process is training this model"):
            lmtool.train(corpus, model=model, **SMALL)
    lmtool.train(corpus, model=model, **SMALL)


def damage(path: Path, change: Callable[[dict[str, Any], dict[str, Any]], None]) -> None:
    """Changes a resume file, checksum and all."""
    card, tensors = tensor_file.read(path, resume.FORMAT)
    tensors = {name: x.copy() for name, x in tensors.items()}
    change(card, tensors)
    tensor_file.write(path, card, tensors)


@pytest.mark.parametrize(
    "change",
    [
        lambda card, tensors: card["run"].update(step=-1),
        lambda card, tensors: card["run"].update(step=10**9),
        lambda card, tensors: card["run"].update(step=1.5),
        lambda card, tensors: card["run"].update(more=1),
        lambda card, tensors: card.update(format=1),
        lambda card, tensors: card["request"].update(corpus=[1]),
        lambda card, tensors: card["request"].update(init=1),
        lambda card, tensors: card["data"].update({"model to begin with": "0123456789ab"}),
        lambda card, tensors: card["request"]["recipe"].update(batch="many"),
        lambda card, tensors: card["curve"].append({"step": 1}),
        lambda card, tensors: card.update(elapsed="long"),
        lambda card, tensors: card.update(run=[]),
        lambda card, tensors: tensors.pop("best"),
        lambda card, tensors: tensors["parameters"].fill(np.nan),
        lambda card, tensors: tensors["seen0"].fill(99),
        lambda card, tensors: tensors.update(seen0=tensors["seen0"][:-1]),
        lambda card, tensors: tensors.update(best=tensors["best"].astype(np.int32)),
    ],
)
def test_a_hostile_resume_file_is_refused(
    interrupted: Path, change: Callable[[dict[str, Any], dict[str, Any]], None]
) -> None:
    damage(resume.path_of(interrupted), change)
    with refused(lmtool.LmtoolError) as told:
        lmtool.resume(interrupted)
    assert "\n" not in str(told.value)


def test_any_truncation_of_a_resume_file_is_noticed(interrupted: Path) -> None:
    path = resume.path_of(interrupted)
    content = path.read_bytes()
    for length in range(0, len(content), len(content) // 40):
        path.write_bytes(content[:length])
        with pytest.raises(lmtool.ModelFileError):
            lmtool.resume(interrupted)


@pytest.fixture
def blow_up(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """The steps whose gradients are to be infinite."""
    steps: list[int] = []
    count = [0]
    reduce = step.reduce_gradients

    def broken(*arguments: Any) -> float:
        count[0] += 1
        return float("inf") if count[0] in steps else reduce(*arguments)

    monkeypatch.setattr(step, "reduce_gradients", broken)
    yield steps


def test_numbers_that_blow_up_roll_the_run_back(corpus: Path, blow_up: list[int]) -> None:
    blow_up += [30, 45]
    events: list[Any] = []
    lm = lmtool.train(corpus, on_event=events.append, **SMALL)
    notes = [event.message for event in events if isinstance(event, Note)]
    assert [note for note in notes if "blew up" in note and "half the learning rate" in note]
    assert np.isfinite(lm.language_model.parameters.flat).all()


def test_a_run_that_keeps_blowing_up_leaves_its_best_model(
    corpus: Path, tmp_path: Path, blow_up: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clock, "FEWEST_BETWEEN", 4)
    monkeypatch.setattr(clock, "VALID_SHARE", 0.1)
    blow_up += range(40, 50)
    model = tmp_path / "m"
    events: list[Any] = []
    with pytest.raises(lmtool.TrainingError, match=r"blew up .* best weights so far are in"):
        lmtool.train(corpus, model=model, on_event=events.append, **SMALL)
    best = min(event.measures["perplexity"] for event in events if isinstance(event, Validated))
    assert lmtool.load(model).evaluate(corpus).perplexity == pytest.approx(best, rel=0.5)
    assert [path.name for path in sorted(tmp_path.iterdir())] == ["corpus.txt", "m"]


def test_rolling_back_is_part_of_the_state(
    corpus: Path, tmp_path: Path, blow_up: list[int]
) -> None:
    blow_up += [20]
    model = tmp_path / "m"
    with pytest.raises(lmtool.InterruptionError):
        lmtool.train(corpus, model=model, stop=after(30), **SMALL)
    counters = resume.read(model).counters
    assert (counters["rollbacks"], counters["rate"]) == (1, 0.5)


def test_exploding_relu_cells_are_reined_in(corpus: Path) -> None:
    events: list[Any] = []
    cell: Any = {"cell": "rnn", "activation": "relu", "hidden": 24}
    recipe: Any = {"optimizer": "sgd", "clip": 1e3, "lr": 16.0, "batch": 4, "bptt": 30}
    with contextlib.suppress(lmtool.TrainingError):  # where the last bits differ it may give up
        lm = lmtool.train(corpus, on_event=events.append, steps=150, **cell, **recipe)
        assert lm.evaluate(corpus).perplexity < 4
    notes = [event.message for event in events if isinstance(event, Note)]
    assert any("blew up" in note and "at half the learning rate" in note for note in notes)
