"""A trained tagger: a tag for each word, by what its networks say together."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from lmtool.arrays import Ids
from lmtool.data.batch import Batch, unlabelled
from lmtool.data.examples import Examples
from lmtool.data.ragged import Ragged
from lmtool.display import Shown, counted
from lmtool.inference.judgement import Judgement
from lmtool.inference.phrases import PhraseEvaluation, evaluate_tags
from lmtool.inference.validation import SIDE_BY_SIDE, seconds_of_all
from lmtool.models.encoder import keeps_apart
from lmtool.models.members import members
from lmtool.models.tagger import Sizes, potentials, stack_of
from lmtool.models.words import SOURCE, WordTable, word_tables
from lmtool.nn.outputs import TAGGINGS, Chain, Rules
from lmtool.nn.outputs.chain import decode
from lmtool.nn.parameters import Parameters
from lmtool.settings.shared import reader
from lmtool.settings.tagger import TaggerSettings
from lmtool.text.letters import Letters
from lmtool.text.tags import Tags
from lmtool.text.vocabulary import Vocabulary
from lmtool.workers import Workers

__all__ = ["Parts", "TagJudge", "Tagger", "key", "measured"]


class Parts(NamedTuple):
    """What turns words into a source and steps into tags."""

    vocabulary: Vocabulary
    letters: Letters
    tags: Tags

    @property
    def vocabularies(self) -> dict[str, Vocabulary]:
        """By the matrices that have a row for each of their words."""
        return {SOURCE: self.vocabulary}

    def sizes(self) -> Sizes:
        """What the shapes of the weights go by."""
        return Sizes(self.vocabulary.n_tokens, len(self.letters), len(self.tags))


def key(word: str) -> str:
    """What a vocabulary knows a word by: ``Mohan Sharma`` -> ``Mohan_Sharma``."""
    return "_".join(word.split()) if any(map(str.isspace, word)) else word


@dataclass(frozen=True, slots=True, repr=False)
class Tagger(Shown):
    """Settings, parts and weights; reading is numpy and keeps no state, the chain is numba."""

    settings: TaggerSettings
    parts: Parts
    parameters: Parameters
    provenance: dict[str, Any] = field(default_factory=dict)
    networks: tuple[Parameters, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "networks", members(self.settings, self.parameters))

    def _parts(self) -> Iterator[str]:
        yield f"{reader(self.settings)} {self.settings.layers} x {self.settings.hidden}"
        yield str(self.parts.tags)
        yield counted(self.parameters.flat.size, "parameter")

    @property
    def tags(self) -> Tags:
        """What can be said of a word."""
        return self.parts.tags

    @property
    def word_tables(self) -> dict[str, WordTable]:
        """The vectors of its words, if it knows words."""
        return word_tables(self.networks, self.parts.vocabularies)

    @property
    def block(self) -> int:
        """Sentences read side by side, a sentence's bits being its own; 1: none."""
        return SIDE_BY_SIDE if keeps_apart(stack_of(self.settings), self.networks[0]) else 1

    def words(self, text: str) -> list[str]:
        """The words of a line, as they are tagged."""
        return text.split()

    @np.errstate(all="ignore")  # users check the numbers
    def chain(self, sentences: Sequence[Sequence[str]]) -> tuple[Chain, Ids]:
        """What is said of the tags of sentences of one word at least, and their first steps."""
        batch = self.batch(sentences)
        return self.chain_of(batch), batch.first()

    def batch(self, sentences: Sequence[Sequence[str]]) -> Batch:
        """Words as ids and as spelled, side by side."""
        vocabulary, letters, _ = self.parts
        flat = [key(word) for words in sentences for word in words]
        offsets = np.cumsum([0, *map(len, sentences)])
        place = {word: n for n, word in enumerate(dict.fromkeys(flat))}
        spelled = Ragged(np.array([place[word] for word in flat], np.int32), offsets)
        sources = spelled.renumbered(vocabulary.ids(place))
        return unlabelled(sources, spellings=spelled, letters=letters.rows([*place]))

    def chain_of(self, batch: Batch) -> Chain:
        """What the networks say together of a batch."""
        each = [(one, potentials(self.settings, one, batch)) for one in self.networks]
        return TAGGINGS[self.settings.tagging].chain(each, Rules(*self.tags.rules))


@dataclass(frozen=True, slots=True)
class TagJudge:
    """Validation sentences, which ``units`` pieces of work share."""

    examples: Examples
    tags: Tags
    workers: Workers
    units: int

    @property
    def tokens(self) -> int:
        """Words."""
        return self.examples.tokens

    def judge(self, model: Tagger) -> Judgement:
        """How far F1 (of plain tags accuracy) is from 100; both in percent."""
        found = self._evaluated(model)
        named = measured(self.tags, found)
        return Judgement(100 - next(iter(named.values())), named)

    def at_the_end(self, model: Tagger, score: float) -> dict[str, float]:
        """The measures of the weights that are kept."""
        return {f"valid_{k}": x for k, x in self.judge(model).measures.items()}

    def seconds(self, model: Tagger) -> tuple[float, float]:
        """What a validation takes, from some batches; there is one at the end, too."""
        return seconds_of_all(self._batches(), self.units, partial(self._tagged, model))

    def _batches(self) -> list[Batch]:
        return [batch for _, batch in self.examples.in_order(SIDE_BY_SIDE)]

    def _evaluated(self, model: Tagger) -> PhraseEvaluation:
        batches = self._batches()
        pairs = (pair for pairs in self._tagged(model, batches) for pair in pairs)
        return evaluate_tags(self.tags, pairs)

    def _tagged(self, model: Tagger, batches: Sequence[Batch]) -> list[list[tuple[Ids, Ids]]]:
        """(tags that are so, tags given) of each sentence of each batch."""

        def tagged(batch: Batch) -> list[tuple[Ids, Ids]]:
            starts = batch.first()
            with np.errstate(all="ignore"):  # weights of a run that blows up
                given = decode(finite(model.chain_of(batch)), starts)
            return [(batch.targets[t:, b], given[t:, b]) for b, t in enumerate(starts.tolist())]

        return self.workers.map(tagged, batches)


def measured(tags: Tags, found: PhraseEvaluation) -> dict[str, float]:
    """What a model is judged by, first the measure that decides; percent."""
    accuracy = {"accuracy": found.accuracy}
    return {"f1": found.f1, **accuracy} if tags.phrased or tags.binary else accuracy


def finite(chain: Chain) -> Chain:
    """The chain with 0 for what is no number, so that any weights give some tags."""
    return chain._replace(emissions=np.nan_to_num(chain.emissions, nan=0, posinf=0, neginf=0))
