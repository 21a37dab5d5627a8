"""Which words' vectors are near each other, and which word is to one as two others are.

cosine(x, y) = x y' / |x| |y|, euclidean |x - y|, manhattan sum |x - y|       (1)
t = e_b - e_a + e_c, of length 1 each for the cosine: a is to b as c is to ?   (2)
3CosMul: s(w, b) s(w, c) / (s(w, a) + EPSILON), s = (cosine + 1) / 2          (3)

(2): Mikolov et al. 2013; (3): Levy & Goldberg 2014.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lmtool.arrays import Array
from lmtool.display import Shown, Tabular
from lmtool.errors import ConfigError, option
from lmtool.inference.embeddings import Embeddings
from lmtool.settings import Option, checked
from lmtool.text.vocabulary import EOS, UNK

__all__ = ["COSMUL", "METRICS", "Metric", "Nearest", "Neighbour", "WorkedOut", "analogy"]
__all__ += ["candidates", "neighbours", "question_values", "values", "worked_out"]

EPSILON = 1e-3  # of (3), as Levy & Goldberg have it
ROWS = 8_192  # words at a time
DIGITS = 12  # beyond which two values are equal, so that ties are found whatever is beside them
COSINE, COSMUL = "cosine", "cosmul"

Floats = NDArray[np.float64]


class Metric(NamedTuple):
    """How far apart vectors are."""

    measure: Callable[[Floats, Floats], Floats]  # targets (n, E), vectors (R, E) -> (n, R)
    sign: int  # 1: the largest value is the nearest one, -1: the smallest
    unit: bool  # whether vectors are brought to length 1 before they are added


@dataclass(frozen=True, slots=True, repr=False)
class Neighbour(Shown):
    """A word and how near it is: a similarity, or a distance."""

    _shown = ("word", "value")

    word: str
    value: float

    def to_dict(self) -> dict[str, Any]:
        """The same as plain values."""
        return {"word": self.word, "value": self.value}


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class Nearest(Tabular):
    """The answer to a word, or to the three words of an analogy."""

    _shown = ("question", "metric", "neighbours")

    words: tuple[str, ...]  # as they were asked
    metric: str
    matrix: str
    neighbours: tuple[Neighbour, ...]  # nearest first
    left_out: tuple[Neighbour, ...]  # the words of the question, which are no answers
    terms: Array  # (1, E) or (3, E) the vectors of the words, as they were added
    target: Array  # (E,) what the answers are near to

    @property
    def question(self) -> str:
        """The words."""
        return " ".join(self.words)

    def _parts(self) -> Iterator[str]:
        yield repr(self.question)
        yield ", ".join(f"{one.word} {one.value:z.4g}" for one in self.neighbours)

    def _rows(self) -> Sequence[Shown]:
        return self.neighbours

    def to_dict(self) -> dict[str, Any]:
        """The same as plain values, without vectors."""
        return {
            "question": self.question,
            "metric": self.metric,
            "matrix": self.matrix,
            "neighbours": [one.to_dict() for one in self.neighbours],
        }


def neighbours(known: Embeddings, word: str, k: int = 10, metric: str = COSINE) -> Nearest:
    """The k words nearest to a word, ties by frequency. Raises InputError, OptionError."""
    return nearest(known, (word,), k, checked_metric(metric))


def analogy(
    known: Embeddings,
    a: str,
    b: str,
    c: str,
    k: int = 10,
    metric: str = COSINE,
    cosmul: bool = False,
) -> Nearest:
    """The k words that are to c as b is to a, nearest first: (2), or (3) with ``cosmul``.

    The words of the question are no answers. Raises InputError, OptionError, and ConfigError for
    ``cosmul`` with a distance.
    """
    return nearest(known, (a, b, c), k, checked_metric(metric, cosmul))


class Row(NamedTuple):
    """A word beside those of an analogy."""

    word: str
    cosines: tuple[float, ...]  # with b, a and c
    value: float
    left_out: bool  # it is in the question


class WorkedOut(NamedTuple):
    """The arithmetic of an analogy."""

    result: Nearest
    vectors: list[list[float]]  # of b, a and c, and the sum b - a + c
    lengths: list[float]
    rows: list[Row]

    def to_dict(self) -> dict[str, Any]:
        """The same as plain values."""
        names = ("b", "a", "c", "sum")
        own = {"vectors": dict(zip(names, self.vectors, strict=True))}
        rows = [
            row._asdict() | {"cosines": dict(zip(names, row.cosines, strict=False))}
            for row in self.rows
        ]
        return self.result.to_dict() | own | {"rows": rows}


def worked_out(known: Embeddings, result: Nearest) -> WorkedOut:
    """How an analogy came about: the sum, and what is near to each of its words."""
    order = [1, 0, 2]
    vectors = np.vstack([result.terms[order], result.target])
    words = [*result.neighbours, *result.left_out]
    rows = known.vectors[[known.places[one.word] for one in words]].astype(np.float64)
    near = cosines(rows, result.terms[order])
    n = len(result.neighbours)
    lines = [
        Row(one.word, tuple(map(float, near[i])), one.value, i >= n) for i, one in enumerate(words)
    ]
    lengths = np.sqrt(np.sum(vectors**2, axis=1))
    return WorkedOut(result, vectors.tolist(), lengths.tolist(), lines)


def checked_metric(metric: str, cosmul: bool = False) -> str:
    """The name of how answers are measured. Raises OptionError, ConfigError."""
    name: str = checked("metric", metric, str, Option(choices=tuple(METRICS)))
    if cosmul and name != COSINE:
        raise ConfigError(f"{option('cosmul')} and {option('metric', name)} contradict each other")
    return COSMUL if cosmul else name


def nearest(known: Embeddings, words: tuple[str, ...], k: int, metric: str) -> Nearest:
    """The answer to one word, or to three."""
    k = checked("k", k, int, Option(at_least=1))
    places = np.array([[known.place(word) for word in words]])
    found = question_values(known, places, metric)[0]
    free = candidates(known)
    free[places[0]] = False
    some = np.flatnonzero(free)
    order = some[np.argsort(-METRICS_AND[metric].sign * found[some], kind="stable")[:k]]
    terms = terms_of(known, places, METRICS_AND[metric].unit)[0]
    return Nearest(
        words,
        metric,
        known.matrix,
        tuple(Neighbour(known.words[i], float(found[i])) for i in order),
        tuple(Neighbour(known.words[i], float(found[i])) for i in places[0]),
        terms,
        summed(terms[None])[0],
    )


def candidates(known: Embeddings) -> NDArray[np.bool_]:
    """(V,) the rows that are words, and so may be answers."""
    free = np.ones(len(known), np.bool_)
    free[[known.places[word] for word in (EOS, UNK) if word in known.places]] = False
    return free


def question_values(known: Embeddings, places: NDArray[np.intp], metric: str) -> Floats:
    """How near each word is to each question: rows (n, 1) or (n, 3) -> (n, V)."""
    terms = terms_of(known, places, METRICS_AND[metric].unit)
    if metric != COSMUL:
        return values(known, summed(terms), metric)
    shifted = [(values(known, terms[:, i], COSINE) + 1) / 2 for i in range(3)]
    return np.asarray(np.round(shifted[1] * shifted[2] / (shifted[0] + EPSILON), DIGITS))  # (3)


def terms_of(known: Embeddings, places: NDArray[np.intp], unit: bool) -> Floats:
    """Vectors (n, m, E) of rows (n, m)."""
    vectors = known.vectors[places].astype(np.float64)
    return units(vectors) if unit else vectors


def summed(terms: Floats) -> Floats:
    """(2): (n, 3, E) -> (n, E); of one word its own vector."""
    return terms[:, 0] if terms.shape[1] == 1 else terms[:, 1] - terms[:, 0] + terms[:, 2]


def values(known: Embeddings, targets: Floats, metric: str) -> Floats:
    """(1) between targets (n, E) and all words: (n, V)."""
    found = np.empty((len(targets), len(known)))
    for start in range(0, len(known), ROWS):
        rows = known.vectors[start : start + ROWS].astype(np.float64)
        found[:, start : start + ROWS] = METRICS[metric].measure(targets, rows)
    return np.round(found, DIGITS, out=found)


def units(x: Floats) -> Floats:
    """Vectors of length 1; those that are 0 stay so."""
    lengths = np.sqrt(np.sum(x * x, axis=-1, keepdims=True))
    return np.asarray(x / np.where(lengths > 0, lengths, 1))


def cosines(targets: Floats, rows: Floats) -> Floats:
    """(n, E), (R, E) -> (n, R)."""
    return np.asarray(units(targets) @ units(rows).T)


def euclidean(targets: Floats, rows: Floats) -> Floats:
    """The same."""
    each = [np.sqrt(np.sum((rows - target) ** 2, axis=1)) for target in targets]
    return np.array(each).reshape(len(targets), len(rows))


def manhattan(targets: Floats, rows: Floats) -> Floats:
    """The same."""
    each = [np.sum(np.abs(rows - target), axis=1) for target in targets]
    return np.array(each).reshape(len(targets), len(rows))


METRICS = {
    COSINE: Metric(cosines, 1, True),
    "euclidean": Metric(euclidean, -1, False),
    "manhattan": Metric(manhattan, -1, False),
}
METRICS_AND = METRICS | {COSMUL: METRICS[COSINE]}  # (3) is made of cosines
