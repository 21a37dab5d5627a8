"""Layouts of ``surprisal``: each turns a stream of results into text; a new one is a line here."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from lmtool.cli.heat import has_colours, heat, legend, rendered
from lmtool.cli.inputs import Row, Source
from lmtool.cli.render import cut, decimals, number, table
from lmtool.cli.rows import ROWS
from lmtool.settings import SurprisalSettings

if TYPE_CHECKING:
    from lmtool.inference.surprisal import SentenceSurprisal

__all__ = ["FORMATS", "Job", "Result"]

UNITS = {"2": "bits", "e": "nats", "10": "log10"}
MEASURED = ("surprisal", "entropy_before", "entropy_reduction")
COUNTED = ("rank", "length", "frequency")


@dataclass(frozen=True, slots=True)
class Job:
    """What a layout needs to know."""

    columns: list[str]
    choice: bool  # of columns was made
    settings: SurprisalSettings
    separator: str  # between two words
    before: int = 0  # sentences before the first one


Result = tuple[Source, "SentenceSurprisal"]


def as_rows(form: str, results: Iterable[Result], job: Job) -> Iterator[str]:
    """One row a word, or a row as it came; what has no value is empty."""
    return ROWS[form](job.columns, records(results, job))


def records(results: Iterable[Result], job: Job) -> Iterator[dict[str, Any]]:
    """A word's values with what belongs to its source; a row of a table without a word has one."""
    empty = dict.fromkeys(job.columns)
    for source, sentence in results:
        place = {"file": source.file}
        words = sentence.to_dicts(job.settings)
        if source.rows:
            yield from (empty | place | record for record in as_they_came(source.rows, words))
            continue
        if not words and source.kept is not None:
            words = [empty]
        beside = place | (source.kept or {}) | {"line": source.number}
        yield from (word | beside for word in words)


def as_they_came(rows: Sequence[Row], words: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """The rows of a table, each with the values of its word, if there is one."""
    values = iter(words)
    for row in rows:
        word = next(values, {}) if row.text.strip() else {}
        yield word | row.kept | {"line": row.number}


def as_table(results: Iterable[Result], job: Job) -> Iterator[str]:
    """For people: the shaded sentence and a row a word; the chosen columns alone, if any are."""
    if job.choice:
        rows = [[shown(record[name]) for name in job.columns] for record in records(results, job)]
        yield table(job.columns, rows, len(job.columns))
        return
    for index, (_, sentence) in enumerate(results, job.before):
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


def shown(value: Any) -> str:
    """A cell."""
    return cut(value) if isinstance(value, str) else number(value)


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
    yield rendered(legend()) if colours else f"\n/{UNITS[job.settings.base]}"


FORMATS: dict[str, Callable[[Iterable[Result], Job], Iterator[str]]] = {
    "table": as_table,
    "heat": as_heat,
    **{name: partial(as_rows, name) for name in ROWS},
}
