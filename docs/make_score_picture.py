"""Draws docs/score.svg: what ``lmtool score "Todd met Pete"`` shows on a terminal.

Takes the model file, ``model.safetensors`` if none is given.
"""

import contextlib
import io
import os
import re
import sys
from pathlib import Path

from rich.console import Console
from rich.text import Text

from lmtool.cli.app import main as lmtool

PICTURE = Path(__file__).with_name("score.svg")
SENTENCE = "Todd met Pete"
COLUMNS = 88
FONTS = re.compile(r"\s*@font-face \{.*?\}", re.DOTALL)  # would be fetched from the network


class Terminal(io.StringIO):
    """Catches what a command writes when it believes that a person is looking."""

    encoding = "utf-8"

    def isatty(self) -> bool:
        """Always."""
        return True


def shown(model: str) -> str:
    """The command's output with its escape sequences; exits as the command does if it fails."""
    os.environ |= {"COLUMNS": str(COLUMNS), "TERM": "xterm-256color", "COLORTERM": "truecolor"}
    os.environ.pop("NO_COLOR", None)
    with contextlib.redirect_stdout(Terminal()) as terminal:
        code = lmtool(["score", "-m", model, SENTENCE])
    return terminal.getvalue() if code == 0 else sys.exit(code)


def draw(output: str) -> None:
    """Writes the picture."""
    console = Console(record=True, file=io.StringIO(), width=COLUMNS, force_terminal=True)
    console.print(f'[bold green]$[/] lmtool score "{SENTENCE}"')
    console.print(Text.from_ansi(output))
    picture = console.export_svg(title="lmtool", unique_id="score")
    PICTURE.write_text(FONTS.sub("", picture), encoding="utf-8")


if __name__ == "__main__":
    draw(shown(*sys.argv[1:2] or ["model.safetensors"]))
