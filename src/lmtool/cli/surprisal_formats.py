"""Layouts of ``surprisal``: each turns a stream of results into text; a new one is a line here."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from lmtool.cli.heat import has_colours, heat, legend, rendered
from lmtool.cli.render import cut, decimals, number, table
from lmtool.cli.rows import ROWS
from lmtool.settings import SurprisalSettings

if TYPE_CHECKING:
    from lmtool.inference.surprisal import SentenceSurprisal

__all__ = ["FORMATS", "Job", "Result", "Source"]

UNITS = {"2": "bits", "e": "nats", "10": "log10"}
MEASURED = ("surprisal", "entropy_before", "entropy_reduction")
COUNTED = ("rank", "length", "frequency")


@dataclass(frozen=True, slots=True)
class Source:
    """A line of input, and what is carried through beside it."""

    text: str
    number: int
    kept: dict[str, str]


@dataclass(frozen=True, slots=True)
class Job:
    """What a layout needs to know."""

    columns: list[str]
    settings: SurprisalSettings
    separator: str  # between two words


Result = tuple[Source, "SentenceSurprisal"]


def as_rows(form: str, results: Iterable[Result], job: Job) -> Iterator[str]:
    """One row a word, the columns of the input first."""
    records = (
        source.kept | row | {"line": source.number}
        for source, sentence in results
        for row in sentence.to_dicts(job.settings)
    )
    return ROWS[form](job.columns, records)


def as_table(results: Iterable[Result], job: Job) -> Iterator[str]:
    """For people: the shaded sentence and a row a word."""
    for index, (_, sentence) in enumerate(results):
        if not sentence.words:
            yield ""
            continue
        shaded = [rendered(heat(sentence, job.separator)), ""] if has_colours() else []
        rows = [cells(row, job) for row in sentence.to_dicts(job.settings)]
        unit = UNITS[job.settings.base]
        headers = ["word", unit, "entropy before", "reduction", "rank", "length"]
        headers += ["count"] * job.settings.frequency
        headers += [f"guess {k}" for k in range(1, job.settings.top + 1)]
        marked = [t for t, word in enumerate(sentence.words) if word.oov]
        yield "\n" * (index > 0) + "\n".join([*shaded, table(headers, rows, 1, marked)])


def cells(row: dict[str, Any], job: Job) -> list[str]:
    """A word's row."""
    word = cut(row["word"]) + f" as {row['token']}" * row["oov"]
    measured = [decimals(row[name]) for name in MEASURED]
    counted = [number(row[name]) for name in COUNTED if name in job.columns]
    guesses = [
        f"{cut(row[f'guess{k}'])} {row[f'guess{k}_p']:z.3f}" for k in range(1, job.settings.top + 1)
    ]
    return [word, *measured, *counted, *guesses]


def as_heat(results: Iterable[Result], job: Job) -> Iterator[str]:
    """The shaded text, a line a line; numbers behind the words where there are no colours."""
    colours = has_colours()
    for _, sentence in results:
        if colours:
            yield rendered(heat(sentence, job.separator)) if sentence.words else ""
        else:
            yield job.separator.join(
                f"{cut(word.word)}/{word.surprisal:z.1f}" for word in sentence.words
            )
    yield "\n" + rendered(legend()) if colours else f"\n/{UNITS[job.settings.base]}"


FORMATS: dict[str, Callable[[Iterable[Result], Job], Iterator[str]]] = {
    "table": as_table,
    "heat": as_heat,
    **{name: partial(as_rows, name) for name in ROWS},
}
