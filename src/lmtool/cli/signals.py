"""Ctrl-C, SIGTERM, a terminal that closes: finish the step, save, stop."""

import signal
import threading
from types import FrameType, TracebackType
from typing import Any

from lmtool.training.events import Event, begins

__all__ = ["Signals"]

NAMES = ("SIGINT", "SIGTERM", "SIGHUP")  # the last is not known to Windows
HANDLED = tuple(getattr(signal, name) for name in NAMES if hasattr(signal, name))


class Signals:
    """Remembers the first signal once training has begun; the second one ends at once."""

    def __init__(self) -> None:
        self._training, self._received = False, 0
        self._former: dict[signal.Signals, Any] = {}

    def __enter__(self) -> "Signals":
        if threading.current_thread() is threading.main_thread():  # nobody else may
            heeded = [n for n in HANDLED if signal.getsignal(n) != signal.SIG_IGN]  # nohup
            self._former = {number: signal.signal(number, self._handle) for number in heeded}
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for number, former in self._former.items():
            signal.signal(number, former)

    def on_event(self, event: Event) -> None:
        """From the event on with which training begins."""
        self._training = self._training or begins(event)

    def received(self) -> int:
        """The number of the signal, or 0."""
        return self._received

    def _handle(self, number: int, frame: FrameType | None) -> None:
        if self._training and not self._received:
            self._received = number
            return
        signal.signal(number, signal.SIG_DFL)
        if number == signal.SIGINT:
            raise KeyboardInterrupt
        raise SystemExit(128 + number)
