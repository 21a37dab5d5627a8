"""Clips and vectors with labels: what a classifier of numbers learns from and is judged by."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lmtool.arrays import Array
from lmtool.audio.filterbank import Filterbank
from lmtool.data.examples import Augment, Examples
from lmtool.data.listening import Listening
from lmtool.data.neighbours import centring_helps
from lmtool.data.ragged import Gathering, Ragged
from lmtool.data.readers.clips import Clip
from lmtool.data.readers.labelled import LabelledFile, describe
from lmtool.data.spoken import HALFWAY, Stacking, scale_of
from lmtool.data.standard import Framing, Standardisation
from lmtool.errors import ConfigError, InputError, option
from lmtool.inference.classify import FrameParts
from lmtool.kinds.base import Material
from lmtool.kinds.labelled import Labelled, shared
from lmtool.kinds.pooled import temperature_of
from lmtool.kinds.shares import all_of, material_of
from lmtool.text.labels import Labels

__all__ = ["Reading", "prepared", "restored", "store"]


class Reading(NamedTuple):
    """Files, and how one is read: ``read(*files, width=..., ...)``, more once one is known."""

    read: Callable[..., LabelledFile]
    train: Sequence[tuple[Any, ...]]
    valid: Sequence[tuple[Any, ...]]
    noun: str  # of the rows


class Gathered(NamedTuple):
    """Clips of files."""

    sources: Ragged  # as they are written
    records: list[Clip]  # without their sources
    talk: list[Any]  # what each file was taken for, and how many clips it holds
    filterbank: Filterbank | None  # what made them of sound


def prepared(
    reading: Reading, request: Any, centre: bool | None = False, differences: bool = False
) -> Material:
    """Constants, labels, clips to train on and to validate on; ``centre`` None follows the clips.

    Raises InputError, ConfigError.
    """
    train = gathered(reading, reading.train)
    labels, others = Labels.build(train.records), None
    split = shared(train, labels, request.recipe.seed)
    if reading.valid:
        others = gathered(reading, reading.valid, train)
        split = all_of(len(train.records))
    framing = framing_of(train, labels, split.known.tolist(), centre, differences)
    own, held = labelled(train, framing, labels, split.own), None
    if others is not None:
        held = labelled(others, framing, labels, np.arange(len(others.records)))
    talk = [describe(file, n, labels) for file, n in train.talk]
    about = f"{reading.noun} of {train.filterbank or f'{framing.width:,} numbers'}"
    given = split, own, held, f"n_{reading.noun}", talk, about
    return material_of(FrameParts(framing, labels), *given, noun="data")


def framing_of(
    train: Gathered, labels: Labels, rows: list[int], centre: bool | None, differences: bool
) -> Framing | Listening:
    """What makes features of clips, by some of them. Raises ConfigError."""
    if train.filterbank is not None:
        if centre is False:
            message = "each band of a recording is always put on its scale; leave it out"
            raise ConfigError(f"{option('centre', False)}: {message}")
        return Listening(train.filterbank, Stacking(STEP, HALFWAY))
    clips = [train.sources[row] for row in rows]  # views
    if centre is None:
        first = [labels.id(train.records[row].labels[0]) for row in rows]
        centre = centring_helps(clips, np.array(first, np.int32))
    return Framing.of(clips, centre, differences)


def gathered(
    reading: Reading, files: Sequence[tuple[Any, ...]], like: Gathered | None = None
) -> Gathered:
    """The clips of files, read once; ``like`` others as to their width and what made them."""
    sources, records, talk = Gathering(), list[Clip](), []
    width = like.sources.flat.shape[1] if like else None
    known: dict[str, Any] = {"filterbank": like.filterbank} if like and like.filterbank else {}
    for paths in files:
        file, before = reading.read(*paths, width=width, **known), len(records)
        known |= {"filterbank": file.filterbank} if file.filterbank else {}
        for clip in file.records:
            width = clip.source.shape[1]
            sources.add(clip.source)
            records.append(clip._replace(source=NOTHING))
        talk.append((file, len(records) - before))
    if not records:
        raise InputError("there is nothing labelled to learn from")
    return Gathered(sources.ragged(), records, talk, known.get("filterbank"))


STACK = "stack"  # of a card
STEP = 3  # frames of 10 ms
NOTHING = np.zeros((0, 0), np.float32)


class Heard(NamedTuple):
    """Sound as numbers, changed and stacked anew each time that it is learnt from."""

    sources: Ragged  # frames as they are read
    targets: Ragged
    rows: Any  # (n,) those that are meant
    framing: Listening

    def steps(self) -> int:
        """Of the sources that are meant."""
        return sum(map(self.framing.stacking.steps, self.sources.lengths[self.rows].tolist()))

    def arrays(self) -> tuple[Array, ...]:
        """What tells them from others."""
        return self.sources.flat, self.sources.offsets, self.targets.flat

    def examples(self, batch: int, seed: int, augment: Augment | None = None) -> Examples:
        """Batches of them; ``augment`` makes steps of frames."""
        if augment is not None:
            given: Any = {"batch": batch, "seed": seed, "rows": self.rows, "augment": augment}
            return Examples(self.sources, self.targets, **given)
        sources = Ragged.of(self.framing(self.sources[row]) for row in self.rows)
        targets = Ragged.of(self.targets[row] for row in self.rows)
        return Examples(sources, targets, batch=batch, seed=seed)


def labelled(
    read: Gathered, framing: Framing | Listening, labels: Labels, rows: NDArray[np.intp]
) -> Labelled | Heard:
    """Features and targets. Raises InputError for a label that no training clip has."""
    sources = read.sources
    targets = Ragged.of(map(labels.targets, read.records))
    if isinstance(framing, Listening):
        return Heard(sources, targets, rows, framing)
    flat: Array = np.empty((len(sources.flat), framing.outputs), np.float32)
    for i in range(len(sources)):
        flat[sources.offsets[i] : sources.offsets[i + 1]] = framing(sources[i])
    return Labelled(Ragged(flat, sources.offsets), targets, None, rows)


def store(model: Any) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    """Constants or the filterbank, labels and the temperature."""
    framing, labels, temperature = model.parts
    steps = {}
    if isinstance(framing, Listening):
        steps = {STACK: framing.stacking.frames, "scale": framing.stacking.scale}
    return {"temperature": temperature, **steps}, framing.tensors() | labels.tensors()


def restored(
    settings: Any,
    card: dict[str, Any],
    tensors: dict[str, NDArray[Any]],
    centre: bool = False,
    differences: bool = False,
) -> FrameParts:
    """The parts, verified, their tensors taken out. Raises ValueError."""
    filterbank = Filterbank.from_tensors(tensors)
    if filterbank is not None:
        stacking = Stacking(card[STACK], scale_of(card))
        framing: Framing | Listening = Listening(filterbank, stacking)
    else:
        framing = Framing(Standardisation.from_tensors(tensors), centre, differences)
    labels = Labels.from_tensors(tensors)
    for name in labels.tensors():
        del tensors[name]
    return FrameParts(framing, labels, temperature_of(card, settings, labels.several))
