"""A map of the most frequent words: the plane in which their vectors differ most.

X = rows of length 1, less their mean;  X'X = V L V';  places = X V_2, of the largest two l   (1)

How much of all differences the plane shows is (l_1 + l_2) / sum l (Pearson 1901). Neighbours are
those in the whole space, by cosine.
"""

from dataclasses import dataclass

import numpy as np

from lmtool.arrays import Array
from lmtool.inference.embeddings import Embeddings
from lmtool.inference.neighbours import candidates, units, values
from lmtool.pages import svg
from lmtool.pages.elements import Element, clipped, details, number, said, scrolling, table
from lmtool.pages.page import Item, live
from lmtool.pages.sections.base import Section
from lmtool.pages.subject import Subject

__all__ = ["SECTION", "Map", "Maps"]

WORDS = 300  # the most frequent ones
NEAR = 8  # neighbours of each
LISTED = 3  # of them in the table
SIZE = (720, 560)
LEAST = 4  # words of a map


@dataclass(frozen=True, slots=True)
class Point:
    """A word, its place, and what is near it."""

    word: str
    x: float
    y: float
    near: tuple[tuple[str, float], ...]


@dataclass(frozen=True, slots=True)
class Map:
    """One matrix of words."""

    matrix: str  # source or target
    n_words: int
    size: int  # of a vector
    share: float  # of the variance that the plane shows
    points: tuple[Point, ...]


@dataclass(frozen=True, slots=True)
class Maps:
    """Those of a model."""

    each: tuple[Map, ...]


def numbers(subject: Subject) -> Maps | None:
    """None of a model without vectors."""
    worded = getattr(subject.face, "_worded", None)
    tables = worded.word_tables if worded is not None else {}
    found = [mapped(subject.face.embeddings_of(name)) for name in tables]
    return Maps(tuple(filter(None, found))) or None if any(found) else None


def mapped(known: Embeddings) -> Map | None:
    """(1) of the first words that are words; the vocabulary stands by frequency."""
    free = candidates(known)
    some = np.flatnonzero(free)[:WORDS]
    if len(some) < LEAST:
        return None
    vectors = known.vectors[some].astype(np.float64)
    places, share = plane(units(vectors))
    near = values(known, vectors, "cosine")
    near[:, ~free] = -np.inf
    near[np.arange(len(some)), some] = -np.inf
    best = nearest(near)
    points = tuple(
        Point(known.words[word], float(x), float(y), named(known, near[row], best[row]))
        for row, (word, (x, y)) in enumerate(zip(some.tolist(), places, strict=True))
    )
    return Map(known.matrix, len(known), known.vectors.shape[1], share, points)


def nearest(near: Array) -> Array:
    """The columns of the largest numbers of each row, the largest first, ties by column."""
    k = min(NEAR, near.shape[1])
    some = np.sort(np.argpartition(-near, k - 1, axis=1)[:, :k], axis=1)
    order = np.argsort(-np.take_along_axis(near, some, 1), axis=1, kind="stable")
    return np.take_along_axis(some, order, 1)


def named(known: Embeddings, values: Array, best: Array) -> tuple[tuple[str, float], ...]:
    """The nearest words that are words."""
    return tuple((known.words[i], float(values[i])) for i in best.tolist() if values[i] >= -1)


def plane(rows: Array) -> tuple[Array, float]:
    """(1); the signs are such that the largest number of each axis is positive."""
    centred = rows - rows.mean(axis=0)
    sizes, axes = np.linalg.eigh(centred.T @ centred)  # ascending
    places = np.zeros((len(rows), 2))
    places[:, : len(sizes)] = centred @ axes[:, :-3:-1]
    most = np.abs(places).argmax(axis=0)
    places *= np.where(places[most, [0, 1]] < 0, -1, 1)
    return places, float(sizes[-2:].sum() / (sizes.sum() or 1))


def draw(found: Maps) -> list[Element]:
    """A map each."""
    return [drawn(one, len(found.each) > 1) for one in found.each]


def drawn(one: Map, several: bool) -> Element:
    """Points to be pointed at; their neighbours in the panel and in a table."""
    which = {"source": " that are read", "target": " that are written"}[one.matrix] * several
    caption = (
        f"The {number(len(one.points))} most frequent of {number(one.n_words)} tokens{which}, on "
        f"the plane that shows most of how their vectors of {number(one.size)} numbers differ: "
        f"{100 * one.share:z.0f} %. What is nearest in the whole space stands in the panel."
    )
    title = f"Map of {len(one.points)} words"
    points, names = [(p.x, p.y) for p in one.points], [p.word for p in one.points]
    picture = svg.scatter(points, names, title, SIZE)
    rows = [(said(p.word), said(", ".join(f"{clipped(w)} {v:z.2f}" for w, v in p.near[:LISTED])))
            for p in one.points]  # fmt: skip
    listed = details("Neighbours", table(("word", "nearest"), rows, "Nearest words", 2), long=True)
    return live([caption], [item(p) for p in one.points], scrolling(picture, title), listed)


def item(point: Point) -> Item:
    """What the panel shows of it."""
    near = [(clipped(word), f"{value:z.2f}", value) for word, value in point.near]
    return Item(clipped(point.word), "nearest by cosine", near)


SECTION = Section("vectors", "Words as vectors", numbers, draw, "lmtool neighbours WORD")
