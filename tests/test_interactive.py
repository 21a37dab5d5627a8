"""A person at a prompt: Ctrl-C saves a run, a notebook shows it."""

import signal
import subprocess
import sys
import threading
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

import lmtool
from lmtool.interactive import Bar, Interrupts, kernel
from lmtool.training.events import Event, Note, Planned, Progress

LINES = ["Todd met Pete", "Pete met Todd", "the cat saw the dog", "the dog saw Todd"] * 30
SMALL: dict[str, Any] = {"steps": 40, "hidden": 8, "embed": 8, "batch": 4, "bptt": 7}

PROGRAM = """
import lmtool, os, signal, sys
from lmtool.training.events import Planned, Progress, Validated

kills = int(sys.argv[1])
def kill(event):
    global kills
    while not isinstance(event, Planned) and kills:
        kills -= 1
        os.kill(os.getpid(), signal.SIGINT)

lines = ["Todd met Pete", "Pete met Todd"] * 60
options = dict(steps=10**6, hidden=8, embed=8, batch=4, bptt=7, model="m", on_event=kill)
try:
    lmtool.train(sentences=lines, **options)
except lmtool.InterruptionError as error:
    print("InterruptionError", error.signal, error)
except KeyboardInterrupt:
    print("KeyboardInterrupt")
print(signal.getsignal(signal.SIGINT) is signal.default_int_handler)
"""


def interrupted(folder: Path, kills: int) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(kills)],
        cwd=folder, capture_output=True, text=True, timeout=120, check=True,
        env={"PYTHONPATH": str(Path(lmtool.__file__).parents[1])},
    )  # fmt: skip
    return done.stdout.splitlines()


def test_ctrl_c_saves_the_run(tmp_path: Path) -> None:
    said, restored = interrupted(tmp_path, kills=1)
    assert said.startswith("InterruptionError 2 stopped after step ")
    assert said.endswith("; lmtool.resume('m', sentences=...) continues it")
    assert restored == "True"
    assert [path.name for path in tmp_path.iterdir()] == ["m.resume"]


def test_a_second_ctrl_c_ends_at_once(tmp_path: Path) -> None:
    assert interrupted(tmp_path, kills=2) == ["KeyboardInterrupt", "True"]
    assert list(tmp_path.iterdir()) == []


def progress() -> Progress:
    return Progress(10, 40, 0.25, 4.5, 12345.0, 3.0, 27.0, 0.004)


def planned() -> Planned:
    settings = lmtool.ModelSettings(hidden=8)
    return Planned(
        settings, lmtool.TrainSettings(), "language model", ["30 <b>"], 30, 1234, "train"
    )


def ignored(event: Event) -> None:
    """Nobody listens."""


def test_before_the_run_ctrl_c_is_what_it_always_is() -> None:
    with pytest.raises(KeyboardInterrupt), Interrupts():
        signal.raise_signal(signal.SIGINT)


def test_one_that_comes_after_the_last_step_is_not_lost() -> None:
    with pytest.raises(KeyboardInterrupt), Interrupts() as interrupts:
        interrupts.listen(ignored, planned())
        signal.raise_signal(signal.SIGINT)
        assert interrupts.received() == signal.SIGINT
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_a_program_keeps_its_own_handler(monkeypatch: pytest.MonkeyPatch) -> None:
    former = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with Interrupts():
            assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
        assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGINT, former)


def test_another_thread_trains_as_well(tmp_path: Path) -> None:
    trained: list[lmtool.Model] = []
    work = threading.Thread(
        target=lambda: trained.append(lmtool.train(sentences=LINES, model=tmp_path / "m", **SMALL))
    )
    work.start()
    work.join()
    assert len(trained) == 1


def test_one_with_a_stop_of_its_own_is_left_alone(tmp_path: Path) -> None:
    seen: list[Any] = []

    def stop() -> int:
        seen.append(signal.getsignal(signal.SIGINT))
        return 0

    lmtool.train(sentences=LINES, model=tmp_path / "m", stop=stop, **SMALL)
    assert set(seen) == {signal.default_int_handler}


class ZMQInteractiveShell:
    """Stands for the shell of a notebook's kernel."""


class Shell(ZMQInteractiveShell):
    """A service's own."""


class TerminalInteractiveShell:
    """IPython on a terminal."""


class Screen:
    """What a notebook shows: one cell, drawn again and again."""

    def __init__(self) -> None:
        self.drawn: list[str] = []

    def display(self, thing: Any, display_id: bool) -> "Screen":
        assert display_id
        self.update(thing)
        return self

    def update(self, thing: Any) -> None:
        self.drawn.append(thing._repr_html_())


def pretend(patch: pytest.MonkeyPatch, shell: Any) -> Screen:
    """An IPython in which this runs."""
    screen, running, display = Screen(), ModuleType("IPython"), ModuleType("IPython.display")
    running.get_ipython = lambda: shell  # type: ignore[attr-defined]
    display.display = screen.display  # type: ignore[attr-defined]
    patch.setitem(sys.modules, "IPython", running)
    patch.setitem(sys.modules, "IPython.display", display)
    return screen


@pytest.mark.parametrize("shell", [ZMQInteractiveShell(), Shell()])
def test_a_notebook_shows_a_bar(monkeypatch: pytest.MonkeyPatch, shell: Any) -> None:
    screen = pretend(monkeypatch, shell)
    lmtool.train(sentences=LINES, **SMALL)
    assert len(screen.drawn) > 2
    assert "tokens to train on" in screen.drawn[0]
    assert '<progress max="1" value="1.0000">' in screen.drawn[-1]
    assert "40 steps" in screen.drawn[-1] and "valid perplexity" in screen.drawn[-1]


@pytest.mark.parametrize("shell", [None, TerminalInteractiveShell(), SimpleNamespace()])
def test_no_bar_elsewhere(monkeypatch: pytest.MonkeyPatch, shell: Any) -> None:
    screen = pretend(monkeypatch, shell)
    lmtool.train(sentences=LINES, **SMALL)
    assert kernel() is None and screen.drawn == []


def test_whoever_listens_sees_no_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = pretend(monkeypatch, ZMQInteractiveShell())
    lmtool.train(sentences=LINES, on_event=ignored, **SMALL)
    assert screen.drawn == []


def test_the_bar_is_nothing_but_text() -> None:
    bar = Bar()
    bar._handle = SimpleNamespace(update=lambda thing: None)
    for event in (planned(), Note("<script>"), progress()):
        bar(event)
    assert "<script>" not in bar._repr_html_() and "&lt;script&gt;" in bar._repr_html_()
    assert repr(bar) == "25%, epoch 0.25, loss 4.500, 12,345 tokens/s, 27 s left"


@pytest.mark.parametrize("notebook", [True, False])
def test_an_interruption_is_one_line_in_a_notebook(
    notebook: bool, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    pretend(monkeypatch, ZMQInteractiveShell() if notebook else None)
    with pytest.raises(lmtool.InterruptionError) as stopped:
        lmtool.train(sentences=LINES, model=tmp_path / "m", stop=lambda: 2, **SMALL)
    lines: list[str] = getattr(stopped.value, "_render_traceback_", list)()
    assert lines == [f"InterruptionError: {stopped.value}"] * notebook
