"""``lmtool info``: the model card."""

import os
import sys
from collections.abc import Iterator
from typing import Annotated, Any

import typer

from lmtool.cli.options import MODEL, Json, ModelPath
from lmtool.cli.render import json_line, number, pairs, say, table
from lmtool.cli.terminal import harmless, is_terminal

__all__ = ["run"]

TABLES = ("parameters", "curve")  # lists of records in the card


def run(
    file: Annotated[
        str | None, typer.Argument(metavar="[FILE]", help="The model file.", show_default="-m")
    ] = None,
    model: ModelPath = MODEL,
    as_json: Json = False,
) -> None:
    """Show a model's card: recipe, corpus, training curve, every parameter and its shape."""
    from lmtool import api

    path = file or model
    card = {"model": str(path), "n_bytes": 0, **api.load(path).info()}
    card["n_bytes"] = os.path.getsize(path)
    if as_json:
        say(json_line(card))
        return
    records = {name: card.pop(name) for name in TABLES if card.get(name)}
    say(pairs(flat(card)))
    for name, rows in records.items():
        say(as_table(name, rows) if is_terminal(sys.stdout) else pairs(flat({name: rows})))


def flat(value: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    """Nested values as dotted names: {"a": {"b": 1}} -> ("a.b", 1)."""
    if isinstance(value, list) and any(isinstance(part, dict) for part in value):
        value = {part.pop("name", n): part for n, part in enumerate(map(dict, value), 1)}
    if not isinstance(value, dict):
        yield name, shown(value)
        return
    for key, part in value.items():
        yield from flat(part, f"{name}.{key}" if name else str(key))


def shown(value: Any) -> Any:
    """A shape as ``10002 x 200``, yes or no for truth; other values as they are."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return " x ".join(map(str, value)) if isinstance(value, list | tuple) else value


def as_table(name: str, rows: list[dict[str, Any]]) -> str:
    """A list of records under its name."""
    cells = [[harmless(number(shown(value))) for value in row.values()] for row in rows]
    return f"\n{name}\n{table(list(rows[0]), cells)}"
