"""Rescoring: the sweep against trying, the arithmetic of totals, invariance."""

import json
import math
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import lmtool
from lmtool.data.readers.nbest import NBest, list_of
from lmtool.errors import ConfigError, InputError, OptionError
from lmtool.faces import Model
from lmtool.inference.rescore import rescore, scored_lists, tune
from lmtool.inference.score import score
from lmtool.inference.weights import Weights, best_interval, chosen, tuned
from lmtool.inference.wer_compare import compare_errors, matched_pairs
from lmtool.models.language_model import LanguageModel
from lmtool.settings import RescoreSettings
from lmtool.text.reader import Line
from lmtool.text.vocabulary import Vocabulary
from tests.inference.unigram import Unigram

LN10 = math.log(10)
TWO: dict[str, Any] = {
    "hyps": ["Pete saw the cat", "Todd met Pete"],
    "scores": [-1.0, -1.5],
    "ref": "Todd met Pete",
}
ONE: dict[str, Any] = {"hyps": ["the dog saw"], "scores": [-2.0], "ref": "the dog saw"}
NONE: dict[str, Any] = {"hyps": [], "ref": "Todd"}


def lists(*values: dict[str, Any]) -> list[NBest]:
    """As the reader gives them."""
    return [list_of(value, Line("", i, "nbest")) for i, value in enumerate(values)]


def at(x: float, rest: Any, slopes: Any, errors: Any) -> int:
    """The errors at one value."""
    return int(errors[np.arange(len(rest)), np.argmax(rest + x * slopes, axis=1)].sum())


def test_the_interval_of_two_lists() -> None:
    rest, slopes = np.array([[-1.0, 0], [0, -2]]), np.array([[-10.0, -14], [-12, -8]])
    errors = np.array([[0, 2], [0, 1]])
    found = best_interval(rest, slopes, errors, 0.0)
    assert (found.low, found.high, found.errors) == (0.25, 0.5, 0)
    assert found.middle == 0.375


@pytest.mark.parametrize("seed", range(20))
def test_no_value_has_fewer_errors_than_the_sweep_finds(seed: int) -> None:
    rng = np.random.default_rng(seed)
    rest, slopes = rng.normal(size=(6, 4)).round(1), rng.normal(size=(6, 4)).round(1)
    errors = rng.integers(0, 5, (6, 4))
    low = 0.0 if seed % 2 else -np.inf
    found = best_interval(rest, slopes, errors, low)
    assert at(found.middle, rest, slopes, errors) == found.errors
    assert found.middle >= low
    tried = [at(x, rest, slopes, errors) for x in np.arange(max(low, -60), 60, 0.01)]
    assert min(tried) >= found.errors


def test_where_nothing_changes_the_weight_is_the_lowest() -> None:
    same = np.ones((3, 2))
    assert best_interval(same, same, np.array([[1, 0]] * 3), 0.0) == (0.0, 0.0, 3)


def test_several_weights_are_as_good_as_a_grid() -> None:
    rng = np.random.default_rng(2)
    features = rng.normal(size=(30, 5, 5))
    true = np.array([1.0, 0.7, 0.4, -0.5, 0.3])
    best = np.argmax(features @ true + rng.normal(0, 0.5, (30, 5)), axis=1)
    errors = np.where(np.arange(5) == best[:, None], 0, rng.integers(1, 4, (30, 5)))
    weights, fewest = tuned(features, errors)
    rows = np.arange(30)
    assert errors[rows, chosen(features, weights)].sum() == fewest
    grid = product([1.0], [0, 0.5, 1], [0, 0.5, 1], [-1, -0.5, 0, 0.5], [-1, 0, 0.5, 1])
    tried = [errors[rows, chosen(features, np.array(one))].sum() for one in grid]
    assert fewest <= min(tried)
    assert weights[0] == 1 and (weights[1:3] >= 0).all()
    again, _ = tuned(features, errors)
    assert np.array_equal(weights, again)


def test_totals_by_hand(vocabulary: Vocabulary) -> None:
    model = Unigram(vocabulary)
    scored = scored_lists(lists(TWO), [model])
    weights = Weights(2.0, (0.5,), words=0.25, unknown=-1.0)
    found = rescore(scored, weights=weights).lists[0]
    for one in found.hypotheses:
        given = TWO["scores"][one.rank - 1]
        assert one.recogniser == given
        assert one.log10_p[0] == pytest.approx(score(model, one.text).log10_p)
        total = 2 * given + 0.5 * one.log10_p[0] * LN10 + 0.25 * one.n_words - one.n_oov
        assert one.score == pytest.approx(total)
    means = rescore(scored, weights=Weights(2.0, (0.5,), 0.25, -1.0, per_word=True)).lists[0]
    for one in means.hypotheses:
        parts = 2 * one.recogniser + 0.5 * one.log10_p[0] * LN10 - one.n_oov  # type: ignore[operator]
        assert one.score == pytest.approx(parts / (one.n_words + 1) + 0.25 * one.n_words)


@pytest.mark.parametrize("kind", ["total", "mean", "cost"])
def test_kinds_of_scores_say_the_same(kind: str, vocabulary: Vocabulary) -> None:
    """The same lists, their scores spelled in three ways."""
    change = {"total": lambda s, n: s, "mean": lambda s, n: s / (n + 1), "cost": lambda s, n: -s}
    values: dict[str, Any] = dict(TWO)
    pairs = zip(TWO["scores"], TWO["hyps"], strict=True)
    values["scores"] = [change[kind](s, len(h.split())) for s, h in pairs]
    for way in (False, True):
        results = [
            rescore(
                scored_lists(lists(one), [Unigram(vocabulary)]),
                RescoreSettings(score_type=own, per_word=way),
            )
            for one, own in ((TWO, "total"), (values, kind))
        ]
        scores = [[c.score for c in one.lists[0].hypotheses] for one in results]
        assert scores[0] == pytest.approx(scores[1])


def test_probabilities_are_those_of_score(model: LanguageModel) -> None:
    found = lmtool.rescore([TWO, ONE], Model(model))
    texts = [c.text for one in found.lists for c in one.hypotheses]
    scores = Model(model).score_lines(texts)
    own = [c.log10_p[0] for one in found.lists for c in one.hypotheses]
    assert own == pytest.approx([one.log10_p for one in scores], abs=1e-12)


def test_a_list_does_not_depend_on_others_nor_on_threads(model: LanguageModel) -> None:
    alone = lmtool.rescore([TWO], Model(model)).lists[0]
    for threads in (1, 2):
        found = lmtool.rescore([ONE, TWO, TWO], Model(model), threads=threads).lists
        assert found[1].hypotheses == found[2].hypotheses == alone.hypotheses


def test_the_first_of_equals_stays_first(model: LanguageModel) -> None:
    value = {"hyps": ["Todd met Pete"] * 3, "scores": [-1, -1, -1]}
    found = lmtool.rescore([value], Model(model))
    assert [one.rank for one in found.lists[0].hypotheses] == [1, 2, 3]
    assert found.n_changed == 0 and found.wer is None


def test_rates_of_first_chosen_and_oracle(vocabulary: Vocabulary) -> None:
    scored = scored_lists(lists(TWO, ONE, NONE), [Unigram(vocabulary)])
    found = rescore(scored, weights=Weights(1.0, (0.0,)))
    assert found.wer_first == found.wer == pytest.approx(100 * 5 / 7)
    assert found.wer_oracle == pytest.approx(100 * 1 / 7)
    weights = tune(scored)
    better = rescore(scored, weights=weights)
    assert better.wer == better.wer_oracle and better.n_changed == 1
    assert better.texts == ["Todd met Pete", "the dog saw", ""]
    assert better.difference is not None and better.difference.n_better == 1
    summary = better.to_dict()
    assert {"wer_first", "wer", "wer_oracle", "weights", "n"} <= set(summary)
    assert json.loads(json.dumps(summary))["n"] == 3


def test_two_models_and_none_of_the_scores(model: LanguageModel, vocabulary: Vocabulary) -> None:
    plain = [{k: v for k, v in one.items() if k != "scores"} for one in (TWO, ONE)]
    scored = scored_lists(lists(*plain), [model, Unigram(vocabulary)])
    weights = tune(scored)
    assert weights.recogniser == 0 and weights.models[0] == 1 and len(weights.models) == 2
    found = rescore(scored)
    assert found.weights.models == (0.5, 0.5) and found.weights.recogniser == 0
    assert all(c.recogniser is None for one in found.lists for c in one.hypotheses)


def test_matched_pairs_and_the_interval() -> None:
    found = matched_pairs(np.array([1, 0, -1, 2, 0, 1]))
    assert found is not None
    assert found == pytest.approx((1.167748, 0.243), abs=1e-3)
    assert matched_pairs(np.array([1, 1, 1])) is None
    assert matched_pairs(np.array([1])) is None
    a: NDArray[np.int64] = np.array([3, 1, 2, 0] * 20)
    same = compare_errors(a, a, np.full(80, 5), 100, 1)
    assert (same.difference, same.low, same.high, same.p) == (0, 0, 0, None)
    better = compare_errors(a, np.maximum(a - 1, 0), np.full(80, 5), 1000, 1)
    assert better.low is not None and better.high is not None and better.p is not None
    assert better.low < better.difference == -15 < better.high < 0 and better.p < 1e-6
    assert (better.n_better, better.n_worse) == (60, 0)


def test_what_is_refused(model: LanguageModel, tmp_path: Path) -> None:
    lm, path = Model(model), tmp_path / "n.jsonl"
    path.write_text(json.dumps(TWO) + "\n")
    with pytest.raises(ConfigError, match="tuned on the lists that they are then used on"):
        lmtool.rescore(path, lm, tune=path)
    with pytest.raises(ConfigError, match="give tune or weights"):
        lmtool.rescore([ONE], lm, tune=[TWO], weights=[1, 1, 0, 0])
    with pytest.raises(OptionError, match="4 numbers are wanted"):
        lmtool.rescore([ONE], lm, weights=[1, 1])
    with pytest.raises(OptionError, match="must be a finite number"):
        lmtool.rescore([ONE], lm, weights=[1, math.nan, 0, 0])
    with pytest.raises(ConfigError, match="2 of models, but there are 1"):
        lmtool.rescore([ONE], lm, weights=Weights(1, (1, 1)))
    with pytest.raises(InputError, match="cannot be tuned without a reference"):
        lmtool.rescore([ONE], lm, tune=[{"hyps": ["a"]}])
    with pytest.raises(InputError, match="nbest:1: a list without scores, but others have them"):
        lmtool.rescore([ONE, {"hyps": ["a"]}], lm)
    with pytest.raises(InputError, match=r"nbest\[0\]: an object"):
        lmtool.rescore([3], lm)  # type: ignore[arg-type]
    with pytest.raises(InputError, match="no list in it"):
        lmtool.rescore([], lm)
