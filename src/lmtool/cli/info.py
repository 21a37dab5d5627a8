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
    card = api.load(path).info()
    own = {"model": str(path), "n_bytes": os.path.getsize(path)}
    card = own | card | own
    if as_json:
        say(json_line(card))
        return
    screen = is_terminal(sys.stdout)
    records: Any = {name: card.pop(name) for name in TABLES if is_table(card.get(name)) and screen}
    say(pairs(flat(card)))
    for name, rows in records.items():
        say(as_table(name, rows))


def is_table(value: Any) -> bool:
    """Whether it is a list of records with the same names: provenance may be anything."""
    return are_records(value) and len({tuple(record) for record in value}) == 1


def are_records(value: Any) -> bool:
    """Whether it is a list of objects."""
    return isinstance(value, list) and bool(value) and all(isinstance(x, dict) for x in value)


def flat(value: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    """Nested values as dotted names: {"a": {"b": 1}} -> ("a.b", 1)."""
    if are_records(value):
        named = [(record.get("name", n), record) for n, record in enumerate(value, 1)]
        for key, record in named:
            yield from flat({k: v for k, v in record.items() if k != "name"}, f"{name}.{key}")
    elif isinstance(value, dict):
        for key, part in value.items():
            yield from flat(part, f"{name}.{key}" if name else str(key))
    else:
        yield name, shown(value)


def shown(value: Any) -> Any:
    """A shape as ``10002 x 200``, yes or no for truth; other values as they are."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return " x ".join(map(str, value)) if isinstance(value, list | tuple) else value


def as_table(name: str, rows: list[dict[str, Any]]) -> str:
    """A list of records under its name."""
    cells = [[harmless(number(shown(value))) for value in row.values()] for row in rows]
    return f"\n{name}\n{table(list(map(harmless, rows[0])), cells)}"
