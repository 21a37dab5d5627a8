"""What a text of music says: notes in time, and what is wrong with it."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import NamedTuple

from lmtool.errors import InputError, option

__all__ = ["MOST_NOTES", "Note", "Performance", "Tempo", "Tune", "WrongBar", "perform", "together"]

MOST_NOTES = 50_000  # of a tune as it is played: hours
LONGEST = Fraction(50_000)  # whole notes: a day
GAP = Fraction(1)  # between two tunes, in whole notes
BPM = 120.0  # where nothing says how fast


class Note(NamedTuple):
    """A sound; times are in whole notes."""

    start: Fraction
    length: Fraction
    pitch: int  # 0 to 127, 60 is middle C


class WrongBar(NamedTuple):
    """A bar whose notes are too many or too few."""

    bar: int  # from 1; 0 is a pickup
    line: int
    length: str  # 5/4
    metre: str  # 4/4


@dataclass(frozen=True, slots=True)
class Tune:
    """A piece of music as it is played, repeats and all."""

    title: str
    line: int  # of the text, where it begins
    voices: tuple[tuple[Note, ...], ...]
    chords: tuple[Note, ...]  # of the chord symbols
    length: Fraction  # in whole notes
    n_bars: int  # as written; steps of note tokens
    beat: Fraction = Fraction(1, 4)
    tempo: float | None = None  # beats a minute, where the text says it
    metre: tuple[int, int] | None = None
    wrong: tuple[WrongBar, ...] = ()
    faults: tuple[str, ...] = ()

    @property
    def n_notes(self) -> int:
        """Without those of chord symbols."""
        return sum(map(len, self.voices))

    @property
    def right(self) -> bool:
        """Whether all of it could be read and its bars add up."""
        return not (self.wrong or self.faults)


class Tempo(NamedTuple):
    """From ``start``, in whole notes, to the next one."""

    start: Fraction
    quarters: float  # a minute
    metre: tuple[int, int] | None
    title: str


@dataclass(frozen=True, slots=True)
class Performance:
    """Tunes one after the other; the last of the voices is that of the chord symbols."""

    tempi: tuple[Tempo, ...]
    voices: tuple[tuple[Note, ...], ...]
    length: Fraction

    def seconds(self, times: Iterable[Fraction]) -> Iterator[float]:
        """When rising times come."""
        passed, at = 0.0, 0
        for time in times:
            while at + 1 < len(self.tempi) and self.tempi[at + 1].start <= time:
                passed += lasts(self.tempi[at + 1].start - self.tempi[at].start, self.tempi[at])
                at += 1
            yield passed + lasts(time - self.tempi[at].start, self.tempi[at])

    @property
    def duration(self) -> float:
        """In seconds."""
        return next(self.seconds([self.length]))


def lasts(length: Fraction, tempo: Tempo) -> float:
    """Seconds."""
    return float(length) * 4 * 60 / tempo.quarters


def perform(tunes: Sequence[Tune], tempo: float | None = None, chords: bool = True) -> Performance:
    """The tunes one after the other; ``tempo`` in beats a minute, in place of what they say.

    Raises InputError where they are too long.
    """
    voices: list[list[Note]] = [[] for _ in range(max(len(tune.voices) for tune in tunes) + 1)]
    tempi, start = [], Fraction(0)
    for tune in tunes:
        beats = tempo or tune.tempo or BPM
        tempi.append(Tempo(start, beats * float(tune.beat) * 4, tune.metre, tune.title))
        for voice, notes in zip(voices, tune.voices, strict=False):
            voice += moved(notes, start)
        voices[-1] += moved(tune.chords if chords else (), start)
        start += tune.length + GAP
        if start > LONGEST:
            raise InputError(f"more than a day of music; choose with {option('tune')}")
    return Performance(tuple(tempi), tuple(map(tuple, voices)), start - GAP)


def moved(notes: Iterable[Note], start: Fraction) -> Iterator[Note]:
    """The notes, later."""
    return (note._replace(start=note.start + start) for note in notes)


def together(pitches: Iterable[int], start: Fraction, length: Fraction) -> list[Note]:
    """Notes of one chord."""
    return [Note(start, length, pitch) for pitch in pitches]
