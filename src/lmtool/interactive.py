"""A person at a prompt or in a notebook: Ctrl-C ends a run and loses nothing, a bar shows it.

A notebook's "Stop" is a Ctrl-C. IPython is never imported unless it runs already.
"""

import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from html import escape
from types import FrameType, TracebackType
from typing import TYPE_CHECKING, Any

from lmtool.errors import InterruptionError
from lmtool.settings.shared import reader
from lmtool.training.events import Event, begins

if TYPE_CHECKING:
    from lmtool.training.events import Finished, Note, Planned, Progress, Validated

__all__ = ["Bar", "Interrupts", "attended", "kernel"]

SHELL = "ZMQInteractiveShell"  # of a notebook's kernel, and the base of others' shells

Listener = Callable[[Event], None]
Stop = Callable[[], int]


@contextmanager
def attended(
    on_event: Listener | None, stop: Stop | None, kept: bool
) -> Iterator[tuple[Listener, Stop]]:
    """Who hears of a run, and what ends it: the caller's, or else a notebook's bar and Ctrl-C.

    ``kept`` says whether the run has a file to be saved in; without one Ctrl-C is what it always
    is. In a notebook an InterruptionError shows as its message.
    """
    emit = on_event or (Bar() if kernel() else ignore)
    try:
        with Interrupts(kept and stop is None) as interrupts:
            yield partial(interrupts.listen, emit), stop or interrupts.received
    except InterruptionError as error:
        if kernel():  # which asks an exception for its lines
            message = [f"{type(error).__name__}: {error}"]
            error._render_traceback_ = partial(list, message)  # type: ignore[attr-defined]
        raise


def ignore(event: Event) -> None:
    """Nobody listens."""


def kernel() -> Any:
    """The shell of the notebook that this runs in; None elsewhere."""
    running = sys.modules.get("IPython")
    shell = running.get_ipython() if running else None
    return shell if SHELL in (base.__name__ for base in type(shell).__mro__) else None


class Interrupts:
    """Remembers the first Ctrl-C once training has begun; the second one ends at once.

    Nothing is changed where Ctrl-C would not raise KeyboardInterrupt: elsewhere than in the main
    thread, and where the program handles it already.
    """

    def __init__(self, heeded: bool = True) -> None:
        self._heeded, self._training, self._received = heeded, False, 0

    def __enter__(self) -> "Interrupts":
        alone = threading.current_thread() is threading.main_thread()
        former = signal.getsignal(signal.SIGINT)
        self._heeded = self._heeded and alone and former is signal.default_int_handler
        if self._heeded:
            signal.signal(signal.SIGINT, self._handle)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._heeded:
            signal.signal(signal.SIGINT, signal.default_int_handler)
        if self._received and kind is None:  # it came after the last step
            raise KeyboardInterrupt

    def listen(self, emit: Listener, event: Event) -> None:
        """From the event on with which training begins."""
        self._training = self._training or begins(event)
        emit(event)

    def received(self) -> int:
        """The number of the signal, or 0."""
        return self._received

    def _handle(self, number: int, frame: FrameType | None) -> None:
        if not self._training or self._received:
            signal.default_int_handler(number, frame)
        self._received = number


class Bar:
    """A run as a notebook shows it: the plan, a bar that moves, the best perplexity so far."""

    def __init__(self) -> None:
        self._notes: list[str] = []
        self._share, self._now, self._best = 0.0, "", ""
        self._handle: Any = None

    def __call__(self, event: Event) -> None:
        getattr(self, f"_on_{type(event).__name__.lower()}")(event)
        if self._handle is not None:
            self._handle.update(self)
            return
        from IPython.display import display

        self._handle = display(self, display_id=True)

    def __repr__(self) -> str:
        return ", ".join(filter(None, (f"{self._share:.0%}", self._now, self._best)))

    def _repr_html_(self) -> str:
        notes = "".join(f"<div>{escape(note)}</div>" for note in self._notes)
        bar = f'<progress max="1" value="{self._share:.4f}"></progress>'
        return f"{notes}<div>{bar} {escape(repr(self))}</div>"

    def _on_planned(self, event: "Planned") -> None:
        network = event.network
        self._notes.append(
            f"{'; '.join(event.talk)};"
            f" {reader(network)} {network.layers} x {network.hidden},"
            f" {event.n_parameters:,} parameters"
        )

    def _on_note(self, event: "Note") -> None:
        self._notes.append(f"note: {event.message}")

    def _on_progress(self, event: "Progress") -> None:
        self._share = event.step / max(event.steps, event.step)
        self._now = (
            f"epoch {event.epoch:.2f}, loss {event.loss:.3f},"
            f" {event.tokens_per_second:,.0f} tokens/s, {event.seconds_left:,.0f} s left"
        )

    def _on_validated(self, event: "Validated") -> None:
        if event.best:
            self._best = f"validation {in_words(event.measures)}"

    def _on_finished(self, event: "Finished") -> None:
        self._share, self._now = 1.0, f"{event.steps:,} steps in {event.seconds:,.0f} s"
        self._best = in_words(event.measures)


def in_words(measures: dict[str, float]) -> str:
    """``perplexity 85.25``."""
    return ", ".join(f"{name.replace('_', ' ')} {value:.2f}" for name, value in measures.items())
