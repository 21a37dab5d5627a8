"""``lmtool train``: a model from a text."""

import os
import shlex
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lmtool.cli.options import MODEL, choice, seconds, settings
from lmtool.cli.progress import Quiet, listener, log_to, note_on_kernels
from lmtool.cli.render import clock, json_line, say
from lmtool.cli.signals import Signals
from lmtool.settings import CHECKPOINT_EVERY, ModelSettings, TextSettings, TrainSettings

if TYPE_CHECKING:
    from lmtool.training.events import Event, Finished

__all__ = ["run"]

TEXT, NETWORK, RECIPE = TextSettings(), ModelSettings(), TrainSettings()
FOLLOWS: Any = "follows the corpus"
DATA, MODEL_PANEL, TRAINING, OUTPUT = "Data", "Model", "Training", "Output"
BUDGETS = ("epochs", "steps", "time")


def run(
    corpus: Annotated[
        list[str] | None,
        typer.Argument(metavar="CORPUS", help="One sentence a line; - = stdin."),
    ] = None,
    valid: Annotated[
        str | None,
        typer.Option(
            metavar="FILE",
            help="Text to validate on.",
            show_default="5 % of the lines, at most 10,000",
            rich_help_panel=DATA,
        ),
    ] = None,
    tokens: Annotated[
        str, typer.Option(metavar="word|char", help="What is predicted.", rich_help_panel=DATA)
    ] = TEXT.tokens,
    lower: Annotated[
        bool, typer.Option("--lower", help="Lower-case the text.", rich_help_panel=DATA)
    ] = TEXT.lower,
    vocab_size: Annotated[
        int,
        typer.Option(min=1, help="Most frequent tokens kept.", rich_help_panel=DATA),
    ] = TEXT.vocab_size,
    min_count: Annotated[
        int, typer.Option(min=1, help="Rarer tokens become <UNK>.", rich_help_panel=DATA)
    ] = TEXT.min_count,
    cell: Annotated[
        str, typer.Option(metavar="lstm|gru|rnn", help="The cell.", rich_help_panel=MODEL_PANEL)
    ] = NETWORK.cell,
    activation: Annotated[
        str, typer.Option(metavar="tanh|relu", help="Of rnn cells.", rich_help_panel=MODEL_PANEL)
    ] = NETWORK.activation,
    layers: Annotated[
        int, typer.Option(min=1, help="Cells on top of each other.", rich_help_panel=MODEL_PANEL)
    ] = NETWORK.layers,
    members: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="Networks whose probabilities are averaged.",
            show_default=FOLLOWS,
            rich_help_panel=MODEL_PANEL,
        ),
    ] = NETWORK.members,
    hidden: Annotated[
        int | None,
        typer.Option(
            min=1, help="Size of the state.", show_default=FOLLOWS, rich_help_panel=MODEL_PANEL
        ),
    ] = NETWORK.hidden,
    embed: Annotated[
        int | None,
        typer.Option(
            min=1, help="Size of a word vector.", show_default=FOLLOWS, rich_help_panel=MODEL_PANEL
        ),
    ] = NETWORK.embed,
    tie: Annotated[
        bool,
        typer.Option(
            "--tie/--no-tie",
            help="Use the word vectors as output weights.",
            rich_help_panel=MODEL_PANEL,
        ),
    ] = NETWORK.tie,
    output: Annotated[
        str | None,
        typer.Option(
            metavar="full|sampled|classes",
            help="How the softmax is trained.",
            show_default=FOLLOWS,
            rich_help_panel=TRAINING,
        ),
    ] = RECIPE.output,
    samples: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="Words drawn a step by the sampled softmax.",
            show_default=FOLLOWS,
            rich_help_panel=TRAINING,
        ),
    ] = RECIPE.samples,
    finish: Annotated[
        float | None,
        typer.Option(
            min=0,
            max=1,
            help="Last share of the updates, trained with the full softmax instead.",
            show_default=FOLLOWS,
            rich_help_panel=TRAINING,
        ),
    ] = RECIPE.finish,
    epochs: Annotated[
        float | None,
        typer.Option(help="Passes over the text.", show_default=FOLLOWS, rich_help_panel=TRAINING),
    ] = RECIPE.epochs,
    steps: Annotated[
        int | None,
        typer.Option(min=1, help="Updates, instead of epochs.", rich_help_panel=TRAINING),
    ] = RECIPE.steps,
    time: Annotated[
        float | None,
        typer.Option(
            parser=seconds,
            metavar="90s|10m|2h",
            help="Time to train, instead of epochs.",
            rich_help_panel=TRAINING,
        ),
    ] = RECIPE.seconds,
    batch: Annotated[
        int | None,
        typer.Option(min=1, help="Streams.", show_default=FOLLOWS, rich_help_panel=TRAINING),
    ] = RECIPE.batch,
    bptt: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="Time steps that gradients go back.",
            show_default=FOLLOWS,
            rich_help_panel=TRAINING,
        ),
    ] = RECIPE.bptt,
    lr: Annotated[
        float | None,
        typer.Option(
            help="Peak learning rate.", show_default="the optimizer's", rich_help_panel=TRAINING
        ),
    ] = RECIPE.lr,
    optimizer: Annotated[
        str, typer.Option(metavar="adam|sgd", help="The update.", rich_help_panel=TRAINING)
    ] = RECIPE.optimizer,
    clip: Annotated[
        float, typer.Option(help="Largest norm of the gradient.", rich_help_panel=TRAINING)
    ] = RECIPE.clip,
    dropout: Annotated[
        float | None,
        typer.Option(
            min=0, help="Share of units left out.", show_default=FOLLOWS, rich_help_panel=TRAINING
        ),
    ] = RECIPE.dropout,
    weight_drop: Annotated[
        float | None,
        typer.Option(
            min=0,
            help="Share of the weights from state to state that a step leaves out.",
            show_default=FOLLOWS,
            rich_help_panel=TRAINING,
        ),
    ] = RECIPE.weight_drop,
    word_drop: Annotated[
        float | None,
        typer.Option(
            min=0,
            help="Share of the vocabulary that a step does not read.",
            show_default=FOLLOWS,
            rich_help_panel=TRAINING,
        ),
    ] = RECIPE.word_drop,
    drop_warmup: Annotated[
        int | None,
        typer.Option(
            min=0,
            help="Updates over which the three shares left out grow from 0.",
            show_default=FOLLOWS,
            rich_help_panel=TRAINING,
        ),
    ] = RECIPE.drop_warmup,
    context: Annotated[
        str,
        typer.Option(
            metavar="document|sentence|mixed",
            help="Carry the state over lines, reset it, or learn both.",
            rich_help_panel=TRAINING,
        ),
    ] = RECIPE.context,
    seed: Annotated[
        int, typer.Option(min=0, help="Repeats a run bit for bit.", rich_help_panel=TRAINING)
    ] = RECIPE.seed,
    shards: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="Parts of a batch that threads can share; part of the recipe.",
            show_default="one a core",
            rich_help_panel=TRAINING,
        ),
    ] = RECIPE.shards,
    threads: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="Changes the time, never the result.",
            show_default="all cores",
            rich_help_panel=TRAINING,
        ),
    ] = RECIPE.threads,
    model: Annotated[
        Path,
        typer.Option(
            "-m",
            "--model",
            metavar="FILE",
            envvar="LMTOOL_MODEL",
            help="Where the model goes.",
            rich_help_panel=OUTPUT,
        ),
    ] = MODEL,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace the model file.", rich_help_panel=OUTPUT)
    ] = False,
    resume: Annotated[
        bool,
        typer.Option(
            "--resume",
            help="Go on with the interrupted run of the model; needs no other option.",
            rich_help_panel=OUTPUT,
        ),
    ] = False,
    checkpoint_every: Annotated[
        float | None,
        typer.Option(
            parser=seconds,
            metavar="30s|5m",
            help="Save the run this often; saving never takes more than 1 % of the time.",
            show_default=f"{CHECKPOINT_EVERY:g}s",
            rich_help_panel=OUTPUT,
        ),
    ] = None,
    log: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE.jsonl", help="Append every event as JSON.", rich_help_panel=OUTPUT
        ),
    ] = None,
    quiet: Annotated[
        bool, typer.Option("-q", "--quiet", help="Say nothing.", rich_help_panel=OUTPUT)
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the result as JSON.", rich_help_panel=OUTPUT)
    ] = False,
) -> None:
    """Train a model on a text and write it to one file.

    With no option, sizes, epochs and batch follow the corpus, from two sentences up; the choices
    are printed, with the command that repeats the run.
    """
    values = {**locals(), "seconds": time}
    check(values)
    note_on_kernels(quiet)

    from lmtool import api

    with log_to(log) as logged, listener(quiet) as talker, Signals() as signals:

        def on_event(event: "Event") -> None:
            signals.on_event(event)
            talker(event)
            if logged:
                logged(event)

        every = checkpoint_every or CHECKPOINT_EVERY
        kept: Any = {"checkpoint_every": every, "stop": signals.received}
        if resume:
            given = changed(values)
            api.resume(model, corpus=corpus, valid=valid, on_event=on_event, **kept, **given)
        else:
            api.train(
                corpus or [],
                model=model,
                valid=valid,
                text=settings(TextSettings, values),
                network=settings(ModelSettings, values),
                recipe=settings(TrainSettings, values),
                overwrite=overwrite,
                on_event=on_event,
                **kept,
            )
    report(talker, model, as_json)


def changed(values: dict[str, Any]) -> dict[str, Any]:
    """The options of settings that were given, or at least are not the defaults."""
    defaults = asdict(TEXT) | asdict(NETWORK) | asdict(RECIPE)
    return {k: values[k] for k, default in defaults.items() if values.get(k, default) != default}


def check(values: dict[str, Any]) -> None:
    """Wrong usage for a name that is in no table, or for two budgets."""
    from lmtool.nn.cells import CELLS
    from lmtool.nn.cells.rnn import ACTIVATIONS
    from lmtool.nn.outputs import OUTPUTS
    from lmtool.text.tokenizers import TOKENIZERS
    from lmtool.training.contexts import CONTEXTS
    from lmtool.training.optimizers import OPTIMIZERS

    if not values["corpus"] and not values.get("resume"):
        raise typer.BadParameter("name a text to train on", param_hint="CORPUS")
    choice("--tokens", values["tokens"], TOKENIZERS)
    choice("--cell", values["cell"], CELLS)
    choice("--activation", values["activation"], ACTIVATIONS)
    choice("--output", values["output"] or next(iter(OUTPUTS)), OUTPUTS)
    choice("--optimizer", values["optimizer"], OPTIMIZERS)
    choice("--context", values["context"], CONTEXTS)
    if sum(values[budget] is not None for budget in BUDGETS) > 1:
        raise typer.BadParameter(
            "give only one of them", param_hint=list(map("--{}".format, BUDGETS))
        )


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
