"""``lmtool caption``: what is to be seen in a picture?"""

import sys
from collections.abc import Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lmtool.cli.candidates import FORMATS, Form, Job, Scores, chosen_format
from lmtool.cli.inputs import STDIN, Inputs, clips, once, pace
from lmtool.cli.options import MODEL, Json, ModelPath, Threads, settings, takes
from lmtool.cli.parts import PartOf, written
from lmtool.cli.render import say
from lmtool.settings import SearchSettings

if TYPE_CHECKING:
    from lmtool.api import Captioner
    from lmtool.text.parts import Part

__all__ = ["run"]


@takes(SearchSettings)
def run(
    photos: Annotated[
        list[str] | None, typer.Argument(metavar="[PICTURE]...", help="Pictures to caption.")
    ] = None,
    files: Annotated[
        list[str] | None,
        typer.Option(
            "-f",
            "--file",
            metavar="FILE|-",
            help="Vectors: rows of a .npy, or JSON lines; several files, in order.",
        ),
    ] = None,
    form: Form = None,
    scores: Scores = False,
    part: PartOf = None,
    threads: Threads = None,
    model: ModelPath = MODEL,
    as_json: Json = False,
    **values: Any,
) -> None:
    """Caption pictures, or the vectors that a network made of them.

    A row of a .npy, a line {"vector": [...]} or a picture gives one line, in the same order.
    Several texts are followed side by side (--beam), and -n of them printed, best first. P is what
    lmtool score --given finds for the tokens, <EOS> included.
    """
    wanted = settings(SearchSettings, values)
    given = pictures_or_files(photos, files, part)
    form = chosen_format(form, as_json, wanted.n)

    from lmtool import api

    captioner: api.Captioner = api.load_for("caption", model)
    options: Any = asdict(wanted) | pace(given.files, threads, by_line=False)
    before, given_vectors = vectors(captioner, given)
    results = captioner.caption_lines(given_vectors, **options)
    job = Job(scores, before)
    for chunk in written(lambda seen: FORMATS[form](seen, job), results, part):
        say(chunk)


def pictures_or_files(
    photos: list[str] | None, files: list[str] | None, part: "Part | None" = None
) -> Inputs:
    """What is given; standard input where nothing is. Wrong usage for both, and for nothing."""
    pictures = [photo for photo in photos or [] if photo != STDIN]
    named = [*(files or []), *[STDIN] * (len(photos or []) - len(pictures))]
    if pictures and named:
        raise typer.BadParameter("give pictures or a file, not both", param_hint="--file")
    if not pictures and not named and sys.stdin.isatty():
        message = "nothing to caption: try lmtool caption photo.jpg or -f vectors.npy"
        raise typer.BadParameter(message, param_hint="PICTURE")
    once(named)
    return Inputs(pictures, [] if pictures else named or [STDIN], part)


def vectors(captioner: "Captioner", given: Inputs) -> tuple[int, Iterator[Any]]:
    """Those of the pictures, or of the files, and how many are before the part that is wanted."""
    if given.sentences:
        return 0, captioner.photos(given.sentences)
    return clips(captioner, given)
