"""The neural cache: by hand, sums, what an empty one says, where it forgets."""

import numpy as np
import pytest

from lmtool.arrays import Array, Ids
from lmtool.errors import ConfigError
from lmtool.inference.score import score_lines
from lmtool.models.cache import Cached
from lmtool.models.language_model import LanguageModel
from lmtool.models.predictor import joined, rows
from lmtool.text.vocabulary import EOS_ID, Vocabulary
from tests.conftest import LINES
from tests.models.test_ngram import ids_of


class Scripted:
    """p = 0.2 for the id 3 and 0.1 for all others, and tops as a script has them."""

    block = 1

    def __init__(self, vocabulary: Vocabulary, tops: Array) -> None:
        self.vocabulary, self._tops = vocabulary, tops.astype(np.float32)

    def zero_state(self, B: int = 1) -> Ids:
        return np.zeros(B, np.int32)

    def step(self, ids: Ids, state: Ids) -> tuple[Array, Ids]:
        return self._tops[state], state + np.int32(1)

    def read(self, ids: Ids, state: Ids) -> tuple[Array, Ids]:
        stop = state[0] + len(ids)
        return self._tops[state[0] : stop], np.array([stop], np.int32)

    def log_probabilities(self, top: Array) -> Array:
        p = np.full((len(top), self.vocabulary.n_tokens), 0.1, np.float32)
        p[:, 3] = 0.2
        return np.log(p)

    def log_probability(self, top: Array, ids: Ids) -> Array:
        return self.log_probabilities(top)[np.arange(len(ids)), ids]


def itself(top: Array) -> Array:
    return top


@pytest.fixture
def cached(lstm: LanguageModel) -> Cached:
    return Cached(lstm, 5, 0.3, 2.0, 8, itself)


def test_by_hand(vocabulary: Vocabulary) -> None:
    """Three tops predicted the words 3, 4 and 3; the fourth is as like them as ln 1, ln 2, ln 3."""
    tops = np.sqrt(3.0) * np.eye(4)[:3]  # each of square 3, so that theta is sharpness / 3
    tops = np.concatenate([tops, [[0, np.log(2) / 3**0.5, np.log(3) / 3**0.5, 0]]])
    for sharpness, p in ((3.0, 4 / 6), (1.5, (1 + 3**0.5) / (1 + 2**0.5 + 3**0.5)), (0.0, 2 / 3)):
        model = Cached(Scripted(vocabulary, tops), 9, 0.1, sharpness, 4, itself)
        top, _ = model.read(np.array([EOS_ID, 3, 4, 3], np.int32), model.zero_state())
        logp = model.log_probability(rows(top, slice(3, 4)), np.array([3], np.int32))
        assert np.exp(logp) == pytest.approx(0.9 * 0.2 + 0.1 * p, rel=1e-6)


def test_an_empty_cache_says_nothing(lstm: LanguageModel, cached: Cached) -> None:
    first = np.array([EOS_ID], np.int32)
    top, _ = cached.read(first, cached.zero_state())
    plain, _ = lstm.read(first, lstm.zero_state())
    every = lstm.log_probabilities(plain)
    np.testing.assert_array_equal(cached.log_probabilities(top), every)
    np.testing.assert_array_equal(cached.log_probability(top, first), every[:, EOS_ID])


def test_sums_and_single_lookups(cached: Cached, vocabulary: Vocabulary) -> None:
    ids = ids_of(vocabulary, LINES)
    top, _ = cached.read(ids, cached.zero_state())
    every = cached.log_probabilities(top)
    assert np.exp(every, dtype=np.float64).sum(axis=1) == pytest.approx(1, abs=1e-5)
    chosen = cached.log_probability(top, ids)
    np.testing.assert_allclose(chosen, every[np.arange(len(ids)), ids], rtol=1e-5)


def test_pieces_and_streams(cached: Cached, vocabulary: Vocabulary) -> None:
    """Read at once, in pieces or as one of two streams: the same to rounding."""
    ids, state, tops = ids_of(vocabulary, LINES), cached.zero_state(), []
    whole = cached.log_probabilities(cached.read(ids, state)[0])
    for some in np.array_split(ids, 4):
        top, state = cached.read(some, state)
        tops.append(top)
    np.testing.assert_allclose(cached.log_probabilities(joined(tops)), whole, rtol=1e-4)
    state = cached.zero_state(2)
    for t, word in enumerate(ids[:6]):
        top, state = cached.step(np.array([word, ids[-t]], np.int32), state)
        np.testing.assert_allclose(cached.log_probabilities(top)[0], whole[t], rtol=1e-4)


def test_it_remembers_so_many_words(lstm: LanguageModel, vocabulary: Vocabulary) -> None:
    """What stands before the last N words changes the network's state alone."""
    model = Cached(lstm, 2, 0.5, 0.0, 8, itself)
    top, state = model.read(ids_of(vocabulary, LINES), model.zero_state())
    assert state[1].shape == (1, 2, 8) and state[2].tolist() == [
        ids_of(vocabulary, LINES)[-2:].tolist()
    ]
    shares = np.exp(model.log_probabilities(top)) - 0.5 * np.exp(lstm.log_probabilities(top[0]))
    assert np.count_nonzero(shares[-1] > 0.1) == 2


def test_lines_apart_forget(cached: Cached) -> None:
    together = [one.log10_p for one in score_lines(cached, LINES, threads=2)]
    assert together == [next(score_lines(cached, [line])).log10_p for line in LINES]


def test_what_is_no_share(lstm: LanguageModel) -> None:
    with pytest.raises(ConfigError, match="weight from 0 to 1"):
        Cached(lstm, 5, 1.5, 1.0, 8, itself)
