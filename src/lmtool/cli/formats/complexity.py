"""neural-complexity: the columns of ``main.py --words``, in bits, counted from 0.

``entropy`` is that before the word; ``entred`` = max(0, the row before - this row), 0 in the first
row; there is no row for <eos>. Unlike there, a word outside the vocabulary keeps its spelling and
length, and a sentence is a line.
"""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from lmtool.cli.formats.base import Format, Job, bare
from lmtool.cli.render import number

if TYPE_CHECKING:
    from lmtool.inference.surprisal import SentenceSurprisal

__all__ = ["FORMAT"]


def write(sentences: Iterable["SentenceSurprisal"], job: Job) -> Iterator[str]:
    """The header and the rows, separated by a space."""
    yield "word sentid sentpos wlen surp entropy entred"
    for line, sentence in enumerate(sentences):
        before = None
        for place, word in enumerate(sentence.words[:-1]):
            entropy = word.entropy_before
            reduction = 0.0 if before is None else max(0.0, before - entropy)
            before = entropy
            counted = f"{bare(word.word)} {line} {place} {word.length}"
            measured = map(number, (word.surprisal_bits, entropy, reduction))
            yield " ".join([counted, *measured])


FORMAT = Format(write, ("word",), entropies=True)
