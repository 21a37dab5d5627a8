"""``lmtool tag``: what is each word?"""

import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lmtool.cli.heat import Page, has_colours, rendered
from lmtool.cli.inputs import Files, inputs, pace, sources
from lmtool.cli.options import MODEL, Json, ModelPath, Threads, layout
from lmtool.cli.parts import PartOf, refuse_sums
from lmtool.cli.render import json_line, say
from lmtool.cli.spans import Palette
from lmtool.cli.terminal import harmless, is_terminal

if TYPE_CHECKING:
    from lmtool.inference.tagging import TaggedSentence
    from lmtool.text.tags import Tags

__all__ = ["run"]

Results = Iterable["TaggedSentence"]
LINES = "whole lines are tagged; cut the column of the texts out first"


def as_spans(results: Results, tags: "Tags") -> Iterator[str]:
    """Phrases in colours, or between brackets."""
    colours = has_colours()
    palette = Palette(tags.types or tags.names, colours)
    for result in results:
        text = palette(result)
        yield rendered(text) if colours else text.plain


def as_words(results: Results, tags: "Tags") -> Iterator[str]:
    """``word/TAG word/TAG``, a line a line."""
    for result in results:
        pairs = zip(result.tokens, result.tags, strict=True)
        yield " ".join(f"{harmless(word)}/{harmless(tag)}" for word, tag in pairs)


def as_conll(results: Results, tags: "Tags") -> Iterator[str]:
    """``word TAG``, a line a word, a blank line after each sentence."""
    for result in results:
        pairs = zip(result.tokens, result.tags, strict=True)
        lines = [f"{harmless(word)} {harmless(tag)}\n" for word, tag in pairs]
        if lines:
            yield "".join(lines)


def as_objects(results: Results, tags: "Tags") -> Iterator[str]:
    """One object a line."""
    return (json_line(result.to_dict()) for result in results)


FORMATS: dict[str, Callable[[Results, "Tags"], Iterator[str]]] = {
    "spans": as_spans,
    "words": as_words,
    "conll": as_conll,
    "jsonl": as_objects,
}
BARE = ("words", "conll")  # without probabilities


def run(
    text: Annotated[
        list[str] | None,
        typer.Argument(metavar="[TEXT|-]...", help="Sentences to tag; quote each one."),
    ] = None,
    files: Files = None,
    form: Annotated[
        str | None,
        typer.Option(
            "--format",
            metavar="|".join(FORMATS),
            show_default="spans; words in a pipe",
            help="Layout of the output.",
        ),
    ] = None,
    html: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Also write a page with the spans.")
    ] = None,
    svg: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Also write a picture of the spans.")
    ] = None,
    part: PartOf = None,
    threads: Threads = None,
    model: ModelPath = MODEL,
    as_json: Json = False,
) -> None:
    """Tag words: which phrases does a sentence hold, and how probable is each?

    Words stand between blanks. A file (or stdin, in a pipe) gives one line per line in the same
    order, each word with a slash and its tag (IOB2 of phrases); a blank line gives a blank line.
    The probability of a span is that of just these words being such a phrase. --format conll
    gives a word a line.
    """
    given = inputs(text, files, "tag", part=part)
    default = "spans" if is_terminal(sys.stdout) else "words"
    form = layout(form, as_json, default, FORMATS)
    refuse_sums(part, {"--html": html, "--svg": svg})

    from lmtool import api

    tagger: api.Tagger = api.load_for("tag", model)
    options: Any = pace(given.files, threads)
    valued = form not in BARE or bool(html or svg)
    lines = (source.text for source in sources(given, LINES))
    results = tagger.tag_lines(lines, probabilities=valued, **options)
    palette = Palette(tagger.tags.types or tagger.tags.names, True)
    page = Page(html, svg, palette, lambda all: as_page(all, tagger.tags))
    for chunk in FORMATS[form](on_page(results, page), tagger.tags):
        say(chunk)
    page.write("tags")


def as_page(sentences: "list[TaggedSentence]", tags: "Tags") -> str:
    """What --html writes."""
    from lmtool.pages.sections.tagged import spans_page

    return spans_page(sentences, tags)


def on_page(results: Results, page: Page) -> Iterator["TaggedSentence"]:
    """The same results, each put on the page as it passes."""
    for result in results:
        page.add(result)
        yield result
