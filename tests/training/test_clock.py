"""A run against the clock, and the command that repeats it."""

import math
import shlex
import time
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import lmtool
from lmtool.cli.app import main
from lmtool.errors import ConfigError
from lmtool.kinds.sizes import BUDGETS, SEVERAL, Drops, drops_for, finish_cost, plan
from lmtool.settings import ModelSettings, TrainSettings
from lmtool.training.clock import (
    AROUND,
    SPARE,
    Pace,
    horizon,
    left,
    seconds_to_go,
    settle,
    speed,
    steps_left,
    updated,
    validates,
)
from lmtool.training.ranks import ALONE
from lmtool.training.run import Timer
from lmtool.training.schedules import DECAY, learning_rate
from lmtool.workers import n_cores

LINES = ("Todd met Pete", "Pete met Todd", "the cat saw the dog", "the dog saw Todd") * 12


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    path = tmp_path / "corpus.txt"
    path.write_text("".join(f"{line}\n" for line in LINES))
    return path


def state(step: int, elapsed: float, finish: float = 0.0) -> tuple[Any, Any]:
    """A session of 100 s and a run at 10 steps a second."""
    recipe = TrainSettings(seconds=100.0, output="sampled", samples=100, finish=finish)
    session = SimpleNamespace(
        recipe=recipe,
        budget=100.0,
        elapsed=lambda: elapsed,
        kind=SimpleNamespace(),
        settings=None,
        parts=None,
        ranks=ALONE,
    )
    timer = Timer(training_seconds=step / 10, timed_steps=step)
    parameters = SimpleNamespace(flat=SimpleNamespace(nbytes=0))
    run = SimpleNamespace(
        step=step, steps=math.inf, timer=timer, validated=0, parameters=parameters
    )
    return session, run


FREE = Pace(step=0.1, last=0.1, validation=1e-9, other=1e-9)
NEVER = 10**6
ALL = 100 * (1 - SPARE) - AROUND  # seconds


def test_the_horizon_is_what_fits() -> None:
    assert horizon(*state(100, 10.0), NEVER, FREE) == pytest.approx(10 * ALL, abs=2)
    # at the end a validation of 5 s and one of 7 s, on the way one more
    pace = Pace(step=0.1, last=0.1, validation=5.0, other=7.0)
    assert horizon(*state(100, 10.0), 500, pace) == pytest.approx(10 * (ALL - 17), abs=2)


@given(
    step=st.integers(0, 2000),
    every=st.integers(1, 2000),
    finish=st.floats(0, 1),
    seconds=st.tuples(*[st.floats(0.01, 30)] * 4),
)
def test_no_run_that_fits_is_longer(
    step: int, every: int, finish: float, seconds: tuple[float, ...]
) -> None:
    session, run = state(step, 10.0, finish)
    usual, last, validation, other = seconds
    pace = Pace(usual, usual + last, validation, other)
    steps = horizon(session, run, every, pace)
    now = updated(session, run, pace)
    costs = [seconds_to_go(session, run, n, every, now) for n in (steps, steps + 1)]
    assert costs[1] > left(session, run) and (costs[0] <= left(session, run) or steps == step)


def test_the_run_knows_its_pace_better() -> None:
    session, run = state(100, 10.0)
    run.timer.training_seconds = 12.5
    pace = Pace(step=0.25, last=0.5, validation=2.0, other=3.0)
    assert updated(session, run, pace) == Pace(0.125, 0.25, validation=2.0, other=3.0)
    run.timer.validation_seconds = 8.0
    assert updated(session, run, pace) == Pace(0.125, 0.25, validation=8.0, other=12.0)
    run.timer.training_seconds = 0.1  # all in one bad moment, perhaps
    assert updated(session, run, pace).step == pace.step


def test_the_last_steps_take_longer() -> None:
    session, run = state(100, 10.0, finish=0.2)
    pace = replace(FREE, last=0.3)
    steps = horizon(session, run, NEVER, pace)
    assert 0.8 * steps + 0.2 * steps * 3 == pytest.approx(10 * ALL, abs=3)
    assert steps_left(session, run, steps, pace) == pytest.approx(10 * ALL - 100, abs=3)
    run.step = steps - 3
    assert steps_left(session, run, steps, pace) == pytest.approx(9)
    cost = finish_cost(ModelSettings(embed=64, hidden=64), "sampled", 10_000, 100)
    session.kind.dearer = lambda settings, recipe, parts: cost
    assert cost == pytest.approx((2 * 64 * 4 * 64 + 64 * 10_000) / (2 * 64 * 4 * 64 + 64 * 100))
    assert steps_left(session, run, steps, None) == pytest.approx(3 * cost)


def test_the_length_is_fixed_when_the_rate_must_fall() -> None:
    for step in (100, round(970 * (1 - DECAY))):
        session, run = state(step, step / 10)
        settle(session, run, NEVER, FREE)
        assert math.isinf(run.steps)
    falls = math.ceil(10 * ALL * (1 - DECAY))
    session, run = state(falls, falls / 10)
    settle(session, run, NEVER, FREE)
    assert run.steps == pytest.approx(10 * ALL, abs=2)


def test_a_stall_does_not_put_past_steps_into_the_decay() -> None:
    session, run = state(600, 95.0)
    settle(session, run, NEVER, FREE)
    assert learning_rate(run.step - 1, run.steps, 1.0) == 1.0
    assert learning_rate(run.step + 2, run.steps, 1.0) < 1.0


def test_no_validation_shortly_before_the_end() -> None:
    run: Any = SimpleNamespace(step=100, steps=math.inf)
    assert validates(run, 50)
    run.steps = 110
    assert not validates(run, 50)
    run.step = 110
    assert validates(run, 50)


@pytest.mark.parametrize("output", ["full", "sampled"])
def test_the_printed_command_repeats_the_run_bit_for_bit(
    corpus: Path, tmp_path: Path, output: str
) -> None:
    first, second = tmp_path / "first.safetensors", tmp_path / "second.safetensors"
    began = time.monotonic()
    drops: dict[str, Any] = {"dropout": 0.3, "word_drop": 0.1, "drop_warmup": 40}
    options: dict[str, Any] = {"seconds": 3.0, "hidden": 16, "output": output, "finish": 0.1}
    lm = lmtool.train(corpus, model=first, **options, **drops)
    took = time.monotonic() - began
    words = shlex.split(lm.provenance["command"])
    words[words.index(str(first))] = str(second)
    assert main([*words[1:], "--quiet"]) == 0
    again = lmtool.load(second)
    assert again.language_model.parameters.flat.tobytes() == (
        lm.language_model.parameters.flat.tobytes()
    )
    assert took < 30  # not a timing of the machine: that the clock ends the run at all


def test_more_time_buys_a_larger_model_and_more_dropout() -> None:
    plans = [
        plan(ModelSettings(), TrainSettings(seconds=seconds), 10**6, 10**4, speed=1e11)
        for seconds in (10, 60, 300, 1500, 3600, 36_000)
    ]
    sizes = [(network.members or 0, network.hidden or 0) for network, _ in plans]
    assert sizes == sorted(sizes)
    assert {members for members, _ in sizes} == {members for members, _ in SEVERAL}
    assert {hidden for _, hidden in sizes} <= {fit.hidden for fit in BUDGETS}
    assert drops_for(0.1, 10**4) == Drops(0.0)
    assert drops_for(2, 10**4) == Drops(0.12, 0.0, 0.0)
    assert drops_for(8, 10**4) == Drops(0.32, 0.2, 0.12, 0.02)
    assert drops_for(8, 65) == Drops(0.32, 0.2, 0.0, 0.02)
    assert drops_for(10**6, 10**4) == Drops(0.5, 0.5, 0.5, 0.02)
    for _, recipe in plans:
        assert recipe.dropout is not None and recipe.weight_drop is not None
        assert recipe.dropout >= recipe.weight_drop >= 0
        assert recipe.drop_warmup is not None and recipe.drop_warmup > 0


def test_a_window_is_as_wide_as_its_words_and_learns_slowly() -> None:
    recipe = TrainSettings(seconds=60)
    lstm, fast = plan(ModelSettings(), recipe, 10**6, 10**4, speed=1e11)
    window, slow = plan(ModelSettings(cell="window"), recipe, 10**6, 10**4, speed=1e11)
    assert lstm.hidden is not None and lstm.embed is not None and lstm.embed < lstm.hidden
    assert window.embed == window.hidden
    assert fast.lr is not None and slow.lr is not None and slow.lr < fast.lr / 2
    same = TrainSettings(epochs=1)
    assert plan(ModelSettings(cell="window"), same, 10**6, 10**4)[1].lr == pytest.approx(
        plan(ModelSettings(), same, 10**6, 10**4)[1].lr
    )


def test_only_the_sampled_softmax_asks_targets_to_lead(tmp_path: Path) -> None:
    path = tmp_path / "text.txt"
    path.write_text("Todd met Pete\n" * 40)
    with pytest.raises(ConfigError, match="is for the sampled softmax; leave it out, or give"):
        lmtool.plan(path, output="full", margin=0.1)
    assert lmtool.plan(path, output="sampled", margin=0.1).recipe.margin == 0.1
    assert lmtool.plan(path).recipe.margin == 0


def test_how_many_networks_can_be_said_and_is_one_without_a_clock() -> None:
    for asked in (1, 2, 3):
        network = ModelSettings(members=asked)
        planned, recipe = plan(network, TrainSettings(seconds=3600), 10**6, 10**4, speed=1e11)
        assert planned.members == asked
        assert asked * (recipe.shards or 0) % min(n_cores(), 2) == 0 or n_cores() == 1
    for n_tokens in (50, 10**6):
        assert plan(ModelSettings(), TrainSettings(), n_tokens, 40)[0].members == 1
    recipe = TrainSettings(seconds=3600)
    assert plan(ModelSettings(), recipe, 5000, 400, speed=1e11)[0].members == 1  # too small a text
    assert plan(ModelSettings(), recipe, 10**9, 10**4, speed=1e11)[0].members == 1  # too large


def test_speed_is_a_speed() -> None:
    assert 1e8 < speed(1) < 1e14


def test_plan_writes_nothing_and_tells_what_train_would_do(corpus: Path) -> None:
    before = sorted(corpus.parent.iterdir())
    forecast = lmtool.plan(corpus, steps=50, hidden=16)
    assert (forecast.steps, forecast.network.hidden) == (50, 16)
    assert forecast.tokens_per_second > 0 and forecast.memory_mb > 0
    assert sorted(corpus.parent.iterdir()) == before


@pytest.mark.parametrize("slower", [1, 4])
def test_dropout_follows_the_speed_that_was_measured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, slower: int
) -> None:
    path = tmp_path / "long.txt"
    path.write_text("".join(f"{line}\n" for line in LINES) * 300)
    pace = Pace(slower * 0.002, slower * 0.003, validation=slower * 0.5, other=slower * 0.5)
    monkeypatch.setattr("lmtool.training.beginning.measured", lambda session, parameters: pace)
    forecast = lmtool.plan(path, seconds=60, hidden=8, members=1)
    recipe, passes = forecast.recipe, forecast.epochs
    assert recipe.drop_warmup == pytest.approx(2 / 3 * forecast.steps, rel=0.05)
    shares = Drops(*(getattr(recipe, name) for name in Drops._fields))
    assert shares == pytest.approx(drops_for(passes, forecast.n_outputs), abs=0.02)
    given = lmtool.plan(path, seconds=60, hidden=8, dropout=0.07, drop_warmup=3).recipe
    assert (given.dropout, given.drop_warmup) == (0.07, 3)
