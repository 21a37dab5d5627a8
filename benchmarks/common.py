"""What every part shares: interleaved timing, generated text, fresh processes, tables."""

import math
import os
import platform
import re
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from multiprocessing import get_context
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from lmtool._version import __version__
from lmtool.cli.render import json_line, table
from lmtool.settings import TextSettings
from lmtool.text.vocabulary import UNK_ID, Vocabulary

__all__ = [
    "SEED",
    "Cell",
    "Options",
    "Part",
    "Ratio",
    "Row",
    "Table",
    "elapsed",
    "in_child",
    "installed",
    "interleaved",
    "line",
    "long_calls_per_second",
    "machine",
    "peak_mb",
    "per_second",
    "ratio",
    "say",
    "show",
    "spelled",
    "write_text",
    "zipf_ids",
    "zipf_vocabulary",
]

SEED = 1
SYLLABLES = [consonant + vowel for consonant in "bcdfghjklmnprstz" for vowel in "aeiou"]
BEND = 8000  # most frequent words that follow Zipf's law
N_TYPES = 1_000_000  # words that a generated text draws from
LINE = 20  # words a line
LINES = 1000  # written at a time
STATUS = Path("/proc/self/status")

Arm = TypeVar("Arm")
Result = TypeVar("Result")


# --- what a part is -------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Options:
    """The command line."""

    names: list[str]  # of parts
    data: Path | None  # a folder with train.txt and valid.txt, or train.tsv
    lines: int  # of the file in ``scoring``
    repeats: int
    seconds: float  # of one timing
    minutes: float  # of PyTorch's training in ``quality``
    large: bool  # 1 GB of text in ``scale``
    json: Path | None


class Ratio(NamedTuple):
    """Of two arms, over the repeats."""

    median: float
    lowest: float
    highest: float


Cell = str | float | Ratio | None
Row = Sequence[Cell]


class Table(NamedTuple):
    """What a part yields."""

    title: str
    columns: Sequence[str]
    rows: Sequence[Row]


class Part(NamedTuple):
    """A benchmark."""

    run: Callable[[Options], Iterator[Table]]
    needs_data: bool = False


# --- timing ---------------------------------------------------------------------------------


def interleaved(arms: Mapping[Arm, Callable[[], Result]], repeats: int) -> dict[Arm, list[Result]]:
    """What each arm measures, in the order A B C A B C ..., so that noise strikes all alike."""
    measured: dict[Arm, list[Result]] = {name: [] for name in arms}
    for _ in range(repeats):
        for name, arm in arms.items():
            measured[name].append(arm())
    return measured


def ratio(these: Sequence[float], those: Sequence[float]) -> Ratio:
    """These over those, repeat by repeat."""
    ratios = [a / b for a, b in zip(these, those, strict=True)]
    return Ratio(median(ratios), min(ratios), max(ratios))


def per_second(function: Callable[[], object], seconds: float) -> float:
    """Calls a second: whole calls until the time is up, after one that does not count."""
    function()
    return long_calls_per_second(function, seconds)


def long_calls_per_second(function: Callable[[], object], seconds: float) -> float:
    """The same without one that does not count, which would take as long as the timing."""
    n, start, passed = 0, time.perf_counter(), 0.0
    while not n or passed < seconds:
        function()
        n, passed = n + 1, time.perf_counter() - start
    return n / passed


def elapsed(function: Callable[..., object], *arguments: object) -> float:
    """Seconds of one call."""
    start = time.perf_counter()
    function(*arguments)
    return time.perf_counter() - start


def in_child(function: Callable[..., Result], *arguments: object) -> Result:
    """The result of a fresh process, so that its peak of memory is its own."""
    with ProcessPoolExecutor(1, get_context("spawn")) as pool:
        return pool.submit(function, *arguments).result()


def peak_mb() -> float:
    """The largest resident set of this process; MB."""
    if not STATUS.exists():
        from lmtool.training.loop import peak_memory_mb

        return peak_memory_mb() * 2**20 / 1e6
    found = re.search(r"VmHWM:\s+(\d+) kB", STATUS.read_text())  # ru_maxrss holds the parent's too
    return int(found[1]) * 1024 / 1e6 if found else float("nan")


# --- text -----------------------------------------------------------------------------------


def zipf_ids(rng: np.random.Generator, V: int, n: int) -> NDArray[np.int32]:
    """n ids by the word frequencies of large texts: 1 / k, and 1 / k^2 beyond BEND.

    Words beyond the V most frequent become <UNK>. (Ferrer i Cancho & Sole 2001)
    """
    t = rng.random(n) * (1 + math.log(BEND))
    k = np.where(t < math.log(BEND), np.exp(t), BEND / (1 + math.log(BEND) - t))
    return np.where(k < V + 1, k - 1, UNK_ID).astype(np.int32)


def spelled(number: int) -> str:
    """A word of its own for each number, the shorter the smaller it is."""
    word, rest = "", number + 1
    while rest:
        rest, syllable = divmod(rest - 1, len(SYLLABLES))
        word += SYLLABLES[syllable]
    return word


def zipf_vocabulary(V: int) -> Vocabulary:
    """V outputs with the counts of a large text."""
    counts = {spelled(k - 1): 1 + int(100 * V * min(1, BEND / k) / k) for k in range(1, V - 1)}
    return Vocabulary.from_counts(counts, 10 * V, TextSettings(vocab_size=V))


def write_text(path: Path, megabytes: float) -> None:
    """The same text each time, of at least that size."""
    rng = np.random.default_rng(SEED)
    words = np.array([spelled(k) for k in range(N_TYPES)], object)
    with path.open("w", encoding="ascii") as file:
        while file.tell() < megabytes * 1e6:
            ids = zipf_ids(rng, N_TYPES, LINES * LINE)
            file.writelines(" ".join(row) + "\n" for row in words[ids.reshape(LINES, LINE)])


# --- tables ---------------------------------------------------------------------------------


def say(message: str) -> None:
    """One line of talk."""
    print(message, file=sys.stderr, flush=True)


def show(result: Table, where: str) -> None:
    """Prints the table, and under it the machine."""
    rows = [[shown(cell) for cell in row] for row in result.rows]
    print(f"\n{result.title}\n{table(result.columns, rows)}\n{where}", flush=True)


def shown(cell: Cell) -> str:
    """A cell as text; a dash for what was not measured."""
    if isinstance(cell, Ratio):
        return "{:.2f} ({:.2f} - {:.2f})".format(*cell)
    if cell is None or isinstance(cell, str):
        return cell or "-"
    return f"{cell:,.0f}" if abs(cell) >= 1000 else f"{cell:.4g}"


def line(part: str, result: Table, where: str) -> str:
    """The table as one line of JSON; a ratio is [median, lowest, highest]."""
    rows = [dict(zip(result.columns, row, strict=True)) for row in result.rows]
    value: dict[str, Any] = {"part": part, "title": result.title, "machine": where, "rows": rows}
    return json_line(value)


def machine(load: float) -> str:
    """``load`` is the load average when the part began."""
    versions = [f"Python {platform.python_version()}", f"lmtool {__version__}"]
    versions += [
        f"{name} {found}" for name in ("numpy", "numba", "torch") if (found := installed(name))
    ]
    loads = f"load average {load:.2f} before, {os.getloadavg()[0]:.2f} after"
    return f"{loads}; {os.cpu_count()} cores, {platform.machine()}; {', '.join(versions)}"


def installed(package: str) -> str | None:
    """The version of a package, if it is installed."""
    try:
        return version(package)
    except PackageNotFoundError:
        return None
