"""How good word vectors are: analogies with known answers, ratings of pairs by people.

accuracy = how often the known answer is the nearest word                     (1)
spearman = correlation of the ranks of values and ratings, ties halved        (2)

One-hot vectors stand beside them: all words are equally far apart there, so that an answer is a
guess among V words, and the values of all pairs are one and have no correlation.
"""

import itertools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lmtool.data.readers.wordtests import Question, Rated
from lmtool.display import Shown, Tabular
from lmtool.errors import InputError
from lmtool.inference.embeddings import Embeddings
from lmtool.inference.neighbours import (
    COSINE,
    METRICS,
    METRICS_AND,
    candidates,
    checked_metric,
    question_values,
    terms_of,
)

__all__ = ["AnalogyResult", "Section", "SimilarityResult", "analogies", "similarity", "spearman"]
__all__ += ["word2vec"]

BLOCK = 128  # questions side by side
NUMBERS = "%.9g"  # so many digits give a float32 back


@dataclass(frozen=True, slots=True, repr=False)
class Section(Shown):
    """Questions that belong together."""

    _shown = ("section", "accuracy", "n", "n_questions")

    section: str
    accuracy: float | None  # (1); None where no question could be asked
    n: int  # questions whose words are all known
    n_right: int
    n_questions: int


@dataclass(frozen=True, slots=True, repr=False)
class AnalogyResult(Tabular):
    """Analogies with known answers; the words of a question are no answers."""

    _shown = ("accuracy", "coverage", "n", "n_questions")

    accuracy: float | None  # (1) of all questions that could be asked
    coverage: float  # the share of these
    n: int
    n_right: int
    n_questions: int
    metric: str
    matrix: str
    baselines: dict[str, dict[str, float]]
    sections: tuple[Section, ...]

    def _rows(self) -> Sequence[Shown]:
        return self.sections

    def to_dict(self) -> dict[str, Any]:
        """The same as plain values."""
        return asdict(self)


@dataclass(frozen=True, slots=True, repr=False)
class SimilarityResult(Shown):
    """Pairs of words that people have rated."""

    _shown = ("spearman", "coverage", "n", "n_pairs")

    spearman: float | None  # (2), -1 to 1; None where either side is all alike
    coverage: float  # the share of the pairs whose words are both known
    n: int
    n_pairs: int
    metric: str
    matrix: str
    baselines: dict[str, dict[str, float | None]]

    def to_dict(self) -> dict[str, Any]:
        """The same as plain values."""
        return asdict(self)


def analogies(
    known: Embeddings, questions: Iterable[Question], metric: str = COSINE, cosmul: bool = False
) -> AnalogyResult:
    """How many answers are right, by section. Raises InputError where there is no question."""
    name, free = checked_metric(metric, cosmul), candidates(known)
    tallies = dict[str, list[int]]()  # right, asked, all
    stream = iter(questions)
    while block := list(itertools.islice(stream, BLOCK)):
        rows = [[known.find(word) for word in one.words] for one in block]
        asked = [i for i, row in enumerate(rows) if None not in row]
        right = dict(zip(asked, answers(known, [rows[i] for i in asked], name, free), strict=True))
        for i, one in enumerate(block):
            tally = tallies.setdefault(one.section, [0, 0, 0])
            for place, more in enumerate((right.get(i, False), i in right, True)):
                tally[place] += more
    sections = tuple(
        Section(section, ratio(right, n), n, right, n_all)
        for section, (right, n, n_all) in tallies.items()
    )
    if not tallies:
        raise InputError("questions: no question in it; give four words a line")
    n_right, n, n_all = map(sum, zip(*tallies.values(), strict=True))
    guess = {"one_hot": {"accuracy": 1 / max(1, int(free.sum()) - 3)}}
    total = (ratio(n_right, n), n / n_all, n, n_right, n_all)
    return AnalogyResult(*total, name, known.matrix, guess, sections)


def answers(
    known: Embeddings, rows: list[list[Any]], metric: str, free: NDArray[np.bool_]
) -> Iterator[bool]:
    """Whether the fourth word is the nearest one, of rows of four words."""
    if not rows:
        return
    places = np.array(rows, np.intp)
    near = METRICS_AND[metric].sign * question_values(known, places[:, :3], metric)
    near[:, ~free] = -np.inf
    np.put_along_axis(near, places[:, :3], -np.inf, axis=1)
    yield from (np.argmax(near, axis=1) == places[:, 3]).tolist()


def ratio(n: int, of: int) -> float | None:
    """n / of, if that is a number."""
    return n / of if of else None


def similarity(known: Embeddings, pairs: Iterable[Rated], metric: str = COSINE) -> SimilarityResult:
    """How values agree with ratings (2). Raises InputError where there is no pair."""
    name, given = checked_metric(metric), list(pairs)
    if not given:
        raise InputError("pairs: no pair in it; give two words and a number a line")
    rows = [([known.find(word) for word in one.words], one.rating) for one in given]
    found = [(row, rating) for row, rating in rows if None not in row]
    near = [value_of(known, row, name) for row, _ in found]
    rho = spearman(near, [rating for _, rating in found])
    beside: dict[str, dict[str, float | None]] = {"one_hot": {"spearman": None}}
    n, n_all = len(found), len(given)
    return SimilarityResult(rho, n / n_all, n, n_all, name, known.matrix, beside)


def value_of(known: Embeddings, row: list[Any], metric: str) -> float:
    """How alike two words are: the cosine, or a distance below 0."""
    x, y = terms_of(known, np.array(row, np.intp), False)
    kind = METRICS[metric]
    return kind.sign * float(np.round(kind.measure(x[None], y[None])[0, 0], 12))


def spearman(x: Sequence[float], y: Sequence[float]) -> float | None:
    """(2), from -1 to 1; None where either side is all alike or there are fewer than two."""
    a, b = ranks(x), ranks(y)
    a, b = a - a.mean() if len(a) else a, b - b.mean() if len(b) else b
    spread = float(np.sqrt((a @ a) * (b @ b)))
    return max(-1.0, min(1.0, float(a @ b) / spread)) if spread > 0 else None


def ranks(x: Sequence[float]) -> NDArray[np.float64]:
    """From 1, the smallest; those of equals are their mean: 3, 1, 3 -> 2.5, 1, 2.5."""
    _, which, counts = np.unique(np.asarray(x, np.float64), return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    mean: NDArray[np.float64] = (last - (counts - 1) / 2)[which.reshape(-1)]
    return mean


def word2vec(known: Embeddings) -> Iterator[str]:
    """``V D``, then ``word v1 .. vD``, a line each. InputError first for a token with a blank."""
    for word in known.words:
        if word.split() != [word]:
            message = "has a blank, which ends a word in word2vec's text; write FILE.npy instead"
            raise InputError(f"token {word!r}: {message}")
    V, D = known.vectors.shape
    numbers = " ".join([NUMBERS] * D)
    lines = (
        f"{word} {numbers % tuple((row + 0.0).tolist())}\n"  # + 0.0: no -0
        for word, row in zip(known.words, known.vectors, strict=True)
    )
    return itertools.chain([f"{V} {D}\n"], lines)
