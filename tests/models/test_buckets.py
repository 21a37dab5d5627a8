"""Weights that follow the context, and temperatures: sums, by hand, what is refused."""

import numpy as np
import pytest

from lmtool.errors import ConfigError
from lmtool.inference.score import score_lines
from lmtool.models.buckets import Buckets, Clue, fit_table, shares
from lmtool.models.kneser_ney import count
from lmtool.models.language_model import LanguageModel
from lmtool.models.mixture import Mixture, Part
from lmtool.models.tempered import Tempered, tempered
from lmtool.text.vocabulary import Vocabulary
from tests.conftest import LINES
from tests.models.test_ngram import ids_of

CLUES = (
    Clue("known", 1, (1.0, 2.0)),
    Clue("freed", 1, (-1.0, -0.3, 0.0)),
)


@pytest.fixture(scope="module")
def mixture(lstm: LanguageModel, vocabulary: Vocabulary) -> Mixture:
    """Every cell has other weights."""
    trigram = count(ids_of(vocabulary, LINES), vocabulary, 3)
    first = np.linspace(0.05, 0.95, 6)
    table = np.stack([first, 1 - first], 1).astype(np.float32)
    parts = Part("network", 0.5, Tempered(lstm, 0.8)), Part("3-gram", 0.5, trigram)
    return Mixture(parts, Buckets(CLUES, table))


def test_sums_and_single_lookups(mixture: Mixture, vocabulary: Vocabulary) -> None:
    ids = ids_of(vocabulary, [*LINES, "Zork saw the Zork"])
    tops, _ = mixture.read(ids, mixture.zero_state())
    every = mixture.log_probabilities(tops)
    assert np.exp(every, dtype=np.float64).sum(axis=1) == pytest.approx(1, abs=1e-5)
    for wanted in range(vocabulary.n_tokens):  # weights are the same whatever comes
        chosen = mixture.log_probability(tops, np.full(len(ids), wanted, np.int32))
        np.testing.assert_allclose(chosen, every[:, wanted], rtol=1e-5)


def test_weights_are_between_those_of_the_cells() -> None:
    clue = Clue("freed", 0, (0.0, 1.0, 3.0))
    phi = shares((clue,), np.array([[-1.0], [0.25], [1.0], [2.0], [9.0]], np.float32))
    expected = [[1, 0, 0], [0.75, 0.25, 0], [0, 1, 0], [0, 0.5, 0.5], [0, 0, 1]]
    assert phi.tolist() == expected
    assert shares(CLUES, np.zeros((4, 2), np.float32)).sum(axis=1).tolist() == [1] * 4


def test_cells_are_fitted_apart() -> None:
    p = np.array([[0.9, 0.1], [0.1, 0.9]] * 500)
    cells = np.array([[1.0, 0.0], [0.0, 1.0]] * 500)
    table = fit_table(np.log(p), cells, np.array([0.5, 0.5]))
    assert table[0, 0] > 0.95 and table[1, 1] > 0.95
    assert table.sum(axis=1) == pytest.approx(1)


def test_blocks_and_threads_change_no_bit(mixture: Mixture) -> None:
    lines = [*LINES, "Zork", "Todd"] * 3
    together = list(score_lines(mixture, lines, threads=2))
    assert together == [next(score_lines(mixture, [line])) for line in lines]


def test_a_temperature_by_hand(lstm: LanguageModel) -> None:
    p = np.array([[0.5, 0.25, 0.25]], np.float32)
    sharper = np.array([[4 / 6, 1 / 6, 1 / 6]])
    np.testing.assert_allclose(np.exp(tempered(np.log(p), 0.5)), sharper, rtol=1e-6)
    same = Tempered(lstm, 1.0)
    ids = np.arange(5, dtype=np.int32)
    top, _ = same.read(ids, same.zero_state())
    np.testing.assert_allclose(
        same.log_probability(top, ids), lstm.log_probability(top, ids), rtol=1e-5
    )


@pytest.mark.parametrize(
    ("clues", "table"),
    [
        ((), np.ones((1, 2))),
        ((Clue("freed", 2, (0.0, 1.0)),), np.full((2, 2), 0.5)),
        ((Clue("target", 0, (0.0, 1.0)),), np.full((2, 2), 0.5)),
        ((Clue("freed", 0, (1.0, 0.0)),), np.full((2, 2), 0.5)),
        ((Clue("freed", 0, (0.0, 1.0)),), np.full((3, 2), 0.5)),
        ((Clue("freed", 0, (0.0, 1.0)),), np.full((2, 2), 0.4)),
        ((Clue("freed", 0, (0.0, 1.0)),), np.array([[2.0, -1.0], [0.5, 0.5]])),
        ((Clue("freed", 0, tuple(map(float, range(300)))),), np.full((300, 2), 0.5)),
    ],
)
def test_what_are_no_buckets(clues: tuple[Clue, ...], table: np.ndarray) -> None:
    with pytest.raises(ConfigError, match="mixture"):
        Buckets(clues, table)
