"""The table of tokenizers: a new one is a new entry here."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from lmtool.text import split, subwords
from lmtool.text.numbering import CharacterNumbering, Numbering, WordNumbering
from lmtool.text.subwords import Merges

__all__ = ["TOKENIZERS", "Tokenizer"]

Cut = Callable[[str], list[str]]


def everywhere(before: str, token: str) -> bool:
    """Each token is a word."""
    return True


@dataclass(frozen=True, slots=True)
class Tokenizer:
    """How one line becomes words and these tokens, and tokens become a line.

    The words of a line are pieces of it, in order, with ``separator`` between two of them; what
    else lies there is lost. A new ``numbering`` numbers the words of many lines. A word is one
    token unless there are ``pieces``.
    """

    name: str
    split: Cut  # line -> words
    numbering: Callable[[], Numbering]
    join: Callable[[Iterable[str]], str]  # tokens -> line
    separator: str
    begins: Callable[[str, str], bool] = everywhere  # whether a word begins at the second token
    pieces: Callable[[Iterable[str], Merges], Cut] | None = None  # known tokens -> word -> tokens
    learn: Callable[[Mapping[str, int], int, int], tuple[list[str], Merges]] | None = None


TOKENIZERS: dict[str, Tokenizer] = {
    tokenizer.name: tokenizer
    for tokenizer in (
        Tokenizer("word", str.split, WordNumbering, " ".join, " "),
        Tokenizer(
            "split",
            str.split,
            WordNumbering,
            split.join,
            " ",
            split.begins,
            lambda tokens, merges: split.split_word,
        ),
        Tokenizer(
            "subword",
            str.split,
            WordNumbering,
            subwords.join,
            " ",
            subwords.begins,
            subwords.cutter,
            subwords.learn,
        ),
        Tokenizer("char", list, CharacterNumbering, "".join, ""),
    )
}
