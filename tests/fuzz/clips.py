"""Clips and vectors as targets: each format damaged, and what is read of it verified."""

import io
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from lmtool.data.readers.frames import read_frames
from lmtool.data.readers.vectors import read_vectors
from lmtool.data.standard import Framing
from lmtool.text.labels import Labels
from tests.fuzz.labelled import refused

__all__ = ["clips_case", "clips_seeds"]

CLIPS: list[tuple[str, list[list[float]]]] = [
    ("a", [[0.5, -1], [1.5, 2]]),
    ("b", [[3, 4e-3]]),
    ("a", [[1, 0], [1, 0], [-7.25, 1]]),
]


def arrays(save: Callable[..., None], **named: Any) -> bytes:
    """What numpy writes."""
    stream = io.BytesIO()
    save(stream, **named)
    return stream.getvalue()


def clips_seeds(folder: Path) -> list[bytes]:
    """The same clips in each format; an array of vectors."""
    flat = np.concatenate([np.array(x, np.float32) for _, x in CLIPS])
    own = {"lengths": np.array([2, 1, 3]), "labels": np.array([label for label, _ in CLIPS])}
    rows = (":".join(",".join(map(str, c)) for c in zip(*x, strict=True)) for _, x in CLIPS)
    series = ["@timeStamps false", "@classLabel true a b", "@data"]
    series += [f"{row}:{label}" for row, (label, _) in zip(rows, CLIPS, strict=True)]
    return [
        "\n".join(json.dumps({"label": a, "frames": x, "id": 3}) for a, x in CLIPS).encode(),
        "\n".join(json.dumps({"label": a, "vector": x[0]}) for a, x in CLIPS).encode(),
        "\n".join(series).encode(),
        arrays(np.savez, frames=flat, **own),
        arrays(np.savez_compressed, frames=flat, **own),
        arrays(np.save, arr=flat),
    ]


def clips_case(data: bytes, folder: Path) -> bool:
    """A file as clips and as vectors, with labels and without."""
    path, labels = folder / "clips", folder / "labels.txt"
    path.write_bytes(data)
    labels.write_text("a\nb\n" * 3)

    def work(clips: Iterator[Any], labelled: bool) -> None:
        found = list(clips)
        for clip in found:
            assert clip.source.ndim == 2 and clip.source.size and np.isfinite(clip.source).all()
        if not found:
            return
        framing = Framing.of((clip.source for clip in found), True, True)
        assert all(np.isfinite(framing(clip.source)).all() for clip in found)
        Framing(type(framing.standard).from_tensors(framing.standard.tensors()), True, True)
        if labelled:
            Labels.build(found)

    ways = [
        refused(lambda: work(read_frames(path).records, True)),
        refused(lambda: work(read_vectors(path, labels).records, True)),
        refused(lambda: work(read_frames(path, labelled=False).records, False)),
    ]
    return not all(ways)
