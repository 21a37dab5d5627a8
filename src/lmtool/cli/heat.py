"""Text with each word shaded by its surprisal: on the terminal, as HTML, as SVG."""

import io
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lmtool.cli.terminal import console, harmless
from lmtool.errors import InputError
from lmtool.files import write_atomically
from lmtool.pages.shades import HEAT as SHADES
from lmtool.pages.shades import STEP, ink

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

    from lmtool.inference.surprisal import SentenceSurprisal, WordSurprisal

__all__ = ["Page", "has_colours", "heat", "legend", "put", "rendered"]

WEB_FONT = re.compile(r"@font-face \{.*?\}\s*", re.DOTALL)  # would be fetched by the viewer
WIDTH = 80  # columns of an exported page


def has_colours() -> bool:
    """Whether standard output shows shades."""
    screen = console(sys.stdout)
    return screen.is_terminal and screen.color_system is not None and not screen.no_color


def heat(sentence: "SentenceSurprisal", separator: str) -> "Text":
    """The sentence's words, each on its shade; unknown words underlined."""
    from rich.text import Text

    text = Text()
    for index, word in enumerate(sentence.words):
        text.append(separator if index else "")
        text.append(harmless(word.word), style=style(word))
    return text


def style(word: "WordSurprisal") -> str:
    """A rich style."""
    return shade(int(word.surprisal_bits / STEP)) + " underline" * word.oov


def shade(index: int) -> str:
    """Dark ink on light paper, light ink on dark."""
    place = min(max(0, index), len(SHADES) - 1)
    return f"{ink(place)} on {SHADES[place]}"


def legend() -> "Text":
    """What the shades mean."""
    from rich.text import Text

    text = Text("\nbits: ")
    for index in range(len(SHADES)):
        text.append(f" {index * STEP:zg} ", style=shade(index))
    return text.append(" and more")


def rendered(text: "Text") -> str:
    """The text as standard output shows it, wrapped at words."""
    screen = console(sys.stdout)
    with screen.capture() as captured:
        screen.print(text)
    return captured.get().rstrip("\n")


class Page:
    """Results collected for files, written when all are there."""

    def __init__(
        self,
        html: Path | None,
        svg: Path | None,
        drawn: "Callable[[Any], Text]",
        page: Callable[[list[Any]], str],
    ) -> None:
        """``drawn`` is a line of the picture, ``page`` the whole HTML."""
        self._html, self._svg, self._drawn, self._page = html, svg, drawn, page
        self._console = paper() if svg else None
        self._results: list[Any] = []

    def add(self, result: Any) -> None:
        """One more."""
        if self._html:
            self._results.append(result)
        if self._console is not None:
            self._console.print(self._drawn(result))

    def write(self, title: str, last: "Text | None" = None) -> None:
        """The files, each whole or not at all; ``last`` ends the picture. Raises InputError."""
        from rich.terminal_theme import DEFAULT_TERMINAL_THEME as THEME

        if self._html:
            put(self._html, self._page(self._results))
        if self._svg and self._console is not None:
            if last is not None:
                self._console.print(last)
            svg = self._console.export_svg(title=title, theme=THEME, clear=False)
            put(self._svg, WEB_FONT.sub("", svg))


def put(path: Path, content: str) -> None:
    """A file, whole or not at all. Raises InputError."""
    try:
        write_atomically(path, content.encode())
    except OSError as error:
        raise InputError(f"{path}: cannot be written ({error.strerror})") from error


def paper() -> "Console":
    """A rich console that remembers, and shows nobody."""
    from rich.console import Console

    return Console(
        record=True, file=io.StringIO(), width=WIDTH, force_terminal=True, no_color=False,
        color_system="truecolor", highlight=False, markup=False, emoji=False,
    )  # fmt: skip
