"""``lmtool train``: a model from a text."""

import os
import shlex
from collections.abc import Iterator
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lmtool.cli.options import MODEL, said, seconds, settings, takes
from lmtool.cli.progress import Quiet, listener, log_to, note_on_kernels
from lmtool.cli.render import clock, json_line, say
from lmtool.cli.signals import Signals
from lmtool.settings import (
    CHECKPOINT_EVERY,
    ModelSettings,
    TextSettings,
    TrainSettings,
)

if TYPE_CHECKING:
    from lmtool.training.events import Event, Finished

__all__ = ["LEARNT", "Corpus", "Init", "Valid", "check", "run"]

OUTPUT = "Output"
LEARNT = (TextSettings, ModelSettings, TrainSettings)
of_file = partial(typer.Option, rich_help_panel=OUTPUT)

Corpus = Annotated[
    list[str] | None, typer.Argument(metavar="CORPUS", help="One sentence a line; - = stdin.")
]
Valid = Annotated[
    str | None,
    typer.Option(
        metavar="FILE",
        help="Text to validate on.",
        show_default="5 % of the lines, at most 10,000",
        rich_help_panel="Data",
    ),
]

Init = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        help="A finished model to go on with; vocabulary and network are that model's.",
        rich_help_panel="Model",
    ),
]


@takes(*LEARNT)
def run(
    called: typer.Context,
    corpus: Corpus = None,
    valid: Valid = None,
    init: Init = None,
    model: Annotated[
        Path,
        of_file(
            "-m", "--model", metavar="FILE", envvar="LMTOOL_MODEL", help="Where the model goes."
        ),
    ] = MODEL,
    overwrite: Annotated[bool, of_file("--overwrite", help="Replace the model file.")] = False,
    resume: Annotated[
        bool,
        of_file(
            "--resume", help="Go on with the interrupted run of the model; needs no other option."
        ),
    ] = False,
    checkpoint_every: Annotated[
        float | None,
        of_file(
            parser=seconds,
            metavar="30s|5m",
            help="Save the run this often; saving never takes more than 1 % of the time.",
            show_default=f"{CHECKPOINT_EVERY:g}s",
        ),
    ] = None,
    log: Annotated[
        Path | None, of_file(metavar="FILE.jsonl", help="Append every event as JSON.")
    ] = None,
    quiet: Annotated[bool, of_file("-q", "--quiet", help="Say nothing.")] = False,
    as_json: Annotated[bool, of_file("--json", help="Print the result as JSON.")] = False,
    **values: Any,
) -> None:
    """Train a model on a text and write it to one file.

    With no option, sizes, epochs and batch follow the corpus, from two sentences up; the choices
    are printed, with the command that repeats the run.
    """
    check(corpus, values, resume)
    note_on_kernels(quiet)

    from lmtool import api

    with log_to(log) as logged, listener(quiet) as talker, Signals() as signals:

        def on_event(event: "Event") -> None:
            signals.on_event(event)
            talker(event)
            if logged:
                logged(event)

        every = checkpoint_every or CHECKPOINT_EVERY
        given: Any = {"valid": valid, "init": init, "on_event": on_event, **said(called, values)}
        given |= {"checkpoint_every": every, "stop": signals.received}
        if resume:
            api.resume(model, corpus=corpus, **given)
        else:
            api.train(corpus or [], model=model, overwrite=overwrite, **given)
    report(talker, model, as_json)


def check(corpus: list[str] | None, values: dict[str, Any], resume: bool = False) -> None:
    """Wrong usage where there is nothing to train on, or an option's value cannot be meant."""
    for kind in LEARNT:
        settings(kind, values)
    if not corpus and not resume:
        raise typer.BadParameter("name a text to train on", param_hint="CORPUS")


def report(talker: Quiet, model: Path, as_json: bool) -> None:
    """What came of it, and what to do with it."""
    finished = talker.finished
    if finished is None:
        return
    for line in summary(finished, model):
        talker.say(line)
    if as_json:
        say(json_line(asdict(finished)))


def summary(finished: "Finished", model: Path) -> Iterator[str]:
    """Perplexity, file, size, how to score and sample."""
    early = " (stopped early)" * finished.stopped_early
    yield (
        f"done      validation perplexity {finished.valid_perplexity:.2f}, line by line"
        f" {finished.valid_perplexity_sentence:.2f}; {finished.steps:,} steps"
        f" in {clock(finished.seconds)}{early}"
    )
    yield (
        f"speed     {finished.tokens_per_second:,.0f} tokens/s,"
        f" {finished.peak_memory_mb:,.0f} MB of memory at most"
    )
    yield f"the same  {finished.command}"
    yield f"model     {model} ({os.path.getsize(model) / 1e6:.1f} MB)"
    option = "" if model == MODEL else f" -m {shlex.quote(str(model))}"
    yield f'now try   lmtool score{option} "..."   lmtool sample{option} -n 5'
