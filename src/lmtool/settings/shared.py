"""Options that several kinds of model declare alike, and names that others go by."""

import math
from typing import Any

from lmtool.settings.fields import option

__all__ = ["BASES", "CHECKPOINT_EVERY", "CONTEXTS", "FOLLOWS", "LEVELS", "MODEL", "WINDOW"]
__all__ += ["ACTIVATED", "activation", "both", "cell", "embed", "hidden", "layers", "members"]
__all__ += ["reader", "window"]

BASES = {"2": math.log(2), "e": 1.0, "10": math.log(10)}  # of logarithms: nats in one unit
CHECKPOINT_EVERY = 60.0  # seconds between two saved states of a run
CONTEXTS = ("sentence", "document")  # each line from zero state, or the state carried over
FOLLOWS = "follows the corpus"
LEVELS = ("word", "token")  # what stands between blanks, or what is predicted
MODEL = "Model"
CELLS = ("lstm", "gru", "rnn", "window")
ACTIVATED = ("rnn", "window")  # cells that have an activation to choose
WINDOW = 5  # words; a model file that says nothing means so many
WIDE = {"window": "{}-word window"}  # cells that see several words, as they are shown


def cell(*others: str, help: str = "The cell.") -> Any:
    """What reads along time, or one of the others."""
    return option("lstm", help, panel=MODEL, choices=(*CELLS, *others))


def activation() -> Any:
    """What a cell without gates ends in."""
    return option("tanh", "Of rnn and window cells.", panel=MODEL, choices=("tanh", "relu"))


def window() -> Any:
    """N."""
    help = "Words that a window cell sees, the last one read among them; for vectors, on each side."
    return option(WINDOW, help, panel=MODEL, metavar="N", at_least=1, absurd=1000)


def reader(settings: Any) -> str:
    """What reads along time: ``lstm``, ``5-word window``."""
    cell: str = settings.cell
    return WIDE.get(cell, cell).format(settings.window)


def layers(usual: int = 1) -> Any:
    """How many of them."""
    return option(
        usual,
        "Cells on top of each other.",
        panel=MODEL,
        shown="1; 2 where frames become text",
        at_least=1,
        absurd=100,
    )


def embed() -> Any:
    """E."""
    return size("Size of a word vector.", absurd=1e6)


def hidden() -> Any:
    """H."""
    return size("Size of the state.", absurd=1e6)


def both() -> Any:
    """One way or two."""
    return option(True, "Read from both ends.", panel=MODEL)


def members(at_least: int = 1) -> Any:
    """K."""
    return size("Networks whose probabilities are averaged.", 100, at_least)


def size(help: str, absurd: float, at_least: int = 1) -> Any:
    """A number that follows the corpus."""
    return option(None, help, panel=MODEL, shown=FOLLOWS, at_least=at_least, absurd=absurd)
