"""Where a model looked as it wrote, in the formats of other tools.

A matrix of attention is (T, S): row t says how much of target token t, <EOS> included, comes from
each source token; rows sum to 1.
"""

import re
from collections.abc import Iterator, Sequence
from typing import Any

from lmtool.arrays import Array
from lmtool.text.vocabulary import EOS

__all__ = ["COLUMNS", "nematus", "pharaoh", "weights"]

COLUMNS = ("target_position", "target", "source_position", "source", "weight")
BREAKING = re.compile(r"[\s|]")  # what would end a word or a field


def pharaoh(attention: Array, source_end: bool = False, target_end: bool = True) -> str:
    """``0-0 1-2``: source-target from 0, for each target word the source word it looked at most.

    The ends say whether the last token of each is <EOS>, which is no word: what looks most at that
    of the source is aligned to nothing.
    """
    n_words = attention.shape[1] - source_end
    rows = attention[: len(attention) - target_end]
    most = rows.argmax(axis=1) if rows.size else ()
    return " ".join(f"{word}-{t}" for t, word in enumerate(most) if word < n_words)


def weights(
    source: Sequence[str], target: Sequence[str], attention: Array
) -> Iterator[dict[str, Any]]:
    """A row for each number of the matrix, COLUMNS by name, positions from 1."""
    for t, (word, row) in enumerate(zip(target, attention.tolist(), strict=True), 1):
        for s, (seen, weight) in enumerate(zip(source, row, strict=True), 1):
            yield dict(zip(COLUMNS, (t, word, s, seen, weight), strict=True))


def nematus(
    number: int, source: Sequence[str], target: Sequence[str], attention: Array, score: float
) -> str:
    """``number ||| target ||| score ||| source ||| columns rows``, a row a target token, a blank.

    The words stand without <EOS>, which has its row, and its column where the source has one.
    Blanks and bars in a word are written as in HTML: ``|`` -> ``&#124;``.
    """
    said, seen = joined(target), joined(source)
    head = f"{number} ||| {said} ||| {score:z.6g} ||| {seen} ||| {len(source)} {len(target)}"
    rows = (" ".join(f"{weight:z.6g}" for weight in row) for row in attention.tolist())
    return "\n".join([head, *rows, ""])


def joined(tokens: Sequence[str]) -> str:
    """Words without the <EOS> at their end."""
    words = tokens[:-1] if tokens and tokens[-1] == EOS else tokens
    return " ".join(BREAKING.sub(lambda found: f"&#{ord(found[0])};", word) for word in words)
