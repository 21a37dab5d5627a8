"""What grows with the vocabulary and with the text: speed and memory, each in a fresh process."""

from collections import Counter
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from benchmarks.common import (
    Options,
    Row,
    Table,
    elapsed,
    in_child,
    interleaved,
    peak_mb,
    ratio,
    write_text,
)
from lmtool.nn.outputs import OUTPUTS
from lmtool.settings import TextSettings
from lmtool.text.corpus import prepare

__all__ = ["run"]

NAME = "LSTM 256"
SIZES = (10_000, 100_000, 500_000)  # of the vocabulary
MEGABYTES, LARGE = (1, 10, 100), 1000
BASE = ("full", SIZES[0])
VOCABULARIES = ("output", "outputs", "tokens/s", f"over {BASE[0]}, {BASE[1]:,}", "peak MB")
TEXTS = ("text, MB", "MB/s", "over Counter", "peak MB")


def run(options: Options) -> Iterator[Table]:
    """Two tables."""
    yield vocabularies(options)
    yield texts(options)


def vocabularies(options: Options) -> Table:
    """Training as the vocabulary grows."""
    cases = [BASE, *((output, V) for output in OUTPUTS if output != "full" for V in SIZES)]
    arms = {case: partial(in_child, trained, *case, options.seconds) for case in cases}
    measured = interleaved(arms, options.repeats)
    speeds = {case: [speed for speed, _ in some] for case, some in measured.items()}
    rows: list[Row] = [
        [
            output,
            f"{V:,}",
            median(speeds[output, V]),
            ratio(speeds[output, V], speeds[BASE]),
            median(peak for _, peak in measured[output, V]),
        ]
        for output, V in cases
    ]
    return Table(f"Training {NAME} as the vocabulary grows", VOCABULARIES, rows)


def trained(output: str, V: int, seconds: float) -> tuple[float, float]:
    """Tokens a second and peak memory."""
    from benchmarks.peers import MODELS, LmtoolTrainer, fresh_job  # loads numba

    job = fresh_job(MODELS[NAME], V, output)
    return LmtoolTrainer.of(job).speed(job.recipe.threads or 1, seconds), peak_mb()


def texts(options: Options) -> Table:
    """Vocabulary and ids as the text grows."""
    sizes = (*MEGABYTES, *(LARGE,) * options.large)
    with TemporaryDirectory() as folder:
        paths = {size: Path(folder, f"{size}.txt") for size in sizes}
        for size, path in paths.items():
            write_text(path, size)
        arms = {size: partial(in_child, prepared, path) for size, path in paths.items()}
        measured = interleaved(arms, options.repeats)
    rows: list[Row] = []
    for n, some in measured.items():
        speeds, counts, peaks = zip(*some, strict=True)
        rows.append([str(n), median(speeds), ratio(speeds, counts), median(peaks)])
    return Table("From text to vocabulary and ids", TEXTS, rows)


def prepared(path: Path) -> tuple[float, float, float]:
    """MB/s of ``prepare`` and of a loop that only counts words; peak memory of the former."""
    size = path.stat().st_size / 1e6
    with TemporaryDirectory() as folder:
        ours = elapsed(prepare, [path], None, TextSettings(), folder)
    peak = peak_mb()
    return size / ours, size / elapsed(count, path), peak


def count(path: Path) -> None:
    """The least that a vocabulary needs, in plain Python."""
    words: Counter[str] = Counter()
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            words.update(line.split())
