"""Sources with texts as numbers: what a conditional language model learns from and is judged by."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lmtool.arrays import Array
from lmtool.data.pairs import Pairs
from lmtool.data.ragged import Gathering, Ragged
from lmtool.data.readers.captions import describe as describe_captions
from lmtool.data.readers.captions import read_captions
from lmtool.data.readers.parallel import describe, paired, read_parallel
from lmtool.data.readers.vectors import grouped
from lmtool.data.standard import Standardisation
from lmtool.inference.conditional import Parts, VectorParts
from lmtool.kinds.base import Material
from lmtool.kinds.shares import Shares, all_of, material_of, shares
from lmtool.settings import TextSettings
from lmtool.text.rows import Rows
from lmtool.text.vocabulary import EOS_ID, Vocabulary

__all__ = ["Paired", "captions", "translations"]

END = "\n"  # stands for the end of a text among its words
LONGEST = 400  # words of a text that is learnt from
MOST_HELD_OUT = 1_000  # pairs


class Paired(NamedTuple):
    """Pairs as numbers."""

    sources: Ragged
    targets: Ragged  # each ends in <EOS>
    words: NDArray[np.int64]  # (n,) of each target, its end among them
    source_of: NDArray[np.intp]  # (n,)
    rows: Any  # (n,) those that are meant

    def arrays(self) -> tuple[Array, ...]:
        """What tells them from others."""
        sources = self.sources.flat, self.sources.offsets
        return *sources, self.targets.flat, self.targets.offsets, self.source_of

    def steps(self) -> int:
        """Tokens that are written."""
        return int(self.targets.lengths[self.rows].sum())

    def examples(self, batch: int, seed: int) -> Pairs:
        """Batches of them, those of like length side by side."""
        more: Any = {"rows": self.rows, "source_of": self.source_of}
        return Pairs(self.sources, self.targets, batch=batch, seed=seed, **more)


class Words:
    """Texts as numbers of their words, in the order in which these turn up."""

    def __init__(self, settings: TextSettings, ends: bool) -> None:
        self.settings, self.ends = settings, ends
        self.numbers: dict[str, int] = {END: 0}

    def of(self, text: str) -> NDArray[np.int32]:
        """The numbers of its words, END's last where texts end."""
        words = list(text) if self.settings.tokens == "char" else text.split()
        ids = [self.numbers.setdefault(word, len(self.numbers)) for word in words]
        return np.array(ids + [0] * self.ends, np.int32)

    def vocabulary(self, texts: Ragged, known: NDArray[np.intp]) -> Vocabulary:
        """Of those texts that are known."""
        counts = texts.occurring(known, [*self.numbers])
        counts.pop(END, None)
        return Vocabulary.from_counts(counts, len(known), self.settings)

    def ids(self, texts: Ragged, vocabulary: Vocabulary) -> Ragged:
        """The tokens of texts."""
        rows = vocabulary.rows([*self.numbers][1:])
        flat = np.concatenate([np.array([EOS_ID], np.int32), rows.flat])
        return texts.respelled(Rows(flat, np.append(0, rows.offsets + 1)))


class Read(NamedTuple):
    """Pairs of files, their words numbered."""

    sources: Ragged  # words; of vectors features
    targets: Ragged
    source_of: NDArray[np.intp]
    talk: list[str]


def translations(
    corpus: Any, valid: Any, request: Any, folder: Path, init: None = None
) -> Material:
    """Vocabularies, pairs to train on and to validate on. Raises InputError, OptionError."""
    words, written = Words(request.text, ends=False), Words(request.text, ends=True)
    train = parallel(paired(corpus), request, words, written)
    others = parallel(paired(valid, "valid"), request, words, written) if valid else None
    split = split_of(train, others, request, groups_of(train.sources))
    parts = Parts(
        words.vocabulary(train.sources, split.known),
        written.vocabulary(train.targets, split.known),
    )

    def numbered(read: Read, rows: NDArray[np.intp]) -> Paired:
        sources = words.ids(read.sources, parts.words)
        targets = written.ids(read.targets, parts.vocabulary)
        return Paired(sources, targets, read.targets.lengths, read.source_of, rows)

    own = numbered(train, split.own)
    held = others and numbered(others, np.arange(len(others.targets)))
    about = f"{parts.words.n_tokens:,} source and {parts.vocabulary.n_tokens:,} target tokens"
    given = split, own, held, "n_tokens", train.talk, about
    digests: Any = {"source vocabulary": parts.words.digest}
    return material_of(parts, *given, vocabulary=parts.vocabulary.digest, **digests)


def parallel(files: Iterable[Any], request: Any, words: Words, written: Words) -> Read:
    """The pairs of files, read once."""
    sources, targets, talk = Gathering(), Gathering(), []
    for paths in files:
        file, n = read_parallel(paths, longest=LONGEST, **request.columns), 0
        for pair in file.records:
            n += 1
            sources.add(words.of(pair.source))
            targets.add(written.of(pair.target))
        talk.append(describe(file, n))
    read = sources.ragged()
    return Read(read, targets.ragged(), np.arange(len(read)), talk)


def captions(corpus: Any, valid: Any, request: Any, folder: Path, init: None = None) -> Material:
    """Constants, vocabulary, vectors with texts to train on and to validate on."""
    written = Words(request.text, ends=True)
    train = described(grouped(corpus, texts=True), written)
    width = train.sources.flat.shape[1]
    others = described(grouped(valid, texts=True), written, width) if valid else None
    split = split_of(train, others, request, train.source_of)
    standard = Standardisation.of([train.sources.flat[np.unique(train.source_of[split.known])]])
    parts = VectorParts(standard, written.vocabulary(train.targets, split.known))

    def numbered(read: Read, rows: NDArray[np.intp]) -> Paired:
        sources = Ragged(standard(read.sources.flat), read.sources.offsets)
        targets = written.ids(read.targets, parts.vocabulary)
        return Paired(sources, targets, read.targets.lengths, read.source_of, rows)

    own = numbered(train, split.own)
    held = others and numbered(others, np.arange(len(others.targets)))
    about = f"vectors of {width:,} numbers, {parts.vocabulary.n_tokens:,} tokens"
    given = split, own, held, "n_tokens", train.talk, about
    return material_of(parts, *given, vocabulary=parts.vocabulary.digest)


def described(files: Iterable[Any], written: Words, width: int | None = None) -> Read:
    """The vectors of files with their texts."""
    vectors, source_of, targets, talk, n = list[Array](), list[int](), Gathering(), [], 0
    for path, texts in files:
        file, m = read_captions(path, texts, longest=LONGEST, width=width), 0
        for one in file.records:
            m += 1
            source_of.append(n + one.row)
            targets.add(written.of(one.text))
        vectors.append(np.asarray(file.vectors, np.float32))
        width, n = file.vectors.shape[1], n + len(file.vectors)
        talk.append(describe_captions(file, m))
    flat = np.concatenate(vectors)
    sources = Ragged(flat, np.arange(len(flat) + 1))
    return Read(sources, targets.ragged(), np.array(source_of, np.intp), talk)


def split_of(train: Read, others: Read | None, request: Any, groups: NDArray[Any]) -> Shares:
    """Who learns and who validates; texts about one source stay together."""
    n = len(train.targets)
    if others is not None:
        return all_of(n)
    alike = np.zeros(n, np.int32)
    return shares(alike, request.recipe.seed, groups, MOST_HELD_OUT)


def groups_of(sources: Ragged) -> NDArray[np.intp]:
    """(n,) the same number for the same source."""
    known: dict[bytes, int] = {}
    each = (sources[i].tobytes() for i in range(len(sources)))
    return np.array([known.setdefault(x, len(known)) for x in each], np.intp)
