"""Classifiers of frames and of vectors, from files to a model and back: every promise holds."""

import json
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import lmtool
from lmtool import faces, model_file, tensor_file
from lmtool.audio.filterbank import Filterbank
from lmtool.audio.sound import Sound, read_sound
from lmtool.cli.app import main
from lmtool.inference.classify import FrameClassifier, VectorClassifier
from lmtool.training.resume import path_of
from tests.audio.handmade import saved
from tests.refused import refused

FRAMES: dict[str, Any] = {"reads": "frames", "writes": "label"}
VECTOR: dict[str, Any] = {"reads": "vector", "writes": "label"}
SMALL: dict[str, Any] = {"hidden": 8, "steps": 20, "batch": 6, "members": 1}


def waves(n: int, seed: int) -> Iterator[tuple[str, Any]]:
    """Clips that go up or down somewhere, at any height: their order says it all."""
    rng = np.random.default_rng(seed)
    for _ in range(n):
        up, T = rng.random() < 0.5, int(rng.integers(5, 12))
        steps = np.cumsum(rng.random(T)) * (1 if up else -1)
        x = np.stack([steps + rng.normal(0, 3), rng.normal(0, 1, T)], axis=1)
        yield ("up" if up else "down"), np.round(x, 4)


def clips(path: Path, n: int, seed: int) -> Path:
    """A file of them."""
    rows = (json.dumps({"label": a, "frames": x.tolist()}) for a, x in waves(n, seed))
    path.write_text("\n".join(rows) + "\n")
    return path


def rings(folder: Path, n: int, seed: int) -> tuple[Path, Path]:
    """Points labelled by whether they are within a circle: no line tells them apart."""
    rng = np.random.default_rng(seed)
    x = rng.normal(3, 2, (n, 2))
    inside = ((x - 3) ** 2).sum(1) < 5
    vectors, labels = folder / f"x{seed}.npy", folder / f"y{seed}.txt"
    np.save(vectors, x)
    labels.write_text("".join("in\n" if one else "out\n" for one in inside))
    return vectors, labels


@pytest.fixture
def training(tmp_path: Path) -> Path:
    return clips(tmp_path / "train.jsonl", 60, 1)


def weights(model: Any) -> bytes:
    """All of them."""
    return bytes(trained(model).parameters.flat.tobytes())


def trained(model: Any) -> Any:
    """Without its face."""
    return model.classifier if isinstance(model, lmtool.Classifier) else model


def test_order_is_learnt(tmp_path: Path) -> None:
    train, valid = clips(tmp_path / "t.jsonl", 200, 1), clips(tmp_path / "v.jsonl", 100, 2)
    model = lmtool.train(train, valid=valid, hidden=16, members=1, epochs=8, **FRAMES)
    assert model.evaluate(valid).accuracy > 95
    assert model.settings.centre and model.settings.differences
    assert isinstance(trained(model), FrameClassifier)


def test_a_curved_border_is_learnt(tmp_path: Path) -> None:
    train, valid = rings(tmp_path, 400, 1), rings(tmp_path, 200, 2)
    model = lmtool.train(train, valid=valid, members=1, hidden=32, lr=0.02, epochs=15, **VECTOR)
    assert model.evaluate(valid).accuracy > 90
    assert isinstance(trained(model), VectorClassifier)


@pytest.mark.parametrize(
    "more",
    [{}, {"members": 2}, {"mirror": "1"}, {"centre": False, "differences": False}, {"noise": 0.0}],
)
def test_resumed_equals_uninterrupted(training: Path, tmp_path: Path, more: Any) -> None:
    options = SMALL | FRAMES | more
    whole = lmtool.train(training, model=tmp_path / "whole", **options)
    asked = iter(range(100))
    with pytest.raises(lmtool.InterruptionError):
        options["stop"] = lambda: 2 * (next(asked) == 7)
        lmtool.train(training, model=tmp_path / "m", **options)
    assert path_of(tmp_path / "m").exists()
    assert weights(lmtool.resume(tmp_path / "m")) == weights(whole)


def test_augmentation_changes_what_is_learnt(training: Path) -> None:
    plain: dict[str, Any] = {"stretch": 0.0, "gain": 0.0, "noise": 0.0}
    models = [plain, *({**plain, name: 0.3} for name in plain), plain | {"mirror": "0"}]
    assert len({weights(lmtool.train(training, **SMALL, **FRAMES, **one)) for one in models}) == 5


@pytest.mark.parametrize("kind", [FRAMES, VECTOR])
def test_the_same_command_repeats_the_run(training: Path, tmp_path: Path, kind: Any) -> None:
    corpus: Any = training if kind is FRAMES else rings(tmp_path, 60, 1)
    first = lmtool.train(corpus, model=tmp_path / "m", **SMALL, **kind)
    words = shlex.split(first.provenance["command"])
    assert not {"--tokens", "--word-drop", "--ngrams", "--context", "--mirror"} & {*words}
    assert main([*words[1:], "--overwrite", "--quiet"]) == 0
    assert weights(model_file.load(tmp_path / "m")) == weights(first)


@pytest.mark.parametrize("kind", [FRAMES, VECTOR])
def test_round_trip(training: Path, tmp_path: Path, kind: Any) -> None:
    corpus: Any = training if kind is FRAMES else rings(tmp_path, 60, 1)
    model = lmtool.train(corpus, model=tmp_path / "m", **SMALL, **kind)
    again = faces.load(tmp_path / "m")
    assert again.kind == f"{kind['reads'].removesuffix('s')} classifier"
    assert (weights(again), again.settings) == (weights(model), model.settings)
    assert again.evaluate(corpus).to_dict() == model.evaluate(corpus).to_dict()
    assert again.info()["labels"] == dict(
        zip(model.labels.names, model.labels.counts.tolist(), strict=True)
    )


def test_a_clip_alone_is_what_it_is_in_a_file(training: Path) -> None:
    model = lmtool.train(training, **SMALL, **FRAMES)
    arrays = [x for _, x in waves(60, 1)]
    alone = [model.classify(x).p for x in arrays]
    assert [one.p for one in model.classify_lines(arrays, threads=2)] == alone
    assert [one.p for one in model.classify_lines(model.clips(training))] == alone
    assert model.evaluate(list(waves(60, 1))).to_dict() == model.evaluate(training).to_dict()


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("Todd", "sources[0]: an array (T, F) of frames is wanted, not the str 'Todd'"),
        (np.zeros(2), "is wanted, not an array (2,)"),
        (np.zeros((0, 2)), "is wanted, not an array (0, 2)"),
        (np.zeros((4, 3)), "3 numbers a frame, but 2 are expected"),
        (np.full((4, 2), np.nan), "frame 1: a number is not finite"),
        ([[1, 2], [3]], "is wanted, not a list"),
    ],
)
def test_what_is_no_clip_is_refused(training: Path, value: Any, message: str) -> None:
    model = lmtool.train(training, **SMALL | {"steps": 1}, **FRAMES)
    with refused(lmtool.InputError) as told:
        model.classify(value)
    assert message in str(told.value)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda card, t: t.pop("frames.mean"), "it lacks 'frames.mean'"),
        (lambda card, t: t.update({"frames.scale": 0 * t["frames.scale"]}), "not above 0"),
        (lambda card, t: t.update({"frames.mean": t["frames.mean"][:1]}), "belong together"),
        (lambda card, t: card["model"].update(differences=False), "names and shapes"),
        (lambda card, t: card["model"].update(labelling="sigmoid"), "labels contradict"),
        (lambda card, t: card.update(temperature=0.0), "temperature is damaged"),
        (lambda card, t: card.update(kind="vector classifier"), "unknown or missing names"),
    ],
)
def test_a_hostile_file_is_refused(
    training: Path, tmp_path: Path, change: Any, reason: str
) -> None:
    lmtool.train(training, model=tmp_path / "m", **SMALL | {"steps": 1}, **FRAMES)
    card, tensors = tensor_file.read(tmp_path / "m", *model_file.FORMATS)
    change(card, tensors)
    if reason == "names and shapes":  # of features as many as the settings say
        tensors.update({name: tensors[name][:4] for name in ("frames.mean", "frames.scale")})
        card["model"].update(embed=9)
    tensor_file.write(tmp_path / "m", card, tensors)
    with refused(lmtool.ModelFileError) as told:
        model_file.load(tmp_path / "m")
    assert reason in str(told.value) and "\n" not in str(told.value)


def test_unequal_counts_stop_before_training(tmp_path: Path) -> None:
    vectors, labels = rings(tmp_path, 20, 1)
    labels.write_text(labels.read_text() + "in\n")
    with pytest.raises(lmtool.InputError, match="20 rows, but 21 labels in "):
        lmtool.train((vectors, labels), model=tmp_path / "m", **SMALL, **VECTOR)
    assert not (tmp_path / "m").exists()


def test_a_column_that_is_not_there(training: Path) -> None:
    with pytest.raises(lmtool.ConfigError, match="mirror: there are 2 columns, from 0; 2 is none"):
        lmtool.train(training, mirror="0,2", **SMALL, **FRAMES)


def test_clips_have_no_text(training: Path) -> None:
    with pytest.raises(lmtool.ConfigError, match="text: a frame classifier"):
        lmtool.train(training, columns={"text": "x"}, **SMALL, **FRAMES)


def test_plan_and_time(training: Path) -> None:
    forecast = lmtool.plan(training, hidden=8, **FRAMES)
    assert (forecast.kind, forecast.n_outputs) == ("frame classifier", 2)
    model = lmtool.train(training, hidden=8, time="2s", **FRAMES)
    assert model.provenance["result"]["steps"] > 5


def test_the_commands(training: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    model = str(tmp_path / "m")
    words = ["--reads", "frames", "--writes", "label", "--steps", "5", "--hidden", "8", "-q"]
    assert main(["train", str(training), "--valid", str(training), *words, "-m", model]) == 0
    capsys.readouterr()
    assert main(["classify", "-f", str(training), "-m", model, "--json"]) == 0
    results = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [one["text"] for one in results] == [f"{training}:{n}" for n in range(1, 61)]
    assert main(["classify", "-f", str(training), "-m", model, "-k", "2"]) == 0
    rows = [line.split("\t") for line in capsys.readouterr().out.splitlines()]
    assert len(rows) == 60 and all(len(row) == 4 for row in rows)
    assert main(["evaluate", str(training), str(training), "-m", model, "--json"]) == 0
    shown = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert shown[0]["n"] == 60 and shown[0]["accuracy"] == shown[1]["accuracy"]
    assert main(["info", "-m", model]) == 0
    for wrong in (
        ["classify", "Todd", "-m", model],
        ["classify", "-f", str(training), "--text", "x", "-m", model],
        ["evaluate", str(training), "--text", "x", "-m", model],
        ["train", str(training), *words, "--tokens", "char", "-m", model],
    ):
        assert main(wrong) == 2
        assert capsys.readouterr().err.count("\n") == 1


def test_the_commands_of_vectors(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    model, (x, y) = str(tmp_path / "m"), map(str, rings(tmp_path, 40, 1))
    valid = [word for path in rings(tmp_path, 20, 2) for word in ("--valid", str(path))]
    words = ["--reads", "vector", "--writes", "label", "--steps", "5", "-q", "-m", model]
    assert main(["train", x, y, *valid, *words]) == 0
    capsys.readouterr()
    assert main(["classify", "-f", x, "-m", model]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 40
    assert main(["evaluate", x, y, "-m", model, "--json"]) == 0
    (result,) = map(json.loads, capsys.readouterr().out.splitlines())
    assert (result["file"], result["n"]) == (x, 40)
    assert main(["evaluate", x, "-m", model]) == 1
    assert "no file of labels after it" in capsys.readouterr().err


def recordings(folder: Path, name: str, n: int) -> Path:
    """A manifest of tones that rise or fall, loud and soft."""
    rng, rows = np.random.default_rng(n), ["file\ttext\tspeaker"]
    for i in range(n):
        rises, t = i % 2, np.arange(1_600 + 160 * (i % 5)) / 8_000
        pitch = np.linspace(500, 2_500, len(t))[:: 1 if rises else -1]
        tone = np.sin(2 * np.pi * np.cumsum(pitch) / 8_000 * rng.uniform(0.9, 1.1))
        noisy = rng.uniform(0.05, 0.9) * (tone + 0.1 * rng.standard_normal(len(t)))
        saved(folder / f"{name}{i}.wav", Sound((noisy / 2).astype(np.float32), 8_000))
        rows.append(f"{name}{i}.wav\t{('falls', 'rises')[rises]}\ts{i % 3}")
    manifest = folder / f"{name}.tsv"
    manifest.write_text("\n".join(rows) + "\n")
    return manifest


@pytest.fixture(scope="module")
def heard(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, lmtool.Classifier]:
    """A folder of recordings, and a model of them."""
    folder = tmp_path_factory.mktemp("sound")
    train, valid = recordings(folder, "t", 40), recordings(folder, "v", 20)
    options = SMALL | FRAMES | {"steps": 60, "lr": 0.02, "model": folder / "m"}
    return folder, lmtool.train(train, valid=valid, **options)


def test_recordings_are_learnt_and_kept(heard: tuple[Path, lmtool.Classifier]) -> None:
    folder, model = heard
    again = faces.load(folder / "m")
    assert again.filterbank == model.filterbank == Filterbank(8_000)
    assert (again.width, again.settings.centre, again.settings.differences) == (40, True, False)
    found = again.evaluate(folder / "v.tsv")
    assert found.accuracy > 90
    assert found.to_dict() == model.evaluate(folder / "v.tsv").to_dict()
    assert again.info()["filterbank"] == "40 log-mel bands of 8,000 Hz"


def test_a_recording_is_classified_by_its_path_and_as_frames(
    heard: tuple[Path, lmtool.Classifier], capsys: pytest.CaptureFixture[str]
) -> None:
    folder, model = heard
    path = folder / "v1.wav"
    by_path = model.classify(str(path))
    assert by_path.label == "rises" and by_path.text == str(path)
    assert model.filterbank is not None
    frames = model.filterbank.features(read_sound(path))
    assert model.classify(frames).labels == by_path.labels
    commands = ([str(path)], ["-f", str(path)], ["-f", str(folder / "list.txt")])
    (folder / "list.txt").write_text("v1.wav\n")
    for words in commands:
        assert main(["classify", "-m", str(folder / "m"), *words]) == 0
        printed = capsys.readouterr()
        assert printed.out.startswith("rises\t") and not printed.err
    assert main(["classify", "-m", str(folder / "m"), "Todd met Pete"]) == 1
    assert "cannot be read" in capsys.readouterr().err


def test_sound_of_another_rate_is_refused(heard: tuple[Path, lmtool.Classifier]) -> None:
    folder, model = heard
    path = saved(folder / "wide.wav", Sound(np.zeros(9_000, np.float32), 16_000))
    with pytest.raises(lmtool.InputError, match=r"wide\.wav: .* -ar 8000"):
        model.classify(path)


def test_sound_resumed_equals_uninterrupted(
    heard: tuple[Path, lmtool.Classifier], tmp_path: Path
) -> None:
    folder, _ = heard
    options = SMALL | FRAMES | {"warp": 0.2, "channel": 0.5, "band_mask": 0.3, "time_mask": 0.2}
    whole = lmtool.train(folder / "t.tsv", model=tmp_path / "whole", **options)
    asked = iter(range(100))
    with pytest.raises(lmtool.InterruptionError):
        options["stop"] = lambda: 2 * (next(asked) == 7)
        lmtool.train(folder / "t.tsv", model=tmp_path / "m", **options)
    assert weights(lmtool.resume(tmp_path / "m")) == weights(whole)


def test_options_of_sound_are_for_sound(
    heard: tuple[Path, lmtool.Classifier], training: Path
) -> None:
    folder, _ = heard
    with pytest.raises(lmtool.ConfigError, match="mirror: sound has no columns"):
        lmtool.train(folder / "t.tsv", mirror="0", **SMALL, **FRAMES)
    with pytest.raises(lmtool.ConfigError, match="each band of a recording"):
        lmtool.train(folder / "t.tsv", centre=False, **SMALL, **FRAMES)
    with pytest.raises(lmtool.ConfigError, match="warp: these frames are no sound's"):
        lmtool.train(training, warp=0.1, **SMALL, **FRAMES)


@pytest.mark.parametrize("change", [{"stack": 0}, {"stack": "3"}, {"stack": None}, {"scale": []}])
def test_damaged_models_of_sound_are_refused(
    heard: tuple[Path, lmtool.Classifier], tmp_path: Path, change: Any
) -> None:
    card, tensors = tensor_file.read(heard[0] / "m", *model_file.FORMATS)
    tensor_file.write(tmp_path / "m", card | change, tensors)
    with pytest.raises(lmtool.ModelFileError, match="not a usable"):
        model_file.load(tmp_path / "m")
