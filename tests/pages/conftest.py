"""A tiny model of each kind with a file that it is measured on, and their reports."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

import lmtool

TEXT = "Todd met Pete\nPete met Todd\nthe dog saw the cat\nTodd saw the sea again\n" * 6
TAGGED = "Todd/B-PER met/O Pete/B-PER\nthe/O sea/B-LOC saw/O New/B-LOC York/I-LOC\n" * 6
LABELLED = "good\twe liked it\nbad\twe left early\nfair\tit was long\n" * 6
GIVEN = "der Hund sah die Katze\ndie Katze sah den Hund\nTodd traf Pete\n" * 6
WRITTEN = "the dog saw the cat\nthe cat saw the dog\nTodd met Pete\n" * 6
SMALL: dict[str, Any] = {"steps": 1, "hidden": 4, "embed": 4, "members": 1}


class Case(NamedTuple):
    """A model and what it is measured on."""

    model: str
    files: tuple[str, ...]


Cases = Callable[[str], Case]


def put(path: Path, text: str) -> str:
    path.write_text(text, encoding="utf-8")
    return str(path)


def vectors(path: Path, n: int) -> str:
    np.save(path, np.random.default_rng(1).normal(size=(n, 3)).astype(np.float32))
    return str(path)


def frames(path: Path) -> str:
    clips = (
        json.dumps({"label": label, "frames": [[n, 1], [0, 2], [1, n]]})
        for n in range(6)
        for label in ("wave", "nod")
    )
    return put(path, "".join(f"{clip}\n" for clip in clips))


def speech(path: Path) -> str:
    clips = (
        json.dumps({"text": text, "speaker": who, "frames": [[n, 1], [0, 2], [1, n]] * 9})
        for n in range(4)
        for text, who in (("Todd met Pete", "a"), ("Pete", "b"))
    )
    return put(path, "".join(f"{clip}\n" for clip in clips))


def material(kind: str, to: Path) -> tuple[tuple[str, ...], dict[str, Any]]:
    """Files of a kind, and what training is asked for."""
    if kind == "language model":
        return (put(to / "a.txt", TEXT),), {}
    if kind == "counts":
        return (put(to / "b.txt", TEXT),), {"ngram": 3, "members": 0, "steps": None}
    if kind == "mixture":
        return (put(to / "c.txt", TEXT),), {"ngram": 2}
    if kind == "pieces":
        return (put(to / "d.txt", TEXT),), {"tokens": "subword", "vocab_size": 30}
    if kind == "tagger":
        return (put(to / "t.txt", TAGGED),), {"writes": "tags"}
    if kind == "classifier":
        return (put(to / "l.tsv", LABELLED),), {"writes": "label"}
    if kind == "frame classifier":
        return (frames(to / "f.jsonl"),), {"reads": "frames", "writes": "label"}
    if kind == "word embedding":
        return (put(to / "w.txt", TEXT),), {"writes": "vectors"}
    if kind == "vector classifier":
        pair = vectors(to / "x.npy", 12), put(to / "x.txt", "yes\nno\n" * 6)
        return pair, {"reads": "vector", "writes": "label"}
    if kind == "recogniser":
        return (speech(to / "s.jsonl"),), {"reads": "frames", "layers": 1}
    if kind == "translator":
        return (put(to / "g.de", GIVEN), put(to / "g.en", WRITTEN)), {"reads": "text"}
    lines = "".join(f"{n}\t{line}\n" for n, line in enumerate(WRITTEN.splitlines()))
    return (vectors(to / "p.npy", 18), put(to / "p.tsv", lines)), {"reads": "vector"}


@pytest.fixture(scope="session")
def cases(tmp_path_factory: pytest.TempPathFactory) -> Cases:
    """cases(kind): trained when it is asked for."""
    made = dict[str, Case]()
    folder = tmp_path_factory.mktemp("models")

    def case(kind: str) -> Case:
        if kind not in made:
            files, asked = material(kind, folder)
            model = str(folder / f"{kind}.safetensors")
            small = {"steps": 1, "embed": 4} if kind == "word embedding" else SMALL
            lmtool.train(list(files), valid=list(files), model=model, **(small | asked))
            made[kind] = Case(model, files)
        return made[kind]

    return case
