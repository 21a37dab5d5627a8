"""Tagged sentences as numbers: what a tagger learns from and is judged by."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lmtool.arrays import Ids
from lmtool.data.examples import Augment, Examples
from lmtool.data.ragged import Gathering, Ragged
from lmtool.data.readers.columns import TaggedFile, describe, read_tagged
from lmtool.data.readers.tagged import Tagged
from lmtool.errors import InputError, OptionError, option
from lmtool.inference.tag import Parts, key
from lmtool.kinds.base import Material
from lmtool.kinds.shares import all_of, fingerprint, shares
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
    counts = counts_of(train.words, split.known, len(spelled))
    vocabulary = Vocabulary.from_counts(named(spelled, counts), len(split.known), request.text)
    letters = Letters.build(named(spelled, counts))
    ids = np.array(vocabulary.ids(spelled), np.int32)
    rows = letters.rows(spelled)
    own = numbered(train, tags, ids, rows, split.own)
    if others is None:
        held = own._replace(rows=split.held)
    else:
        held = numbered(others, tags, ids, rows, np.arange(len(others.records)))
    learnt = own._replace(rows=split.known)
    return Material(
        parts=Parts(vocabulary, letters, tags),
        train=own,
        valid=held,
        facts={"train": facts(learnt), "valid": facts(held)},
        fingerprints={
            "training text": facts(own)["fingerprint"],
            "validation text": facts(held)["fingerprint"],
            "vocabulary": vocabulary.digest,
        },
        talk=[
            *(describe(file, n, found) for file, found, n in train.files),
            f"{len(own.rows):,} to train on, {len(held.rows):,} to validate;"
            f" {vocabulary.n_tokens:,} words, {tags}",
        ],
        note=split.note,
        whole=None if split.whole is None else learnt,
    )


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


def counts_of(words: Ragged, rows: NDArray[np.intp], n: int) -> NDArray[np.int64]:
    """How often each of n words occurs in some sentences."""
    some = np.zeros(len(words), np.bool_)
    some[rows] = True
    return np.bincount(words.flat[np.repeat(some, words.lengths)], minlength=n)


def named(spelled: Sequence[str], counts: NDArray[np.int64]) -> dict[str, int]:
    """The words that occur."""
    return {word: n for word, n in zip(spelled, counts.tolist(), strict=True) if n}


def numbered(
    read: Gathered, tags: Tags, ids: Ids, letters: Ids, rows: NDArray[np.intp]
) -> Sentences:
    """Sentences as numbers. Raises InputError for a tag that no training text has."""
    sources = Ragged(ids[read.words.flat], read.words.offsets)
    return Sentences(sources, read.words, letters, Ragged.of(map(tags.encode, read.records)), rows)


def facts(data: Sentences) -> dict[str, Any]:
    """What a model file says about examples."""
    words = data.letters, data.spellings.flat, data.sources.offsets
    n_words = int(data.sources.lengths[data.rows].sum())
    digest = fingerprint(*words, data.targets.flat, data.rows)
    return {"fingerprint": digest, "n": len(data.rows), "n_words": n_words}
