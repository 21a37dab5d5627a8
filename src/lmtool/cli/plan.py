"""``lmtool plan``: what ``lmtool train`` with the same options would do."""

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import typer

from lmtool.cli.options import Json, said, takes
from lmtool.cli.progress import ngrams, note_on_kernels
from lmtool.cli.render import clock, json_line, pairs, say
from lmtool.cli.train import (
    LEARNT,
    Corpus,
    Init,
    LabelColumn,
    Reads,
    SourceColumn,
    TagsColumn,
    TargetColumn,
    TextColumn,
    Valid,
    Writes,
    check,
    learnt,
)
from lmtool.settings import WRITES, pair_of
from lmtool.settings.shared import reader

if TYPE_CHECKING:
    from lmtool.training.forecast import Forecast

__all__ = ["run"]


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
    as_json: Json = False,
    **values: Any,
) -> None:
    """Show what training would do, without training: sizes, steps, speed, memory, file size.

    A few steps are run to measure the speed. Takes the options of train, those of its output left
    out.
    """
    check(corpus)
    given = said(called, values)
    columns = {"text": text, "label": label, "tags": tags, "source": source, "target": target}
    asked = learnt(pair_of(reads, writes), given, columns)
    note_on_kernels()

    from lmtool import api

    forecast = api.plan(corpus or [], valid=valid, init=init, **asked)
    say(json_line(forecast.to_dict()) if as_json else pairs(rows(forecast)))


def rows(forecast: "Forecast") -> list[tuple[str, Any]]:
    """The forecast, a line each."""
    network, recipe = forecast.network, forecast.recipe
    chosen = {**asdict(network), **asdict(recipe), "cell": reader(network)}
    shown = (
        "cell", "layers", "members", "embed", "hidden", "output", "finish",
        "batch", "bptt", "lr", "dropout", "weight_drop", "word_drop", "margin", "drop_warmup",
    )  # fmt: skip
    return [
        *((name, chosen[name]) for name in shown if name in chosen),
        *([("n-grams", ngrams(recipe.ngram, recipe.prune))] if recipe.ngram else []),
        ("parameters", forecast.n_parameters),
        ("outputs", forecast.n_outputs),
        ("tokens to train on", forecast.n_train_tokens),
        ("steps", forecast.steps),
        ("epochs", round(forecast.epochs, 2)),
        ("tokens/s", round(forecast.tokens_per_second)),
        ("time", clock(forecast.seconds)),
        ("memory MB", round(forecast.memory_mb)),
        ("model file MB", round(forecast.file_mb, 1)),
        ("command", forecast.command),
    ]
