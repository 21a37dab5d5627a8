"""Vectors of words that a run begins with, from a file or a finished model.

A word has the vector of the same spelling, else of one that differs in case alone; those without
one begin as they would anyway. Frozen vectors get no gradient, so that they stay bit for bit.
"""

import hashlib
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lmtool import vector_file
from lmtool.errors import ConfigError, option
from lmtool.inference.embeddings import Embeddings
from lmtool.kinds.base import Kind, Material
from lmtool.models.members import all_shapes, members
from lmtool.models.words import MATRICES, WordTable
from lmtool.nn.parameters import Parameters
from lmtool.text.reader import display_name
from lmtool.text.specials import N_SPECIALS

__all__ = ["Pretrained", "brought", "entered", "frozen", "sized"]


@dataclass(frozen=True, slots=True, eq=False)
class Pretrained:
    """Vectors, where they are from, and whether they stay."""

    name: str
    known: Embeddings
    folded: dict[str, int]  # rows by lower-cased spelling; the first one counts
    stays: bool

    @property
    def width(self) -> int:
        """E."""
        return int(self.known.vectors.shape[1])

    def rows(self, tokens: tuple[str, ...]) -> NDArray[np.intp]:
        """(V,) the row of each token; -1 where there is none."""
        places, folded = self.known.places, self.folded
        found = [places.get(x, folded.get(x.lower(), -1)) for x in tokens[N_SPECIALS:]]
        return np.array([*[-1] * N_SPECIALS, *found], np.intp)


def brought(material: Material, request: Any, init: Any) -> Material:
    """The material with the vectors of the file that the recipe names, if it does.

    Raises ConfigError where they do not fit, InputError and ModelFileError of the file.
    """
    path = request.recipe.vectors
    if path is None:
        return material
    if init is not None:
        both = f"{option('vectors')} and {option('init')}"
        raise ConfigError(f"{both}: a model to go on with has vectors; leave one out")
    known = vector_file.load(path)
    folded = dict[str, int]()
    for row, word in enumerate(known.words):
        folded.setdefault(word.lower(), row)
    own = Pretrained(display_name(path), known, folded, request.recipe.freeze)
    refuse_width(own, request.network.embed)
    tables = tables_of(request.kind, sized(request.network, material, own), material)
    if not tables:
        message = f"this {request.kind.name} has no vectors of words; leave it out"
        raise ConfigError(f"{option('vectors')}: {message}")
    digest = hashlib.sha256(np.ascontiguousarray(known.vectors).tobytes())
    digest.update("\n".join(known.words).encode())
    return material._replace(
        vectors=own,
        fingerprints=material.fingerprints | {"word vectors": digest.hexdigest()[:16]},
        talk=[*material.talk, *(said(own, name, table) for name, table in tables.items())],
    )


def refuse_width(own: Pretrained, embed: int | None) -> None:
    """Raises ConfigError where the size that is asked for is another."""
    if embed is not None and embed != own.width:
        message = f"the vectors of {own.name} have {own.width} numbers"
        raise ConfigError(f"{option('embed', embed)}: {message}; give that, or leave it out")


def sized(settings: Any, material: Material, own: Pretrained | None = None) -> Any:
    """Settings whose vectors are as long as those that were brought."""
    own = own or material.vectors
    return settings if own is None else replace(settings, embed=own.width)


def said(own: Pretrained, name: str, table: WordTable) -> str:
    """How much of the text has a vector."""
    there, counts = own.rows(table.vocabulary.tokens) >= 0, table.vocabulary.counts
    words = there[N_SPECIALS:].mean()
    running = counts[there].sum() / max(1, counts[1:].sum())
    kept = ", frozen" * own.stays
    return (
        f"{own.name}: vectors of {own.width} for {words:z.1%} of the {name} words,"
        f" {running:z.1%} of the running text{kept}"
    )


def tables_of(kind: Kind, settings: Any, material: Material) -> dict[str, WordTable]:
    """What a model of the kind reads words as; its weights are not looked at."""
    settings = replace(settings, **{k: 1 for k in ("hidden", "members") if open_(settings, k)})
    shapes = all_shapes(kind.shapes(settings, material.parts), settings.members)
    model = kind.build(settings, material.parts, Parameters(shapes), {})
    tables: dict[str, WordTable] = dict(getattr(model, "word_tables", {}))
    return tables


def open_(settings: Any, name: str) -> bool:
    """Whether a size follows the corpus."""
    return getattr(settings, name, 0) is None


def entered(kind: Kind, settings: Any, material: Material, parameters: Parameters) -> None:
    """The vectors in their places in fresh weights, of all networks."""
    own = material.vectors
    if own is None:
        return
    model = kind.build(settings, material.parts, parameters, {})
    for name, table in model.word_tables.items():
        rows = own.rows(table.vocabulary.tokens)
        there = rows >= 0
        for one in members(settings, parameters):
            one[MATRICES[name]][there] = own.known.vectors[rows[there]]


def frozen(kind: Kind, settings: Any, material: Material) -> dict[str, NDArray[np.bool_]]:
    """The rows of each matrix that stay."""
    own = material.vectors
    if own is None or not own.stays:
        return {}
    tables = tables_of(kind, settings, material)
    return {MATRICES[k]: own.rows(table.vocabulary.tokens) >= 0 for k, table in tables.items()}
