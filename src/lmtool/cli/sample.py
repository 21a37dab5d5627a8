"""``lmtool sample``: new sentences, drawn word by word."""

import os
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lmtool.cli.formats.table import factors
from lmtool.cli.given import Given, Row, about
from lmtool.cli.options import MODEL, Json, ModelPath, settings, takes
from lmtool.cli.render import json_line, say
from lmtool.cli.terminal import harmless, talk
from lmtool.settings import SampleSettings

if TYPE_CHECKING:
    from lmtool.inference.sample import Sample

__all__ = ["run"]


@takes(SampleSettings)
def run(
    n: Annotated[
        int, typer.Option("-n", "--number", min=0, metavar="N", help="How many samples.")
    ] = 1,
    prompt: Annotated[str, typer.Option(metavar="TEXT", help="How each sample begins.")] = "",
    seed: Annotated[
        int | None,
        typer.Option(min=0, metavar="N", help="Repeat a run.", show_default="drawn, and printed"),
    ] = None,
    scores: Annotated[
        bool, typer.Option("--scores", help="Show the probability of every word drawn.")
    ] = False,
    about_what: Given = None,
    row: Row = None,
    model: ModelPath = MODEL,
    as_json: Json = False,
    **values: Any,
) -> None:
    """Draw sentences: each word from the softmax given all words before, until <EOS>.

    A sample that reached --max-words before <EOS> ends in " ...". The seed that was drawn is
    printed on stderr: with --seed it gives the same sentences again. A translator or a captioner
    needs --given.
    """
    options = asdict(settings(SampleSettings, values))

    from lmtool import api

    lm: api.Model = about(api.load_for("sample", model), about_what, row)
    drawn = int.from_bytes(os.urandom(4), "big")
    samples = lm.samples(n=n, prompt=prompt, seed=drawn if seed is None else seed, **options)
    if seed is None:
        talk(f"seed {drawn}")
    for sample in samples:
        say(json_line(sample.to_dict()) if as_json else in_words(sample, scores))


def in_words(sample: "Sample", scores: bool) -> str:
    """The text, marked where it was cut, and its factors where asked for."""
    text = harmless(sample.text) + " ..." * sample.truncated
    if not scores:
        return text
    return f"{text}\n\n{factors(sample.word_scores)}\n\nlog10 P = {sample.log10_p:z.4f}\n"
