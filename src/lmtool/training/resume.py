"""The resume file: a run as it stands, written beside its model, so that nothing is ever lost.

It holds what ``run.Run`` holds and what the run was asked for. Batches, resets and dropout masks
are functions of (seed, step), so a run that goes on from it ends with the same bits as one that was
never interrupted.
"""

import contextlib
import math
import platform
import shlex
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np

from lmtool import tensor_file
from lmtool._version import __version__
from lmtool.errors import InterruptionError, ModelFileError
from lmtool.models.members import all_shapes
from lmtool.tensor_file import Card, Tensors
from lmtool.training.events import Note
from lmtool.training.exchange import everywhere
from lmtool.training.request import Request
from lmtool.training.run import Run
from lmtool.training.session import Session
from lmtool.workers import controller

__all__ = ["Keeper", "Saved", "differences", "installed", "path_of", "read", "restore"]
__all__ += ["verify_sizes"]

Types = dict[str, type[int | float]]

FORMAT = 2
MISFIT = "its arrays do not have the shapes that the recipe asks for"
SHARE = 0.01  # of the training time that saving may take
LONGEST_NAME = 40  # characters shown of a version
MOST_COUNT = 2**31 - 1  # steps
LONGEST_RUN = 1e9  # seconds
COUNTERS: Types = {  # of a Run, in the card; null stands for infinity
    "step": int,
    "steps": float,
    "best_score": float,
    "best_step": int,
    "waited": int,
    "validated": int,
    "rate": float,
    "rollbacks": int,
}
TIMES: Types = {  # of its timer
    "training_seconds": float,
    "timed_steps": int,
    "validation_seconds": float,
}
POINT: Types = {"step": int, "epoch": float, "best": bool}  # of the curve; measures are floats


@dataclass(frozen=True, slots=True)
class Saved:
    """A resume file, verified but for what only the corpus can tell."""

    request: Request  # the settings hold no None but in the budget
    data: dict[str, str]  # fingerprints of the texts and of the vocabulary
    surroundings: dict[str, str]
    elapsed: float  # seconds of the run so far
    counters: Card
    curve: list[Card]
    tensors: Tensors


def path_of(model: str | Path) -> Path:
    """Where the resume file of a model lies."""
    return Path(f"{model}.resume")


def surroundings() -> dict[str, str]:
    """What the last bits of a result may depend on."""
    blas = sorted({str(info.get("architecture")) for info in controller().info()})
    return {
        "lmtool": __version__,
        "python": platform.python_version(),
        "numpy": np.__version__,
        "numba": installed("numba"),
        "processor": f"{platform.machine()} {' '.join(blas)}",
    }


def installed(package: str) -> str:
    """The version of a package."""
    try:
        return version(package)
    except PackageNotFoundError:
        return "unknown"


class Keeper:
    """Saves a run now and then, and when it is told to stop."""

    def __init__(
        self,
        request: Request,
        data: dict[str, str],
        every: float,
        stop: Callable[[], int],
        goes_on: str | None = None,
    ) -> None:
        self._request, self._data, self._every, self._stop = request, data, every, stop
        model = shlex.quote(str(request.model))
        self._goes_on = goes_on or f"lmtool train --resume -m {model}"
        self._path = path_of(request.model or "")
        self._next = time.monotonic() + every
        self._failed = False

    def pause(self, session: Session, run: Run) -> None:
        """Between two steps. Raises InterruptionError where the run is to stop."""
        asked = session.ranks.gather((self._stop(), time.monotonic() >= self._next))
        if signal := max(heard for heard, _ in asked):
            problem = self._save(session, run)
            message = f"not saved: {problem}" if problem else f"{self._goes_on} continues it"
            raise InterruptionError(f"stopped after step {run.step}; {message}", signal)
        if asked[0][1]:
            problem = self._save(session, run)
            if problem and not self._failed:
                session.on_event(Note(f"the run could not be saved ({problem}); training goes on"))
            self._failed = bool(problem)

    def remove(self) -> None:
        """The run ended well."""
        with contextlib.suppress(OSError):
            self._path.unlink()

    def _save(self, session: Session, run: Run) -> str:
        """Writes the file, by the first of all ranks; what went wrong, if anything."""
        everywhere(session, run)
        return session.ranks.ask(partial(self._write, session, run))

    def _write(self, session: Session, run: Run) -> str:
        """The same where all is at hand."""
        began = time.monotonic()
        card = {
            "format": FORMAT,
            "request": self._request.card(),
            "data": self._data,
            "surroundings": surroundings(),
            "elapsed": session.elapsed(),
            "run": counters(run),
            "curve": run.curve,
        }
        try:
            tensor_file.write(self._path, card, dict(arrays(run)))
        except OSError as error:
            return error.strerror or str(error)
        finally:
            now = time.monotonic()
            self._next = now + max(self._every, (now - began) / SHARE)
        return ""


def counters(run: Run) -> Card:
    """The numbers of a run by name."""
    own = {name: getattr(run, name) for name in COUNTERS}
    times = {name: getattr(run.timer, name) for name in TIMES}
    return {name: finite(value) for name, value in (own | times).items()}


def arrays(run: Run) -> Iterator[tuple[str, Any]]:
    """Every array of a run that the next step depends on, by name."""
    yield "parameters", run.parameters.flat
    yield "best", run.best
    if len(run.judged):
        yield "judged", run.judged
    for k, seen in enumerate(run.seen):
        yield f"seen{k}", seen
    for k, moment in enumerate(run.moments):
        yield f"moment{k}", moment.flat
    for unit, layers in enumerate(run.states):
        for layer, state in enumerate(layers):
            for k, array in enumerate(state):
                yield f"state{unit}.{layer}.{k}", array


def read(model: str | Path) -> Saved:
    """The run that was interrupted. Raises ModelFileError."""
    path = path_of(model)
    if not path.exists():
        message = "there is nothing to resume: the run ended well, or saved nothing yet"
        raise ModelFileError(f"{model}: {message}; start it again")
    with tensor_file.described(path, "resume file"):
        card, tensors = tensor_file.read(path, FORMAT)
        saved = Saved(
            request=Request.from_card(card["request"]),
            data=texts(card["data"]),
            surroundings=texts(card["surroundings"]),
            elapsed=counter(card["elapsed"], float),
            counters=record(card["run"], COUNTERS | TIMES),
            curve=[point_of_curve(point) for point in card["curve"]],
            tensors=tensors,
        )
        verify(saved)
        return saved


def verify(saved: Saved) -> None:
    """Raises ValueError for times that cannot be meant."""
    counters = saved.counters
    times = saved.elapsed, counters["training_seconds"], counters["validation_seconds"]
    if max(times) > LONGEST_RUN or counters["rate"] > 1:
        raise ValueError("its times or its rate cannot be meant")


def verify_sizes(saved: Saved, parts: Any) -> None:
    """Raises ModelFileError where settings ask for more than the file holds; nothing is made."""
    kind, network = saved.request.kind, saved.request.network
    shapes = all_shapes(kind.shapes(network, parts), network.members)
    with tensor_file.described(path_of(saved.request.model or ""), "resume file"):
        if sum(map(math.prod, shapes.values())) != saved.tensors["parameters"].size:
            raise ValueError(MISFIT)
        one = sum(x.size for state in kind.zero_state(network, 1) for x in state)
        held = sum(x.size for name, x in saved.tensors.items() if name.startswith("state"))
        if one * (network.members or 1) * (saved.request.recipe.batch or 0) != held:
            raise ValueError(MISFIT)


def texts(values: Card) -> dict[str, str]:
    """A dictionary of nothing but text."""
    if not all(type(value) is str for value in values.values()):
        raise ValueError("its card is damaged")
    return dict(values)


def record(values: Card, types: Types) -> Card:
    """Counters with exactly these names and types."""
    if set(values) != set(types):
        raise ValueError("its counters have unknown or missing names")
    return {name: counter(values[name], kind) for name, kind in types.items()}


def point_of_curve(values: Card) -> Card:
    """A validation: step, epoch, measures, and whether it was the best so far."""
    if not set(POINT) <= set(values):
        raise ValueError("its curve has missing names")
    return record(values, {name: POINT.get(name, float) for name in values})


def counter(value: Any, kind: type[int | float]) -> Any:
    """A number that is not negative; null is infinity where it may be."""
    if kind is float and value is None:
        return math.inf
    if type(value) is not kind and not (kind is float and type(value) is int):
        raise ValueError(f"{value!r} is no {kind.__name__}")
    if not 0 <= value < math.inf or (kind is int and value > MOST_COUNT):
        raise ValueError(f"{value!r} is no count and no time")
    return kind(value)  # a float too large for one raises OverflowError


def finite(value: float) -> float | None:
    """None for infinity, which JSON lacks."""
    return None if math.isinf(value) else value


def restore(saved: Saved, run: Run) -> None:
    """Puts a fresh run where the saved one stood. Raises ModelFileError."""
    path = path_of(saved.request.model or "")
    with tensor_file.described(path, "resume file"):
        own = dict(arrays(run))
        if layout(own) != layout(saved.tensors):
            raise ValueError(MISFIT)
        for name, x in saved.tensors.items():
            if not np.isfinite(x).all():
                raise ValueError(f"{name} holds numbers that are not finite")
            own[name][...] = x
        for name, value in saved.counters.items():
            setattr(run.timer if name in TIMES else run, name, value)
        run.curve = saved.curve
        updated = all(((seen >= 0) & (seen <= run.step)).all() for seen in run.seen)
        if not (run.step < run.steps and updated):
            raise ValueError("its steps contradict each other")


def layout(tensors: Tensors) -> dict[str, tuple[Any, ...]]:
    """Names, shapes and types."""
    return {name: (x.shape, x.dtype.str) for name, x in tensors.items()}


def differences(saved: Saved) -> Iterator[str]:
    """What is not as it was, and may change the last bits."""
    now = surroundings()
    for name, value in now.items():
        if (then := saved.surroundings.get(name, "unknown")) != value:
            began = f"the run began with {name} {then[:LONGEST_NAME]}"
            yield f"{began}, this is {value}: the last bits may differ"
