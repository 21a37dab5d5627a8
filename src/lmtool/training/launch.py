"""From files to a trained model in a file: prepare, plan, train, save; and the same once more."""

import os
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from lmtool import model_file
from lmtool._version import __version__
from lmtool.errors import TrainingError
from lmtool.kinds import Material
from lmtool.nn.parameters import Parameters
from lmtool.settings import TrainSettings
from lmtool.text.reader import STDIN
from lmtool.text.sentences import Sentences
from lmtool.training import loop, memory, pretrained
from lmtool.training.agreement import (
    entered,
    idle,
    refuse_other_files,
    refuse_streams,
    unlike,
)
from lmtool.training.beginning import Beginning, beginning, units_of
from lmtool.training.events import Event, Finished, Note, Planned
from lmtool.training.forecast import Forecast, forecast
from lmtool.training.initial import IN_MEMORY, initial_of, replaces
from lmtool.training.ranks import ALONE, Ranks
from lmtool.training.refusals import (
    alone,
    corpus_of,
    refuse_interrupted,
    refuse_other_data,
    refuse_other_options,
)
from lmtool.training.repeat import command, inputs_and_output, settled
from lmtool.training.request import Given, Keeping, Request
from lmtool.training.resume import (
    Keeper,
    Saved,
    differences,
    path_of,
    read,
    verify_sizes,
)
from lmtool.training.session import Session, fresh_weights, open_session

__all__ = ["Given", "Keeping", "Request", "plan", "resume", "train"]

COUNTED = ("ngram", "prune", "vectors", "freeze")
NAMELESS = os.name == "posix"  # mapped files need no name: one that is killed leaves none behind

Listener = Callable[[Event], None]


def train(
    request: Request,
    overwrite: bool,
    emit: Listener,
    keeping: Keeping,
    sentences: Sentences | None = None,
    init: Any = None,
    ranks: Ranks = ALONE,
) -> Any:
    """The trained model, written where one is named; from sentences if there is no corpus.

    With ``init``, a model, the settings of text and network are that model's. Of several ranks
    the first holds the lock and writes.
    """
    start = time.monotonic()
    refuse_streams(request, ranks)
    with entered(ranks, alone(request.model)):
        if request.model is not None:
            ranks.ask(partial(model_file.check_target, request.model, overwrite))
            ranks.ask(partial(refuse_interrupted, request.model, overwrite))
        with prepared(request, sentences, init) as material:
            if request.model is not None:  # before a kill can bring the old run back
                ranks.ask(partial(path_of(request.model).unlink, missing_ok=True))
            return go(request, material, emit, start, keeping, None, ranks)


def resume(model: str, given: Given, emit: Listener, keeping: Keeping, ranks: Ranks = ALONE) -> Any:
    """The same model as if its run had never been interrupted, on other ranks or on as many."""
    began = time.monotonic()
    with entered(ranks, alone(model)):
        saved = ranks.ask(partial(read, model))
        refuse_other_options(model, saved.request, given.options)
        corpus, valid = corpus_of(model, saved.request, given), given.valid or saved.request.valid
        moved = replace(saved.request, corpus=corpus, valid=valid)
        refuse_streams(moved, ranks)
        init = initial_of(model, saved, given)
        with prepared(moved, given.sentences, init) as material:
            refuse_other_data(model, saved, material)
            verify_sizes(saved, material.parts)
            for message in differences(saved):
                emit(Note(message))
            emit(Note(f"going on after step {saved.counters['step']}"))
            recipe = replace(saved.request.recipe, threads=given.options.get("threads"))
            request = replace(saved.request, model=model, recipe=recipe)
            return go(request, material, emit, began - saved.elapsed, keeping, saved, ranks)


def plan(request: Request, sentences: Sentences | None = None, init: Any = None) -> Forecast:
    """What ``train`` would do; nothing is written."""
    start, kind = time.monotonic(), request.kind
    with prepared(request, sentences, init) as material:
        own = memory.process_memory()
        settings, recipe, parameters, pace = beginning(request, material, start, ALONE)
        line = command(
            first_words(request, material), replace(request, network=settings, recipe=recipe)
        )
        taken = kind.memory(settings, recipe, material).peak
        with open_session(kind, settings, material, recipe, start=start) as session:
            return forecast(session, parameters, line, (own + taken) / 2**20, pace)


def go(
    request: Request,
    material: Material,
    emit: Listener,
    start: float,
    keeping: Keeping,
    saved: Saved | None,
    ranks: Ranks,
) -> Any:
    """Plans, trains, notes where the model comes from, and writes it."""
    refuse_other_files(material, ranks)
    begun = beginning(request, material, start, ranks)
    asked, keeper = replace(request, network=begun.settings, recipe=begun.recipe), None
    if request.model is not None:
        kept = keeping.every, keeping.stop, keeping.goes_on
        keeper = Keeper(asked, material.fingerprints, *kept)
    trained = fit(asked, material, begun, emit, start, keeper, saved, ranks)
    if request.model is not None:
        ranks.ask(partial(model_file.save, trained, request.model, overwrite=True))
    if keeper is not None:
        ranks.ask(keeper.remove)
    return trained


def fit(
    request: Request,
    material: Material,
    begun: Beginning,
    emit: Listener,
    start: float,
    keeper: Keeper | None,
    saved: Saved | None,
    ranks: Ranks,
) -> Any:
    """The trained model with its provenance."""
    kind, recipe, init = request.kind, begun.recipe, material.init

    def line(recipe: TrainSettings) -> str:
        return command(first_words(request, material), replace(request, recipe=recipe))

    emit(describe(request, material, begun, line(recipe)))
    if material.note:
        emit(Note(material.note))
    if replaces(request.model, request.init):
        emit(Note("the model replaces the one that it begins with: only a copy repeats the run"))
    for message in (*unlike(ranks), *idle(ranks, units_of(begun))):
        emit(Note(message))
    with open_session(kind, begun.settings, material, recipe, emit, start, ranks) as session:
        try:
            trainee = runs(session, material, begun, keeper, saved)
        except TrainingError as error:
            raise rescued(error, request, session, init) from None
        judged = session.model(trainee.judged), session.judge, trainee.finished.measures
        trained, measures, known = kind.complete(*judged)
        trained = replace(trained, parameters=trainee.parameters)
        trainee = trainee._replace(finished=measured_again(session, trainee.finished, measures))
    same = settled(recipe, trainee.finished.steps)
    if known:
        emit(Note(known))
    if not trainee.finished.step and trainee.curve:
        emit(Note("no step made the model better: its weights are those that it began with"))
    emit(replace(trainee.finished, model=request.model, command=line(same)))
    provenance = {
        "recipe": {k: v for k, v in asdict(same).items() if kept(k, v)},
        "command": line(same),
        "corpus": material.facts,
        "versions": {"lmtool": __version__, "numpy": np.__version__},
        "curve": trainee.curve,
        "result": trainee.finished.repeatable(),
    }
    return kind.descended(replace(trained, provenance=provenance), init)


def measured_again(session: Session, end: Finished, measures: dict[str, float]) -> Finished:
    """The end of a run whose model has become more than what was trained."""
    if measures is end.measures:
        return end
    memory = loop.peak_memory_mb()
    return replace(end, measures=measures, seconds=session.elapsed(), peak_memory_mb=memory)


def kept(name: str, value: Any) -> bool:
    """Whether a file keeps a setting of the recipe: some are news only where they are given."""
    return name != "threads" and (name not in COUNTED or value not in (None, False))


def runs(
    session: Session,
    material: Material,
    begun: Beginning,
    keeper: Keeper | None,
    saved: Saved | None,
) -> loop.Trainee:
    """The run; where examples are few, a second one on all of them, as long as the first chose."""
    if not len(begun.parameters):
        return loop.untrained(session, begun.parameters)
    second, first = saved is not None and "judged" in saved.tensors, None
    if not second:
        run = session, begun.parameters, keeper, saved, begun.pace
        first = loop.train(*run, validate_first=material.init is not None)
        saved = None
        if material.whole is None:
            return first
    everything = material._replace(train=material.whole, whole=None)
    same = session.kind, session.settings, everything, session.recipe
    with open_session(*same, session.on_event, session.start, session.ranks) as all_:
        fresh = fresh_weights(session.kind, session.settings, everything, session.recipe.seed)
        steps = 0 if first is None else as_long(session, all_, first)
        return loop.retrain(all_, fresh, first, steps, keeper, saved)


def as_long(session: Session, second: Session, first: loop.Trainee) -> int:
    """Steps over other data that are as many passes as were best, or were made."""
    made = first.finished.steps if session.kind.patient else first.finished.step
    passes = made / session.data.steps_a_pass
    return max(1, round(passes * second.data.steps_a_pass))


def rescued(error: TrainingError, request: Request, session: Session, init: Any) -> TrainingError:
    """The same error, its best a model, once that has been written."""
    if not isinstance(error.best, Parameters):
        return error
    best = session.kind.descended(session.model(error.best), init)
    if request.model is not None:
        session.ranks.ask(partial(model_file.save, best, request.model, overwrite=True))
        session.ranks.ask(partial(path_of(request.model).unlink, missing_ok=True))
        message = f"{error.args[0]}; the best weights so far are in {request.model}"
        error = TrainingError(message)
    error.best = best
    return error


@contextmanager
def prepared(request: Request, sentences: Sentences | None, init: Any) -> Iterator[Material]:
    """What the files hold, kept on disk for as long as it is used."""
    with tempfile.TemporaryDirectory(prefix="lmtool-") as folder:
        corpus = request.corpus or ([sentences] if sentences else [])
        material = request.kind.prepare(corpus, request.valid, request, Path(folder), init)
        material = pretrained.brought(material, request, init)
        if not NAMELESS:
            yield material
            return
    yield material


def first_words(request: Request, material: Material) -> list[str]:
    """The beginning of the command that repeats the run; sentences go to its standard input."""
    init = request.init or (IN_MEMORY if material.init else None)
    return inputs_and_output(request.corpus or (STDIN,), request.valid, request.model, init)


def describe(request: Request, material: Material, begun: Beginning, line: str) -> Planned:
    """The choices, for whoever listens."""
    return Planned(
        network=begun.settings,
        recipe=begun.recipe,
        kind=request.kind.name,
        talk=material.talk,
        n_train_tokens=request.kind.data(material, begun.recipe).tokens,
        n_parameters=begun.parameters.flat.size,
        command=line,
    )
