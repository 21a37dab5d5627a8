"""``lmtool report``: a page about a model, to look at, to print and to send."""

from pathlib import Path
from typing import Annotated

import typer

from lmtool.cli.inputs import once
from lmtool.cli.options import MODEL, Json, ModelPath, Threads
from lmtool.cli.render import json_line, say
from lmtool.cli.terminal import talk

__all__ = ["run"]

PAGE = Path("report.html")


def run(
    file: Annotated[
        str | None, typer.Argument(metavar="[FILE]", help="The model file.", show_default="-m")
    ] = None,
    output: Annotated[
        Path, typer.Option("-o", "--output", metavar="FILE", help="Where the page goes.")
    ] = PAGE,
    files: Annotated[
        list[str] | None,
        typer.Option(
            "-f",
            "--file",
            metavar="FILE|-",
            help="What the model is measured on: texts or files as lmtool evaluate takes them.",
        ),
    ] = None,
    text: Annotated[
        list[str] | None,
        typer.Option(metavar="SENTENCE", help="A sentence to look into; several, in order."),
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the page.")] = False,
    threads: Threads = None,
    model: ModelPath = MODEL,
    as_json: Json = False,
) -> None:
    """Write a page about a model: card, network, training curve, and what it makes of texts.

    One file that opens from disk, asks for nothing and can be read without scripts and styles. The
    network is drawn as a loop and unrolled. With -f FILE come measures by part (rare and frequent
    words, short and long lines, each tag or label, who is taken for whom), and the first lines
    looked into word by word; a translator shows where it looked. --json prints the numbers instead.
    """
    once(files or [])

    from lmtool import api
    from lmtool.workers import n_cores

    path = file or model
    found = api.report(path, files or (), text or (), threads=threads or n_cores())
    if as_json:
        say(json_line(found.to_dict()))
        return
    found.save(output, overwrite)
    talk(f"page      {output} ({output.stat().st_size / 1e3:z.0f} kB)")
