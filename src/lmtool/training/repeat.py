"""The command line that repeats a run bit for bit."""

import itertools
import shlex
from collections.abc import Iterator, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from lmtool.settings import PAIRS, TrainSettings, declared, pair_of
from lmtool.training.request import Request

__all__ = ["command", "inputs_and_output", "settled"]

DEFAULT = PAIRS[0]  # what is trained without a word


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
    texts = (request.text,) if {"text", "vectors"} & {request.reads, request.writes} else ()
    parts = (*texts, request.network, request.recipe)
    plain_text = asdict(pair_of(request.reads, request.writes).text)
    options = (chosen(part, kind, plain_text) for part in parts)
    plain = [] if kind == DEFAULT.name else pair
    return shlex.join([*words, *plain, *columns, *itertools.chain(*options)])


def chosen(settings: Any, kind: str, usual: dict[str, Any]) -> Iterator[str]:
    """The options of settings that this kind of model takes, with their values."""
    for name, (field, _, option) in declared(settings.__class__).items():
        if option and name != "threads" and (not option.kinds or kind in option.kinds):
            off = usual.get(name, field.default) is False  # unless it is said
            yield from option_words(name, getattr(settings, name), off)


def option_words(name: str, value: Any, off: bool = True) -> list[str]:
    """One setting as command-line words; none where it is open, or off as it is by default."""
    if value in (None, "") or (value is False and off):
        return []
    if name == "seconds":
        return ["--time", f"{value:g}s"]
    flag = name.replace("_", "-")
    if isinstance(value, bool):
        return [f"--{flag}" if value else f"--no-{flag}"]
    return [f"--{flag}", str(value)]
