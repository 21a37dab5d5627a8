"""A note on stderr where a model does not know many words of a text, and what would help."""

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any, TypeVar

from lmtool.cli.inputs import note
from lmtool.cli.render import cut

if TYPE_CHECKING:
    from lmtool.text.vocabulary import Vocabulary

__all__ = ["Unknown"]

MANY = 0.2  # of the words
LEAST = 10  # words, below which each is seen
KEPT = 1000  # different unknown words that are looked at
SHOWN = 3
ENOUGH = 0.5  # of the unknown words that would be known

Result = TypeVar("Result")
Parts = Callable[[str], list[str]]


class Unknown:
    """Counts words as they pass."""

    def __init__(self, vocabulary: "Vocabulary") -> None:
        self._vocabulary = vocabulary
        self._n = self._n_oov = 0
        self._words: dict[str, None] = {}
        self._units = "words"

    def seen(self, results: Iterable[Result]) -> Iterator[Result]:
        """The same."""
        for result in results:
            self._count(result)
            yield result

    def tell(self) -> None:
        """The note, if there is a reason."""
        if self._n >= LEAST and self._n_oov > MANY * self._n:
            some = ", ".join(map(cut, [*self._words][:SHOWN]))
            share = f"{self._n_oov:,} of {self._n:,} {self._units} are unknown to the model"
            note(f"{share} ({some}); {advice(self._vocabulary, [*self._words])}")

    def _count(self, result: Any) -> None:
        self._units = f"{result.level or 'word'}s"
        for word in result.words[:-1]:
            self._n += 1
            if word.oov:
                self._n_oov += 1
                if len(self._words) < KEPT:
                    self._words[word.word] = None


def advice(vocabulary: "Vocabulary", words: list[str]) -> str:
    """The least change after which enough of the words would be known."""
    from lmtool.text.split import MARK, split_word

    def parted(word: str) -> list[str]:
        return [token.strip(MARK) for token in split_word(word)]

    ways: dict[str, Parts] = {}
    if not vocabulary.settings.lower:
        ways["--lower"] = lambda word: [word.lower()]
    if not vocabulary.several:
        ways["--tokens split"] = parted
        if not vocabulary.settings.lower:
            ways["--tokens split --lower"] = lambda word: parted(word.lower())
    for way, parts in ways.items():
        known = {part for token in vocabulary.tokens for part in parts(token)}
        n = sum(known.issuperset(parts(word)) for word in words)
        if n >= ENOUGH * len(words):
            return f"trained with {way} it would know {n:,} of {len(words):,}"
    if vocabulary.tokenizer.learn:
        return "train it on text with their characters"
    return "train it with --tokens subword, or on more text with a larger --vocab-size"
