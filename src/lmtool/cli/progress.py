"""What training says: live on a terminal, one line per validation in a pipe, JSON in a log."""

import io
import os
import sys
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, fields
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

from lmtool.cli.layout import folded
from lmtool.cli.render import clock, decimals, json_line
from lmtool.cli.terminal import console, harmless, is_terminal, talk
from lmtool.display import counted

if TYPE_CHECKING:
    from lmtool.training.events import Event, Finished, Note, Planned, Progress, Validated

__all__ = ["Live", "Plain", "Quiet", "listener", "log_to", "measured", "note_on_kernels"]

COPIED = ("the same", "now try")  # lines with a command, which stay in one piece
INDENT = " " * 10
BAR, LEAST_BAR = 20, 5  # columns
SHORT = {"perplexity": "ppl"}  # what the live line calls a measure
VALID = "valid_"  # begins the names of what is measured at the end
TITLES = {"valid_perplexity_sentence": "line by line"}  # what the last lines call it
COUNTS = "counts"  # an output that is not trained
PER_TOKEN = "_per_token"  # ends the name of what else is measured of tokens
VIEWS = (  # of the live line; the first one that fits
    "epoch {epoch}  {speed} tokens/s  loss {loss}  {best} in validation  {left} left",
    "epoch {epoch}  loss {loss}  {best}  {left} left",
    "epoch {epoch}  {best}  {left}",
    "{epoch}  {left}",
)


class Quiet:
    """Says nothing, and keeps the last event for the summary."""

    finished: "Finished | None" = None
    kind = ""  # of what is trained

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

    def on_planned(self, event: "Planned") -> None:
        self.kind = event.kind

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
        super().on_planned(event)
        for line in plan_lines(event):
            self.say(line)

    def on_validated(self, event: "Validated") -> None:
        if event.measures:  # of what is counted there is none
            self.say(
                f"epoch {event.epoch:z.2f}  step {event.step}"
                f"  validation {measured(event.measures)}"
                f"  {clock(event.seconds)}{'  best' * event.best}"
            )


class Live(Plain):
    """As Plain, with a line that follows the training."""

    def __enter__(self) -> "Live":
        from rich.live import Live as Line

        self._now: Progress | None = None
        self._best = "best -"
        self.line = Line(console=console(sys.stderr), transient=True, get_renderable=self._shown)
        self.line.start()
        return self

    def __exit__(self, *failure: Any) -> None:
        self.line.stop()

    def say(self, line: str) -> None:
        shown = harmless(line)
        if not shown.startswith(COPIED):
            shown = folded(shown, self.line.console.width, INDENT)
        self.line.console.print(shown, soft_wrap=True)

    def on_progress(self, event: "Progress") -> None:
        self._now = event

    def on_validated(self, event: "Validated") -> None:
        if event.best and event.measures:
            self._best = shortest(event.measures)
        super().on_validated(event)

    def _shown(self) -> Any:
        """What the terminal shows now, as wide as it is now."""
        from rich.progress_bar import ProgressBar
        from rich.table import Table
        from rich.text import Text

        if self._now is None:
            return ""
        width = self.line.console.width - 1
        text = live_text(self._now, self._best, width)
        bar = min(BAR, width - len(text) - 1)
        if bar < LEAST_BAR:
            return Text(text, no_wrap=True, overflow="crop")
        row = Table.grid(padding=(0, 1, 0, 0))
        total = max(self._now.steps, self._now.step)
        row.add_row(ProgressBar(total, self._now.step, bar), Text(text))
        return row


def live_text(event: "Progress", best: str, width: int) -> str:
    """The numbers, as many as fit beside the bar; if none do, the fewest."""
    known: dict[str, str] = {
        "epoch": decimals(event.epoch),
        "speed": f"{event.tokens_per_second:z,.0f}" if event.tokens_per_second >= 1 else "-",
        "loss": decimals(event.loss),
        "best": best,
        "left": clock(event.seconds_left),
    }
    first, *others = (view.format(**known) for view in VIEWS)
    if len(first) + 1 + BAR <= width:
        return first
    return next((text for text in others if len(text) <= width), others[-1])


def note_on_kernels(quiet: bool = False) -> None:
    """Says where kernels have to be compiled: now and never again, or anew each time."""
    from lmtool.kernel_cache import on_compiling, problem
    from lmtool.nn.kernels import gates

    if quiet:
        return
    if reason := problem(gates.__file__):
        talk(f"note: compiled kernels are not kept ({reason}): this start takes some seconds more")
    else:
        on_compiling(lambda: talk("compiling kernels, once in this installation: some seconds ..."))


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
    if not event.n_parameters:
        yield f"model     {ngrams(recipe.ngram)}"
        return
    several = f"mean of {network.members} networks: " if (network.members or 1) > 1 else ""
    yield f"model     {several}{network}: {event.n_parameters:,} parameters"
    if recipe.ngram:
        yield f"beside    {ngrams(recipe.ngram, recipe.prune)}, mixed at the end where that helps"
    if recipe.output == COUNTS:
        return
    yield (
        f"training  {budget(event)}, batch {recipe.batch}{bptt}, {recipe.optimizer}"
        f" {recipe.lr:zg}, dropout {recipe.dropout:zg}{along}, seed {recipe.seed}"
    )


def ngrams(asked: int | str | None, prune: str | None = None) -> str:
    """``5-gram, counted``, ``n-grams of model.arpa``."""
    if isinstance(asked, str):
        return f"n-grams of {asked}"
    return f"{asked}-gram, counted" + (f", pruned at {prune}" if prune else "")


def measured(measures: dict[str, float]) -> str:
    """``perplexity 85.25``; of pieces of words ``perplexity per word 1853.20, per token 85.25``."""
    named = ((title(name, measures), value) for name, value in measures.items())
    at_the_end = "validation " if next(iter(measures), "").startswith(VALID) else ""
    return at_the_end + ", ".join(f"{name} {decimals(value)}" for name, value in named)


def title(name: str, measures: Collection[str]) -> str:
    """What the lines call a measure."""
    if name.endswith(PER_TOKEN):
        return "per token"
    said = TITLES.get(name, name.removeprefix(VALID))
    return said + " per word" * (f"{name}{PER_TOKEN}" in measures)


def shortest(measures: dict[str, float]) -> str:
    """The first of them: ``ppl 85.2``."""
    name, value = next(iter(measures.items()))
    return f"{SHORT.get(name, name)} {decimals(value, 1)}"


def budget(event: "Planned") -> str:
    """How long training goes on."""
    recipe = event.recipe
    if recipe.seconds:
        return clock(recipe.seconds)
    return counted(recipe.steps, "step") if recipe.steps else counted(recipe.epochs or 0, "epoch")


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
