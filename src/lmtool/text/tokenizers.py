"""The table of tokenizers: a new one is a new entry here."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from lmtool.text.numbering import CharacterNumbering, Numbering, WordNumbering

__all__ = ["TOKENIZERS", "Tokenizer"]


@dataclass(frozen=True, slots=True)
class Tokenizer:
    """How one line becomes tokens and tokens become a line.

    The tokens of a line are pieces of it, in order; what lies between two of them is lost, and
    ``join`` puts its own separator there. A new ``numbering`` numbers the tokens of many lines.
    """

    name: str
    split: Callable[[str], list[str]]
    numbering: Callable[[], Numbering]
    join: Callable[[Iterable[str]], str]

    @property
    def separator(self) -> str:
        """What ``join`` puts between two tokens."""
        return self.join(("", ""))


TOKENIZERS: dict[str, Tokenizer] = {
    tokenizer.name: tokenizer
    for tokenizer in (
        Tokenizer("word", str.split, WordNumbering, " ".join),
        Tokenizer("char", list, CharacterNumbering, "".join),
    )
}
