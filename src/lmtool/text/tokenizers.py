"""The table of tokenizers: a new one is a new entry here."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

__all__ = ["LINE_END", "TOKENIZERS", "Tokenizer"]


@dataclass(frozen=True, slots=True)
class Tokenizer:
    """How one line becomes tokens and tokens become a line.

    The tokens of a line are pieces of it, in order; what lies between two of them is lost, and
    ``join`` puts its own separator there. ``split_lines`` does what ``split`` does for each of many
    lines at once, with LINE_END as a token after each.
    """

    name: str
    split: Callable[[str], list[str]]
    split_lines: Callable[[str], list[str]]
    join: Callable[[Iterable[str]], str]

    @property
    def separator(self) -> str:
        """What ``join`` puts between two tokens."""
        return self.join(("", ""))


LINE_END = "\0"  # in no text: the reader refuses it


def words_of_lines(text: str) -> list[str]:
    """Words at Unicode white space, a lone CR included."""
    return text.replace("\n", " \0 ").split()


def characters_of_lines(text: str) -> list[str]:
    """Every character; white space counts."""
    return list(text.replace("\n", "\0"))


TOKENIZERS: dict[str, Tokenizer] = {
    tokenizer.name: tokenizer
    for tokenizer in (
        Tokenizer("word", str.split, words_of_lines, " ".join),
        Tokenizer("char", list, characters_of_lines, "".join),
    )
}
