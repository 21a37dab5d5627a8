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
from lmtool.cli.progress import Quiet, listener, log_to, measured, note_on_kernels
from lmtool.cli.render import clock, json_line, say
from lmtool.cli.signals import Signals
from lmtool.cli.terminal import mute
from lmtool.display import counted
from lmtool.settings import (
    CHECKPOINT_EVERY,
    PAIRS,
    READS,
    WRITES,
    Pairing,
    TextSettings,
    TrainSettings,
    pair_of,
    refuse_columns,
    refuse_foreign,
)
from lmtool.training.launchers import place

if TYPE_CHECKING:
    from lmtool.training.events import Event, Finished

__all__ = [
    "LEARNT",
    "Corpus",
    "Init",
    "LabelColumn",
    "Reads",
    "SourceColumn",
    "TagsColumn",
    "TargetColumn",
    "TextColumn",
    "Valid",
    "Writes",
]
__all__ += ["check", "learnt", "run"]

OUTPUT = "Output"
AFTERWARDS = {  # by what a kind of model is called
    "language model": ('lmtool score{} "..."', "lmtool sample{} -n 5"),
    "classifier": ('lmtool classify{} "..."', "lmtool evaluate{} FILE"),
    "tagger": ('lmtool tag{} "..."', "lmtool evaluate{} FILE"),
    "translator": ('lmtool translate{} "..."', "lmtool evaluate{} FILE FILE"),
    "captioner": ("lmtool caption{} -f FILE", "lmtool evaluate{} FILE FILE"),
    "recogniser": ("lmtool transcribe{} FILE", "lmtool evaluate{} FILE"),
    "frame classifier": ("lmtool classify{} -f FILE", "lmtool evaluate{} FILE"),
    "vector classifier": ("lmtool classify{} -f FILE", "lmtool evaluate{} FILE"),
    "word embedding": ("lmtool neighbours{} WORD", "lmtool analogy{} man king woman"),
}
LEARNT = (TextSettings, *(pair.settings for pair in PAIRS), TrainSettings)
READ_BY_DEFAULT = "nothing, or text where no text is written"
of_data = partial(typer.Option, rich_help_panel="Data")
of_file = partial(typer.Option, rich_help_panel=OUTPUT)

Corpus = Annotated[
    list[str] | None, typer.Argument(metavar="[CORPUS]...", help="One sentence a line; - = stdin.")
]
Valid = Annotated[
    list[str] | None,
    typer.Option(
        metavar="FILE",
        help="What to validate on; several files, in order.",
        show_default="5 % of the lines, at most 10,000; a tenth of labelled examples",
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


Reads = Annotated[
    str | None,
    of_data(metavar="|".join(READS), help="What a model reads.", show_default=READ_BY_DEFAULT),
]
Writes = Annotated[str, of_data(metavar="|".join(WRITES), help="What it writes.")]
TextColumn = Annotated[
    str | None, of_data("--text", metavar="COLUMN", help="Column of the texts, or of the words.")
]
LabelColumn = Annotated[
    str | None, of_data("--label", metavar="COLUMN", help="Column of a table's labels.")
]
TagsColumn = Annotated[
    str | None,
    of_data("--tags", metavar="COLUMN", help="Column of words' tags.", show_default="the last one"),
]
SourceColumn = Annotated[
    str | None,
    of_data(
        "--source",
        metavar="COLUMN",
        help="Column of what is translated, in a file of pairs.",
        show_default="by its usual names; the first one",
    ),
]
TargetColumn = Annotated[
    str | None,
    of_data(
        "--target",
        metavar="COLUMN",
        help="Column of the translations.",
        show_default="by its usual names; the second one",
    ),
]


@takes(*LEARNT)
def run(
    called: typer.Context,
    corpus: Corpus = None,
    reads: Reads = None,
    writes: Writes = WRITES[0],
    valid: Valid = None,
    text: TextColumn = None,
    label: LabelColumn = None,
    tags: TagsColumn = None,
    source: SourceColumn = None,
    target: TargetColumn = None,
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
            show_default=f"{CHECKPOINT_EVERY:zg}s",
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
    are printed, and at the end the command that repeats the run.
    """
    one = place()
    if one.rank:
        mute()
    check(corpus, resume)
    given = said(called, values)
    columns = {"text": text, "label": label, "tags": tags, "source": source, "target": target}
    asked = learnt(pair_of(reads, writes), given, columns)
    note_on_kernels(quiet)

    from lmtool import api

    log = None if one.rank else log
    with (
        log_to(log) as logged,
        listener(quiet) as talker,
        Signals() as signals,
    ):

        def on_event(event: "Event") -> None:
            signals.on_event(event)
            talker(event)
            if logged:
                logged(event)

        every = checkpoint_every or CHECKPOINT_EVERY
        kept: Any = {"valid": valid, "init": init, "on_event": on_event}
        kept |= {"checkpoint_every": every, "stop": signals.received, "mpi": one.n > 1}
        if resume:
            api.resume(model, corpus=corpus, **kept, **given)
        else:
            api.train(corpus or [], model=model, overwrite=overwrite, **kept, **asked)
    if not one.rank:
        report(talker, model, as_json)


def learnt(pair: Pairing, given: dict[str, Any], columns: dict[str, str | None]) -> dict[str, Any]:
    """What is trained, and how. Raises OptionError for what the pair does not take or mean."""
    refuse_foreign(pair, given)
    for kind in (TextSettings, pair.settings, TrainSettings):
        settings(kind, given)
    named = {name: column for name, column in columns.items() if column is not None}
    refuse_columns(pair, named)
    return {"reads": pair.reads, "writes": pair.writes, "columns": named, **given}


def check(corpus: list[str] | None, resume: bool = False) -> None:
    """Wrong usage where there is nothing to train on."""
    if not corpus and not resume:
        raise typer.BadParameter("name a text to train on", param_hint="CORPUS")


def report(talker: Quiet, model: Path, as_json: bool) -> None:
    """What came of it, and what to do with it."""
    finished = talker.finished
    if finished is None:
        return
    for line in summary(finished, model, talker.kind):
        talker.say(line)
    if as_json:
        values = asdict(finished)
        say(json_line(values.pop("measures") | values))


def summary(finished: "Finished", model: Path, kind: str) -> Iterator[str]:
    """Perplexity, file, size, how to score and sample."""
    early = " (stopped early)" * finished.stopped_early
    steps = f"{counted(finished.steps, 'step')} " if finished.steps else ""
    what = f"{measured(finished.measures)}; {steps}" if finished.measures else ""
    yield f"done      {what}in {clock(finished.seconds)}{early}"
    if what and finished.tokens_per_second >= 1:  # else there was no time to measure it
        yield f"speed     {finished.tokens_per_second:z,.0f} tokens/s"
    yield f"memory    {finished.peak_memory_mb:z,.0f} MB at most"
    yield f"the same  {finished.command}"
    yield f"model     {model} ({os.path.getsize(model) / 1e6:z.1f} MB)"
    option = "" if model == MODEL else f" -m {shlex.quote(str(model))}"
    yield "now try   " + "   ".join(line.format(option) for line in AFTERWARDS[kind])
