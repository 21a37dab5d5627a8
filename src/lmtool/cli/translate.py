"""``lmtool translate``: the same in another language."""

from dataclasses import asdict
from typing import Annotated, Any

import typer

from lmtool.cli.candidates import Job, Scores, chosen_format
from lmtool.cli.inputs import Files, inputs, pace, sources
from lmtool.cli.looks import FORMATS, Form, Html, Pictures, Svg, refuse_blind
from lmtool.cli.options import MODEL, Json, ModelPath, Threads, settings, takes
from lmtool.cli.parts import PartOf, refuse_sums, written
from lmtool.cli.render import say
from lmtool.settings import SearchSettings

__all__ = ["run"]

LINES = "whole lines are translated; cut the column of the texts out first"


@takes(SearchSettings)
def run(
    text: Annotated[
        list[str] | None,
        typer.Argument(metavar="[TEXT|-]...", help="Sentences to translate; quote each one."),
    ] = None,
    files: Files = None,
    form: Form = None,
    scores: Scores = False,
    html: Html = None,
    svg: Svg = None,
    part: PartOf = None,
    threads: Threads = None,
    model: ModelPath = MODEL,
    as_json: Json = False,
    **values: Any,
) -> None:
    """Translate sentences: the most probable text that the model can find for each.

    A file (or stdin, in a pipe) gives one line per line in the same order; a blank line gives a
    blank line. Several texts are followed side by side (--beam), and -n of them printed, best
    first. Where a model with attention does not know a word, that of the source is copied. P is
    what lmtool score --given finds for the tokens, <EOS> included. --format attention shows where
    it looked as it wrote each of the texts; pharaoh, tsv and nematus are for other tools.
    """
    wanted = settings(SearchSettings, values)
    given = inputs(text, files, "translate", part=part)
    form = chosen_format(form, as_json, wanted.n, FORMATS)
    refuse_sums(part, {"--html": html, "--svg": svg})

    from lmtool import api

    translator: api.Translator = api.load_for("translate", model)
    refuse_blind(translator.attends, form, html, svg)
    options: Any = asdict(wanted) | pace(given.files, threads)
    found = sources(given, LINES)
    lines = (source.text for source in found)
    pictures = Pictures(html, svg)
    results = pictures.seen(translator.translate_lines(lines, **options))
    job = Job(scores, found.before)
    for chunk in written(lambda seen: FORMATS[form](seen, job), results, part):
        say(chunk)
    pictures.write()
