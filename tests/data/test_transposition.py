"""Pieces of note tokens move as wholes, and say the same whenever they are asked."""

from typing import Any

import numpy as np
import pytest

import lmtool
from lmtool.data.stream import Stream
from lmtool.data.transposition import Transposition
from lmtool.errors import ConfigError
from lmtool.settings import TextSettings
from lmtool.text.vocabulary import EOS_ID, Vocabulary

LINES = ["60 64 | 62 |", "65 | | 67_69 |", "60 | rest 71 |"]
WIDE = [" ".join(map(str, range(55, 77))), "62_64 63_65 66_68 67_69 68_70 69_71 65_67"]


def text(lines: list[str]) -> tuple[Vocabulary, np.ndarray]:
    vocabulary = Vocabulary.build([*LINES, *WIDE], TextSettings())
    ids = [i for line in lines for i in [*vocabulary.encode(line), EOS_ID]]
    return vocabulary, np.array(ids, np.int32)


def pieces(vocabulary: Vocabulary, ids: np.ndarray) -> list[str]:
    """The lines of a text."""
    lines = np.split(ids, np.flatnonzero(ids == EOS_ID) + 1)
    return [vocabulary.decode(line[:-1].tolist()) for line in lines if len(line)]


def keys(line: str) -> list[int]:
    return [int(key) for token in line.split() for key in token.split("_") if key.isdigit()]


def passes(seed: int, n: int = 30, most: int = 3) -> list[list[str]]:
    """The text in each of n passes."""
    vocabulary, ids = text(LINES)
    moving = Transposition.of(vocabulary, ids, most, seed)
    stream = Stream(ids, 1, len(ids), moving)
    whole = [stream.batch(step) for step in range(n)]
    assert all(batch.inputs is not None for batch in whole)
    return [pieces(vocabulary, batch.inputs[:, 0]) for batch in whole]  # type: ignore[index]


def test_pieces_move_as_wholes() -> None:
    seen: list[set[int]] = [set(), set(), set()]
    for lines in passes(seed=1):
        for place, (line, before) in enumerate(zip(lines, LINES, strict=True)):
            shifts = {a - b for a, b in zip(keys(line), keys(before), strict=True)}
            assert len(shifts) == 1 and len(line.split()) == len(before.split())
            seen[place] |= shifts
    assert seen[0] == seen[2] == set(range(-3, 4))
    assert seen[1] == set(range(-2, 3))  # there are no 64_66 and no 70_72


def test_pure_in_seed_and_step() -> None:
    assert passes(1) == passes(1) != passes(2)


def test_streams_side_by_side_read_the_same_text() -> None:
    vocabulary, ids = text(LINES)
    moving = Transposition.of(vocabulary, ids, 3, 1)
    one, many = Stream(ids, 1, len(ids), moving), Stream(ids, 2, 3, moving)
    whole = np.concatenate([one.batch(step).inputs[:, 0] for step in range(4)])  # type: ignore[index]
    for step in range(9):
        inputs, targets = many.batch(step).inputs, many.batch(step).targets
        assert inputs is not None
        for b, head in enumerate((0, len(ids) // 2)):
            start = head + 3 * step
            assert inputs[:, b].tolist() == whole[start : start + 3].tolist()
            assert targets[:, b].tolist() == whole[start + 1 : start + 4].tolist()


def test_without_it_nothing_moves() -> None:
    assert passes(1, 3, most=0) == [LINES] * 3


@pytest.mark.parametrize("tokens", ["word", "char"])
def test_only_notes_can_be_moved(tokens: str) -> None:
    lines = ["60 64 |", "60 Todd |"] * 20
    with pytest.raises(ConfigError, match="is no note, and only notes can be moved"):
        lmtool.train(sentences=lines, steps=1, hidden=4, transpose=2, tokens=tokens)


def test_a_model_hears_other_keys() -> None:
    chords = " ".join(f"{key} {key + 4} {key + 7} |" for key in (60, 65, 67, 60))
    lines = [chords] * 30 + [" ".join(map(str, range(55, 80)))]
    options: Any = {"steps": 150, "hidden": 24, "members": 1, "batch": 4, "bptt": 20, "lr": 0.01}
    moved, fixed = (lmtool.train(sentences=lines, transpose=k, **options) for k in (4, None))
    elsewhere = "62 66 69 | 67 71 74 |"
    assert moved.score(elsewhere).log10_p > fixed.score(elsewhere).log10_p + 2
