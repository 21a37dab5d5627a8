"""The command line that repeats a run bit for bit."""

import itertools
import shlex
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from lmtool.settings import ModelSettings, TextSettings, TrainSettings

__all__ = ["command", "inputs_and_output", "settled"]

NOT_REPEATED = ("threads", "softmax")  # changes no bits; follows another


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


def command(
    words: list[str], text: TextSettings, network: ModelSettings, recipe: TrainSettings
) -> str:
    """Every choice that matters, spelled out after ``words``."""
    settings = itertools.chain(*(asdict(part).items() for part in (text, network, recipe)))
    options = (option_words(k, value) for k, value in settings)
    return shlex.join([*words, *itertools.chain(*options)])


def option_words(name: str, value: Any) -> list[str]:
    """One setting as command-line words; none where it is off, open or changes no bits."""
    if value is None or (value is False and name != "tie") or name in NOT_REPEATED:
        return []
    if name == "seconds":
        return ["--time", f"{value:g}s"]
    flag = name.replace("_", "-")
    if isinstance(value, bool):
        return [f"--{flag}" if value else f"--no-{flag}"]
    return [f"--{flag}", str(value)]
