"""How good tags are: phrase by phrase, as conlleval counts them, and word by word.

A phrase is right if its first word, its last word and its type are; shares are percentages:

precision = correct / found      recall = correct / phrases      FB1 = 2 P R / (P + R)      (1)

0 where there is nothing to divide by (Tjong Kim Sang & Buchholz 2000). The strict F1 is (1) of
phrases that are whole: what goes on without a beginning is none.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from lmtool.arrays import Ids
from lmtool.display import Shown, Tabular
from lmtool.errors import InputError
from lmtool.text.schemes import IOB2, Phrase, phrases, strict_phrases
from lmtool.text.tags import Tags

__all__ = ["Phrase", "PhraseEvaluation", "PhraseResult", "block", "evaluate_phrases"]
__all__ += ["evaluate_tags"]
__all__ += ["phrases", "single_words", "strict_phrases"]

Reading = Callable[[Sequence[str]], list[Phrase]]


@dataclass(frozen=True, slots=True, repr=False)
class PhraseResult(Shown):
    """How well phrases of one type are found; percentages."""

    _shown = ("type", "precision", "recall", "f1", "n", "n_found", "n_correct")

    type: str
    precision: float
    recall: float
    f1: float
    n: int  # phrases that there are
    n_found: int  # phrases that were given
    n_correct: int  # both

    def to_dict(self) -> dict[str, Any]:
        """The same as plain values."""
        return asdict(self)


@dataclass(frozen=True, slots=True, repr=False)
class PhraseEvaluation(Tabular):
    """How well phrases of all types are found; percentages."""

    _shown = ("f1", "precision", "recall", "accuracy", "n_sentences", "n_tokens", "n_phrases")

    f1: float
    precision: float
    recall: float
    accuracy: float  # of words: the share whose tag is right
    strict_f1: float | None  # None where a word alone is a phrase
    n_sentences: int
    n_tokens: int
    n_phrases: int  # that there are
    n_found: int  # that were given
    n_correct: int  # both
    per_type: tuple[PhraseResult, ...]  # by code point

    def _rows(self) -> Sequence[Shown]:
        return self.per_type

    def to_dict(self) -> dict[str, Any]:
        """The same as plain values."""
        return asdict(self) | {"per_type": [one.to_dict() for one in self.per_type]}


def evaluate_phrases(
    sentences: Iterable[tuple[Sequence[str], Sequence[str]]], read: Reading = phrases
) -> PhraseEvaluation:
    """What tags are worth: (those that are so, those given), a pair a sentence, both in IOB2.

    ``read`` says which phrases tags stand for; ``single_words`` is for plain ones. Raises
    InputError where there is no sentence.
    """
    pairs = list(sentences)
    if not pairs:
        raise InputError("there is no tagged text")
    right = sum(a == b for wanted, given in pairs for a, b in zip(wanted, given, strict=True))
    n_tokens = sum(len(wanted) for wanted, _ in pairs)
    counts = counted_types(pairs, read)
    total = result("", *map(sum, zip(*counts.values(), strict=True))) if counts else result("")
    return PhraseEvaluation(
        f1=total.f1,
        precision=total.precision,
        recall=total.recall,
        accuracy=percent(right, n_tokens),
        strict_f1=strict_f1(pairs) if read is phrases else None,
        n_sentences=len(pairs),
        n_tokens=n_tokens,
        n_phrases=total.n,
        n_found=total.n_found,
        n_correct=total.n_correct,
        per_type=tuple(result(kind, *counts[kind]) for kind in sorted(counts)),
    )


def evaluate_tags(tags: Tags, sentences: Iterable[tuple[Ids, Ids]]) -> PhraseEvaluation:
    """The same of ids (T,): of phrases in IOB2, of other tags word by word."""
    pairs = ((tags.iob2(wanted.tolist()), tags.iob2(given.tolist())) for wanted, given in sentences)
    return evaluate_phrases(pairs, phrases if tags.phrased else single_words)


def single_words(tags: Sequence[str], outside: str = "0") -> list[Phrase]:
    """Each word as a phrase whose type is its tag, but for one tag: [1, 0, 1] -> two phrases."""
    return [Phrase(at, at + 1, tag) for at, tag in enumerate(tags) if tag != outside]


def counted_types(
    pairs: Sequence[tuple[Sequence[str], Sequence[str]]], read: Reading
) -> dict[str, tuple[int, int, int]]:
    """type -> (phrases that there are, phrases given, both)"""
    n, found, correct = Counter[str](), Counter[str](), Counter[str]()
    for wanted, given in pairs:
        there, said = read(wanted), read(given)
        n.update(phrase.type for phrase in there)
        found.update(phrase.type for phrase in said)
        correct.update(phrase.type for phrase in set(there) & set(said))
    return {kind: (n[kind], found[kind], correct[kind]) for kind in n | found}


def strict_f1(pairs: Sequence[tuple[Sequence[str], Sequence[str]]]) -> float:
    """(1) of phrases of IOB2 that are whole."""
    counts = counted_types(pairs, lambda tags: strict_phrases(tags, IOB2))
    return result("", *map(sum, zip(*counts.values(), strict=True))).f1 if counts else 0.0


def result(kind: str, n: int = 0, found: int = 0, correct: int = 0) -> PhraseResult:
    """(1) of counts."""
    precision, recall = percent(correct, found), percent(correct, n)
    f1 = 2 * precision * recall / (precision + recall) if correct else 0.0
    return PhraseResult(kind, precision, recall, f1, n, found, correct)


def percent(part: int, whole: int) -> float:
    """1, 8 -> 12.5; 0 where there is nothing."""
    return 100 * part / whole if whole else 0.0


def block(found: PhraseEvaluation) -> str:
    """What conlleval prints: counts, measures over all types, a line a type; ends its last line."""
    return "".join(f"{line}\n" for line in block_lines(found))


def block_lines(found: PhraseEvaluation) -> Iterator[str]:
    """The lines of it."""
    yield (
        f"processed {found.n_tokens} tokens with {found.n_phrases} phrases; "
        f"found: {found.n_found} phrases; correct: {found.n_correct}."
    )
    yield f"accuracy: {found.accuracy:6.2f}%; {shares(found)}"
    for one in found.per_type:
        yield f"{one.type:>17}: {shares(one)}  {one.n_found}"


def shares(of: PhraseEvaluation | PhraseResult) -> str:
    """``precision:  66.67%; recall:  66.67%; FB1:  66.67``"""
    return f"precision: {of.precision:6.2f}%; recall: {of.recall:6.2f}%; FB1: {of.f1:6.2f}"
