"""An n-gram model over other tokens: the same numbers, sums, what does not match."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import lmtool
from lmtool.errors import InputError
from lmtool.inference.score import score
from lmtool.models.arpa import arpa
from lmtool.models.ngram import far_from_one
from lmtool.models.respelled import over
from lmtool.settings import TextSettings
from lmtool.text.vocabulary import Vocabulary
from tests.models.test_arpa import MADE_UP
from tests.models.test_ngram import OTHER, TOY, counted_in

LINES = [*TOY, *OTHER]


def test_the_same_words_in_another_order() -> None:
    model = counted_in(LINES, 3)
    other = Vocabulary.build(["c c c c c c c c c", "a b"], TextSettings())
    assert other.tokens != model.vocabulary.tokens
    found, match = over(model, other)
    assert str(match) == "all words match"
    for line in [*LINES, "c a b", "zork a"]:
        assert score(found, line).log10_p == pytest.approx(score(model, line).log10_p)


@pytest.mark.parametrize("lines", [["a b d d d"], ["a"], ["d e f"]])
def test_other_words(lines: list[str]) -> None:
    model, vocabulary = counted_in(LINES, 3), Vocabulary.build(lines, TextSettings())
    found, match = over(model, vocabulary)
    assert far_from_one(found) == 0
    ids = np.arange(vocabulary.n_tokens, dtype=np.int32).repeat(2)
    tops, _ = found.read(ids, found.zero_state())
    sums = np.exp(found.log_probabilities(tops), dtype=np.float64).sum(axis=1)
    assert sums == pytest.approx(1, abs=1e-5)
    assert set(match.absent) == set(lines[0].split()) - set("abc")
    assert set(match.left_out) == set("abc") - set(lines[0].split())
    assert match.n_dropped > 0 and "n-grams left out" in str(match)


def test_case_folds_words_together() -> None:
    model = counted_in(["A a b", "a b B"], 2)
    found, match = over(model, Vocabulary.build(["a b"], TextSettings(lower=True)))
    assert len(match.left_out) == 2 and not match.absent
    assert far_from_one(found) == 0


def test_trained_beside_a_network(tmp_path: Path) -> None:
    path = tmp_path / "a.arpa"
    path.write_text("".join(arpa(counted_in([*LINES, "d a"], 3))))
    small: Any = {"hidden": 4, "embed": 4, "members": 1, "steps": 3, "batch": 2, "bptt": 3}
    model = lmtool.train(sentences=LINES * 10, ngram=str(path), model=tmp_path / "m", **small)
    assert [part.name for part in model.language_model.parts] == ["network", "3-gram"]
    assert lmtool.load(tmp_path / "m").info()["recipe"]["ngram"] == str(path)
    path.write_text(MADE_UP)
    with pytest.raises(InputError, match="do not sum to 1"):
        lmtool.train(sentences=LINES * 10, ngram=str(path), **small)
