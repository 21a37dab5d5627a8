"""Labelled texts as a target, and what every target needs: its sentences, and how to refuse."""

from collections.abc import Callable
from pathlib import Path

import lmtool
from lmtool.data.readers.labelled import describe, read_labelled
from lmtool.text.labels import Labels

__all__ = ["LINES", "labelled_case", "labelled_seeds", "refused"]

LINES = ("Todd met Pete", "Pete met Todd", "the cat saw the dog", "the dog saw Todd") * 10


def refused(work: Callable[[], object]) -> bool:
    """Whether it raised the one kind of error that it may raise, with one line."""
    try:
        work()
    except lmtool.LmtoolError as error:
        assert "\n" not in str(error) and len(str(error)) < 2000, repr(str(error))
        return True
    return False


def labelled_seeds(folder: Path) -> list[bytes]:
    """The same texts in each format."""
    rows = [(str(n % 3), line) for n, line in enumerate(LINES[:6])]
    lines = [
        [f"{label}\t{text}" for label, text in rows],
        [f"__label__{label} __label__x {text}" for label, text in rows],
        [f'{{"label": ["{label}", 7], "n": NaN, "text": "{text}\\u00e9"}}' for label, text in rows],
        ["label,text", *(f'{label},"{text}, ""x"""' for label, text in rows)],
    ]
    return ["\n".join(some).encode() for some in lines]


def labelled_case(data: bytes, folder: Path) -> bool:
    """Labelled texts, and the labels that they make."""
    path = folder / "labelled.txt"
    path.write_bytes(data)

    def work() -> None:
        file = read_labelled(path)
        records = list(file.records)
        labels = Labels.build(records)
        assert "\n" not in describe(file, len(records), labels)
        again = Labels.from_tensors(labels.tensors())
        assert all(again.targets(record).any() or not again.several for record in records)
        assert all(record.text.strip() and "\n" not in record.text for record in records)

    return not refused(work)
