"""ABC text to tunes: fields, and music in which notes, bars and repeats are read.

Left out are grace notes, decorations, slurs, lyrics and parts; tempo changes within a tune, too.
A tune in one line has ``;`` where its lines end, a sign that ABC reserves and players skip.
"""

import itertools
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from fractions import Fraction

from lmtool.errors import InputError
from lmtool.music import keys
from lmtool.music.bars import wrong_bars
from lmtool.music.signs import endings, signs
from lmtool.music.tune import Note, Tune, WrongBar, together
from lmtool.music.voice import Piece, Voice, played

__all__ = ["folded", "read_abc", "written_tunes"]

Lines = list[tuple[int, str]]  # numbered

MOST_SIGNS = 200_000  # characters of a tune
MOST_VOICES = 15  # of MIDI's channels, one is left to the chords
IN_LINE, AS_TEXT = ";", r"\u003b"
FIELD = re.compile(r"([A-Za-z+]):(.*)", re.DOTALL)
IN_BODY = "IKLMmNPQRrsTUVWw+"  # A: to G: are notes and a repeat sign there
CUT = re.compile(r" ?\.\.\.$")  # how ``sample`` marks what it has cut
MOST_FAULTS = 1000  # that are counted


def written_tunes(lines: Iterable[tuple[int, str]]) -> Iterator[Lines]:
    """The lines of each tune: from ``X:`` to a blank line or the next ``X:``.

    A block of lines without ``X:`` and ``K:`` is no tune.
    """
    block: Lines = []
    for number, line in unfolded(lines):
        if not line.strip() or line.startswith("X:"):
            yield from [block] if is_tune(block) else []
            block = []
        if line.strip():
            block.append((number, line))
    yield from [block] if is_tune(block) else []


def is_tune(block: Lines) -> bool:
    """Whether lines are one."""
    return any(line.startswith(("X:", "K:")) for _, line in block)


def unfolded(lines: Iterable[tuple[int, str]]) -> Iterator[tuple[int, str]]:
    """The lines, a tune in one line as its own lines."""
    for number, line in lines:
        if line.startswith("X:") and IN_LINE in line:
            whole = CUT.sub("", line)
            yield from ((number, part) for part in ("", *whole.split(IN_LINE), ""))
        else:
            yield number, line


def folded(tune: Lines) -> str:
    """A tune in one line."""
    return IN_LINE.join(without_mark(line.rstrip()) for _, line in tune)


def without_mark(line: str) -> str:
    """A line without ``;``, which texts spell and music does not need."""
    return line.replace(IN_LINE, AS_TEXT if FIELD.match(line) else "")


def read_abc(lines: Iterable[tuple[int, str]], path: str) -> Iterator[Tune]:
    """The tunes of numbered lines. Raises InputError for lengths and sizes that no music has."""
    for tune in written_tunes(lines):
        yield Reader(path, tune[0][0]).tune(tune)


@dataclass
class Reader:
    """A tune that is being read."""

    path: str
    begin: int  # its first line
    title: str = ""
    metre: keys.Metre = (4, 4)
    unit: Fraction | None = None  # L:
    whole_notes: float | None = None  # a minute
    key: dict[str, int] | None = None  # None: still in the header
    name: str = ""  # of the voice
    voices: dict[str, Voice] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)
    line: int = 0

    @property
    def where(self) -> str:
        """For messages."""
        return f"{self.path}:{self.line}"

    def tune(self, lines: Lines) -> Tune:
        """Reads the lines."""
        if sum(len(line) for _, line in lines) > MOST_SIGNS:
            message = f"a tune of more than {MOST_SIGNS:,} characters"
            raise InputError(f"{self.path}:{self.begin}: {message}; is there a blank line missing?")
        for self.line, text in lines:
            self.read(re.split(r"(?<!\\)%", text, maxsplit=1)[0].strip())
        return self.finished()

    def fault(self, message: str) -> None:
        """What cannot be read, and is left out."""
        if len(self.faults) < MOST_FAULTS:
            self.faults.append(f"line {self.line}: {message}")

    def read(self, text: str) -> None:
        """A line."""
        found = FIELD.fullmatch(text)
        if found and (self.key is None or found[1] in IN_BODY):
            self.field(found[1], found[2])
        elif text and self.key is None:
            self.fault("music before K:, which ends the header")
        else:
            self.music(text)

    @property
    def voice(self) -> Voice:
        """The one that is being written."""
        if self.name not in self.voices:
            if len(self.voices) == MOST_VOICES:
                raise InputError(f"{self.where}: more than {MOST_VOICES} voices; leave some out")
            self.voices[self.name] = Voice(self.key or {}, self.shortest(), self.metre)
        return self.voices[self.name]

    def shortest(self) -> Fraction:
        """The length of a note without a number: sixteenths in metres below 3/4, else eighths."""
        small = Fraction(0) < keys.whole(self.metre) < Fraction(3, 4)
        return self.unit or Fraction(1, 16 if small else 8)

    def field(self, letter: str, value: str) -> None:
        """A field, of the header or within the music."""
        reader = {
            "T": self.named, "M": self.measured, "L": self.divided, "Q": self.paced,
            "K": self.keyed, "V": self.voiced, "P": self.parted,
        }.get(letter)  # fmt: skip
        if reader:
            reader(value)

    def named(self, value: str) -> None:
        self.title = self.title or value.strip()

    def measured(self, value: str) -> None:
        metre = keys.metre_of(value)
        if metre is None:
            return self.fault(f"M:{value[:20]} is no metre")
        if self.key is None:
            self.metre = metre
            return None
        self.voice.metre = metre
        return self.parted("")

    def divided(self, value: str) -> None:
        unit = keys.unit_of(value)
        if unit is None:
            return self.fault(f"L:{value[:20]} is no length")
        if self.key is None:
            self.unit = unit
        else:
            self.voice.unit = unit
        return None

    def paced(self, value: str) -> None:
        if self.key is None:
            self.whole_notes = keys.speed_of(value, self.shortest())

    def keyed(self, value: str) -> None:
        key = keys.key_of(value)
        if key is None:
            self.fault(f"K:{value[:20]} is no key")
        if self.key is None:
            self.key = dict(key or {})
        elif key is not None:
            self.voice.key = key

    def voiced(self, value: str) -> None:
        if self.key is not None:
            self.name = next(iter(value.split()), "")

    def parted(self, value: str) -> None:
        """A part begins: a bar before it may be short."""
        if self.key is not None and not self.voice.events:
            self.voice.close(ends=False, soft=True)
            self.voice.fresh = bool(value) or self.voice.fresh

    def music(self, text: str) -> None:
        """A line of notes."""
        for sign in signs(text):
            self.voice.line = self.line
            READ[sign.lastgroup or "unknown"](self, self.voice, sign)

    def finished(self) -> Tune:
        """The tune as it is played."""
        notes, chords, wrong = [], list[Note](), list[WrongBar]()
        length, n_bars = Fraction(0), 0
        for voice in self.voices.values():
            voice.close(ends=False, soft=True)
            order = list(played(voice.pieces, f"{self.path}:{self.begin}"))
            notes.append(tuple(sounding(order)))
            chords += accompaniment(order)
            wrong += wrong_bars(voice.pieces, order)
            length = max(length, sum((piece.length for piece in order), Fraction(0)))
            n_bars = max(n_bars, len(voice.pieces))
        if not any(notes):
            self.faults.append("no notes")
        beat = keys.beat_of(self.metre)
        return Tune(
            self.title, self.begin, tuple(filter(None, notes)), tuple(chords), length, n_bars,
            beat, self.whole_notes and self.whole_notes / float(beat),
            self.metre if self.metre[0] else None, tuple(wrong), tuple(self.faults),
        )  # fmt: skip


Read = Callable[[Reader, Voice, "re.Match[str]"], None]


def skip(reader: Reader, voice: Voice, sign: "re.Match[str]") -> None:
    """Nothing that is played."""


def quoted(reader: Reader, voice: Voice, sign: "re.Match[str]") -> None:
    """A chord symbol, or words."""
    if keys.triad(sign["text"]):
        voice.symbol(sign["text"])


def tuplet(reader: Reader, voice: Voice, sign: "re.Match[str]") -> None:
    """``(3``, ``(3:2:3``"""
    voice.tuplet(int(sign["p"]), int(sign["q"] or 0), int(sign["r"] or 0))


READ: dict[str, Read] = {
    "note": lambda reader, voice, sign: voice.note(sign, reader.where),
    "rest": lambda reader, voice, sign: voice.rest(sign, reader.where),
    "chord": lambda reader, voice, sign: voice.chord(sign, reader.where),
    "bar": lambda reader, voice, sign: voice.bar(sign["line"], endings(sign["number"] or "")),
    "ending": lambda reader, voice, sign: voice.bar("||", endings(sign["times"])),
    "field": lambda reader, voice, sign: reader.field(sign["name"], sign["value"]),
    "tie": lambda reader, voice, sign: voice.tie(),
    "broken": lambda reader, voice, sign: voice.broken(sign[0]),
    "quoted": quoted,
    "tuplet": tuplet,
    "skipped": skip,
    "unknown": lambda reader, voice, sign: reader.fault(f"{sign[0]!r} is no sign that is read"),
}


def sounding(order: Iterable[Piece]) -> Iterator[Note]:
    """The notes, tied ones as one, by when they begin."""
    start, held = Fraction(0), dict[int, Note]()
    for piece in order:
        for event in piece.events:
            fresh = together(event.pitches, start + event.start, event.length)
            joined = {n.pitch: longer(held.pop(n.pitch, None), n) for n in fresh}
            yield from held.values()
            held = joined if event.tied else {}
            yield from () if event.tied else joined.values()
        start += piece.length
    yield from held.values()


def longer(before: Note | None, note: Note) -> Note:
    """A note that goes on from the one before."""
    return before._replace(length=before.length + note.length) if before else note


def accompaniment(order: Iterable[Piece]) -> Iterator[Note]:
    """The triad of each chord symbol, from there to the next one, struck anew in each bar."""
    start, symbol = Fraction(0), ""
    for piece in order:
        marks = [(Fraction(0), symbol), *piece.symbols, (piece.length, "")]
        for (begin, name), (end, _) in itertools.pairwise(marks):
            if end > begin:
                yield from together(keys.triad(name), start + begin, end - begin)
        symbol = marks[-2][1]
        start += piece.length
