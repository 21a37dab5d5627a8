"""``lmtool transcribe`` and ``evaluate`` of recognisers: layouts, language models, bad input."""

import json
import wave
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import lmtool
from lmtool.audio.sound import Sound
from lmtool.cli.app import main
from tests.audio.handmade import wav

RATE = 8000
PITCH = {"a": 500, "b": 1500, " ": 0}
TEXTS = ("a b", "b a", "ab b", "b", "ba a b", "a")


def spoken(text: str, seed: int) -> Any:
    """Each letter a tone of 120 ms in some noise."""
    t = np.arange(int(0.12 * RATE)) / RATE
    tones = [np.sin(2 * np.pi * PITCH[letter] * t) for letter in f" {text} "]
    noise = np.random.default_rng(seed).normal(size=len(t) * len(tones)) * 0.02
    return np.concatenate(tones) * 0.5 + noise


def written(path: Path, samples: Any) -> Path:
    """A recording."""
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes((samples * 32000).astype("<i2").tobytes())
    return path


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Recordings, their list, a recogniser, a language model."""
    folder = tmp_path_factory.mktemp("speech")
    rows = ["file\ttext\tspeaker"]
    for n in range(30):
        text = TEXTS[n % len(TEXTS)]
        written(folder / f"{n}.wav", spoken(text, n))
        rows.append(f"{n}.wav\t{text}\ts{n % 2}")
    (folder / "all.tsv").write_text("\n".join(rows) + "\n")
    (folder / "few.tsv").write_text("\n".join(rows[:7]) + "\n")
    options: dict[str, Any] = {"epochs": 80, "batch": 6, "dropout": 0.0, "lr": 0.02, "warp": 0.0}
    options |= {"hidden": 12, "layers": 1, "stretch": 0.0, "channel": 0.0}
    few, model = folder / "few.tsv", folder / "m"
    lmtool.train(folder / "all.tsv", valid=few, model=model, reads="frames", **options)
    sentences = [text for text in TEXTS for _ in range(5)]
    lmtool.train(sentences=sentences, model=folder / "lm", ngram=2, members=0)
    return folder


@pytest.fixture
def at(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(folder)
    monkeypatch.setenv("LMTOOL_MODEL", "m")
    return folder


Capture = pytest.CaptureFixture[str]


def test_a_line_a_recording(at: Path, capsys: Capture) -> None:
    assert main(["transcribe", "0.wav", "1.wav"]) == 0
    assert capsys.readouterr().out == "a b\nb a\n"
    assert main(["transcribe", "-f", "few.tsv"]) == 0
    whole = capsys.readouterr().out
    assert whole.splitlines() == list(TEXTS)
    parts = []
    for part in ("1/3", "2/3", "3/3"):
        assert main(["transcribe", "-f", "few.tsv", "--part", part]) == 0
        parts.append(capsys.readouterr().out)
    assert "".join(parts) == whole


def test_times_and_objects(at: Path, capsys: Capture) -> None:
    assert main(["transcribe", "0.wav", "--times"]) == 0
    head, *rows = [line.split("\t") for line in capsys.readouterr().out.splitlines()]
    assert head == ["source", "start", "end", "word", "p"]
    assert [row[3] for row in rows] == ["a", "b"]
    assert float(rows[0][1]) < float(rows[0][2]) <= float(rows[1][1])
    assert main(["transcribe", "-f", "few.tsv", "-n", "3", "--json", "--beam", "8"]) == 0
    out = capsys.readouterr().out
    first = json.loads(out.splitlines()[0])
    assert first["source"] == "0.wav" and first["text"] == first["reference"] == "a b"
    assert set(first["hypotheses"][0]) == {"text", "tokens", "log10_p", "score"}
    assert first["hypotheses"][0]["tokens"] == ["a", " ", "b"]
    (at / "lists.jsonl").write_text(out)
    assert main(["rescore", "lists.jsonl", "-m", "lm"]) == 0
    assert capsys.readouterr().out.splitlines() == list(TEXTS)


def test_a_language_model_helps_and_is_tuned(at: Path, capsys: Capture) -> None:
    options = ["--lm", "lm", "--beam", "8", "--tune", "few.tsv"]
    assert main(["evaluate", "all.tsv", "--json", *options]) == 0
    out, err = capsys.readouterr()
    found = json.loads(out)
    names = ["wer", "cer", "n_words", "substitutions", "deletions", "insertions", "exact"]
    assert list(found)[1:8] == names and found["wer"] == 0 and found["exact"] == 100
    assert [one["speaker"] for one in found["speakers"]] == ["s0", "s1"]
    assert err.startswith("tuned: --lm-weight ") and "without" in err
    assert main(["transcribe", "3.wav", "--lm", "lm", "--lexicon", "--beam", "4"]) == 0
    assert capsys.readouterr().out == "b\n"


def test_pictures_are_text_and_shapes(at: Path, capsys: Capture) -> None:
    assert main(["transcribe", "0.wav", "--svg", "a.svg", "--html", "a.html"]) == 0
    picture, page = (at / "a.svg").read_text(), (at / "a.html").read_text()
    assert picture.startswith("<svg ") and ">b</text>" in picture and "<path" in picture
    assert "<script" not in page and "default-src 'none'" in page and "0.wav" in page


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty"),
        (b"Todd met Pete\n", "is text"),
        (b"RIFF\x24\0\0\0WAVEfmt ", "no samples in it"),
        (b"\x89PNG\r\n\x1a\n" + bytes(50), "PNG"),
    ],
)
def test_what_is_no_sound_is_one_line(
    at: Path, capsys: Capture, content: bytes, message: str
) -> None:
    (at / "bad.wav").write_bytes(content)
    assert main(["transcribe", "0.wav", "bad.wav", "1.wav"]) == 1
    out, err = capsys.readouterr()
    assert out == "a b\n" and err.count("\n") == 1 and "bad.wav" in err and message in err
    assert main(["transcribe", "--keep-going", "0.wav", "bad.wav", "1.wav"]) == 1
    out, err = capsys.readouterr()
    assert out == "a b\n\nb a\n" and err.count("\n") == 1


def test_a_missing_file_of_a_list_is_named_with_its_line(at: Path, capsys: Capture) -> None:
    (at / "gone.tsv").write_text("file\ttext\n0.wav\ta b\ngone.wav\ta\n")
    assert main(["transcribe", "-f", "gone.tsv"]) == 1
    assert "gone.tsv:3: gone.wav: cannot be read" in capsys.readouterr().err
    (at / "other.tsv").write_text("file\ttext\n0.wav\ta Ω\n")
    assert main(["evaluate", "other.tsv", "--json"]) == 0  # letters that training never saw
    assert json.loads(capsys.readouterr().out)["wer"] == 50


def test_long_recordings_are_cut_and_that_is_said(at: Path, capsys: Capture) -> None:
    written(at / "long.wav", np.concatenate([spoken("a b", n) for n in range(110)]))
    assert main(["transcribe", "long.wav"]) == 0
    out, err = capsys.readouterr()
    assert "long.wav is long: read in 3 pieces" in err
    assert out.count("a") > 100


def test_nothing_is_said_in_a_long_recording_that_breaks_off(at: Path, capsys: Capture) -> None:
    samples = np.concatenate([spoken("a b", n) for n in range(210)]).astype(np.float32)
    samples[-1] = np.nan
    (at / "broken.wav").write_bytes(wav(Sound(samples, RATE), 3, 32))
    assert main(["transcribe", "0.wav", "broken.wav", "1.wav"]) == 1
    out, err = capsys.readouterr()
    assert out.count("\n") == 1 and "broken.wav: has a sample that is no number" in err
    assert main(["transcribe", "0.wav", "broken.wav", "1.wav", "--keep-going"]) == 1
    lines = capsys.readouterr().out.split("\n")
    assert len(lines) == 4 and lines[0] and not lines[1] and lines[2]


@pytest.mark.parametrize(
    "arguments",
    [
        ["0.wav", "-f", "few.tsv"],
        ["0.wav", "--lexicon"],
        ["0.wav", "--tune", "few.tsv"],
        ["0.wav", "-n", "3", "--beam", "2"],
        ["0.wav", "-n", "2", "--format", "text"],
        ["0.wav", "--part", "1/2"],
    ],
)
def test_wrong_usage(at: Path, capsys: Capture, arguments: list[str]) -> None:
    assert main(["transcribe", *arguments]) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_verbs_fit_models(at: Path, capsys: Capture) -> None:
    assert main(["transcribe", "0.wav", "-m", "lm"]) == 1
    assert "not a recogniser" in capsys.readouterr().err
    assert main(["transcribe", "0.wav", "--lm", "m"]) == 1
    assert "is a recogniser" in capsys.readouterr().err
    assert main(["evaluate", "few.tsv", "-m", "lm", "--lm", "lm"]) == 2
