"""``lmtool export``: a model for other programs."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from lmtool.cli.inputs import STDIN
from lmtool.cli.options import MODEL, ModelPath
from lmtool.cli.terminal import printing, talk

__all__ = ["run"]


def run(
    arpa: Annotated[
        str | None,
        typer.Option(metavar="FILE|-", help="Where the n-gram model goes; - = standard output."),
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the file.")] = False,
    model: ModelPath = MODEL,
) -> None:
    """Write the n-gram model of a language model as ARPA, which KenLM, SRILM and others read.

    The networks that it may be mixed with stay behind. Lines begin with <s> and end with </s>
    there, unknown words are <unk>, and a blank of a model over characters is <space>.
    """
    if arpa is None:
        raise typer.BadParameter("say where the n-gram model goes", param_hint="--arpa")

    from lmtool import api

    loaded = api.load_for("export", model)
    if arpa == STDIN:
        with printing():
            sys.stdout.writelines(loaded.arpa())
        return
    loaded.export(arpa=arpa, overwrite=overwrite)
    talk(f"model     {arpa} ({Path(arpa).stat().st_size / 1e6:z.1f} MB)")
