"""Several networks in one model: the mean of what they say, each learnt as if it were alone."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import lmtool
from lmtool.inference.score import score
from lmtool.model_file import load, save
from lmtool.models.language_model import LanguageModel, members
from tests.conftest import LINES, tiny

SMALL: dict[str, Any] = {"steps": 3, "hidden": 12, "embed": 8, "batch": 6, "bptt": 7, "shards": 2}
K = 3
IDS = np.array([0, 2, 3, 4, 1], np.int32)


@pytest.fixture(scope="module", params=[{}, {"softmax": "classes", "layers": 2, "tie": False}])
def model(request: pytest.FixtureRequest, lstm: LanguageModel) -> LanguageModel:
    """Three networks."""
    return tiny(lstm.vocabulary, "lstm", members=K, **request.param)


def single(model: LanguageModel, k: int) -> LanguageModel:
    """One of its networks as a model of its own."""
    own = members(model.settings, model.parameters)[k]
    return LanguageModel(replace(model.settings, members=1), model.vocabulary, own)


def test_probabilities_are_the_mean_of_those_of_the_networks(model: LanguageModel) -> None:
    top, _ = model.read(IDS, model.zero_state())
    logp = model.log_probabilities(top)
    each = []
    for k in range(K):
        one = single(model, k)
        each.append(np.exp(one.log_probabilities(one.read(IDS, one.zero_state())[0])))
    np.testing.assert_allclose(np.exp(logp), np.mean(each, axis=0), rtol=1e-5)
    np.testing.assert_allclose(np.exp(logp).sum(axis=1), 1, rtol=1e-5)
    rows = np.arange(len(IDS))
    np.testing.assert_allclose(model.log_probability(top, IDS), logp[rows, IDS], rtol=1e-5)
    assert not np.allclose(each[0], each[1])


def test_states_are_carried_and_streams_stand_side_by_side(model: LanguageModel) -> None:
    whole, last = model.read(IDS, model.zero_state())
    _, state = model.read(IDS[:2], model.zero_state())
    np.testing.assert_allclose(model.read(IDS[2:], state)[0], whole[2:], atol=1e-6)
    side, states = model.zero_state(2), []
    for token in IDS:
        top, side = model.step(np.array([0, token], np.int32), side)
        states.append(top[1])
    np.testing.assert_allclose(states, whole, atol=1e-6)
    assert len(last) == K * model.settings.layers


def test_one_file_holds_them_all(model: LanguageModel, tmp_path: Path) -> None:
    save(model, tmp_path / "m")
    again = load(tmp_path / "m")
    assert score(again, "Todd met Pete") == score(model, "Todd met Pete")
    card = lmtool.load(tmp_path / "m").info()
    assert card["network"]["members"] == K
    assert [row["name"] for row in card["parameters"]].count("2.rnn.weight_hh_l0") == 1


@pytest.mark.parametrize("lie", [-1, 2, K + 1, 2**40])
def test_a_file_cannot_claim_more_networks_than_it_holds(
    model: LanguageModel, tmp_path: Path, lie: int
) -> None:
    save(model, tmp_path / "m")
    claims = object.__new__(LanguageModel)  # the networks are not looked for
    for name in ("vocabulary", "parameters", "provenance", "ngram", "weights", "others", "mixture"):
        object.__setattr__(claims, name, getattr(model, name))
    settings = replace(model.settings)
    object.__setattr__(settings, "members", lie)  # which nobody has checked
    object.__setattr__(claims, "settings", settings)
    save(claims, tmp_path / "m", overwrite=True)
    with pytest.raises(lmtool.ModelFileError):
        lmtool.load(tmp_path / "m")


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    path = tmp_path / "corpus.txt"
    path.write_text("".join(f"{line}\n" for line in LINES * 40))
    return path


@pytest.mark.parametrize("output", ["full", "sampled", "classes"])
def test_each_learns_as_if_it_were_alone(corpus: Path, output: str) -> None:
    options = SMALL | {"output": output, "samples": 4, "dropout": 0.2, "word_drop": 0.1}
    one, two = (
        lmtool.train(corpus, members=n, **options).language_model.parameters for n in (1, 2)
    )
    first, second = two.flat.reshape(2, -1)
    np.testing.assert_allclose(first, one.flat, rtol=1e-3, atol=1e-5)
    assert not np.allclose(first, second, atol=1e-2)


def test_the_mean_is_better_than_its_networks(corpus: Path) -> None:
    lm = lmtool.train(corpus, members=K, **SMALL | {"steps": 60})
    alone = [lmtool.Model(single(lm.language_model, k)).evaluate(corpus) for k in range(K)]
    mean = lm.evaluate(corpus)
    assert mean.log10_p > np.mean([other.log10_p for other in alone])  # Jensen's inequality


def test_threads_do_not_change_a_bit(corpus: Path) -> None:
    one, two, five = (
        lmtool.train(corpus, members=K, threads=n, **SMALL).language_model.parameters.flat.tobytes()
        for n in (1, 2, 5)
    )
    assert one == two == five
