"""Several tokens as one word: surprisal adds up, since P(a b) = P(a) P(b | a)."""

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import islice
from typing import TYPE_CHECKING

from lmtool.text.tokenizers import Tokenizer

if TYPE_CHECKING:
    from lmtool.inference.surprisal import SentenceSurprisal, WordSurprisal

__all__ = ["as_words", "lengths", "regrouped"]


def lengths(tokenizer: Tokenizer, words: Sequence[str]) -> list[int]:
    """How many words of ``" ".join(words)`` are each one's; a blank belongs to what follows it.

    ["New York", "is"] -> [2, 1]; of characters ["to", "be"] -> [2, 3]
    """
    return [len(tokenizer.split(" " * (i > 0) + word)) for i, word in enumerate(words)]


def regrouped(
    sentence: "SentenceSurprisal", words: Sequence[str], tokenizer: Tokenizer
) -> "SentenceSurprisal":
    """The sentence that is these words, none of them blank, each as one; without <EOS>.

    A last word that is a literal <EOS> is the sentence's.
    """
    merged = as_words(sentence.words, words, lengths(tokenizer, words), tokenizer.separator)
    return replace(sentence, words=tuple(merged))


def as_words(
    parts: "Iterable[WordSurprisal]",
    words: Sequence[str],
    lengths: Sequence[int],
    separator: str = " ",
) -> "Iterator[WordSurprisal]":
    """Each word with what so many parts of it come to."""
    rest = iter(parts)
    spans = (tuple(islice(rest, n)) for n in lengths)
    for position, (span, word) in enumerate(zip(spans, words, strict=True), 1):
        if span:  # none where the sentence is nothing but its end
            yield replace(as_one(span, word, separator), position=position, word=word)


def as_one(span: "Sequence[WordSurprisal]", word: str, separator: str) -> "WordSurprisal":
    """Sums; the entropy before the first and after the last; no rank and no frequency."""
    first, last = span[0], span[-1]
    if len(span) == 1:
        return first if first.entropy_after is None else replace(first, length=len(word))
    after = last.entropy_after
    return replace(
        first,
        token=separator.join(part.token for part in span),
        oov=any(part.oov for part in span),
        log_p=math.fsum(part.log_p for part in span),
        surprisal=math.fsum(part.surprisal for part in span),
        entropy_after=after,
        entropy_reduction=None if after is None else first.entropy_before - after,
        rank=None,
        length=len(word),
        frequency=None,
        unigram_surprisal=total(part.unigram_surprisal for part in span),
    )


def total(parts: Iterator[float | None]) -> float | None:
    """The sum; None where a part is missing."""
    known = list(parts)
    return None if None in known else math.fsum(part for part in known if part is not None)
