"""The table of tokenizers: a new one is a new entry here."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

__all__ = ["TOKENIZERS", "Tokenizer"]


@dataclass(frozen=True, slots=True)
class Tokenizer:
    """How one line becomes tokens and tokens become a line.

    The tokens of a line are pieces of it, in order; what lies between two of them is lost, and
    ``join`` puts its own separator there.
    """

    name: str
    split: Callable[[str], list[str]]
    join: Callable[[Iterable[str]], str]

    @property
    def separator(self) -> str:
        """What ``join`` puts between two tokens."""
        return self.join(("", ""))


TOKENIZERS: dict[str, Tokenizer] = {
    tokenizer.name: tokenizer
    for tokenizer in (
        Tokenizer("word", str.split, " ".join),  # at Unicode white space, a lone CR included
        Tokenizer("char", list, "".join),  # white space counts
    )
}
