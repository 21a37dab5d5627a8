"""Pairs of texts, and vectors with texts, as targets."""

import io
import json
from pathlib import Path

import numpy as np

from lmtool.data.readers import captions, parallel
from lmtool.data.readers.captions import read_captions
from lmtool.data.readers.parallel import read_parallel
from tests.fuzz.labelled import LINES, refused

__all__ = ["captions_case", "captions_seeds", "parallel_case", "parallel_seeds"]

TEXTS = b"a#0\ta red dot\na#1\tone dot\nb#0\ttwo dots\nc#0\tnothing\n"
X = np.array([[0.5, -1, 2], [1.5, 2, 0], [3, 4e-3, 1]], np.float16)


def parallel_seeds(folder: Path) -> list[bytes]:
    """The same pairs in each form of one file, and a side of two files."""
    pairs = list(zip(LINES[:6], reversed(LINES[:6]), strict=True))
    rows = [{"source": source, "target": f"{target}\u00e9"} for source, target in pairs]
    forms = [
        [f"{source}\t{target}\tby Todd" for source, target in pairs],
        ["target,n,source", *(f'"{target}, ""x""",1,{source}' for source, target in pairs)],
        [json.dumps(row) for row in rows],
        LINES[:6],
    ]
    return ["\n".join(form).encode() for form in forms]


def parallel_case(data: bytes, folder: Path) -> bool:
    """A file as one that holds pairs, and as the source beside another one."""
    path, other = folder / "t.txt", folder / "t.en"
    path.write_bytes(data)
    other.write_text("\n".join(LINES[:6]))

    def work(*paths: Path) -> None:
        file = read_parallel(paths, longest=50)
        pairs = list(file.records)
        assert all(pair.source.strip() and pair.target.strip() for pair in pairs)
        assert not any("\n" in text or "\0" in text for pair in pairs for text in pair[:2])
        assert "\n" not in parallel.describe(file, len(pairs))

    return not all([refused(lambda: work(path)), refused(lambda: work(path, other))])


def captions_seeds(folder: Path) -> list[bytes]:
    """An array, its texts, JSON lines."""
    stream = io.BytesIO()
    np.save(stream, X)
    rows = [{"id": i, "vector": x, "texts": ["a", "b c"]} for i, x in enumerate(X.tolist())]
    return [stream.getvalue(), TEXTS, "\n".join(map(json.dumps, rows)).encode()]


def captions_case(data: bytes, folder: Path) -> bool:
    """A file as an array beside its texts, as the texts of an array, as JSON lines."""
    path, texts, array = folder / "damaged", folder / "t.tsv", folder / "x.npy"
    path.write_bytes(data)
    texts.write_bytes(TEXTS)
    np.save(array, X)

    def work(path: Path, texts: Path | None) -> None:
        file = read_captions(path, texts, longest=50)
        found = list(file.records)
        assert file.vectors.ndim == 2 and np.isfinite(file.vectors).all()
        assert all(0 <= one.row < len(file.vectors) and one.text.strip() for one in found)
        assert not any("\n" in one.text or "\0" in one.text for one in found)
        assert "\n" not in captions.describe(file, len(found))

    ways = [
        refused(lambda: work(path, texts)),
        refused(lambda: work(array, path)),
        refused(lambda: work(path, None)),
    ]
    return not all(ways)
