"""The command line that repeats a run bit for bit."""

import itertools
import shlex
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from lmtool.settings import PAIRS, TrainSettings, declared
from lmtool.training.request import Request

__all__ = ["command", "inputs_and_output", "settled"]

DEFAULT = PAIRS[0]  # what is trained without a word
SWITCHED_ON = ("tie", "both", "centre", "differences")  # by default


def settled(recipe: TrainSettings, steps: int) -> TrainSettings:
    """The recipe with the number of steps that the clock chose, where it chose."""
    return recipe if recipe.seconds is None else replace(recipe, seconds=None, steps=steps)


def inputs_and_output(
    corpus: Sequence[str | Path],
    valid: Sequence[str | Path],
    model: str | Path | None,
    init: str | Path | None = None,
) -> list[str]:
    """The beginning of the command line: what is read and written."""
    words = ["lmtool", "train", *map(str, corpus)]
    words += [word for path in valid for word in ("--valid", str(path))]
    words += ["--init", str(init)] if init else []
    return words + (["--model", str(model)] if model else [])


def command(words: list[str], request: Request) -> str:
    """Every choice that matters, spelled out after ``words``."""
    pair = [word for k in ("reads", "writes") for word in option_words(k, getattr(request, k))]
    columns = [word for k, column in request.columns.items() for word in option_words(k, column)]
    kind = request.kind.name
    texts = (request.text,) if "text" in (request.reads, request.writes) else ()
    parts = (*texts, request.network, request.recipe)
    options = (chosen(part, kind) for part in parts)
    plain = [] if kind == DEFAULT.name else pair
    return shlex.join([*words, *plain, *columns, *itertools.chain(*options)])


def chosen(settings: Any, kind: str) -> Iterator[str]:
    """The options of settings that this kind of model takes, with their values."""
    for name, (_, _, option) in declared(settings.__class__).items():
        if option and name != "threads" and (not option.kinds or kind in option.kinds):
            yield from option_words(name, getattr(settings, name))


def option_words(name: str, value: Any) -> list[str]:
    """One setting as command-line words; none where it is off or open."""
    if value in (None, "") or (value is False and name not in SWITCHED_ON):
        return []
    if name == "seconds":
        return ["--time", f"{value:g}s"]
    flag = name.replace("_", "-")
    if isinstance(value, bool):
        return [f"--{flag}" if value else f"--no-{flag}"]
    return [f"--{flag}", str(value)]
