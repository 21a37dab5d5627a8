"""What training says: live on a terminal, one line per validation in a pipe, JSON in a log."""

import io
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, fields
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

from lmtool.cli.render import clock, json_line
from lmtool.cli.terminal import console, harmless, is_terminal, talk

if TYPE_CHECKING:
    from lmtool.training.events import Event, Finished, Note, Planned, Progress, Validated

__all__ = ["Live", "Plain", "Quiet", "listener", "log_to", "measured", "note_on_kernels"]

NARROW = 90  # columns of a terminal below which the live line leaves numbers out


class Quiet:
    """Says nothing, and keeps the last event for the summary."""

    finished: "Finished | None" = None

    def __enter__(self) -> "Quiet":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Nothing to put away."""

    def __call__(self, event: "Event") -> None:
        react: Any = getattr(self, f"on_{type(event).__name__.lower()}", None)
        if react:
            react(event)

    def on_finished(self, event: "Finished") -> None:
        self.finished = event

    def say(self, line: str) -> None:
        """One line of talk."""


class Plain(Quiet):
    """The plan, a line per validation, the end."""

    def say(self, line: str) -> None:
        talk(line)

    def on_note(self, event: "Note") -> None:
        self.say(f"note: {event.message}")

    def on_planned(self, event: "Planned") -> None:
        for line in plan_lines(event):
            self.say(line)

    def on_validated(self, event: "Validated") -> None:
        self.say(
            f"epoch {event.epoch:.2f}  step {event.step}"
            f"  validation {measured(event.measures)}"
            f"  {clock(event.seconds)}{'  best' * event.best}"
        )


class Live(Plain):
    """As Plain, with a line that follows the training."""

    def __enter__(self) -> "Live":
        from rich.progress import BarColumn, TextColumn
        from rich.progress import Progress as Bar

        screen = console(sys.stderr)
        wide = "epoch {task.fields[epoch]}  {task.fields[speed]} tokens/s  loss {task.fields[loss]}"
        wide += "  validation {task.fields[best]}  {task.fields[left]} left"
        narrow = "{task.fields[epoch]}  {task.fields[best]}  {task.fields[left]}"
        text = TextColumn(narrow if screen.width < NARROW else wide, markup=False)
        self.bar = Bar(BarColumn(20), text, console=screen, transient=True)
        blank: dict[str, Any] = dict.fromkeys(("epoch", "speed", "loss", "best", "left"), "-")
        self.task = self.bar.add_task("training", total=None, visible=False, **blank)
        self.bar.start()
        return self

    def __exit__(self, *failure: Any) -> None:
        self.bar.stop()

    def say(self, line: str) -> None:
        self.bar.console.print(harmless(line), soft_wrap=True)

    def on_progress(self, event: "Progress") -> None:
        self.bar.update(
            self.task,
            completed=event.step,
            total=max(event.steps, event.step),
            visible=True,
            epoch=f"{event.epoch:.2f}",
            speed=f"{event.tokens_per_second:,.0f}",
            loss=f"{event.loss:.3f}",
            left=clock(event.seconds_left),
        )

    def on_validated(self, event: "Validated") -> None:
        super().on_validated(event)
        self.bar.update(self.task, best=measured(event.measures, 1))


def note_on_kernels(quiet: bool = False) -> None:
    """Says where kernels have to be compiled anew each time."""
    from lmtool.kernel_cache import problem
    from lmtool.nn import kernels

    if not quiet and (reason := problem(kernels.__file__)):
        talk(f"note: compiled kernels are not kept ({reason}): this start takes some seconds more")


def listener(quiet: bool) -> Quiet:
    """Who listens: nobody, a person, or a file."""
    if quiet:
        return Quiet()
    return Live() if is_terminal(sys.stderr) else Plain()


def plan_lines(event: "Planned") -> Iterator[str]:
    """The choices that follow the corpus, as a reader would say them."""
    network, recipe = event.network, event.recipe
    stream = (recipe.bptt or 1) > 1
    bptt = f" x {recipe.bptt}" * stream
    along = f", {recipe.output} softmax, {recipe.context} context" * stream
    for line in event.talk:
        yield f"{'corpus':9} {line}"
    several = f"mean of {network.members} networks: " if (network.members or 1) > 1 else ""
    yield f"model     {several}{network}: {event.n_parameters:,} parameters"
    yield (
        f"training  {budget(event)}, batch {recipe.batch}{bptt}, {recipe.optimizer}"
        f" {recipe.lr:g}, dropout {recipe.dropout:g}{along}, seed {recipe.seed}"
    )
    yield f"the same  {event.command}"


def measured(measures: dict[str, float], digits: int = 2) -> str:
    """``perplexity 85.25``."""
    named = ((name.replace("_", " "), value) for name, value in measures.items())
    return ", ".join(f"{name} {value:.{digits}f}" for name, value in named)


def budget(event: "Planned") -> str:
    """How long training goes on."""
    recipe = event.recipe
    if recipe.seconds:
        return clock(recipe.seconds)
    return f"{recipe.steps:,} steps" if recipe.steps else f"{recipe.epochs:g} epochs"


class Log:
    """Grows by one JSON line per event; where it cannot, it says so once, and the run goes on."""

    def __init__(self, path: Path, file: io.FileIO) -> None:
        self._path, self._file, self._whole = path, file, True

    def __call__(self, event: "Event") -> None:
        if not self._whole:
            return
        start, line = os.fstat(self._file.fileno()).st_size, f"{log_line(event)}\n".encode()
        try:
            self._whole = self._file.write(line) == len(line)
            problem = "no room for a whole line"
        except OSError as error:
            self._whole, problem = False, error.strerror or str(error)
        if not self._whole:
            with suppress(OSError):  # no half lines; a pipe has no length
                self._file.truncate(start)
            talk(f"note: {self._path}: the log ends here ({problem}); training goes on")


@contextmanager
def log_to(path: Path | None) -> Iterator[Log | None]:
    """A log that events are given to; none without a path. Raises OSError."""
    if path is None:
        yield None
        return
    with open(path, "ab", buffering=0) as file:
        yield Log(path, file)


def log_line(event: "Event") -> str:
    """``{"event": "validated", "step": ...}``."""
    values = {field.name: getattr(event, field.name) for field in fields(event)}
    values |= values.pop("measures", {})
    nested = {k: asdict(v) if hasattr(v, "__dataclass_fields__") else v for k, v in values.items()}
    return json_line({"event": type(event).__name__.lower(), **nested})
