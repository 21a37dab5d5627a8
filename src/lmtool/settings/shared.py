"""Options that several kinds of model declare alike."""

from typing import Any

from lmtool.settings.fields import option

__all__ = ["FOLLOWS", "MODEL"]
__all__ += ["activation", "both", "cell", "embed", "hidden", "layers", "members"]

FOLLOWS = "follows the corpus"
MODEL = "Model"


def cell(*others: str, help: str = "The cell.") -> Any:
    """What reads along time, or one of the others."""
    return option("lstm", help, panel=MODEL, choices=("lstm", "gru", "rnn", *others))


def activation() -> Any:
    """What an rnn cell ends in."""
    return option("tanh", "Of rnn cells.", panel=MODEL, choices=("tanh", "relu"))


def layers() -> Any:
    """How many of them."""
    return option(1, "Cells on top of each other.", panel=MODEL, at_least=1, absurd=100)


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
