"""Words with their tags: phrases in colours on a terminal and on pages, between brackets without.

[Mohan PER 0.97] was driving a [Maruti 800 CAR 0.88]
"""

from typing import TYPE_CHECKING

from lmtool.cli.terminal import harmless

if TYPE_CHECKING:
    from rich.text import Text

    from lmtool.inference.tagging import TaggedSentence

__all__ = ["Palette"]

PAPERS = (  # one a type, in the order of the types
    "#cfe8ff", "#ffe0b8", "#d5f0d0", "#f5d0e6", "#e4d9ff", "#fff3b0", "#ffd6d0", "#cdeeee",
)  # fmt: skip
INK = "#202020"
NOTHING = ("O", "0")  # tags of words that are nothing


class Palette:
    """A colour for each type of phrase or each tag."""

    def __init__(self, types: tuple[str, ...], colours: bool) -> None:
        own = (kind for kind in types if kind not in NOTHING)
        self._styles = {kind: f"{INK} on {PAPERS[n % len(PAPERS)]}" for n, kind in enumerate(own)}
        self._colours = colours

    def __call__(self, sentence: "TaggedSentence") -> "Text":
        """The sentence: phrases with type and probability, or each word with its tag."""
        from rich.text import Text

        parts = phrased(sentence) if any(tag[1:2] == "-" for tag in sentence.tags) else []
        text = Text()
        for index, (words, kind, p) in enumerate(parts or one_by_one(sentence)):
            text.append(" " * bool(index))
            text.append(*self._part(harmless(words), kind, p))
        return text

    def _part(self, words: str, kind: str, p: float | None) -> tuple[str, str]:
        """What is shown of a part, and its style."""
        if not kind:
            return words, ""
        if p is None:
            return f"{words}/{harmless(kind)}", self._styles.get(kind, "") * self._colours
        said = f"{words} {harmless(kind)} {p:z.2f}"
        return (f" {said} ", self._styles.get(kind, "")) if self._colours else (f"[{said}]", "")


def phrased(sentence: "TaggedSentence") -> list[tuple[str, str, float | None]]:
    """(words, type, p) of phrases; words outside of them have no type."""
    parts = list[tuple[str, str, float | None]]()
    spans = {span.start: span for span in sentence.spans}
    place = 0
    while place < len(sentence.tokens):
        span = spans.get(place)
        parts.append((span.text, span.type, span.p) if span else (sentence.tokens[place], "", None))
        place = span.end if span else place + 1
    return parts


def one_by_one(sentence: "TaggedSentence") -> list[tuple[str, str, float | None]]:
    """Each word with its tag; without one where that says that it is nothing."""
    pairs = zip(sentence.tokens, sentence.tags, strict=True)
    return [(word, "" if tag in NOTHING else tag, None) for word, tag in pairs]
