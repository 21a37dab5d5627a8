"""Labelled texts as numbers: what a classifier learns from and is judged by."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lmtool.arrays import Array
from lmtool.data.examples import Augment, Examples
from lmtool.data.ragged import Gathering, Ragged
from lmtool.data.readers.labelled import Record, describe, read_labelled
from lmtool.errors import InputError
from lmtool.inference.classify import Parts
from lmtool.kinds.base import Material
from lmtool.kinds.shares import Shares, all_of, material_of, shares
from lmtool.text.labels import Labels
from lmtool.text.ngrams import Ngrams
from lmtool.text.tokenizers import TOKENIZERS
from lmtool.text.vocabulary import Vocabulary, split_line

__all__ = ["Labelled", "prepare", "shared"]

MOST = 300_000  # examples, up to which runs of words say more than cells find out
LONGEST_RUN = 2  # words


class Labelled(NamedTuple):
    """Examples as numbers."""

    sources: Ragged
    targets: Ragged
    ngrams: Ragged | None
    rows: Any  # (n,) those that are meant

    def steps(self) -> int:
        """Of the sources that are meant."""
        return int(self.sources.lengths[self.rows].sum())

    def arrays(self) -> tuple[Array, ...]:
        """What tells them from others."""
        return self.sources.flat, self.sources.offsets, self.targets.flat

    def examples(self, batch: int, seed: int, augment: Augment | None = None) -> Examples:
        """Batches of them, those of like length side by side."""
        more: Any = {"rows": self.rows, "ngrams": self.ngrams, "augment": augment}
        return Examples(self.sources, self.targets, batch=batch, seed=seed, **more)


class Spelled(NamedTuple):
    """Records of files, their words numbered as they turned up."""

    words: Ragged
    records: list[Record]  # without their texts
    talk: list[Any]  # what each file was taken for, and how many examples it holds


def prepare(corpus: Any, valid: Any, request: Any, folder: Path, init: None = None) -> Material:
    """Vocabulary, labels, n-grams, examples to train on and to validate on. Raises InputError."""
    numbers: dict[str, int] = {}
    train = spelled(corpus, request, numbers)
    labels = Labels.build(train.records)
    others = spelled(valid, request, numbers) if valid else None
    split = all_of(len(train.records)) if valid else shared(train, labels, request.recipe.seed)
    counts = train.words.occurring(split.known, [*numbers])
    vocabulary = Vocabulary.from_counts(counts, len(split.known), request.text)
    ids = vocabulary.rows(numbers)
    words = train.words.respelled(ids)
    ngrams = ngrams_of(words, split.known, vocabulary.n_tokens, request.network.ngrams)
    own, held = labelled(words, train, labels, ngrams, split.own), None
    if others is not None:
        rows = np.arange(len(others.records))
        held = labelled(others.words.respelled(ids), others, labels, ngrams, rows)
    talk = [describe(file, n, labels) for file, n in train.talk]
    n_features = 0 if ngrams is None else len(ngrams)
    about = f"{vocabulary.n_tokens:,} {vocabulary.units}, {n_features:,} features"
    given = split, own, held, "n_tokens" if vocabulary.several else "n_words", talk, about
    return material_of(Parts(vocabulary, labels, ngrams), *given, vocabulary=vocabulary.digest)


def spelled(paths: Iterable[Any], request: Any, numbers: dict[str, int]) -> Spelled:
    """The records of files, read once; new words get their numbers."""
    words, records, talk = Gathering(), list[Record](), []
    tokenizer, lower = TOKENIZERS[request.text.tokens], request.text.lower
    for path in paths:
        file, before = read_labelled(path, **request.columns), len(records)
        for record in file.records:
            text = record.text.lower() if lower else record.text
            ids = [numbers.setdefault(w, len(numbers)) for w in split_line(tokenizer, text)]
            words.add(np.array(ids, np.int32))
            records.append(record._replace(text=""))
        talk.append((file, len(records) - before))
    if not records:
        raise InputError("there is no labelled text to learn from")
    return Spelled(words.ragged(), records, talk)


def shared(train: Any, labels: Labels, seed: int) -> Shares:
    """Who learns and who validates; a text counts for its first label."""
    return shares(np.array([labels.id(one.labels[0]) for one in train.records], np.int32), seed)


def ngrams_of(
    words: Ragged, rows: NDArray[np.intp], n_words: int, longest: int | None
) -> Ngrams | None:
    """The runs of words in the examples to train on."""
    if longest is None:
        longest = LONGEST_RUN if len(rows) <= MOST else 0
    own = Ragged.of(words[row] for row in rows)
    return Ngrams.build(own.flat, own.offsets, n_words, longest) if longest else None


def labelled(
    words: Ragged, read: Spelled, labels: Labels, ngrams: Ngrams | None, rows: NDArray[np.intp]
) -> Labelled:
    """Examples as numbers. Raises InputError for a label that no training text has."""
    wide = None if ngrams is None else Ragged(*ngrams.of(words.flat, words.offsets))
    return Labelled(words, Ragged.of(map(labels.targets, read.records)), wide, rows)
