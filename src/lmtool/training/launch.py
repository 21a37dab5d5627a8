"""From files to a trained model in a file: prepare, plan, train, save; and the same once more."""

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from lmtool import model_file
from lmtool._version import __version__
from lmtool.errors import ModelFileError, TrainingError, option
from lmtool.files import locked, remove_leftovers
from lmtool.models.language_model import LanguageModel, initialise
from lmtool.settings import TrainSettings
from lmtool.text.reader import STDIN
from lmtool.text.sentences import Sentences
from lmtool.text.vocabulary import UNK_ID
from lmtool.training import clock, loop
from lmtool.training.events import Event, Finished, Note, Planned
from lmtool.training.forecast import Forecast, forecast
from lmtool.training.initial import descended, plan_on, replaces
from lmtool.training.plan import plan as fitting
from lmtool.training.prepared import BEGUN, Prepared, data_of, facts, prepared
from lmtool.training.repeat import command, inputs_and_output, settled
from lmtool.training.resume import Job, Keeper, Saved, differences, path_of, read
from lmtool.workers import n_cores

__all__ = ["Given", "Job", "Keeping", "plan", "resume", "train"]

Listener = Callable[[Event], None]
IN_MEMORY = "MODEL"  # what a command calls a model that is in no file


@dataclass(frozen=True, slots=True)
class Keeping:
    """How a run is kept from being lost."""

    every: float  # seconds between two saved states, or more where saving takes long
    stop: Callable[[], int]  # the number of the signal that ends the run; 0: go on
    goes_on: str | None = None  # what continues a run that was stopped; a command by default


@dataclass(frozen=True, slots=True)
class Given:
    """What is said again when a run is resumed."""

    corpus: tuple[str, ...]
    valid: tuple[str, ...]
    options: dict[str, Any]  # fields of settings
    sentences: Sentences | None = None
    init: LanguageModel | None = None


def train(
    job: Job,
    overwrite: bool,
    emit: Listener,
    keeping: Keeping,
    sentences: Sentences | None = None,
    init: LanguageModel | None = None,
) -> LanguageModel:
    """The trained model, written where the job names a file; from sentences if it has no corpus.

    With ``init`` the job's text and network are that model's.
    """
    start = time.monotonic()
    with alone(job.model):
        if job.model is not None:
            model_file.check_target(job.model, overwrite)
            refuse_interrupted(job.model, overwrite)
        with prepared(job, sentences, init) as parts:
            if job.model is not None:  # before a kill can bring the old run back
                path_of(job.model).unlink(missing_ok=True)
            return go(job, parts, emit, start, keeping, None)


def resume(model: str, given: Given, emit: Listener, keeping: Keeping) -> LanguageModel:
    """The same model as if its run had never been interrupted."""
    began = time.monotonic()
    with alone(model):
        saved = read(model)
        refuse_other_options(model, saved.job, given.options)
        valid = given.valid or saved.job.valid
        moved = replace(saved.job, corpus=corpus_of(model, saved.job, given), valid=valid)
        init = initial_of(model, saved, given)
        with prepared(moved, given.sentences, init) as parts:
            refuse_other_data(model, saved, parts)
            for message in differences(saved):
                emit(Note(message))
            emit(Note(f"going on after step {saved.counters['step']}"))
            recipe = replace(saved.job.recipe, threads=given.options.get("threads"))
            job = replace(saved.job, model=model, recipe=recipe)
            return go(job, parts, emit, began - saved.elapsed, keeping, saved)


def plan(
    job: Job, sentences: Sentences | None = None, init: LanguageModel | None = None
) -> Forecast:
    """What ``train`` would do; nothing is written."""
    with prepared(job, sentences, init) as parts:
        fresh, recipe = start_of(job, parts)
        line = command(first_words(job, parts), job.text, fresh.settings, recipe)
        return forecast(fresh, parts.train.ids, parts.valid.ids, recipe, line)


def go(
    job: Job,
    parts: Prepared,
    emit: Listener,
    start: float,
    keeping: Keeping,
    saved: Saved | None,
) -> LanguageModel:
    """Plans, trains, notes where the model comes from, and writes it."""
    fresh, recipe = start_of(job, parts)
    keeper = None
    if job.model is not None:
        settled_job = replace(job, network=fresh.settings, recipe=recipe)
        keeper = Keeper(settled_job, data_of(parts), keeping.every, keeping.stop, keeping.goes_on)
    trained = fit(job, parts, fresh, recipe, emit, start, keeper, saved)
    if job.model is not None:
        model_file.save(trained, job.model, overwrite=True)
    if keeper is not None:
        keeper.remove()
    return trained


def fit(
    job: Job,
    parts: Prepared,
    fresh: LanguageModel,
    recipe: TrainSettings,
    emit: Listener,
    start: float,
    keeper: Keeper | None,
    saved: Saved | None,
) -> LanguageModel:
    """The trained model with its provenance."""
    train_corpus, valid_corpus, init = parts.train, parts.valid, parts.init

    def line(recipe: TrainSettings) -> str:
        return command(first_words(job, parts), job.text, fresh.settings, recipe)

    def listen(event: Event) -> None:
        if isinstance(event, Finished):
            same = line(settled(recipe, event.steps))
            event = replace(event, model=job.model, command=same)
        emit(event)

    emit(describe(parts, fresh, recipe, line(recipe)))
    if train_corpus.fingerprint == valid_corpus.fingerprint:
        emit(Note("validation is on the text trained on: give more lines, or another text"))
    if replaces(job.model, job.init):
        emit(Note("the model replaces the one that it begins with: only a copy repeats the run"))
    ids = train_corpus.ids, valid_corpus.ids
    try:
        trained = loop.train(fresh, *ids, recipe, listen, start, keeper, saved, init is not None)
    except TrainingError as error:
        raise rescued(error, job, init) from None
    if not trained.provenance["result"]["step"]:
        emit(Note("no step made the model better: its weights are those that it began with"))
    same = settled(recipe, trained.provenance["result"]["steps"])
    origin = {
        "recipe": {k: v for k, v in asdict(same).items() if k != "threads"},
        "command": line(same),
        "corpus": {"train": facts(train_corpus), "valid": facts(valid_corpus)},
        "versions": {"lmtool": __version__, "numpy": np.__version__},
    }
    return descended(replace(trained, provenance=origin | trained.provenance), init)


def rescued(error: TrainingError, job: Job, init: LanguageModel | None) -> TrainingError:
    """The same error, once the best model so far has been written."""
    if job.model is None or not isinstance(error.best, LanguageModel):
        return error
    model_file.save(descended(error.best, init), job.model, overwrite=True)
    path_of(job.model).unlink(missing_ok=True)
    return TrainingError(f"{error.args[0]}; the best weights so far are in {job.model}")


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


def start_of(job: Job, parts: Prepared) -> tuple[LanguageModel, TrainSettings]:
    """The model before its first step, and the recipe without None."""
    vocabulary, recipe, init = parts.vocabulary, job.recipe, parts.init
    speed = clock.speed(recipe.threads or n_cores()) if recipe.seconds else 0.0
    n, V = len(parts.train.ids), vocabulary.n_tokens
    if init is not None:
        network, recipe = plan_on(job.network, recipe, n, V, speed)
        return LanguageModel(network, vocabulary, init.parameters), recipe
    network, recipe = fitting(job.network, recipe, n, V, speed)
    rng = np.random.default_rng(recipe.seed)
    return LanguageModel(network, vocabulary, initialise(network, vocabulary.counts, rng)), recipe


def first_words(job: Job, parts: Prepared) -> list[str]:
    """The beginning of the command that repeats the run; sentences go to its standard input."""
    init = job.init or (IN_MEMORY if parts.init else None)
    return inputs_and_output(job.corpus or (STDIN,), job.valid, job.model, init)


def describe(parts: Prepared, fresh: LanguageModel, recipe: TrainSettings, line: str) -> Planned:
    """The choices, for whoever listens."""
    vocabulary, train_corpus, valid_corpus, _ = parts
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


def corpus_of(model: str, job: Job, given: Given) -> tuple[str, ...]:
    """The files to read again; none where sentences are given. Raises ModelFileError."""
    if given.sentences is not None:
        return ()
    if not (given.corpus or job.corpus):
        message = f"give the sentences again: lmtool.resume({model!r}, sentences=...)"
        raise ModelFileError(f"{model}: cannot be resumed: it learns from no file; {message}")
    return given.corpus or job.corpus


def initial_of(model: str, saved: Saved, given: Given) -> LanguageModel | None:
    """The model that the run began with, if any, for its vocabulary. Raises ModelFileError."""
    if BEGUN not in saved.data:
        if given.init is None:
            return None
        message = f"it began with no model; leave {option('init')} out"
        raise ModelFileError(f"{model}: cannot be resumed: {message}")
    if given.init is not None:
        return given.init
    if saved.job.init is None:
        message = f"give the model again: lmtool.resume({model!r}, init=...)"
        raise ModelFileError(f"{model}: cannot be resumed: it began with a model; {message}")
    return model_file.load(saved.job.init, "init")


def refuse_interrupted(model: str, overwrite: bool) -> None:
    """Raises ModelFileError where starting anew would lose a run."""
    if path_of(model).exists() and not overwrite:
        ways = f"{option('resume')} goes on with it, {option('overwrite', True)} starts anew"
        raise ModelFileError(f"{model}: a run of this model was interrupted: {ways}")


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
            message = f"{option(name)} was {kept.get(name)}, not {value}"
            raise ModelFileError(f"{model}: cannot be resumed: {message}; leave it out")
