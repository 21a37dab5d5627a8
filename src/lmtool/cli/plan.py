"""``lmtool plan``: what ``lmtool train`` with the same options would do."""

import inspect
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from lmtool.cli import train
from lmtool.cli.options import Json, settings
from lmtool.cli.progress import note_on_kernels
from lmtool.cli.render import clock, json_line, pairs, say
from lmtool.settings import ModelSettings, TextSettings, TrainSettings

if TYPE_CHECKING:
    from lmtool.training.forecast import Forecast

__all__ = ["run"]


def run(as_json: Json = False, **values: Any) -> None:
    """Show what training would do, without training: sizes, steps, speed, memory, file size.

    A few steps are run to measure the speed. Takes the options of train, those of its output left
    out.
    """
    values["seconds"] = values["time"]
    train.check(values)
    note_on_kernels()

    from lmtool import api

    forecast = api.plan(
        values["corpus"],
        valid=values["valid"],
        text=settings(TextSettings, values),
        network=settings(ModelSettings, values),
        recipe=settings(TrainSettings, values),
    )
    say(json_line(forecast.to_dict()) if as_json else pairs(rows(forecast)))


def rows(forecast: "Forecast") -> list[tuple[str, Any]]:
    """The forecast, a line each."""
    network, recipe = forecast.network, forecast.recipe
    chosen = {**asdict(network), **asdict(recipe)}
    shown = (
        "cell", "layers", "members", "embed", "hidden", "output", "finish",
        "batch", "bptt", "lr", "dropout", "weight_drop", "word_drop", "drop_warmup",
    )  # fmt: skip
    return [
        *((name, chosen[name]) for name in shown),
        ("parameters", forecast.n_parameters),
        ("outputs", forecast.n_tokens),
        ("tokens to train on", forecast.n_train_tokens),
        ("steps", forecast.steps),
        ("epochs", round(forecast.epochs, 2)),
        ("tokens/s", round(forecast.tokens_per_second)),
        ("time", clock(forecast.seconds)),
        ("memory MB", round(forecast.memory_mb)),
        ("model file MB", round(forecast.file_mb, 1)),
        ("command", forecast.command),
    ]


def shared_parameters() -> list[inspect.Parameter]:
    """Those of train that say what is trained and how, then those of this command."""
    of_train = inspect.signature(train.run).parameters.values()
    own = [p for p in inspect.signature(run).parameters.values() if p.name != "values"]
    return [p for p in of_train if panel(p) != train.OUTPUT] + own


def panel(parameter: inspect.Parameter) -> str | None:
    """The heading under which an option stands in the help."""
    declared = getattr(parameter.annotation, "__metadata__", (None,))[0]
    return getattr(declared, "rich_help_panel", None)


parameters = shared_parameters()
run.__annotations__ = {p.name: p.annotation for p in parameters} | {"return": None}
run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
