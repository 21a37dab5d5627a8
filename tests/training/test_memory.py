"""A run that does not fit into memory is refused before it takes any."""

import tracemalloc
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import lmtool
from lmtool.kinds.base import Memory
from lmtool.kinds.memory import COMPILED, forecast_memory
from lmtool.kinds.sizes import plan
from lmtool.settings import ModelSettings, TrainSettings
from lmtool.training import memory
from lmtool.training.events import Finished
from lmtool.training.memory import free_memory

LINES = [f"w{i} w{i * 7 % 3000} w{i * 13 % 3000} w{i % 11}" for i in range(3000)]


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    path = tmp_path / "corpus.txt"
    path.write_text("".join(f"{line}\n" for line in LINES))
    return path


@pytest.mark.parametrize(
    "options",
    [
        {"hidden": 128, "output": "full"},
        {"hidden": 256, "output": "sampled", "samples": 512, "members": 2, "dropout": 0.2},
        {"cell": "gru", "hidden": 192, "output": "classes", "layers": 2},
    ],
)
def test_the_forecast_is_what_a_run_takes(corpus: Path, options: dict[str, Any]) -> None:
    shape = {"steps": 3, "embed": 128, "batch": 256, "bptt": 20, "shards": 2, "threads": 2}
    asked: dict[str, Any] = shape | options
    lmtool.train(corpus, **asked)  # kernels are compiled, modules loaded
    tracemalloc.start()
    try:
        model = lmtool.train(corpus, **asked)
        _, taken = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    names = TrainSettings.__slots__
    recipe = TrainSettings(**{k: v for k, v in asked.items() if k in names})
    expected = forecast_memory(
        model.language_model.settings, recipe, model.language_model.vocabulary.n_tokens
    )
    assert 0.8 * taken < expected.held - COMPILED + expected.step < 1.5 * taken


def test_more_of_anything_takes_more() -> None:
    network, recipe = plan(
        ModelSettings(hidden=64, embed=32, members=2), TrainSettings(steps=9), 10**6, 10**4
    )
    least = forecast_memory(network, recipe, 10**4)

    def more(**options: int) -> Memory:
        sizes = {k: v for k, v in options.items() if k in ModelSettings.__slots__}
        others = {k: v for k, v in options.items() if k not in sizes and k != "V"}
        sized, timed = replace(network, **sizes), replace(recipe, **others)  # type: ignore[arg-type]
        return forecast_memory(sized, timed, options.get("V", 10**4))

    for options in ({"hidden": 640}, {"embed": 320}, {"layers": 9}, {"members": 9}, {"V": 10**5}):
        assert more(**options).held > least.held and more(**options).saved > least.saved
    for options in ({"batch": 3200}, {"bptt": 2000}):
        assert more(**options).step > least.step and more(**options).saved == least.saved


@pytest.mark.parametrize(
    "options", [{"hidden": 100_000}, {"hidden": 1000, "layers": 100, "members": 100}]
)
@pytest.mark.parametrize("command", [lmtool.train, lmtool.plan])
def test_what_does_not_fit_is_refused(corpus: Path, command: Any, options: dict[str, int]) -> None:
    with pytest.raises(lmtool.ConfigError, match=r"GB are free: .*hidden"):
        command(corpus, **options)


def test_the_part_that_is_too_large_is_named(corpus: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "free_memory", lambda: 3e8)
    with pytest.raises(lmtool.ConfigError, match=r"0\.3 GB are free: .*batch or bptt"):
        lmtool.train(corpus, steps=1, hidden=64, batch=3000, bptt=30)


@pytest.mark.parametrize("version", [1, 2])
def test_limits_of_the_system(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, version: int
) -> None:
    proc, groups = tmp_path / "proc", tmp_path / "cgroup"
    monkeypatch.setattr(memory, "PROC", proc)
    monkeypatch.setattr(memory, "CGROUPS", groups)
    monkeypatch.setattr(memory, "address_space", lambda: iter(()))
    assert free_memory() == float("inf")
    (proc / "self").mkdir(parents=True)
    (proc / "meminfo").write_text("MemTotal: 9000 kB\nMemAvailable: 5000 kB\nSwapFree: 1000 kB\n")
    assert free_memory() == 6000 * 1024
    line, root = [("4:memory:/a/b", groups / "memory"), ("0::/a/b", groups)][version - 1]
    (proc / "self/cgroup").write_text(f"3:cpuset:/\n{line}\n")
    assert free_memory() == 6000 * 1024
    most, used, back = memory.LIMITS[2 - version]
    (root / "a/b").mkdir(parents=True)
    (root / "a/b" / most).write_text("max\n")
    (root / "a/b" / used).write_text("100\n")
    assert free_memory() == 6000 * 1024
    (root / "a" / most).write_text("4000\n")
    (root / "a" / used).write_text("1000\n")
    (root / "a/memory.stat").write_text(f"anon 7\n{back} 500\n")
    assert free_memory() == 3500


@pytest.mark.parametrize(
    "options",
    [{"batch": 1_000_000, "bptt": 1}, {"batch": 10_001}, {"batch": 5000, "bptt": 100}],
)
def test_a_step_does_not_read_the_text_again_and_again(options: dict[str, int]) -> None:
    with pytest.raises(lmtool.ConfigError, match=r"batch.*10,000"):
        plan(ModelSettings(), TrainSettings(**options), 10_000, 100)  # type: ignore[arg-type]


def test_what_is_planned_may_be_asked_for() -> None:
    for n_tokens in (2, 3, 10, 100, 501, 5001, 10**6):
        network, recipe = plan(ModelSettings(), TrainSettings(), n_tokens, 2)
        assert plan(network, recipe, n_tokens, 2) == (network, recipe)


def test_a_run_of_a_few_steps_has_a_speed(corpus: Path) -> None:
    for steps in (1, 3, 5):
        events: list[Any] = []
        lmtool.train(corpus, steps=steps, hidden=8, on_event=events.append)
        (finished,) = (event for event in events if isinstance(event, Finished))
        assert finished.tokens_per_second > 0
