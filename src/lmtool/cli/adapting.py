"""What commands share that let a language model follow a text."""

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lmtool.cli.inputs import note, text_of
from lmtool.settings import AdaptSettings

if TYPE_CHECKING:
    from lmtool.api import Model

__all__ = ["Tune", "refuse_tune", "tuned"]

Tune = Annotated[
    str | None,
    typer.Option(
        metavar="FILE",
        help="Choose the numbers of --adapt and --cache by this text, which is no test.",
        rich_help_panel="Options for adapting to the text",
    ),
]


def refuse_tune(tune: str | None, wanted: AdaptSettings) -> None:
    """Wrong usage where there is nothing to tune."""
    if tune is not None and not wanted.active:
        raise typer.BadParameter("needs --adapt or --cache N", param_hint="--tune")


def tuned(lm: "Model", tune: str | None, wanted: AdaptSettings) -> dict[str, Any]:
    """The options as they are asked for, or as suits a text, which is said on stderr."""
    if tune is None:
        return asdict(wanted)
    found: dict[str, Any] = lm.tune(text_of(tune), **asdict(wanted))
    names = [name for name in found if getattr(wanted, name.partition("_")[0]) and "_" in name]
    said = " ".join(f"--{name.replace('_', '-')} {found[name]:zg}" for name in names)
    note(f"tuned on {tune}: {said}")
    return found
