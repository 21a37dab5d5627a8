"""``lmtool transcribe``: what is said?"""

import sys
from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lmtool.cli.inputs import STDIN, Inputs, no_one_waits, note, once, own_numbers
from lmtool.cli.options import MODEL, Json, ModelPath, Threads, layout, settings, takes
from lmtool.cli.parts import PartOf, refuse_sums, written
from lmtool.cli.render import decimals, json_line, number, say, table
from lmtool.cli.rows import ROWS
from lmtool.cli.spectrum import Pictures
from lmtool.cli.speech import Lm, Tune, helped
from lmtool.cli.terminal import harmless, is_terminal, talk
from lmtool.settings import TranscribeSettings

if TYPE_CHECKING:
    from lmtool.api import Recogniser
    from lmtool.inference.transcribe import Transcription

__all__ = ["run"]

Results = Iterable["Transcription"]
TIMES = ("source", "start", "end", "word", "p")


def as_text(results: Results) -> Iterator[str]:
    """The best text of each, a line a recording."""
    return (harmless(result.text) for result in results)


def as_tables(results: Results) -> Iterator[str]:
    """Each recording with all that was found for it."""
    for index, result in enumerate(results):
        rows = [
            (str(rank), harmless(one.text), decimals(one.log10_p, 4), decimals(one.score, 4))
            for rank, one in enumerate(result.hypotheses, 1)
        ]
        found = table(("", "text", "log10 p", "score"), rows, 2) if rows else ""
        yield "\n" * bool(index) + f"{harmless(result.source)}\n{found}"


def as_times(results: Results) -> Iterator[str]:
    """A row a word: of which recording, from and to which second, how probable."""

    def rows() -> Iterator[dict[str, Any]]:
        for result in results:
            for one in result.words:
                values = result.source, one.start, one.end, one.text, number(one.p, 3)
                yield dict(zip(TIMES, values, strict=True))

    return ROWS["tsv"](TIMES, rows())


def as_objects(results: Results) -> Iterator[str]:
    """One object a line."""
    return (json_line(result.to_dict()) for result in results)


FORMATS: dict[str, Callable[[Results], Iterator[str]]] = {
    "text": as_text,
    "table": as_tables,
    "times": as_times,
    "jsonl": as_objects,
}


@takes(TranscribeSettings)
def run(
    recordings: Annotated[
        list[str] | None, typer.Argument(metavar="[FILE]...", help="Recordings to transcribe.")
    ] = None,
    files: Annotated[
        list[str] | None,
        typer.Option(
            "-f",
            "--file",
            metavar="FILE|-",
            help="Lists of recordings as in training, their texts need not be known; JSON lines.",
        ),
    ] = None,
    form: Annotated[
        str | None,
        typer.Option(
            "--format",
            metavar="|".join(FORMATS),
            show_default="text; of several table",
            help="Layout of the output.",
        ),
    ] = None,
    times: Annotated[
        bool,
        typer.Option("--times", help="The seconds at which each word is said: --format times."),
    ] = False,
    lm: Lm = None,
    tune: Tune = None,
    keep_going: Annotated[
        bool,
        typer.Option(
            "--keep-going", help="Leave the line of a recording that cannot be read blank; exit 1."
        ),
    ] = False,
    html: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Also write a page of what is heard.")
    ] = None,
    svg: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Also write a picture of what is heard.")
    ] = None,
    part: PartOf = None,
    threads: Threads = None,
    model: ModelPath = MODEL,
    as_json: Json = False,
    **values: Any,
) -> None:
    """Transcribe recordings: the text that is said in each, a line a file.

    Without options the likeliest letter of each moment is written. With a language model (--lm)
    several texts are followed side by side (--beam), and -n of them printed, best first; its
    weight and the bonus of a word are found by --tune on recordings whose texts are known. A
    recording of more than 60 seconds is cut where it is quiet, into pieces that are read apart.
    What -n 10 --json prints is what lmtool rescore reads.
    """
    wanted = settings(TranscribeSettings, values)
    given = inputs_of(recordings, files, part)
    form = chosen(form, as_json, times, wanted.n)
    refuse_sums(part, {"--html": html, "--svg": svg})

    from lmtool import api

    recogniser: api.Recogniser = api.load_for("transcribe", model)
    language, wanted = helped(recogniser, lm, tune, wanted, threads)
    failed: list[Exception] = []
    options: Any = paced(given, threads) | helping(wanted)
    results = recogniser.transcribe_files(
        takes_of(recogniser, given),
        lm=language,
        on_error=telling(failed) if keep_going else None,
        sights=bool(html or svg),
        progress=reached,
        **options,
    )
    pictures = Pictures(html, svg)
    for chunk in written(FORMATS[form], pictures.seen(cut_said(results)), part):
        say(chunk)
    pictures.write()
    if failed:
        raise typer.Exit(1)


def helping(wanted: TranscribeSettings) -> dict[str, Any]:
    """The settings as options."""
    from dataclasses import asdict

    return asdict(wanted)


def inputs_of(recordings: list[str] | None, files: list[str] | None, part: Any) -> Inputs:
    """What is given; wrong usage for both, and for nothing."""
    if recordings and files:
        message = "give recordings or a list of them, not both"
        raise typer.BadParameter(message, param_hint="--file")
    if not recordings and not files:
        if sys.stdin.isatty():
            message = "nothing to transcribe: try lmtool transcribe speech.wav or -f list.tsv"
            raise typer.BadParameter(message, param_hint="FILE")
        files = [STDIN]
    once(files or ())
    return Inputs(recordings or [], files or [], part)


def chosen(form: str | None, as_json: bool, times: bool, n: int) -> str:
    """The name of a layout; wrong usage where it has no room for n, or two are asked for."""
    if times and form not in (None, "times"):
        raise typer.BadParameter(f"--times and --format {form} contradict each other")
    usual = "times" if times and not as_json else "text" if n == 1 else "table"
    form = layout("times" if usual == "times" else form, as_json, usual, FORMATS)
    if n > 1 and form in ("text", "times"):
        message = f"{form} has room for one text; -n {n} needs table or jsonl"
        raise typer.BadParameter(message, param_hint="--format")
    return form


def takes_of(recogniser: "Recogniser", given: Inputs) -> Iterator[Any]:
    """The recordings, in order."""
    if given.sentences:
        return iter(given.sentences)
    found = (recogniser.takes(file) for file in given.files)
    if given.part is None:
        return chain.from_iterable(found)
    from lmtool.text.parts import cut

    own = own_numbers(given.part, given.files, lambda path: None)
    return cut(zip(found, own, strict=True), lambda take: take.number)[1]


def paced(given: Inputs, threads: int | None) -> dict[str, Any]:
    """All threads where all recordings are there; else one by one as they come."""
    from lmtool.workers import n_cores

    if given.sentences or no_one_waits(given.files):
        return {"threads": threads or n_cores(), "ahead": 64}
    return {"threads": 1, "ahead": 1}


def telling(failed: list[Exception]) -> Callable[[Exception], None]:
    """What keeps and says an error."""
    from lmtool.cli.options import flag

    def tell(error: Any) -> None:
        failed.append(error)
        talk(f"lmtool: error: {error.spelled(flag)}")

    return tell


def reached(name: str, seconds: float) -> None:
    """How far a long recording is written down, on a terminal."""
    from lmtool.cli.terminal import STATUS

    if is_terminal(sys.stderr):
        STATUS.show(f"{name}: {int(seconds // 60)} minutes")


def cut_said(results: Results) -> Iterator["Transcription"]:
    """The same results; what was cut is said, and on a terminal how far it is."""
    from lmtool.cli.terminal import STATUS

    for done, result in enumerate(results, 1):
        if result.pieces > 1:
            note(f"{result.source} is long: read in {result.pieces} pieces")
        if not is_terminal(sys.stdout) and is_terminal(sys.stderr):
            STATUS.show(f"{done:,} recordings")
        yield result
    STATUS.clear()
