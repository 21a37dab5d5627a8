"""A trained model that writes a text about a source, and how it is judged."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lmtool.arrays import Array, Ids
from lmtool.data.pairs import Pairs
from lmtool.data.standard import Standardisation
from lmtool.display import Shown, counted
from lmtool.inference.beam import search
from lmtool.inference.bleu import Bleu, statistics
from lmtool.inference.judgement import Judgement
from lmtool.inference.reading import read_block
from lmtool.inference.score import measured_logp
from lmtool.inference.validation import SIDE_BY_SIDE, perplexities, seconds_of_all
from lmtool.models.conditional import Sizes
from lmtool.models.given import Given, given, keeps_apart
from lmtool.models.members import members
from lmtool.models.words import SOURCE, TARGET, WordTable, word_tables
from lmtool.nn.parameters import Parameters
from lmtool.settings import SearchSettings
from lmtool.settings.shared import reader
from lmtool.tensor_file import checksum
from lmtool.text.vocabulary import UNK_ID, Vocabulary
from lmtool.workers import Workers

__all__ = ["Captioner", "Parts", "TextJudge", "Translator", "VectorParts"]

WRITTEN = 1_000  # sources that a validation writes about
GREEDY = SearchSettings(beam=1)


class Parts(NamedTuple):
    """What turns a line into a source, and ids into a text."""

    words: Vocabulary  # of the source
    vocabulary: Vocabulary

    @property
    def vocabularies(self) -> dict[str, Vocabulary]:
        """By the matrices that have a row for each of their words."""
        return {SOURCE: self.words, TARGET: self.vocabulary}

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

    @property
    def vocabularies(self) -> dict[str, Vocabulary]:
        """By the matrices that have a row for each of their words."""
        return {TARGET: self.vocabulary}

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
        yield f"{reader(self.settings)} {self.settings.layers} x {self.settings.hidden}"
        yield counted(self.vocabulary.n_tokens, "output")
        yield counted(self.parameters.flat.size, "parameter")

    @property
    def vocabulary(self) -> Vocabulary:
        """What is written."""
        own: Vocabulary = self.parts.vocabulary
        return own

    @property
    def word_tables(self) -> dict[str, WordTable]:
        """The vectors of its words, if it knows words."""
        return word_tables(self.networks, self.parts.vocabularies)

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

    def tokens(self, text: str) -> list[str]:
        """Those of a line, one for each step of its source."""
        words: Vocabulary = self.parts.words
        return words.split(text)


class Captioner(Conditional):
    """Of vectors."""

    __slots__ = ()


class Block(NamedTuple):
    """Some sources side by side, each with a text or with several."""

    sources: list[Array]
    targets: list[Any]  # ids with <EOS>, or lists of them


@dataclass(frozen=True, slots=True)
class TextJudge:
    """Validation pairs, which ``units`` pieces of work share."""

    examples: Pairs
    workers: Workers
    units: int
    per_word: float | None = None  # tokens, <EOS> among both; None: each word is one

    @property
    def tokens(self) -> int:
        """Written ones, ``<EOS>`` included."""
        return self.examples.tokens

    def judge(self, model: Conditional) -> Judgement:
        """Nats a token; the perplexity, and BLEU of what is written greedily."""
        with np.errstate(all="ignore"):  # weights of a run that blows up
            logp = self.workers.map(partial(logp_of, model), self._pairs(model.block))
        loss = -sum(logp) / self.tokens
        if not math.isfinite(loss):
            return Judgement(math.inf, {**self._perplexities(math.inf), "bleu": 0.0})
        counts = self.workers.map(partial(counts_of, model), self._sources(model.block))
        bleu = Bleu.of(np.sum(counts, axis=0)).bleu
        return Judgement(loss, {**self._perplexities(loss), "bleu": bleu})

    def at_the_end(self, model: Conditional, score: float) -> dict[str, float]:
        """The measures of the weights that are kept."""
        return {f"valid_{k}": x for k, x in self.judge(model).measures.items()}

    def seconds(self, model: Conditional) -> tuple[float, float]:
        """What a validation takes, from some blocks; there is one at the end, too."""
        work = (logp_of, self._pairs(model.block)), (counts_of, self._sources(model.block))
        whole = sum(
            seconds_of_all(blocks, self.units, partial(self.workers.map, partial(read, model)))[0]
            for read, blocks in work
        )
        return whole, whole

    def _perplexities(self, loss: float) -> dict[str, float]:
        return perplexities("perplexity", loss, self.per_word)

    def _pairs(self, size: int) -> list[Block]:
        """All of them, like lengths together, the longest texts first."""
        e = self.examples
        order = np.lexsort((-e.lengths, -e.targets.lengths[e.rows]))
        rows = [e.rows[order[i : i + size]] for i in range(0, e.n, size)]
        return [
            Block([e.sources[e.source_of[row]] for row in some], [e.targets[row] for row in some])
            for some in rows
        ]

    def _sources(self, size: int) -> list[Block]:
        """Some of the sources, the longest first, each with all of its texts."""
        e, texts = self.examples, dict[int, list[Ids]]()
        for row in e.rows.tolist():
            texts.setdefault(int(e.source_of[row]), []).append(e.targets[row])
        known = sorted(texts, key=lambda k: -len(e.sources[k]))
        some = np.linspace(0, len(known) - 1, min(len(known), WRITTEN)).astype(int)
        known = [known[k] for k in some.tolist()]
        parts = [known[i : i + size] for i in range(0, len(known), size)]
        return [Block([e.sources[k] for k in some], [texts[k] for k in some]) for some in parts]


def logp_of(model: Conditional, block: Block) -> float:
    """ln p of texts, each given its source."""
    predictor = model.given(block.sources)
    values = read_block(predictor, block.targets, measured_logp(predictor))
    return math.fsum(float(logp.sum()) for (logp,) in values)


def counts_of(model: Conditional, block: Block) -> NDArray[np.int64]:
    """The counts of BLEU of the greedy texts, as far as the vocabulary goes."""
    decode = model.vocabulary.decode
    lengths = [len(source) for source in block.sources] if block.sources[0].ndim == 1 else None
    found = search(model.given(block.sources), len(block.sources), GREEDY, lengths)
    texts = (decode(own[0].ids).split() for own in found)
    references = ([decode(ids).split() for ids in several] for several in block.targets)
    each = [statistics(*both) for both in zip(texts, references, strict=True)]
    return np.asarray(np.sum(each, axis=0))
