"""Beam search against a search that keeps everything, against greedy, and against its company."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as tried
from hypothesis import strategies as st

from lmtool.arrays import Ids
from lmtool.errors import ModelFileError, OptionError
from lmtool.inference.beam import Hypothesis, candidates, largest, search
from lmtool.inference.sample import sample
from lmtool.models.language_model import LanguageModel
from lmtool.models.predictor import rows
from lmtool.settings import SampleSettings, SearchSettings
from lmtool.text.vocabulary import EOS_ID, UNK_ID
from tests.inference.chance import Chance, everything, vocabulary_of
from tests.inference.unigram import Unigram

FOUR = vocabulary_of("a", "b")  # outputs
SIX = vocabulary_of("a", "b", "c", "d")
WIDE = 200  # more than all texts of four outputs and at most four tokens

seeds = st.integers(0, 10_000)
norms = st.sampled_from([0.0, 0.6, 1.0, 1.5])


def sources(*lengths: int) -> tuple[Ids, ...]:
    """As many tokens, of no meaning."""
    return tuple(np.arange(n, dtype=np.int32) + 10 * n for n in lengths)


@tried(max_examples=40)
@given(seeds, norms, st.booleans(), st.integers(1, 4))
def test_a_beam_that_is_wide_enough_finds_the_best_of_all(
    seed: int, norm: float, unk: bool, most: int
) -> None:
    model = Chance(FOUR, sources(1, 2, 3), seed)
    settings = SearchSettings(n=20, beam=WIDE, length_norm=norm, max_length=most, allow_unk=unk)
    for b, found in enumerate(search(model, 3, settings)):
        expected = everything(model, b, settings, most)[:20]
        assert [one.ids for one in found] == [ids for _, _, ids in expected]
        for one, (score, logp, ids) in zip(found, expected, strict=True):
            assert one.score == pytest.approx(score) and one.logp == pytest.approx(logp)
            assert one.finished == (len(ids) <= most) and len(one.logps) == len(ids)


@tried(max_examples=40)
@given(seeds, st.booleans(), st.integers(1, 6))
def test_a_beam_of_one_is_greedy(seed: int, unk: bool, most: int) -> None:
    model = Chance(SIX, sources(4), seed)
    settings = SearchSettings(beam=1, max_length=most, allow_unk=unk)
    greedy = SampleSettings(temperature=0, max_words=most, allow_unk=unk)
    drawn = sample(model, np.random.default_rng(0), greedy)
    ((found,),) = search(model, 1, settings)
    assert model.vocabulary.decode(found.ids) == drawn.text
    assert found.finished or drawn.truncated
    if not drawn.truncated:
        assert found.logp / math.log(10) == pytest.approx(drawn.log10_p)


@tried(max_examples=40)
@given(seeds, norms, st.integers(1, 6), st.data())
def test_company_place_and_number_change_nothing(
    seed: int, norm: float, beam: int, data: st.DataObject
) -> None:
    some = data.draw(st.lists(st.sampled_from(sources(1, 2, 3, 4)), min_size=1, max_size=4))
    settings = SearchSettings(n=beam, beam=beam, length_norm=norm)
    lengths = [len(one) for one in some]
    together = search(Chance(SIX, tuple(some), seed, eyes=True), len(some), settings, lengths)
    for one, found, n in zip(some, together, lengths, strict=True):
        (alone,) = search(Chance(SIX, (one,), seed, eyes=True), 1, settings, [n])
        assert same(found, alone)
        fewer = SearchSettings(n=data.draw(st.integers(1, beam)), beam=beam, length_norm=norm)
        (first,) = search(Chance(SIX, (one,), seed, eyes=True), 1, fewer, [n])
        assert same(first, alone[: fewer.n])


def same(some: list[Hypothesis], others: list[Hypothesis]) -> bool:
    """Whether every bit is."""

    def parts(one: Hypothesis) -> object:
        looked = None if one.attention is None else one.attention.tolist()
        return one.ids, one.logps, one.score, one.finished, looked

    return list(map(parts, some)) == list(map(parts, others))


def test_of_networks_each_row_is_its_own(model: LanguageModel) -> None:
    settings = SearchSettings(n=4, beam=4, max_length=8)
    (alone,) = search(model, 1, settings)
    assert len(alone) == 4
    assert all(same(found, alone) for found in search(model, 3, settings))
    greedy = sample(model, np.random.default_rng(0), SampleSettings(temperature=0, max_words=8))
    ((found,),) = search(model, 1, SearchSettings(beam=1, max_length=8))
    assert model.vocabulary.decode(found.ids) == greedy.text


@pytest.mark.parametrize("block", [1, 8])
def test_a_model_that_reads_one_by_one_is_searched_so(block: int) -> None:
    widths = []

    class Watched(Chance):
        def step(self, ids, state):  # type: ignore[no-untyped-def]
            widths.append(len(ids))
            return super().step(ids, state)

    found = search(Watched(SIX, sources(1, 2, 3), block=block), 3, SearchSettings(beam=2))
    assert [len(each) for each in found] == [1, 1, 1]
    assert min(widths) == 2 and (max(widths) > 2) == (block > 1)
    assert same(found[1], search(Chance(SIX, sources(2)), 1, SearchSettings(beam=2))[0])


def test_equal_scores_go_to_the_lower_ids() -> None:
    model = Unigram(vocabulary_of(*"abcdefgh"))
    model.vocabulary.counts[:] = 5
    (found,) = search(model, 1, SearchSettings(n=4, beam=4, max_length=2))
    assert [one.ids for one in found] == [(0,), (2, 0), (2, 2, 0), (2, 3, 0)]


def test_sources_say_how_long_texts_may_be() -> None:
    never = Unigram(vocabulary_of("a", "b"))
    never.vocabulary.counts[:] = 0, 0, 10**9, 5
    found = search(never, 2, SearchSettings(beam=1), [1, 3])
    assert [len(one.ids) - 1 for (one,) in found] == [12, 16]
    assert not any(one.finished for (one,) in found)
    assert [one.ids[-1] for (one,) in found] == [EOS_ID, EOS_ID]
    assert len(search(never, 1, SearchSettings(beam=1))[0][0].ids) == 51


@tried(max_examples=30)
@given(seeds, st.integers(1, 3))
def test_nothing_is_repeated_where_that_is_asked_for(seed: int, n: int) -> None:
    settings = SearchSettings(n=3, beam=3, max_length=12, length_norm=2, no_repeat=n)
    for one in search(Chance(FOUR, sources(3), seed), 1, settings)[0]:
        tokens = one.ids[:-1]
        grams = [tokens[i : i + n] for i in range(len(tokens) - n + 1)]
        assert len(grams) == len(set(grams))


@tried(max_examples=30)
@given(seeds)
def test_attention_goes_with_the_text(seed: int) -> None:
    model = Chance(SIX, sources(3, 2), seed, eyes=True)
    for b, found in enumerate(search(model, 2, SearchSettings(n=3, beam=3), [3, 2])):
        for one in found:
            state = rows(model.zero_state(2), np.array([b]))
            top, _ = model.read(np.array([EOS_ID, *one.ids[:-1]], np.int32), state)
            looked = model.attention(top)
            assert one.attention is not None and looked is not None
            np.testing.assert_array_equal(one.attention, np.stack(looked))
            np.testing.assert_allclose(one.attention.sum(1), 1)


def test_unknown_words_are_written_on_demand_or_where_they_can_be_copied() -> None:
    def unknown(eyes: bool, allow: bool, copies: bool) -> bool:
        settings = SearchSettings(n=5, allow_unk=allow, max_length=6)
        found = search(Chance(SIX, sources(3), 1, eyes), 1, settings, copies=[copies])[0]
        return any(UNK_ID in one.ids for one in found)

    asked = [(e, a, c) for e in (False, True) for a in (False, True) for c in (False, True)]
    assert [unknown(*each) for each in asked] == [a or (e and c) for e, a, c in asked]


def test_what_cannot_be_meant() -> None:
    for wrong in ({"beam": 0}, {"n": 6}, {"length_norm": -1}, {"max_length": 0}, {"no_repeat": -1}):
        with pytest.raises(OptionError):
            SearchSettings(**wrong)  # type: ignore[arg-type]
    with pytest.raises(OptionError, match="n: must be at most beam, 5, not 9"):
        SearchSettings(n=9)


def test_numbers_that_overflow(lstm: LanguageModel) -> None:
    broken = LanguageModel(
        lstm.settings,
        lstm.vocabulary,
        lstm.parameters.__class__({name: array.shape for name, array in lstm.parameters.items()}),
    )
    broken.parameters.flat[:] = np.nan
    with pytest.raises(ModelFileError, match="overflow"):
        search(broken, 1, SearchSettings())


@pytest.mark.parametrize("k", [1, 5, 300])
@pytest.mark.parametrize("n", [3, 160, 5000])
def test_the_largest_of_many_are_those_of_a_sort(n: int, k: int) -> None:
    rng = np.random.default_rng(n + k)
    for x in (rng.normal(size=n), rng.integers(0, 9, n).astype(float), np.full(n, -np.inf)):
        x[rng.random(n) < 0.3] = -np.inf
        order = sorted(np.flatnonzero(x > -np.inf).tolist(), key=lambda i: (-x[i], i))
        row = np.float32(rng.normal(size=n))  # another one beside it
        rows, places = candidates(np.stack([x, row]), k)
        some = places[rows == 0]
        assert some[largest(x[some], k)].tolist() == sorted(order[:k])
