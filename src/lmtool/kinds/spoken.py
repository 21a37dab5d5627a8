"""Utterances as numbers: what a recogniser learns from and is judged by."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lmtool.arrays import Array
from lmtool.audio.filterbank import Filterbank
from lmtool.data.examples import Augment, Examples
from lmtool.data.ragged import Gathering, Ragged
from lmtool.data.readers.utterances import describe, read_utterances
from lmtool.data.spoken import HALFWAY, Stacking
from lmtool.display import counted
from lmtool.errors import InputError
from lmtool.inference.recogniser import Parts
from lmtool.kinds.base import Material
from lmtool.kinds.paired import Words
from lmtool.kinds.shares import Shares, all_of, material_of, shares
from lmtool.nn.outputs.ctc import steps_needed

__all__ = ["Spoken", "prepare"]

MOST_HELD_OUT = 500  # utterances


class Spoken(NamedTuple):
    """Utterances as numbers."""

    sources: Ragged  # frames as they are read
    targets: Ragged
    rows: Any  # (n,) those that are meant
    stacking: Stacking

    def steps(self) -> int:
        """Frames of those that are meant."""
        return int(self.sources.lengths[self.rows].sum())

    def arrays(self) -> tuple[Array, ...]:
        """What tells them from others."""
        return self.sources.flat, self.sources.offsets, self.targets.flat, self.targets.offsets

    def heard(self, batch: int, seed: int, augment: Augment) -> Examples:
        """Batches of them to learn from; ``augment`` makes steps of frames."""
        given: Any = {"batch": batch, "seed": seed, "rows": self.rows, "augment": augment}
        return Examples(self.sources, self.targets, short_first=True, **given)

    def as_read(self) -> Examples:
        """All that are meant as the networks read them, to be judged by."""
        sources = Ragged.of(self.stacking(self.sources[row]) for row in self.rows)
        targets = Ragged.of(self.targets[row] for row in self.rows)
        return Examples(sources, targets, batch=1, seed=0)


class Read(NamedTuple):
    """Utterances of files."""

    sources: Ragged
    texts: Ragged  # numbers of words
    speakers: list[str | None]
    filterbank: Filterbank | None
    talk: list[str]


def prepare(corpus: Any, valid: Any, request: Any, folder: Path, init: None = None) -> Material:
    """Filterbank, vocabulary, utterances to train on and to validate on. Raises InputError."""
    words, stacking = Words(request.text, ends=False), Stacking(request.network.stack, HALFWAY)
    train = gathered(corpus, request, words)
    width = train.sources.flat.shape[1]
    others = gathered(valid, request, words, train.filterbank, width) if valid else None
    n = len(train.sources)
    split = all_of(n) if valid else shared(train, request.recipe.seed)
    vocabulary = words.vocabulary(train.texts, split.known)
    parts = Parts(train.filterbank, width, stacking, vocabulary)
    own, n_left = fitting(numbered(train, words, parts, split.own))
    if split.whole is not None:
        split = split._replace(whole=fitting(own._replace(rows=split.whole))[0].rows)
    held = others and numbered(others, words, parts, np.arange(len(others.sources)))
    if not len(own.rows):
        raise InputError("every utterance is shorter than its text; is a step too long?")
    about = f"{vocabulary.n_tokens:,} tokens"
    given = split._replace(own=own.rows), own, held, "n_frames", train.talk, about
    material = material_of(parts, *given, noun="speech", vocabulary=vocabulary.digest)
    notes = [material.note, too_short(n_left, n)]
    return material._replace(note="; ".join(filter(None, notes)))


def gathered(
    paths: Iterable[Any],
    request: Any,
    words: Words,
    filterbank: Filterbank | None = None,
    width: int | None = None,
) -> Read:
    """The utterances of files, read once."""
    sources, texts, speakers, talk = Gathering(), Gathering(), list[str | None](), []
    for path in paths:
        bands = request.network.bands
        file = read_utterances(path, filterbank, width, bands=bands, **request.columns)
        n, seconds = 0, 0.0
        for one in file.records:
            n, seconds, width = n + 1, seconds + (one.seconds or 0), one.source.shape[1]
            sources.add(one.source)
            texts.add(words.of(one.text or ""))
            speakers.append(one.speaker)
        filterbank = file.filterbank
        talk.append(describe(file, n, seconds))
    if not speakers:
        raise InputError("there is no utterance to learn from")
    return Read(sources.ragged(), texts.ragged(), speakers, filterbank, talk)


def numbered(read: Read, words: Words, parts: Parts, rows: NDArray[np.intp]) -> Spoken:
    """Utterances as numbers."""
    return Spoken(read.sources, words.ids(read.texts, parts.vocabulary), rows, parts.stacking)


def fitting(own: Spoken) -> tuple[Spoken, int]:
    """Those whose text fits into their steps, and how many others there are."""
    steps = [own.stacking.steps(len(own.sources[row])) for row in own.rows]
    needed = [steps_needed(own.targets[row]) for row in own.rows]
    fits = np.array(steps, np.intp) >= np.array(needed, np.intp)
    return own._replace(rows=own.rows[fits]), int(np.count_nonzero(~fits))


def too_short(n_left: int, n: int) -> str:
    """``3 of 400 utterances are left out: ...``; nothing of none."""
    if not n_left:
        return ""
    are = "is" if n_left == 1 else "are"
    return f"{n_left:,} of {counted(n, 'utterance')} {are} left out: shorter than the text"


def shared(read: Read, seed: int) -> Shares:
    """Who learns and who validates; what a speaker says stays together where all are known."""
    n = len(read.speakers)
    known: dict[Any, int] = {}
    groups = np.array([known.setdefault(name, len(known)) for name in read.speakers])
    by_speaker = None not in known and len(known) > 2
    return shares(np.zeros(n, np.int32), seed, groups if by_speaker else None, MOST_HELD_OUT)
