"""A trained model that writes a text about a source, and how it is judged."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from lmtool.arrays import Array, Ids
from lmtool.data.pairs import Pairs
from lmtool.data.standard import Standardisation
from lmtool.display import Shown, counted
from lmtool.inference.evaluate import perplexity
from lmtool.inference.reading import read_block
from lmtool.inference.score import measured_logp
from lmtool.inference.validation import SIDE_BY_SIDE, Judgement, seconds
from lmtool.models.conditional import Sizes
from lmtool.models.given import Given, given, keeps_apart
from lmtool.models.members import members
from lmtool.nn.parameters import Parameters
from lmtool.tensor_file import checksum
from lmtool.text.vocabulary import UNK_ID, Vocabulary
from lmtool.workers import Workers

__all__ = ["Captioner", "Parts", "TextJudge", "Translator", "VectorParts"]


class Parts(NamedTuple):
    """What turns a line into a source, and ids into a text."""

    words: Vocabulary  # of the source
    vocabulary: Vocabulary

    def sizes(self) -> Sizes:
        """What the shapes of the weights go by."""
        return Sizes(self.words.n_tokens, 0, self.vocabulary.n_tokens)

    def source(self, text: str) -> Array:
        """The ids of its tokens (S,); of a blank one the unknown word alone."""
        return np.array(self.words.encode(text) or [UNK_ID], np.int32)


class VectorParts(NamedTuple):
    """What turns a vector into a source, and ids into a text."""

    standard: Standardisation
    vocabulary: Vocabulary

    def sizes(self) -> Sizes:
        """What the shapes of the weights go by."""
        return Sizes(0, len(self.standard), self.vocabulary.n_tokens)

    def source(self, vector: Array) -> Array:
        """(F,) -> (1, F), standardised."""
        return self.standard(np.asarray(vector).reshape(1, -1))


@dataclass(frozen=True, slots=True, repr=False)
class Conditional(Shown):
    """Settings, parts and weights; everything that computes is numpy and keeps no state."""

    settings: Any
    parts: Any  # Parts, or VectorParts
    parameters: Parameters
    provenance: dict[str, Any] = field(default_factory=dict)
    networks: tuple[Parameters, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "networks", members(self.settings, self.parameters))

    def _parts(self) -> Iterator[str]:
        yield f"{self.settings.cell} {self.settings.layers} x {self.settings.hidden}"
        yield counted(self.vocabulary.n_tokens, "output")
        yield counted(self.parameters.flat.size, "parameter")

    @property
    def vocabulary(self) -> Vocabulary:
        """What is written."""
        own: Vocabulary = self.parts.vocabulary
        return own

    @property
    def digest(self) -> str:
        """12 hex digits which change with whatever changes a probability."""
        named = {"cell": self.settings.cell, "attention": self.settings.attention}
        named |= {"vocabulary": self.vocabulary.digest}
        return checksum(dict(self.parameters.items()), named)[:12]

    @property
    def block(self) -> int:
        """Sources side by side, a source's bits being its own; 1: none."""
        return SIDE_BY_SIDE if keeps_apart(self.networks[0]) else 1

    def source(self, what: Any) -> Array:
        """What is read of a line, ids (S,), or of a vector (F,), features (1, F)."""
        read: Array = self.parts.source(what)
        return read

    def given(self, sources: Sequence[Array]) -> Given:
        """The predictor of texts about these sources."""
        return given(self.settings, self.networks, self.vocabulary, self.block, sources)


class Translator(Conditional):
    """Of lines."""

    __slots__ = ()


class Captioner(Conditional):
    """Of vectors."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class TextJudge:
    """Validation pairs, which ``units`` pieces of work share."""

    examples: Pairs
    workers: Workers
    units: int

    @property
    def tokens(self) -> int:
        """Written ones, ``<EOS>`` included."""
        return self.examples.tokens

    def judge(self, model: Conditional) -> Judgement:
        """Nats a token, and the perplexity."""
        logp = self.workers.map(partial(logp_of, model), self._blocks())
        loss = -sum(logp) / self.tokens
        return Judgement(loss, {"perplexity": perplexity(-loss, 1)})

    def at_the_end(self, model: Conditional, score: float) -> dict[str, float]:
        """The measures of the weights that are kept."""
        return {f"valid_{k}": x for k, x in self.judge(model).measures.items()}

    def seconds(self, model: Conditional) -> tuple[float, float]:
        """What a validation takes, from some blocks; there is one at the end, too."""
        blocks = self._blocks()
        middle = len(blocks) // 2
        some = blocks[middle : middle + 2 * self.units] or blocks
        taken = seconds(lambda: self.workers.map(partial(logp_of, model), some))
        whole = taken * len(blocks) / len(some)
        return whole, whole

    def _blocks(self) -> list[list[tuple[Array, Ids]]]:
        """(source, target) side by side, like lengths together, the longest targets first."""
        e = self.examples
        order = e.rows[np.lexsort((-e.lengths, -e.targets.lengths[e.rows]))]
        pairs = [(e.sources[e.source_of[row]], e.targets[row]) for row in order]
        return [pairs[i : i + SIDE_BY_SIDE] for i in range(0, len(pairs), SIDE_BY_SIDE)]


def logp_of(model: Conditional, pairs: Sequence[tuple[Array, Ids]]) -> float:
    """ln p of texts, each given its source."""
    predictor = model.given([source for source, _ in pairs])
    with np.errstate(all="ignore"):  # weights of a run that blows up
        values = read_block(predictor, [target for _, target in pairs], measured_logp(predictor))
    return math.fsum(float(logp.sum()) for (logp,) in values)
