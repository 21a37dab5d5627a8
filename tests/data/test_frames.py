"""Files of frames: each format reads the same clips, and every fault is one line with its place."""

import gzip
import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lmtool.data.readers.arrays import DENSEST, FULL
from lmtool.data.readers.clips import Clip
from lmtool.data.readers.frames import read_frames
from lmtool.errors import InputError
from tests.refused import refused

CLIPS = [("wave", [[0.5, -1.0], [1.5, 2.0]]), ("clap", [[3.0, 4.0]]), ("wave", [[1e-3, 0.0]] * 3)]
FLAT = np.concatenate([np.array(frames, np.float32) for _, frames in CLIPS])
LENGTHS = np.array([2, 1, 3])
LABELS = np.array([label for label, _ in CLIPS])
HEADER = "# made by hand\n@problemName toy\n@timeStamps false\n@classLabel true wave clap\n@data\n"


def lines(**more: Any) -> str:
    """The clips as JSON lines."""
    return "".join(json.dumps({"label": a, "frames": f, **more}) + "\n" for a, f in CLIPS)


def series() -> str:
    """The clips as a ``.ts``."""
    rows = (
        ":".join(",".join(map(str, column)) for column in zip(*frames, strict=True)) + f":{label}\n"
        for label, frames in CLIPS
    )
    return HEADER + "".join(rows)


def archive(**arrays: Any) -> bytes:
    """An ``.npz``."""
    stream = io.BytesIO()
    np.savez_compressed(stream, **arrays)
    return stream.getvalue()


def check(found: list[Clip], labelled: bool = True) -> None:
    """Whether these are the clips."""
    assert [clip.labels for clip in found] == [(a,) if labelled else () for a, _ in CLIPS]
    for clip, (_, frames) in zip(found, CLIPS, strict=True):
        assert clip.source.dtype == np.float32
        np.testing.assert_array_equal(clip.source, np.array(frames, np.float32))


@pytest.mark.parametrize(
    "content",
    [
        lines().encode(),
        b"\n" + lines(subject=3, id="a").encode(),
        gzip.compress(lines().encode(), mtime=0),
        series().encode(),
        gzip.compress(series().encode(), mtime=0),
        archive(frames=FLAT, lengths=LENGTHS, labels=LABELS),
        archive(frames=FLAT.astype(">f8"), offsets=np.array([0, 2, 3, 6]), labels=LABELS),
        archive(frames=np.asfortranarray(FLAT), lengths=LENGTHS.astype(np.uint8), labels=LABELS),
    ],
    ids=["jsonl", "more keys", "jsonl.gz", "ts", "ts.gz", "npz", "offsets", "by columns"],
)
def test_the_same_clips_in_each_format(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "clips"
    path.write_bytes(content)
    check(list(read_frames(path).records))
    check(list(read_frames(path, labelled=False).records), labelled=False)


def test_clips_have_names(tmp_path: Path) -> None:
    path = tmp_path / "clips.jsonl"
    path.write_text("\n" + lines())
    names = [clip.text for clip in read_frames(path).records]
    assert names == [f"{path}:{n}" for n in (2, 3, 4)]


def test_labels_of_every_kind(tmp_path: Path) -> None:
    path = tmp_path / "clips.jsonl"
    said: list[tuple[Any, tuple[str, ...]]] = [
        (3, ("3",)),
        (2.5, ("2.5",)),
        (True, ("true",)),
        (["a", "b", "a"], ("a", "b")),
        (" a b ", ("a b",)),
    ]
    rows = (json.dumps({"what": value, "frames": [[1]]}) for value, _ in said)
    path.write_text("\n".join(rows))
    found = [clip.labels for clip in read_frames(path, label="what").records]
    assert found == [labels for _, labels in said]


def in_json(frames: str, label: str = '"a"') -> bytes:
    """One line after a good one."""
    return (
        f'{{"label": "a", "frames": [[1, 2]]}}\n{{"label": {label}, "frames": {frames}}}\n'.encode()
    )


BAD_LINES: list[tuple[bytes, str]] = [
    (b"", "no clip in it; a line is: "),
    (b"wave\t1 2 3\n", ":1: not JSON"),
    (in_json("[[1, 2], [3]]"), ":2: frame 2 has 1 numbers, the first one 2"),
    (in_json("[[1, 2, 3]]"), ":2: 3 numbers a frame, but 2 are expected"),
    (in_json("[]"), ":2: no frame in it"),
    (in_json("[[]]"), ":2: 0 numbers a frame; 1 to 65,536 are possible"),
    (in_json("{}"), ":2: 'frames' is no list of frames"),
    (in_json("[1, 2]"), ":2: frame 1 is no list of numbers"),
    (in_json("[[[1], [2]]]"), ":2: frame 1 holds what is no number: list"),
    (in_json('[[1, 2], [1, "2"]]'), ":2: frame 2 holds what is no number: str"),
    (in_json("[[1, null]]"), ":2: frame 1 holds what is no number: null"),
    (in_json("[[1, true]]"), ":2: frame 1 holds what is no number: bool"),
    (in_json("[[1, 2], [1, NaN]]"), ":2: frame 2: a number is not finite, or larger than 1e+30"),
    (in_json("[[1, -Infinity]]"), ":2: a number is not finite"),
    (in_json("[[1, 1e31]]"), ":2: a number is not finite"),
    (in_json(f"[[1, {'9' * 400}]]"), ":2: a number is not finite"),
    (in_json(f"[[1, {'9' * 5000}]]"), ":2: not JSON"),
    (in_json("[" * 100_000), ":2: not JSON (nested too deep)"),
    (in_json("[[1, 2]]", "null"), ":2: a label is neither text nor number: null"),
    (in_json("[[1, 2]]", '""'), ":2: a label is empty"),
    (in_json("[[1, 2]]", "[]"), ":2: no label"),
    (b'{"frames": [[1]]}', ":1: no key 'label' (name another one with label)"),
    (b'{"label": "a"}', ":1: no key 'frames'"),
    (b"[1]", ":1: not an object"),
    (b'{"label": "a", "frames": [[1]]}\n\0', ":2: looks binary"),
    (f'{{"label": "a", "frames": {" " * (1 << 24)}[[1]]}}'.encode(), ":1: longer than 16 Mi"),
    (HEADER.replace("@data\n", "").encode(), "no line @data in it"),
    (HEADER.replace("true wave clap", "false").encode(), "no labels in it"),
    (HEADER.replace("Stamps false", "Stamps true").encode(), ":3: time stamps are not read"),
    (f"{HEADER}1,?:3,4:a\n".encode(), ":6: a value is missing (?)"),
    (f"{HEADER}1,x:3,4:a\n".encode(), ":6: 'x' is no number"),
    (f"{HEADER}1,2:3:a\n".encode(), ":6: dimensions of different lengths: 1, 2"),
    (f"{HEADER}1,nan:3,4:a\n".encode(), ":6: frame 2: a number is not finite"),
    (f"{HEADER}1,2:3,4:a\n1,2:a\n".encode(), ":7: 1 numbers a frame, but 2 are expected"),
    (f"{HEADER}a\n".encode(), ":6: no numbers before the label"),
    (f"{HEADER}1:2:\n".encode(), ":6: a label is empty"),
    (b"@problemName x\nnothing\n", ":2: a header line begins with @"),
]


@pytest.mark.parametrize(("content", "message"), BAD_LINES, ids=range(len(BAD_LINES)))
def test_a_bad_line_is_refused_with_its_place(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "clips"
    path.write_bytes(content)
    with refused(InputError) as told:
        list(read_frames(path).records)
    assert str(told.value).startswith(str(path)) and message in str(told.value)
    assert "\n" not in str(told.value)


def declared(size: int) -> bytes:
    """An archive whose frames claim more numbers than there are."""
    stream = io.BytesIO()
    header = {"descr": "<f4", "fortran_order": False, "shape": (size, 2)}
    np.lib.format.write_array_header_1_0(stream, header)
    return zipped({"frames.npy": stream.getvalue() + b"\0" * 16})


def zipped(files: dict[str, bytes]) -> bytes:
    """A zip archive."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, content in files.items():
            packed.writestr(name, content)
    return stream.getvalue()


def bomb() -> bytes:
    """A little file that unpacks to much."""
    size = FULL + 1
    assert size > DENSEST * 100_000
    return zipped({"frames.npy": bytes(size)})


GOOD: dict[str, Any] = {"frames": FLAT, "lengths": LENGTHS, "labels": LABELS}
BAD_ARCHIVES: list[tuple[Callable[[], bytes], str]] = [
    (lambda: archive(**GOOD)[:-30], "not a usable archive of arrays (.npz): "),
    (lambda: b"PK\3\4" + b"x" * 100, "not a usable archive"),
    (lambda: archive(lengths=LENGTHS, labels=LABELS), "it has no array 'frames'"),
    (lambda: archive(frames=FLAT, labels=LABELS), "it has no array 'offsets'"),
    (lambda: archive(**{**GOOD, "labels": LABELS[:2]}), "2 labels for 3 clips"),
    (lambda: archive(**{**GOOD, "lengths": LENGTHS + 1}), "do not cut its 6 frames"),
    (lambda: archive(**{**GOOD, "lengths": -LENGTHS}), "lengths that cannot be"),
    (lambda: archive(frames=FLAT, offsets=np.array([0, 3, 2, 6]), labels=LABELS), "do not cut"),
    (lambda: archive(**{**GOOD, "lengths": np.array([2, 0, 4])}), ":2: no frame in it"),
    (lambda: archive(**{**GOOD, "frames": FLAT.astype(int)}), "of type int64, not float16"),
    (lambda: archive(**{**GOOD, "frames": FLAT[0]}), "its shape is (2,), but 2 dimensions"),
    (lambda: archive(**{**GOOD, "frames": FLAT.astype(object)}), "of type '|O', which holds no"),
    (lambda: archive(**{**GOOD, "labels": LABELS.astype(object)}), "of type '|O', which holds no"),
    (lambda: archive(**{**GOOD, "frames": FLAT + np.inf}), ":1: frame 1: a number is not finite"),
    (lambda: archive(**{**GOOD, "labels": np.array(["a", "", "b"])}), ":2: a label is empty"),
    (lambda: declared(10**15), "frames: it is cut short, or larger than can be meant"),
    (lambda: declared(1), "frames: it is cut short, or holds more than its header says"),
    (bomb, "frames: unpacks to 67,108,865 bytes, which cannot be meant"),
    (lambda: zipped({"frames.npy": b"\x93NUMPY\1\0\xff\xff{"}), "not a usable archive"),
    (lambda: zipped({"frames.npy": b"nothing of the kind"}), "not a usable archive"),
]


@pytest.mark.parametrize(("content", "message"), BAD_ARCHIVES, ids=range(len(BAD_ARCHIVES)))
def test_a_bad_archive_is_refused(
    tmp_path: Path, content: Callable[[], bytes], message: str
) -> None:
    path = tmp_path / "clips.npz"
    path.write_bytes(content())
    with refused(InputError) as told:
        list(read_frames(path).records)
    assert str(told.value).startswith(str(path)) and message in str(told.value)
    assert "\n" not in str(told.value)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        list(read_frames(tmp_path / "none.npz").records)


def test_another_width_than_a_models(tmp_path: Path) -> None:
    path = tmp_path / "clips.jsonl"
    path.write_text(lines())
    with pytest.raises(InputError, match=":1: 2 numbers a frame, but 3 are expected"):
        list(read_frames(path, width=3).records)
