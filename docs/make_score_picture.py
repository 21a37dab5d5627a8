"""Draws docs/score.svg: what ``lmtool score "Todd met Pete"`` shows on a terminal.

    python docs/make_score_picture.py model.safetensors
"""

import contextlib
import io
import os
import re
import sys
from pathlib import Path

from rich._export_format import CONSOLE_SVG_FORMAT
from rich.console import Console
from rich.text import Text

from lmtool.cli.app import main as lmtool

PICTURE = Path(__file__).with_name("score.svg")
SENTENCE = "Todd met Pete"
COLUMNS = 88
# rich's template without the rules that fetch a font from the network
TEMPLATE = re.sub(r"@font-face \{\{.*?\}\}", "", CONSOLE_SVG_FORMAT, flags=re.DOTALL)


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
    console.save_svg(str(PICTURE), title="lmtool", code_format=TEMPLATE, unique_id="score")


if __name__ == "__main__":
    draw(shown(*sys.argv[1:2] or ["model.safetensors"]))
