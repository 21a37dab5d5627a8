"""Tagged sentences as numbers: what a tagger learns from and is judged by."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lmtool.arrays import Array, Ids
from lmtool.data.examples import Augment, Examples
from lmtool.data.ragged import Gathering, Ragged
from lmtool.data.readers.columns import TaggedFile, describe, read_tagged
from lmtool.data.readers.tagged import Tagged
from lmtool.errors import InputError, OptionError, option
from lmtool.inference.tag import Parts, key
from lmtool.kinds.base import Material
from lmtool.kinds.shares import all_of, material_of, shares
from lmtool.text.letters import Letters
from lmtool.text.schemes import Found, common, detect
from lmtool.text.tags import Tags
from lmtool.text.vocabulary import Vocabulary

__all__ = ["Sentences", "prepare"]


class Sentences(NamedTuple):
    """Examples as numbers."""

    sources: Ragged  # ids of words
    spellings: Ragged  # rows of letters
    letters: Ids  # (N, W) of every spelled word
    targets: Ragged
    rows: Any  # (n,) those that are meant

    def steps(self) -> int:
        """Of the sources that are meant."""
        return int(self.sources.lengths[self.rows].sum())

    def arrays(self) -> tuple[Array, ...]:
        """What tells them from others."""
        return self.letters, self.spellings.flat, self.sources.offsets, self.targets.flat

    def examples(self, batch: int, seed: int, augment: Augment | None = None) -> Examples:
        """Batches of them, those of like length side by side."""
        return Examples(
            self.sources,
            self.targets,
            batch=batch,
            seed=seed,
            rows=self.rows,
            augment=augment,
            spellings=self.spellings,
            letters=self.letters,
        )


class Gathered(NamedTuple):
    """Sentences of files, their words numbered as they turned up."""

    words: Ragged
    records: list[Tagged]  # without their words
    files: list[tuple[TaggedFile, Found, int]]  # with what each holds


def prepare(corpus: Any, valid: Any, request: Any, folder: Path, init: None = None) -> Material:
    """Vocabulary, letters, tags, sentences to train on and to validate on. Raises InputError."""
    if request.text.tokens != "word":
        raise OptionError(
            f"{option('tokens', request.text.tokens)}: words are tagged; leave it out"
        )
    numbers: dict[str, int] = {}
    train = gathered(corpus, request, numbers)
    scheme = common((file.path, found) for file, found, _ in train.files)
    tags = Tags.build(train.records, scheme)
    others = gathered(valid, request, numbers) if valid else None
    n = len(train.records)
    split = all_of(n) if valid else shares(kinds_of(train.records), request.recipe.seed)
    spelled = [*numbers]
    counts = train.words.occurring(split.known, spelled)
    vocabulary = Vocabulary.from_counts(counts, len(split.known), request.text)
    letters = Letters.build(counts)
    ids, rows = vocabulary.ids(spelled), letters.rows(spelled)
    own, held = numbered(train, tags, ids, rows, split.own), None
    if others is not None:
        held = numbered(others, tags, ids, rows, np.arange(len(others.records)))
    talk = [describe(file, n, found) for file, found, n in train.files]
    given = split, own, held, "n_words", talk, f"{vocabulary.n_tokens:,} words, {tags}"
    return material_of(Parts(vocabulary, letters, tags), *given, vocabulary=vocabulary.digest)


def gathered(paths: Iterable[Any], request: Any, numbers: dict[str, int]) -> Gathered:
    """The sentences of files, read once; new words get their numbers."""
    words, records, files = Gathering(), list[Tagged](), []
    for path in paths:
        file, before = read_tagged(path, **request.columns), len(records)
        for one in file.records:
            ids = [numbers.setdefault(key(word), len(numbers)) for word in one.words]
            words.add(np.array(ids, np.int32))
            records.append(one._replace(words=()))
        own = records[before:]
        files.append((file, detect(one.tags for one in own), len(own)))
    if not records:
        raise InputError("there is no tagged text to learn from")
    return Gathered(words.ragged(), records, files)


def kinds_of(records: Sequence[Tagged]) -> NDArray[np.int32]:
    """By what sentences are shared out: how many different tags they hold."""
    return np.array([len(set(one.tags)) for one in records], np.int32)


def numbered(
    read: Gathered, tags: Tags, ids: Sequence[int], letters: Ids, rows: NDArray[np.intp]
) -> Sentences:
    """Sentences as numbers. Raises InputError for a tag that no training text has."""
    targets = Ragged.of(map(tags.encode, read.records))
    return Sentences(read.words.renumbered(ids), read.words, letters, targets, rows)
