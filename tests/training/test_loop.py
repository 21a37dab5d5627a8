"""Training: the same bits for any number of threads, and it learns."""

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import lmtool
from lmtool.kinds.sizes import plan
from lmtool.nn.outputs import OUTPUTS
from lmtool.settings import ModelSettings, TrainSettings, without_foreign
from lmtool.training.schedules import DECAY, drop_warmup, learning_rate

LINES = ("Todd met Pete", "Pete met Todd", "the cat saw the dog", "the dog saw Todd") * 12


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    path = tmp_path / "corpus.txt"
    path.write_text("".join(f"{line}\n" for line in LINES))
    return path


@pytest.mark.parametrize("output", OUTPUTS)
@pytest.mark.parametrize("optimizer", ["adam", "sgd"])
def test_threads_do_not_change_a_bit(corpus: Path, output: str, optimizer: str) -> None:
    one, two, again = (
        lmtool.train(
            corpus, steps=20, hidden=16, batch=7, bptt=5, dropout=0.2, shards=3,
            output=output, optimizer=optimizer, threads=threads,
        ).language_model.parameters.flat
        for threads in (1, 2, 3)
    )  # fmt: skip
    assert one.tobytes() == two.tobytes() == again.tobytes()


def test_the_last_steps_may_take_the_full_softmax(corpus: Path) -> None:
    full, finished, half, sampled = (
        lmtool.train(corpus, steps=8, hidden=8, samples=3, output=output, finish=finish)
        .language_model.parameters.flat
        for output, finish in (("full", 0), ("sampled", 1), ("sampled", 0.5), ("sampled", 0))
    )  # fmt: skip
    assert np.array_equal(full, finished)
    assert len({x.tobytes() for x in (full, half, sampled)}) == 3


def test_the_curve_of_a_long_run_is_thinned(corpus: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lmtool.training.loop.MOST_POINTS", 4)
    lm = lmtool.train(corpus, valid=corpus, steps=120, hidden=4, batch=4, bptt=10, lr=1e-3)
    steps = [point["step"] for point in lm.provenance["curve"]]
    assert len(steps) <= 4 and steps[-1] == 120 and steps == sorted(set(steps))


def test_another_seed_gives_another_model(corpus: Path) -> None:
    one, two = (
        lmtool.train(corpus, steps=3, hidden=8, seed=seed).language_model.parameters.flat
        for seed in (1, 2)
    )
    assert not np.array_equal(one, two)


@pytest.mark.parametrize("cell", ["lstm", "gru", "rnn"])
def test_four_lines_are_learnt(corpus: Path, cell: str) -> None:
    lm = lmtool.train(corpus, cell=cell, steps=300, hidden=32, batch=4, bptt=10, lr=0.01)
    assert lm.evaluate(corpus).perplexity < 3
    assert lm.score("Todd met Pete").log10_p > lm.score("Pete Pete met").log10_p + 2


def test_schedule_ends_at_zero_and_does_not_know_the_end_before_it_falls() -> None:
    rates = [learning_rate(step, 1000, 1.0) for step in range(1001)]
    falls = round(1000 * (1 - DECAY))
    assert rates[:falls] == [learning_rate(step, math.inf, 1.0) for step in range(falls)]
    assert (max(rates), rates[falls - 1], rates[-1]) == (1.0, 1.0, 0.0)
    assert rates[falls:] == sorted(rates[falls:], reverse=True)


def test_dropout_grows_from_nothing(corpus: Path) -> None:
    assert [drop_warmup(step, 4) for step in range(6)] == [0, 0.25, 0.5, 0.75, 1, 1]
    assert drop_warmup(0, 0) == 1

    def trained(steps: int, **drops: Any) -> Any:
        lm = lmtool.train(corpus, steps=steps, hidden=8, **drops)
        return lm.language_model.parameters.flat

    drops = {"dropout": 0.5, "weight_drop": 0.5, "word_drop": 0.5, "drop_warmup": 1}
    assert np.array_equal(trained(1, **drops), trained(1, dropout=0.0))
    assert not np.array_equal(trained(2, **drops), trained(2, dropout=0.0))


def test_plan_leaves_nothing_open() -> None:
    sizes = []
    for n_tokens in (2, 100, 10_000, 1_000_000, 10**9):
        asked = without_foreign(TrainSettings(), "language model")
        network, recipe = plan(ModelSettings(), asked, n_tokens, min(10_000, n_tokens))
        open_ = {name for name in recipe.__slots__ if getattr(recipe, name) is None}
        assert open_ == {"steps", "seconds", "ngram", "prune", "vectors"}  # no more than a budget
        sizes.append((network.hidden, recipe.batch))
    assert sizes == sorted(sizes)


def test_relu_that_explodes_is_a_training_error(corpus: Path) -> None:
    with pytest.raises(lmtool.TrainingError, match="blew up"):
        lmtool.train(
            corpus, cell="rnn", activation="relu", optimizer="sgd", lr=1e6, clip=1e6, steps=200
        )
