"""The resume file: a run as it stands, written beside its model, so that nothing is ever lost.

It holds what ``step.Run`` holds and what the run was asked for. Batches, resets and dropout masks
are functions of (seed, step), so a run that goes on from it ends with the same bits as one that was
never interrupted.
"""

import contextlib
import math
import platform
import shlex
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, fields
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np

from lmtool import tensor_file
from lmtool._version import __version__
from lmtool.errors import InterruptionError, ModelFileError
from lmtool.model_file import settings_from
from lmtool.models.language_model import parameter_shapes
from lmtool.nn.cells import CELLS
from lmtool.settings import ModelSettings, TextSettings, TrainSettings
from lmtool.tensor_file import Card, Tensors
from lmtool.training.events import Note
from lmtool.training.step import Run, Task
from lmtool.workers import controller

__all__ = ["Job", "Keeper", "Saved", "differences", "installed", "path_of", "read", "restore"]

Types = dict[str, type[int | float]]

FORMAT = 2
SHARE = 0.01  # of the training time that saving may take
LONGEST_NAME = 40  # characters shown of a version
MOST_COUNT = 2**31 - 1  # steps
LONGEST_RUN = 1e9  # seconds
COUNTERS: Types = {  # of a Run, in the card; null stands for infinity
    "step": int,
    "steps": float,
    "best_loss": float,
    "best_step": int,
    "waited": int,
    "validated": int,
    "rate": float,
    "rollbacks": int,
    "training_seconds": float,
    "timed_steps": int,
    "validation_seconds": float,
}
POINT: dict[str, type[int | float]] = {
    "step": int,
    "epoch": float,
    "perplexity": float,
    "best": bool,
}


@dataclass(frozen=True, slots=True)
class Job:
    """What a run was asked for."""

    corpus: tuple[str, ...]
    valid: tuple[str, ...]
    model: str | None
    text: TextSettings
    network: ModelSettings
    recipe: TrainSettings
    init: str | None = None  # the model to begin with, if it is in a file


@dataclass(frozen=True, slots=True)
class Saved:
    """A resume file, verified but for what only the corpus can tell."""

    job: Job  # the settings hold no None but in the budget
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
        job: Job,
        data: dict[str, str],
        every: float,
        stop: Callable[[], int],
        goes_on: str | None = None,
    ) -> None:
        self._job, self._data, self._every, self._stop = job, data, every, stop
        model = shlex.quote(str(job.model))
        self._goes_on = goes_on or f"lmtool train --resume -m {model}"
        self._path = path_of(job.model or "")
        self._next = time.monotonic() + every
        self._failed = False

    def pause(self, task: Task, run: Run) -> None:
        """Between two steps. Raises InterruptionError where the run is to stop."""
        if signal := self._stop():
            problem = self._save(task, run)
            message = f"not saved: {problem}" if problem else f"{self._goes_on} continues it"
            raise InterruptionError(f"stopped after step {run.step}; {message}", signal)
        if time.monotonic() >= self._next:
            problem = self._save(task, run)
            if problem and not self._failed:
                task.on_event(Note(f"the run could not be saved ({problem}); training goes on"))
            self._failed = bool(problem)

    def remove(self) -> None:
        """The run ended well."""
        with contextlib.suppress(OSError):
            self._path.unlink()

    def _save(self, task: Task, run: Run) -> str:
        """Writes the file; what went wrong, if anything."""
        began = time.monotonic()
        card = {
            "format": FORMAT,
            "job": asdict(self._job),
            "data": self._data,
            "surroundings": surroundings(),
            "elapsed": task.elapsed(),
            "run": {name: finite(getattr(run, name)) for name in COUNTERS},
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


def arrays(run: Run) -> Iterator[tuple[str, Any]]:
    """Every array of a run that the next step depends on, by name."""
    yield "parameters", run.parameters.flat
    yield "best", run.best
    yield "seen", run.seen
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
            job=job_from(card["job"]),
            data=texts(card["data"]),
            surroundings=texts(card["surroundings"]),
            elapsed=counter(card["elapsed"], float),
            counters=record(card["run"], COUNTERS),
            curve=[record(point, POINT) for point in card["curve"]],
            tensors=tensors,
        )
        verify(saved)
        return saved


def verify(saved: Saved) -> None:
    """Raises ValueError or ConfigError where settings ask for more than the file holds."""
    network, recipe, counters = saved.job.network, saved.job.recipe, saved.counters
    n, V = saved.tensors["parameters"].size, saved.tensors["seen"].size
    shapes = parameter_shapes(network, V)
    width = CELLS[network.cell].n_states * network.layers * (network.hidden or 0)
    n_states = width * (network.members or 1)
    held = sum(x.size for name, x in saved.tensors.items() if name.startswith("state"))
    if sum(map(math.prod, shapes.values())) != n or n_states * (recipe.batch or 0) != held:
        raise ValueError("its arrays do not have the shapes that the recipe asks for")
    times = saved.elapsed, counters["training_seconds"], counters["validation_seconds"]
    if max(times) > LONGEST_RUN or counters["rate"] > 1:
        raise ValueError("its times or its rate cannot be meant")


def job_from(values: Card) -> Job:
    """A job whose parts have the expected types."""
    if set(values) != {field.name for field in fields(Job)} or type(values["model"]) is not str:
        raise ValueError("its job has unknown or missing names")
    files = [value for name in ("corpus", "valid") for value in values[name]]
    files += [] if values["init"] is None else [values["init"]]
    if not all(type(file) is str for file in files):
        raise ValueError("its texts or its model are no names of files")
    return Job(
        corpus=tuple(values["corpus"]),
        valid=tuple(values["valid"]),
        model=values["model"],
        text=settings_from(TextSettings, values["text"]),
        network=settings_from(ModelSettings, values["network"]),
        recipe=settings_from(TrainSettings, values["recipe"]),
        init=values["init"],
    )


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
    path = path_of(saved.job.model or "")
    with tensor_file.described(path, "resume file"):
        own = dict(arrays(run))
        if layout(own) != layout(saved.tensors):
            raise ValueError("its arrays do not have the shapes that the recipe asks for")
        for name, x in saved.tensors.items():
            if not np.isfinite(x).all():
                raise ValueError(f"{name} holds numbers that are not finite")
            own[name][...] = x
        for name, value in saved.counters.items():
            setattr(run, name, value)
        run.curve = saved.curve
        if not (run.step < run.steps and (run.seen >= 0).all() and (run.seen <= run.step).all()):
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
