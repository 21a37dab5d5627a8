"""From files to a trained model in a file: prepare, plan, train, save; and the same once more."""

import os
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from lmtool import model_file
from lmtool._version import __version__
from lmtool.errors import ModelFileError, TrainingError
from lmtool.files import locked, remove_leftovers
from lmtool.models.language_model import LanguageModel, initialise
from lmtool.settings import TrainSettings
from lmtool.text.corpus import Corpus, prepare
from lmtool.text.vocabulary import UNK_ID, Vocabulary
from lmtool.training import clock, loop, memory
from lmtool.training.clock import Pace
from lmtool.training.events import Event, Finished, Note, Planned
from lmtool.training.forecast import Forecast, forecast
from lmtool.training.pace import measured, steps_that_fit
from lmtool.training.plan import Drops, by_budget, regularised
from lmtool.training.plan import plan as fitting
from lmtool.training.repeat import command, inputs_and_output, settled
from lmtool.training.resume import Job, Keeper, Saved, differences, path_of, read
from lmtool.workers import n_cores

__all__ = ["Given", "Job", "Keeping", "plan", "resume", "train"]

NAMELESS = os.name == "posix"  # mapped files need no name: one that is killed leaves none behind

Listener = Callable[[Event], None]
Prepared = tuple[Vocabulary, Corpus, Corpus]


@dataclass(frozen=True, slots=True)
class Keeping:
    """How a run is kept from being lost."""

    every: float  # seconds between two saved states, or more where saving takes long
    stop: Callable[[], int]  # the number of the signal that ends the run; 0: go on


@dataclass(frozen=True, slots=True)
class Given:
    """What is said again when a run is resumed."""

    corpus: tuple[str, ...]
    valid: tuple[str, ...]
    options: dict[str, Any]  # fields of settings


class Beginning(NamedTuple):
    """What a run begins with."""

    model: LanguageModel  # before its first step
    recipe: TrainSettings  # without None but in the budget
    pace: Pace | None  # where the clock decides


def train(job: Job, overwrite: bool, emit: Listener, keeping: Keeping) -> LanguageModel:
    """The trained model, written where the job names a file."""
    start = time.monotonic()
    with alone(job.model):
        if job.model is not None:
            model_file.check_target(job.model, overwrite)
            refuse_interrupted(job.model, overwrite)
        with prepared(job) as parts:
            if job.model is not None:  # before a kill can bring the old run back
                path_of(job.model).unlink(missing_ok=True)
            return go(job, parts, emit, start, keeping, None)


def resume(model: str, given: Given, emit: Listener, keeping: Keeping) -> LanguageModel:
    """The same model as if its run had never been interrupted."""
    began = time.monotonic()
    with alone(model):
        saved = read(model)
        refuse_other_options(model, saved.job, given.options)
        corpus, valid = given.corpus or saved.job.corpus, given.valid or saved.job.valid
        moved = replace(saved.job, corpus=corpus, valid=valid)
        with prepared(moved) as parts:
            refuse_other_data(model, saved, parts)
            for message in differences(saved):
                emit(Note(message))
            emit(Note(f"going on after step {saved.counters['step']}"))
            recipe = replace(saved.job.recipe, threads=given.options.get("threads"))
            job = replace(saved.job, model=model, recipe=recipe)
            return go(job, parts, emit, began - saved.elapsed, keeping, saved)


def plan(job: Job) -> Forecast:
    """What ``train`` would do; nothing is written."""
    start = time.monotonic()
    with prepared(job) as parts:
        own = memory.process_memory()
        fresh, recipe, pace = beginning(job, parts, start)
        line = command(first_words(job), job.text, fresh.settings, recipe)
        taken = memory.forecast_memory(fresh.settings, recipe, parts[0].n_tokens).peak
        ids = parts[1].ids, parts[2].ids
        return forecast(fresh, *ids, recipe, line, (own + taken) / 2**20, start, pace)


def go(
    job: Job,
    parts: Prepared,
    emit: Listener,
    start: float,
    keeping: Keeping,
    saved: Saved | None,
) -> LanguageModel:
    """Plans, trains, notes where the model comes from, and writes it."""
    begun = beginning(job, parts, start)
    keeper = None
    if job.model is not None:
        settled_job = replace(job, network=begun.model.settings, recipe=begun.recipe)
        keeper = Keeper(settled_job, data_of(parts), keeping.every, keeping.stop)
    trained = fit(job, parts, begun, emit, start, keeper, saved)
    if job.model is not None:
        model_file.save(trained, job.model, overwrite=True)
    if keeper is not None:
        keeper.remove()
    return trained


def fit(
    job: Job,
    parts: Prepared,
    begun: Beginning,
    emit: Listener,
    start: float,
    keeper: Keeper | None,
    saved: Saved | None,
) -> LanguageModel:
    """The trained model with its provenance."""
    _, train_corpus, valid_corpus = parts
    fresh, recipe, pace = begun

    def line(recipe: TrainSettings) -> str:
        return command(first_words(job), job.text, fresh.settings, recipe)

    def listen(event: Event) -> None:
        if isinstance(event, Finished):
            same = line(settled(recipe, event.steps))
            event = replace(event, model=job.model, command=same)
        emit(event)

    emit(describe(parts, fresh, recipe, line(recipe)))
    if train_corpus.fingerprint == valid_corpus.fingerprint:
        emit(Note("validation is on the text trained on: give more lines, or --valid FILE"))
    ids = train_corpus.ids, valid_corpus.ids
    try:
        trained = loop.train(fresh, *ids, recipe, listen, start, keeper, saved, pace)
    except TrainingError as error:
        raise rescued(error, job) from None
    same = settled(recipe, trained.provenance["result"]["steps"])
    origin = {
        "recipe": {k: v for k, v in asdict(same).items() if k != "threads"},
        "command": line(same),
        "corpus": {"train": facts(train_corpus), "valid": facts(valid_corpus)},
        "versions": {"lmtool": __version__, "numpy": np.__version__},
    }
    return replace(trained, provenance=origin | trained.provenance)


def rescued(error: TrainingError, job: Job) -> TrainingError:
    """The same error, once the best model so far has been written."""
    if job.model is None or not isinstance(error.best, LanguageModel):
        return error
    model_file.save(error.best, job.model, overwrite=True)
    path_of(job.model).unlink(missing_ok=True)
    return TrainingError(f"{error}; the best weights so far are in {job.model}")


@contextmanager
def alone(model: str | None) -> Iterator[None]:
    """Raises ModelFileError where another process trains the same model."""
    if model is None or not Path(model).parent.is_dir():
        yield
        return
    with ExitStack() as held:
        try:
            free = held.enter_context(locked(Path(model)))
        except OSError as error:
            message = f"{model}: cannot be written ({error.strerror or error})"
            raise ModelFileError(message) from None
        if not free:
            message = "another process is training this model; wait for it, or name another file"
            raise ModelFileError(f"{model}: {message}")
        for path in (Path(model), path_of(model)):
            remove_leftovers(path)
        yield


@contextmanager
def prepared(job: Job) -> Iterator[Prepared]:
    """Vocabulary, training and validation ids, kept on disk for as long as they are used."""
    with tempfile.TemporaryDirectory(prefix="lmtool-") as folder:
        parts = prepare(job.corpus, job.valid or None, job.text, Path(folder))
        if not NAMELESS:
            yield parts
            return
    yield parts


def beginning(job: Job, parts: Prepared, start: float) -> Beginning:
    """The model before its first step, the recipe, and how fast it will be. Raises ConfigError."""
    vocabulary, train_corpus, valid_corpus = parts
    recipe = job.recipe
    speed = clock.speed(recipe.threads or n_cores()) if recipe.seconds else 0.0
    ids, V = (train_corpus.ids, valid_corpus.ids), vocabulary.n_tokens
    network, recipe = fitting(job.network, recipe, len(ids[0]), V, speed)
    memory.refuse_too_large(network, recipe, V)
    rng = np.random.default_rng(recipe.seed)
    fresh = LanguageModel(network, vocabulary, initialise(network, vocabulary.counts, rng))
    if not recipe.seconds:
        return Beginning(fresh, recipe, None)
    with loop.task_for(fresh, *ids, recipe, start=start) as task:
        pace = measured(task)
        if by_budget(len(ids[0])):  # by a guess so far
            asked = {name: getattr(job.recipe, name) for name in (*Drops._fields, "drop_warmup")}
            steps = steps_that_fit(task, pace)
            recipe = regularised(replace(recipe, **asked), steps, len(ids[0]), V)
    return Beginning(fresh, recipe, pace)


def first_words(job: Job) -> list[str]:
    """The beginning of the command that repeats the run."""
    return inputs_and_output(job.corpus, job.valid, job.model)


def describe(parts: Prepared, fresh: LanguageModel, recipe: TrainSettings, line: str) -> Planned:
    """The choices, for whoever listens."""
    vocabulary, train_corpus, valid_corpus = parts
    return Planned(
        network=fresh.settings,
        recipe=recipe,
        n_lines=train_corpus.n_lines,
        n_train_tokens=len(train_corpus.ids),
        n_valid_tokens=len(valid_corpus.ids),
        n_tokens=vocabulary.n_tokens,
        n_oov=int(vocabulary.counts[UNK_ID]),
        n_parameters=fresh.parameters.flat.size,
        command=line,
    )


def facts(corpus: Corpus) -> dict[str, Any]:
    """What a model file says about a text."""
    names = ("fingerprint", "n_lines", "n_words", "n_oov")
    return {name: getattr(corpus, name) for name in names}


def data_of(parts: Prepared) -> dict[str, str]:
    """Fingerprints of everything that a run is made from."""
    vocabulary, train_corpus, valid_corpus = parts
    return {
        "training text": train_corpus.fingerprint,
        "validation text": valid_corpus.fingerprint,
        "vocabulary": vocabulary.digest,
    }


def refuse_interrupted(model: str, overwrite: bool) -> None:
    """Raises ModelFileError where starting anew would lose a run."""
    if path_of(model).exists() and not overwrite:
        message = "a run of this model was interrupted: --resume goes on with it"
        raise ModelFileError(f"{model}: {message}, --overwrite starts anew")


def refuse_other_data(model: str, saved: Saved, parts: Prepared) -> None:
    """Raises ModelFileError where the text or the vocabulary changed."""
    for name, now in data_of(parts).items():
        if saved.data.get(name) != now:
            message = (
                f"the {name} is not the one that the run began with; put it back, or start anew"
            )
            raise ModelFileError(f"{model}: cannot be resumed: {message}")


def refuse_other_options(model: str, job: Job, options: dict[str, Any]) -> None:
    """Raises ModelFileError where an option differs from the run's."""
    kept = asdict(job.text) | asdict(job.network) | asdict(job.recipe)
    for name, value in options.items():
        if name != "threads" and kept.get(name) != value:
            message = f"--{name.replace('_', '-')} was {kept.get(name)}, not {value}"
            raise ModelFileError(f"{model}: cannot be resumed: {message}; leave it out")
