"""``lmtool train``: a model from a text."""

import os
import shlex
from collections.abc import Iterator
from dataclasses import asdict
from functools import partial
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
BUDGETS = ("epochs", "steps", "time")
OUTPUT = "Output"
of_text, of_network, of_training, of_file = (
    partial(typer.Option, rich_help_panel=panel) for panel in ("Data", "Model", "Training", OUTPUT)
)
sized, planned = (
    partial(option, show_default="follows the corpus") for option in (of_network, of_training)
)


def run(
    corpus: Annotated[
        list[str] | None, typer.Argument(metavar="CORPUS", help="One sentence a line; - = stdin.")
    ] = None,
    valid: Annotated[
        str | None,
        of_text(
            metavar="FILE",
            help="Text to validate on.",
            show_default="5 % of the lines, at most 10,000",
        ),
    ] = None,
    tokens: Annotated[str, of_text(metavar="word|char", help="What is predicted.")] = TEXT.tokens,
    lower: Annotated[bool, of_text("--lower", help="Lower-case the text.")] = TEXT.lower,
    vocab_size: Annotated[int, of_text(min=1, help="Most frequent tokens kept.")] = TEXT.vocab_size,
    min_count: Annotated[int, of_text(min=1, help="Rarer tokens become <UNK>.")] = TEXT.min_count,
    cell: Annotated[str, of_network(metavar="lstm|gru|rnn", help="The cell.")] = NETWORK.cell,
    activation: Annotated[
        str, of_network(metavar="tanh|relu", help="Of rnn cells.")
    ] = NETWORK.activation,
    layers: Annotated[int, of_network(min=1, help="Cells on top of each other.")] = NETWORK.layers,
    members: Annotated[
        int | None, sized(min=1, help="Networks whose probabilities are averaged.")
    ] = NETWORK.members,
    hidden: Annotated[int | None, sized(min=1, help="Size of the state.")] = NETWORK.hidden,
    embed: Annotated[int | None, sized(min=1, help="Size of a word vector.")] = NETWORK.embed,
    tie: Annotated[
        bool, of_network("--tie/--no-tie", help="Use the word vectors as output weights.")
    ] = NETWORK.tie,
    output: Annotated[
        str | None, planned(metavar="full|sampled|classes", help="How the softmax is trained.")
    ] = RECIPE.output,
    samples: Annotated[
        int | None, planned(min=1, help="Words drawn a step by the sampled softmax.")
    ] = RECIPE.samples,
    finish: Annotated[
        float | None,
        planned(
            min=0, max=1, help="Last share of the updates, trained with the full softmax instead."
        ),
    ] = RECIPE.finish,
    epochs: Annotated[float | None, planned(help="Passes over the text.")] = RECIPE.epochs,
    steps: Annotated[
        int | None, of_training(min=1, help="Updates, instead of epochs.")
    ] = RECIPE.steps,
    time: Annotated[
        float | None,
        of_training(parser=seconds, metavar="90s|10m|2h", help="Time to train, instead of epochs."),
    ] = RECIPE.seconds,
    batch: Annotated[int | None, planned(min=1, help="Streams.")] = RECIPE.batch,
    bptt: Annotated[
        int | None, planned(min=1, help="Time steps that gradients go back.")
    ] = RECIPE.bptt,
    lr: Annotated[
        float | None, of_training(help="Peak learning rate.", show_default="the optimizer's")
    ] = RECIPE.lr,
    optimizer: Annotated[
        str, of_training(metavar="adam|sgd", help="The update.")
    ] = RECIPE.optimizer,
    clip: Annotated[float, of_training(help="Largest norm of the gradient.")] = RECIPE.clip,
    dropout: Annotated[
        float | None, planned(min=0, help="Share of units left out.")
    ] = RECIPE.dropout,
    weight_drop: Annotated[
        float | None,
        planned(min=0, help="Share of the weights from state to state that a step leaves out."),
    ] = RECIPE.weight_drop,
    word_drop: Annotated[
        float | None, planned(min=0, help="Share of the vocabulary that a step does not read.")
    ] = RECIPE.word_drop,
    drop_warmup: Annotated[
        int | None, planned(min=0, help="Updates over which the three shares left out grow from 0.")
    ] = RECIPE.drop_warmup,
    context: Annotated[
        str,
        of_training(
            metavar="document|sentence|mixed",
            help="Carry the state over lines, reset it, or learn both.",
        ),
    ] = RECIPE.context,
    seed: Annotated[int, of_training(min=0, help="Repeats a run bit for bit.")] = RECIPE.seed,
    shards: Annotated[
        int | None,
        of_training(
            min=1,
            help="Parts of a batch that threads can share; part of the recipe.",
            show_default="one a core",
        ),
    ] = RECIPE.shards,
    threads: Annotated[
        int | None,
        of_training(min=1, help="Changes the time, never the result.", show_default="all cores"),
    ] = RECIPE.threads,
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
