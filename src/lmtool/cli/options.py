"""Options that several commands share, and how option values are read."""

import re
from collections.abc import Iterable
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from lmtool.settings import CONTEXTS

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

__all__ = ["MODEL", "Context", "Json", "ModelPath", "Threads", "choice", "seconds", "settings"]

MODEL = Path("model.safetensors")
UNITS = {"": 1.0, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
DURATION = re.compile(r"(\d+(?:\.\d*)?|\.\d+)([smhd]?)")

Settings = TypeVar("Settings", bound="DataclassInstance")

ModelPath = Annotated[
    Path,
    typer.Option("-m", "--model", metavar="FILE", envvar="LMTOOL_MODEL", help="The model file."),
]
Context = Annotated[
    str,
    typer.Option(
        metavar="|".join(CONTEXTS),
        help="Start each line afresh, or carry the state over from line to line.",
    ),
]
Threads = Annotated[
    int | None,
    typer.Option(
        min=1,
        help="Changes the time, never a digit; for a file, not for standard input.",
        show_default="one a core",
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON, one object per result.")]


def choice(option: str, value: str, allowed: Iterable[str]) -> str:
    """The value, if it is a name in the table; wrong usage otherwise."""
    names = list(allowed)
    if value not in names:
        raise typer.BadParameter(f"{value!r} is not one of {', '.join(names)}", param_hint=option)
    return value


def seconds(text: str) -> float:
    """A span of time: ``90`` or ``90s`` -> 90.0, ``1h30m`` -> 5400.0."""
    parts = DURATION.findall(text)
    if not parts or "".join(map("".join, parts)) != text:
        raise typer.BadParameter(f"{text!r} is no span of time: write 90s, 10m or 2h")
    return sum(float(amount) * UNITS[unit] for amount, unit in parts)


def settings(kind: type[Settings], values: dict[str, Any]) -> Settings:
    """Settings from a command's options of the same names."""
    names = {field.name for field in fields(kind)}
    return kind(**{name: value for name, value in values.items() if name in names})
