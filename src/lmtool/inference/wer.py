"""The word error rate: how many words must change until what was heard is what was said.

Of a reference with n words, the least number of changes that make it the hypothesis:

D(i, j) = min(D(i-1, j-1) + [r_i != h_j], D(i-1, j) + 1, D(i, j-1) + 1)                      (1)
S substitutions, D deletions, I insertions: S + D + I = D(n, m)                              (2)
WER = (sum S + sum D + sum I) / sum n, over all sentences                                    (3)

(1) may be reached in several ways, which share the sum in (2) and not its parts. Read from the end,
a deletion comes first, then an insertion where a hit would leave it for later, as jiwer has it;
what both begin or end with is always a hit. Of long texts the reference is halved where a best path
crosses it, so that no whole table is kept (Hirschberg 1975); that may be another of these ways.
Characters in place of words give the CER.
"""

from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lmtool.display import Tabular
from lmtool.errors import InputError

__all__ = ["Change", "Confusion", "Wer", "alignment", "confusions", "error_rate", "statistics"]
__all__ += ["ERRORS", "LONGEST", "WORDS", "n_errors"]

LONGEST = 100_000  # words of a text beyond what both begin and end with
SMALL = 4096  # cells of a table from which on numpy is faster
LARGE = 50_000_000  # cells of a table that is kept
# what the statistics are
N, EXACT, WORDS = range(3)
ERRORS = slice(3, 6)  # substitutions, deletions, insertions

Counts = NDArray[np.int64]
Row = NDArray[np.int32]
Table = Sequence[Sequence[int]] | Row
Steps = list[tuple[int | None, int | None]]  # places that belong together; None: there is none


class Change(NamedTuple):
    """A place of an alignment: a hit or a substitution has both words."""

    reference: str | None  # None: inserted
    hypothesis: str | None  # None: deleted


class Confusion(NamedTuple):
    """A change, and how often it is made."""

    reference: str | None
    hypothesis: str | None
    times: int


@dataclass(frozen=True, slots=True, repr=False)
class Wer(Tabular):
    """Errors of sentences; percentages of the words of the references, or of the sentences."""

    _shown = ("wer", "n_words", "substitutions", "deletions", "insertions", "n_sentences")

    wer: float
    n_words: int  # of the references
    substitutions: int
    deletions: int
    insertions: int
    n_sentences: int
    exact: float  # of the sentences that have no error

    @classmethod
    def of(cls, total: Counts) -> "Wer":
        """That of a sum of ``statistics``. Raises InputError where no reference has a word."""
        n, exact, words, s, d, i = total.tolist()
        if not words:
            raise InputError("no reference has a word; an error rate is a share of these")
        return cls(100 * (s + d + i) / words, words, s, d, i, n, 100 * exact / n)

    def to_dict(self) -> dict[str, Any]:
        """The same as plain values."""
        return asdict(self)


def statistics(hypothesis: Sequence[str], reference: Sequence[str]) -> Counts:
    """The counts of one sentence, words given one by one; those of several are added: (6,).

    Raises InputError for texts too long to be compared.
    """
    _, r, h = middle(reference, hypothesis)
    exact, errors = not (r or h), parts(r, h) if r and h else (0, len(r), len(h))
    return np.array([1, exact, len(reference), *errors], np.int64)


def n_errors(hypothesis: Sequence[str], reference: Sequence[str]) -> int:
    """(2) alone."""
    return int(statistics(hypothesis, reference)[ERRORS].sum())


def error_rate(
    hypotheses: Iterable[str], references: Iterable[str], characters: bool = False
) -> Wer:
    """(3) of texts. Raises InputError where they do not belong together."""
    said, known = list(hypotheses), list(references)
    if len(said) != len(known):
        message = f"hypotheses: {len(said):,}, but references for {len(known):,}"
        raise InputError(f"{message}; each hypothesis needs its own")
    split: Callable[[str], Sequence[str]] = tuple if characters else str.split
    rows = [statistics(split(h), split(r)) for h, r in zip(said, known, strict=True)]
    return Wer.of(np.sum(rows, axis=0, dtype=np.int64) if rows else np.zeros(6, np.int64))


def alignment(hypothesis: Sequence[str], reference: Sequence[str]) -> list[Change]:
    """Where each word went, in order."""
    begin, r, h = middle(reference, hypothesis)
    found = [Change(word, word) for word in reference[:begin]]
    found += [
        Change(None if i is None else r[i], None if j is None else h[j]) for i, j in aligned(r, h)
    ]
    end = reference[begin + len(r) :]
    return found + [Change(word, word) for word in end]


def confusions(pairs: Iterable[tuple[Sequence[str], Sequence[str]]]) -> list[Confusion]:
    """All errors of (hypothesis, reference), the most frequent first; ties by the words."""
    known = Counter(
        change
        for hypothesis, reference in pairs
        for change in alignment(hypothesis, reference)
        if change.reference != change.hypothesis
    )
    found = [Confusion(*change, count) for change, count in known.items()]
    return sorted(found, key=lambda one: (-one.times, one.reference or "", one.hypothesis or ""))


def middle(
    reference: Sequence[str], hypothesis: Sequence[str]
) -> tuple[int, Sequence[str], Sequence[str]]:
    """What lies between a common begin, whose length comes first, and a common end."""
    n, m = len(reference), len(hypothesis)
    begin = 0
    while begin < min(n, m) and reference[begin] == hypothesis[begin]:
        begin += 1
    while n > begin and m > begin and reference[n - 1] == hypothesis[m - 1]:
        n, m = n - 1, m - 1
    return begin, reference[begin:n], hypothesis[begin:m]


def aligned(r: Sequence[str], h: Sequence[str]) -> Steps:
    """A way that (1) goes, from the front. Raises InputError for texts that are too long."""
    if max(len(r), len(h)) > LONGEST:
        message = f"{max(len(r), len(h)):,} words that differ, in one text"
        raise InputError(f"{message}; at most {LONGEST:,} can be compared: break it into lines")
    if len(r) < 2 or len(r) * len(h) <= LARGE:
        return path(table(r, h), r, h)
    half = len(r) // 2
    before, after = last_row(r[:half], h), last_row(r[half:][::-1], h[::-1])[::-1]
    here = int(np.argmin(before + after))
    rest = aligned(r[half:], h[here:])
    return aligned(r[:half], h[:here]) + [
        (None if i is None else i + half, None if j is None else j + here) for i, j in rest
    ]


def table(r: Sequence[str], h: Sequence[str]) -> Table:
    """(1) of all beginnings: (n + 1, m + 1)."""
    return word_by_word(r, h) if len(r) * len(h) < SMALL else row_by_row(r, h)


def word_by_word(r: Sequence[str], h: Sequence[str]) -> list[list[int]]:
    """``table`` for short texts."""
    rows = [list(range(len(h) + 1))]
    for word in r:
        above = rows[-1]
        best, row = above[0] + 1, [above[0] + 1]
        for j, other in enumerate(h):
            least = above[j] if word == other else above[j] + 1
            best = min(least, above[j + 1] + 1, best + 1)
            row.append(best)
        rows.append(row)
    return rows


def row_by_row(r: Sequence[str], h: Sequence[str]) -> Row:
    """``table`` for long ones."""
    cells = np.empty((len(r) + 1, len(h) + 1), np.int32)
    for i, row in enumerate(rows(r, h)):
        cells[i] = row
    return cells


def last_row(r: Sequence[str], h: Sequence[str]) -> Row:
    """That of the table, (m + 1,)."""
    return deque(rows(r, h), 1).pop()


def rows(r: Sequence[str], h: Sequence[str]) -> Iterator[Row]:
    """Those of the table: what is inserted is a running minimum of D(i, j) - j."""
    numbers = {word: number for number, word in enumerate(dict.fromkeys([*r, *h]))}
    said = np.array([numbers[word] for word in h], np.int32)
    above = steps = np.arange(len(h) + 1, dtype=np.int32)
    yield above
    for word in r:
        row = above + np.int32(1)
        np.minimum(row[1:], above[:-1] + (said != numbers[word]), out=row[1:])
        above = np.minimum.accumulate(row - steps) + steps
        yield above


def path(cells: Table, r: Sequence[str], h: Sequence[str]) -> Steps:
    """The places (i, j) that belong together, in order."""
    i, j = len(r), len(h)
    steps: Steps = []
    while i and j:
        if cells[i][j] == cells[i - 1][j] + 1:
            i -= 1
            steps.append((i, None))
        elif cells[i][j - 1] == cells[i - 1][j - 1] - 1:
            j -= 1
            steps.append((None, j))
        else:
            i, j = i - 1, j - 1
            steps.append((i, j))
    steps += [(place, None) for place in reversed(range(i))]
    steps += [(None, place) for place in reversed(range(j))]
    return steps[::-1]


def parts(r: Sequence[str], h: Sequence[str]) -> tuple[int, int, int]:
    """S, D and I of the path."""
    steps = aligned(r, h)
    d = sum(j is None for _, j in steps)
    i = sum(place is None for place, _ in steps)
    return sum(r[a] != h[b] for a, b in steps if a is not None and b is not None), d, i
