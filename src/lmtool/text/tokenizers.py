"""The table of tokenizers: a new one is one line in TOKENIZERS."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

__all__ = ["TOKENIZERS", "Tokenizer"]


@dataclass(frozen=True, slots=True)
class Tokenizer:
    """A line to tokens and back: join(split(line)) is the line up to white space.

    ``markers``: whether <UNK>, <EOS> and their like in a line are markers rather than text.
    """

    name: str
    split: Callable[[str], list[str]]
    join: Callable[[Iterable[str]], str]
    markers: bool


TOKENIZERS: dict[str, Tokenizer] = {
    tokenizer.name: tokenizer
    for tokenizer in (
        Tokenizer("word", str.split, " ".join, markers=True),
        Tokenizer("char", list, "".join, markers=False),
    )
}
