"""Manifests and JSON lines of speech: the same utterances; each fault is a line with its place."""

import gzip
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lmtool.audio.filterbank import Filterbank
from lmtool.audio.sound import Sound
from lmtool.data.readers.frames import read_frames
from lmtool.data.readers.utterances import describe, read_utterances
from lmtool.errors import InputError
from tests.audio.handmade import RATE, saved, tone, wav
from tests.refused import refused

SAID = {"a.wav": "Todd met Pete", "deep/b.wav": "the toad", "c.wav": "a pit"}
HEADER = "speaker\tfile\tseconds\ttext\n"
FRAMES = [[0.5, 1.0], [2.0, 3.0]]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Recordings of different lengths."""
    for n, name in enumerate(SAID):
        saved(tmp_path / name, tone(0.1 + 0.05 * n))
    return tmp_path


def plain() -> str:
    return "".join(f"{name}\t{text}\n" for name, text in SAID.items())


def table() -> str:
    rows = (f"s{n}\t{name}\t0.1\t{text}\n" for n, (name, text) in enumerate(SAID.items()))
    return HEADER + "".join(rows)


def written(folder: Path, content: str | bytes, name: str = "m.tsv") -> Path:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


@pytest.mark.parametrize(
    "content", [plain(), "\n" + table(), gzip.compress(table().encode(), mtime=0)]
)
def test_manifests(folder: Path, content: str | bytes) -> None:
    file = read_utterances(written(folder, content))
    found = list(file.records)
    assert file.filterbank == Filterbank(RATE)
    assert {one.name: one.text for one in found} == SAID
    expected = [Filterbank(RATE).features(tone(0.1 + 0.05 * n)) for n in range(3)]
    for one, frames in zip(found, expected, strict=True):
        np.testing.assert_allclose(one.source, frames, atol=0.01)  # 16 bits
    assert [round(one.seconds or 0, 2) for one in found] == [0.1, 0.15, 0.2]
    assert [one.line for one in found] in ([1, 2, 3], [2, 3, 4], [3, 4, 5])


def test_columns(folder: Path) -> None:
    file = read_utterances(written(folder, table()))
    found = list(file.records)
    assert [one.speaker for one in found] == ["s0", "s1", "s2"]
    assert file.ignored == ("seconds",)
    said = describe(file, 3, 61.0)
    assert "3 utterances, 1.0 minutes, a manifest (file, text), 40 log-mel bands of 8,000" in said
    assert said.endswith("not read: seconds")


def test_names_alone_and_a_recording_alone(folder: Path) -> None:
    found = list(read_utterances(written(folder, "a.wav\nc.wav\n"), labelled=False).records)
    assert [(one.name, one.text) for one in found] == [("a.wav", None), ("c.wav", None)]
    (one,) = read_utterances(folder / "a.wav", labelled=False).records
    np.testing.assert_array_equal(one.source, found[0].source)
    with pytest.raises(InputError, match="a recording without its text"):
        read_utterances(folder / "a.wav")


def test_json_lines_and_arrays_hold_frames(folder: Path) -> None:
    lines = json.dumps({"text": " Todd  met ", "frames": FRAMES, "speaker": "s", "id": 3})
    file = read_utterances(written(folder, lines + "\n", "u.jsonl"))
    (one,) = file.records
    assert file.filterbank is None and one.seconds is None
    assert (one.text, one.speaker, one.name) == ("Todd met", "s", f"{folder / 'u.jsonl'}:1")
    np.save(folder / "x.npy", np.array(FRAMES))
    np.savez(folder / "y.npz", frames=np.array(FRAMES, np.float32), other=np.zeros(3))
    found = list(read_utterances(written(folder, "x.npy\ta\ny.npz\tb\n")).records)
    for each in (one, *found):
        np.testing.assert_array_equal(each.source, np.array(FRAMES, np.float32))


def test_a_manifest_of_labels(folder: Path) -> None:
    named = "file\ttext\tlabel\n" + "".join(f"{name}\tx y\tL{n}\n" for n, name in enumerate(SAID))
    found = list(read_frames(written(folder, named)).records)
    assert [one.labels for one in found] == [("L0",), ("L1",), ("L2",)]
    assert [one.text for one in found] == list(SAID)
    by_text = list(read_frames(written(folder, plain())).records)
    assert [one.labels[0] for one in by_text] == list(SAID.values())
    other = list(read_frames(written(folder, table()), label="speaker").records)
    assert [one.labels[0] for one in other] == ["s0", "s1", "s2"]
    (alone,) = read_frames(folder / "a.wav", labelled=False).records
    np.testing.assert_array_equal(alone.source, found[0].source)
    with pytest.raises(InputError, match="a recording without its label"):
        read_frames(folder / "a.wav")


@pytest.mark.parametrize(
    ("content", "place", "reason"),
    [
        ("", "", "no utterance in it"),
        (HEADER, "", "nothing below its header"),
        ("file\twords\na.wav\tx\n", ":1", "no column named 'text'"),
        ("a.wav\n", ":1", "no TAB in it"),
        ("a.wav\tx\ty\n", ":1", "more than two columns"),
        ("a.wav\tx\nc.wav\t \n", ":2", "the text is empty"),
        ("a.wav\tx\n\tx\n", ":2", "no file named"),
        ("none.wav\tx\n", ":1", "cannot be read: No such file"),
        ("a.wav\tx\nnone.wav\tx\n", ":2", "cannot be read: No such file"),
        ("a.wav\tx\nslow.wav\tx\n", ":2", "4,000 samples a second, but 8,000 are wanted"),
        ("a.wav\tx\nshort.wav\tx\n", ":2", "fewer than the 200 of a frame"),
        ("a.wav\tx\ncut.wav\tx\n", ":2", "is cut short"),
        ("a.wav\tx\nx.npy\tx\n", ":2", "frames among sound"),
        ("x.npy\tx\na.wav\tx\n", ":2", "sound among frames"),
        ("x.npy\tx\nwide.npy\tx\n", ":2", "3 numbers a frame, but 2 are expected"),
        ('{"frames": [[1]]}\n', ":1", "no key 'text'"),
        ('{"frames": [[1]], "text": ""}\n', ":1", "the text is empty"),
        ('{"frames": [[1]], "text": 3}\n', ":1", "'text' is no text"),
        ('{"frames": 3, "text": "x"}\n', ":1", "'frames' is no list"),
        ('{"frames": [], "text": "x"}\n', ":1", "no frame in it"),
        ('{"frames": [[NaN]], "text": "x"}\n', ":1", "not finite"),
    ],
)  # fmt: skip
def test_refusals(folder: Path, content: str, place: str, reason: str) -> None:
    saved(folder / "slow.wav", tone(rate=4_000))
    saved(folder / "short.wav", Sound(tone().samples[:50], RATE))
    (folder / "cut.wav").write_bytes(wav(tone())[:-9])
    np.save(folder / "x.npy", np.zeros((4, 2)))
    np.save(folder / "wide.npy", np.zeros((4, 3)))
    path = written(folder, content)
    with refused(InputError) as caught:
        list(read_utterances(path).records)
    message = str(caught.value)
    assert message.startswith(f"{path}{place}: ") and reason in message and "\n" not in message


def test_frames_of_a_model_are_no_sound(folder: Path) -> None:
    given: dict[str, Any] = {"labelled": False, "width": 40}
    with pytest.raises(InputError, match=r"a\.wav is sound, but frames of 40 numbers are wanted"):
        read_utterances(folder / "a.wav", **given)
    assert list(read_utterances(folder / "a.wav", Filterbank(RATE), **given).records)
