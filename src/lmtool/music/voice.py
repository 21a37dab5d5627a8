"""A voice as it is written, notes in pieces between bar lines, and as its repeats play it."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import NamedTuple

from lmtool.errors import InputError
from lmtool.music.keys import ACCIDENTALS, STEPS, Metre, whole
from lmtool.music.signs import NOTE, factor
from lmtool.music.tune import MOST_NOTES

__all__ = ["Event", "Piece", "Voice", "played"]

MIDDLE_C = 60
LARGEST = Fraction(1024)  # whole notes
ONE = Fraction(1)
IN_THE_TIME_OF = {2: 3, 3: 2, 4: 3, 6: 2, 8: 3}  # of so many notes; else 2, or 3 in 6/8


class Event(NamedTuple):
    """Notes that begin together, or a rest; times in whole notes, from the start of the piece."""

    start: Fraction
    length: Fraction
    pitches: tuple[int, ...]
    tied: bool = False  # to the same notes in the next event


class Piece(NamedTuple):
    """What stands between two bar lines: a bar, or a part of one where a repeat sign cuts it."""

    events: tuple[Event, ...]
    symbols: tuple[tuple[Fraction, str], ...]  # of chords, and where they stand
    length: Fraction
    metre: Metre
    number: int
    line: int
    begins: bool  # a repeat, |:
    fresh: bool  # a part: behind a double bar
    ends: bool  # a repeat
    soft: bool  # it may end before the bar is full
    endings: frozenset[int] = frozenset()  # the times through in which it is played; empty: all


@dataclass
class Voice:
    """A voice that is being read."""

    key: Mapping[str, int]
    unit: Fraction
    metre: Metre
    pieces: list[Piece] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    symbols: list[tuple[Fraction, str]] = field(default_factory=list)
    now: Fraction = Fraction(0)  # since the bar line
    inside: dict[str, int] = field(default_factory=dict)  # accidentals of the bar
    spelled: dict[str, int] = field(default_factory=dict)  # of the last event
    carried: dict[str, int] = field(default_factory=dict)  # of notes that are tied to the next
    begins: bool = False
    fresh: bool = False
    endings: frozenset[int] = frozenset()
    stretch: Fraction = ONE  # of the next event, behind > or <
    group: tuple[int, Fraction] = (0, ONE)  # notes left of a triplet, and how long each is
    line: int = 0

    def note(self, sign: "re.Match[str]", where: str) -> None:
        """A single note."""
        n, d = factor(sign, where)
        self.spelled = {}
        self.event((self.pitch(sign),), self.unit * n / d)

    def chord(self, sign: "re.Match[str]", where: str) -> None:
        """Notes that sound together, as long as the first one; none is a fault of who writes."""
        notes = list(NOTE.finditer(sign["notes"]))
        self.spelled = {}
        if notes:
            (n, d), (times, part) = factor(notes[0], where), factor(sign, where, "chord_")
            pitches = tuple(dict.fromkeys(map(self.pitch, notes)))
            self.event(pitches, self.unit * n * times / (d * part))
        if any(note["tied"] for note in notes):
            self.tie()

    def rest(self, sign: "re.Match[str]", where: str) -> None:
        """A rest; ``Z`` counts bars."""
        n, d = factor(sign, where, "rest_")
        unit = (whole(self.metre) or ONE) if sign["letters"] in "ZX" else self.unit
        self.event((), unit * n / d)

    def pitch(self, sign: "re.Match[str]") -> int:
        """The key of the piano, by the accidentals of the note, the bar and the key."""
        letter, octave = sign["letter"], sign["octave"]
        name = letter.upper()
        if sign["accidental"]:
            self.inside[name] = ACCIDENTALS[sign["accidental"]]
        shift = self.inside.get(name, self.key.get(name, 0))
        octaves = octave.count("'") - octave.count(",") + letter.islower()
        plain = MIDDLE_C + STEPS[name] + shift + 12 * octaves
        found = plain if sign["accidental"] else self.carried.get(letter + octave, plain)
        self.spelled[letter + octave] = found
        return found

    def event(self, pitches: tuple[int, ...], length: Fraction) -> None:
        """One more, as long as broken rhythm and triplets make it. Raises InputError."""
        left, ratio = self.group
        length *= self.stretch * (ratio if left else ONE)
        self.group, self.stretch = (max(0, left - 1), ratio), ONE
        length = min(length, LARGEST)
        kept = tuple(pitch for pitch in pitches if 0 <= pitch <= 127)
        self.events.append(Event(self.now, length, kept))
        self.now += length
        self.carried = {}

    def tie(self) -> None:
        """The last event goes on in the next one."""
        if self.events:
            self.events[-1] = self.events[-1]._replace(tied=True)
            self.carried = self.spelled

    def broken(self, sign: str) -> None:
        """``>``: the note before gains what the note behind loses."""
        if not self.events:
            return
        less = Fraction(1, 2 ** len(sign))
        before, behind = (2 - less, less) if sign[0] == ">" else (less, 2 - less)
        last = self.events[-1]
        self.events[-1] = last._replace(length=last.length * before)
        self.now = last.start + last.length * before
        self.stretch = behind

    def tuplet(self, p: int, q: int, r: int) -> None:
        """p notes in the time of q, for r notes."""
        compound = self.metre[1] >= 8 and self.metre[0] % 3 == 0
        q = q or IN_THE_TIME_OF.get(p, 3 if compound else 2)
        self.group = (r or p, Fraction(q, p))

    def symbol(self, text: str) -> None:
        """A chord symbol."""
        self.symbols.append((self.now, text))

    def bar(self, sign: str, endings: frozenset[int]) -> None:
        """A bar line; what stood since the last one is a piece."""
        ends, begins = sign.startswith(":"), sign.endswith(":")
        soft = sign != "|"
        self.close(ends, soft)
        self.begins = self.begins or begins
        self.fresh = self.fresh or "||" in sign or "]" in sign
        if soft or endings:
            self.endings = endings

    def close(self, ends: bool, soft: bool) -> None:
        """Ends a piece; without any note in it the one before ends so, too."""
        if self.events:
            piece = Piece(
                tuple(self.events),
                tuple(self.symbols),
                self.now,
                self.metre,
                len(self.pieces) + 1,
                self.line,
                self.begins,
                self.fresh,
                ends,
                soft,
                self.endings,
            )
            self.pieces.append(piece)
            self.begins = self.fresh = False
        elif self.pieces:
            last = self.pieces[-1]
            self.pieces[-1] = last._replace(ends=last.ends or ends, soft=last.soft or soft)
        self.events, self.symbols, self.now, self.inside = [], [], Fraction(0), {}


def played(pieces: Sequence[Piece], where: str) -> Iterator[Piece]:
    """The pieces in the order in which they sound. Raises InputError for too many.

    A repeat goes back to ``|:``, else to the last double bar or end of a repeat; each time through
    takes its own ending.
    """
    n_notes, part = 0, Part(0)
    while part.at < len(pieces):
        piece = pieces[part.at]
        part = part.begun(piece, pieces[part.at - 1] if part.at else piece)
        if piece.endings and part.time not in piece.endings:
            part = part._replace(at=part.at + 1)
            continue
        n_notes += sum(len(event.pitches) or 1 for event in piece.events)
        if n_notes > MOST_NOTES:
            raise InputError(f"{where}: a tune of more than {MOST_NOTES:,} notes; cut it")
        yield piece
        part = part.after(pieces)


class Part(NamedTuple):
    """Where the player is in what is repeated."""

    start: int
    at: int = 0
    time: int = 1  # through it
    marked: bool = False  # by |:
    times: int = 2  # how often it is played, as the endings so far tell

    def begun(self, piece: Piece, before: Piece) -> "Part":
        """The same, or a new part."""
        times = max({self.times} | piece.endings)
        if self.at == self.start:
            return self._replace(marked=piece.begins, times=times)
        left = bool(before.endings) and not piece.endings
        if piece.begins or left or (piece.fresh and not (self.marked or piece.endings)):
            return Part(self.at, self.at, 1, piece.begins)
        return self._replace(times=times)

    def after(self, pieces: Sequence[Piece]) -> "Part":
        """What comes behind a piece that was played."""
        ends, behind = pieces[self.at].ends, pieces[self.at + 1 : self.at + 2]
        if ends and self.time < max({self.times}.union(*(piece.endings for piece in behind))):
            return self._replace(at=self.start, time=self.time + 1)
        return Part(self.at + 1, self.at + 1) if ends else self._replace(at=self.at + 1)
