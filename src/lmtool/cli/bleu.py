"""``lmtool bleu``: how much of a translation stands in a reference?"""

import sys
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import typer

from lmtool.cli.bleu_explained import as_object, explained
from lmtool.cli.counter import followed
from lmtool.cli.inputs import STDIN, begin, once
from lmtool.cli.options import Json, said, settings, takes
from lmtool.cli.render import cut, decimals, json_line, paragraph, say, table
from lmtool.cli.terminal import harmless, talk
from lmtool.display import counted
from lmtool.errors import InputError
from lmtool.settings import BleuSettings

if TYPE_CHECKING:
    from lmtool.inference.bleu import Bleu
    from lmtool.inference.bleu_compare import BleuComparison

__all__ = ["run"]

SCORES = ("bleu", "bleu_1", "bleu_2", "bleu_3", "brevity_penalty", "length_ratio")
OF_VERSUS = ("resamples", "seed")


class Job(NamedTuple):
    """What is measured, all of it read."""

    file: str
    hypotheses: list[str]
    references: list[list[str]]  # of each hypothesis
    settings: BleuSettings
    as_json: bool
    versus: str | None
    others: list[str]  # of ``versus``


def of_corpus(job: Job) -> Iterator[str]:
    """All in one number."""
    from lmtool import api

    result = api.bleu(job.hypotheses, job.references, **options(job))
    yield json_line({"file": job.file} | result.to_dict()) if job.as_json else shown(result)


def of_sentences(job: Job) -> Iterator[str]:
    """A number a line."""
    from lmtool import api

    results = api.sentence_bleu(job.hypotheses, job.references, **options(job))
    for number, (text, result) in enumerate(zip(job.hypotheses, results, strict=True), 1):
        if job.as_json:
            yield json_line({"file": job.file, "line": number, "text": text} | result.to_dict())
        else:
            yield decimals(result.bleu)
    if not job.as_json:
        talk(results[0].signature)


def of_ngrams(job: Job) -> Iterator[str]:
    """The arithmetic of each, then that of all."""
    from lmtool import api

    results = api.sentence_bleu(job.hypotheses, job.references, **options(job))
    rows = zip(job.hypotheses, job.references, results, strict=True)
    for number, (text, some, result) in enumerate(rows, 1):
        if job.as_json:
            record = {"file": job.file, "line": number, "text": text, "references": some}
            yield json_line(record | as_object(text, some, result, job.settings))
        else:
            title = f"sentence {number}\n" * (len(results) > 1)
            yield title + explained(text, some, result, job.settings) + "\n"
    if not job.as_json:
        yield "all as a corpus"
    yield from of_corpus(job)


def of_both(job: Job) -> Iterator[str]:
    """Two translations."""
    from lmtool import api

    result = api.bleu(job.hypotheses, job.references, versus=job.others, **options(job))
    if job.as_json:
        yield json_line({"file": job.file, "versus": job.versus} | result.to_dict())
    else:
        yield compared(result, (job.file, job.versus or ""))


def options(job: Job) -> dict[str, Any]:
    """The settings as keywords."""
    return {name: getattr(job.settings, name) for name in BleuSettings.__dataclass_fields__}


def shown(result: "Bleu") -> str:
    """The line of multi-bleu.perl, the sums behind it, the signature."""
    parts = (result.matched, result.counted, result.precisions)
    scores = [getattr(result, f"bleu_{n}") for n in range(1, len(result.counted) + 1)]
    rows = [
        [str(n), str(matched), str(of), decimals(p), decimals(score)]
        for n, (matched, of, p, score) in enumerate(zip(*parts, scores, strict=True), 1)
    ]
    lines = [
        paragraph(in_a_line(result)),
        "",
        table(["n", "matched", "counted", "precision", "BLEU-n"], rows),
        "",
        *chrf_of(result),
        result.signature,
    ]
    return "\n".join(lines)


def in_a_line(result: "Bleu") -> str:
    """As multi-bleu.perl prints it."""
    precisions = "/".join(decimals(p, 1) for p in result.precisions)
    return (
        f"BLEU = {decimals(result.bleu)}, {precisions}"
        f" (BP={decimals(result.brevity_penalty, 3)}, ratio={decimals(result.length_ratio, 3)},"
        f" hyp_len={result.n_hypothesis}, ref_len={result.n_reference})"
    )


def chrf_of(result: "Bleu") -> list[str]:
    """Two lines, or none."""
    if result.chrf is None:
        return []
    return [f"chrF2 = {decimals(result.chrf)}", str(result.chrf_signature)]


def compared(result: "BleuComparison", names: tuple[str, str]) -> str:
    """A column for each, and the verdict."""
    sides = (result.a, result.b)
    scores = (*SCORES, "chrf") if result.a.chrf is not None else SCORES
    digits = {"brevity_penalty": 3, "length_ratio": 3}
    rows = [
        [name, *(decimals(getattr(side, name), digits.get(name, 2)) for side in sides)]
        for name in scores
    ]
    lines = (
        table(["", *(f"{side} {cut(name)}" for side, name in zip("AB", names, strict=True))], rows),
        "",
        paragraph(f"B - A: {decimals(result.difference, 2, '+')} BLEU"),
        paragraph(verdict(result)),
        result.a.signature,
        *chrf_of(result.a)[1:],
    )
    return "\n".join(lines)


def verdict(result: "BleuComparison") -> str:
    """By more than chance?"""
    if result.low is None or result.p is None or result.b_better is None:
        return "one sentence has no interval"
    better = "B" if result.difference > 0 else "A"
    share = result.b_better if better == "B" else 1 - result.b_better
    return (
        f"95 % interval {result.low:+z.2f} to {result.high:+z.2f}, p = {result.p:z.2g};"
        f" {better} is better in {share:z.1%} of {counted(result.resamples, 'resample')}"
        f" of {counted(result.n_sentences, 'sentence')} (seed {result.seed})"
    )


MODES: dict[str, Callable[[Job], Iterator[str]]] = {
    "--sentence": of_sentences,
    "--explain": of_ngrams,
    "--versus": of_both,
}


@takes(BleuSettings)
def run(
    called: typer.Context,
    references: Annotated[
        list[str],
        typer.Argument(metavar="REF...", help="References: in each a line for each hypothesis."),
    ],
    files: Annotated[
        list[str] | None,
        typer.Option(
            "-f",
            "--file",
            metavar="HYP|-",
            help="Hypotheses, one a line; several files, a result each.",
            show_default="standard input",
        ),
    ] = None,
    sentence: Annotated[
        bool, typer.Option("--sentence", help="BLEU of each line by itself, a number a line.")
    ] = False,
    explain: Annotated[
        bool, typer.Option("--explain", help="Work it out: each n-gram, each precision.")
    ] = False,
    versus: Annotated[
        str | None,
        typer.Option(
            metavar="HYP", help="Other hypotheses: which are better, by more than chance?"
        ),
    ] = None,
    as_json: Json = False,
    **values: Any,
) -> None:
    """Measure translations and captions: BLEU against one reference or several.

    Corpus BLEU with clipped counts of one to four words, a brevity penalty by the closest
    reference and exponential smoothing of zero counts, the same number as sacrebleu's. The
    signature says what it depends on: compare only numbers whose signatures agree.
    """
    mode = chosen(sentence, explain, versus)
    wanted = settings(BleuSettings, values)
    refuse_idle(mode, wanted, said(called, values))
    named = hypotheses_of(files)
    once([*named, *references, *([versus] if versus else [])])
    for line in [
        *printed(mode, read(named, references, wanted, as_json, versus))
    ]:  # all or nothing
        say(line)


def chosen(sentence: bool, explain: bool, versus: str | None) -> str:
    """The one mode that is asked for, if any; wrong usage for two."""
    asked = zip(MODES, (sentence, explain, versus is not None), strict=True)
    modes = [mode for mode, wanted in asked if wanted]
    if len(modes) > 1:
        raise typer.BadParameter(f"{modes[0]} and {modes[1]} contradict each other")
    return modes[0] if modes else ""


def refuse_idle(mode: str, wanted: BleuSettings, given: dict[str, Any]) -> None:
    """Wrong usage for options that would change nothing."""
    for name in OF_VERSUS:
        if name in given and mode != "--versus":
            raise typer.BadParameter("needs --versus HYP", param_hint=f"--{name}")
    if wanted.chrf and mode == "--sentence":
        raise typer.BadParameter(f"--chrf and {mode} contradict each other")


def hypotheses_of(files: list[str] | None) -> list[str]:
    """The files; standard input where none is named, wrong usage while a person is looking."""
    if not files and sys.stdin.isatty():
        message = "nothing to measure: try lmtool bleu REF < HYP or -f HYP"
        raise typer.BadParameter(message, param_hint="--file")
    return files or [STDIN]


def read(
    files: Sequence[str],
    references: Sequence[str],
    wanted: BleuSettings,
    as_json: bool,
    versus: str | None,
) -> list[Job]:
    """All lines of all files. Raises InputError where they do not belong together."""
    known = {name: lines_of(name) for name in (*references, *([versus] if versus else []))}
    jobs = []
    for file in files:
        hypotheses = known[file] if file in known else lines_of(file)
        if not hypotheses:
            raise InputError(f"{shown_name(file)}: no hypotheses in it; give one a line")
        for name, lines in known.items():
            refuse_unequal(name, len(lines), file, len(hypotheses))
        rows = zip(*(known[name] for name in references), strict=True)
        others = known[versus] if versus else []
        jobs.append(Job(file, hypotheses, [*map(list, rows)], wanted, as_json, versus, others))
    return jobs


def lines_of(path: str) -> list[str]:
    """The lines of a file. Raises InputError."""
    return [line.text for line in followed(begin(path), path)]


def refuse_unequal(name: str, n: int, file: str, wanted: int) -> None:
    """Raises InputError where a file has no line for each hypothesis."""
    if n != wanted:
        sizes = f"{counted(n, 'line')}, but {shown_name(file)} has {wanted:,}"
        raise InputError(f"{shown_name(name)}: {sizes}; each hypothesis needs a line in it")


def shown_name(path: str) -> str:
    """The name of a file in a message."""
    from lmtool.text.reader import display_name

    return display_name(path)


def printed(mode: str, jobs: list[Job]) -> Iterator[str]:
    """What comes of each, under its name where people read several."""
    for index, job in enumerate(jobs):
        titled = len(jobs) > 1 and not job.as_json and mode != "--sentence"
        if titled:
            yield "\n" * (index > 0) + harmless(job.file)
        yield from MODES.get(mode, of_corpus)(job)
