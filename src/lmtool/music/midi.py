"""Notes to a standard MIDI file, format 1: a track of tempi, then a track for each voice.

A track is a list of events, each behind the ticks since the last one, a number of 7 bits a byte.
"""

import struct
from collections.abc import Iterable, Iterator
from fractions import Fraction

from lmtool.music.tune import Note, Performance, Tempo

__all__ = ["midi_bytes"]

TICKS = 480  # of a quarter note
LOUD, SOFT = 96, 56  # of the voices, of their chords
DRUMS = 9  # the channel that has no pitch
SLOWEST = 0xFFFFFF  # microseconds of a quarter note

Event = tuple[int, int, bytes]  # when, in ticks; what comes first; what it says


def midi_bytes(played: Performance) -> bytes:
    """The whole file."""
    *voices, chords = played.voices
    parts = [(voice, LOUD) for voice in voices] + [(chords, SOFT)]
    tracks = [track(meta(played.tempi))]
    for place, (notes, loudness) in enumerate(parts):
        tracks += [track(strokes(notes, place + (place >= DRUMS), loudness))] if notes else []
    return b"MThd" + struct.pack(">IHHH", 6, 1, len(tracks), TICKS) + b"".join(tracks)


def track(events: Iterable[Event]) -> bytes:
    """Events in any order."""
    body, now = bytearray(), 0
    for tick, _, said in sorted(events):
        body += number(tick - now) + said
        now = tick
    body += b"\0\xff\x2f\0"
    return b"MTrk" + struct.pack(">I", len(body)) + bytes(body)


def number(value: int) -> bytes:
    """7 bits a byte, the first bit of all but the last one set."""
    found = [value & 0x7F]
    while value := value >> 7:
        found.insert(0, 0x80 | value & 0x7F)
    return bytes(found)


def strokes(notes: Iterable[Note], channel: int, loudness: int) -> Iterator[Event]:
    """Keys that go down and up; those that go up come first."""
    down, up = 0x90 | channel % 16, 0x80 | channel % 16
    for note in notes:
        begin, end = ticks(note.start), ticks(note.start + note.length)
        yield begin, 1, bytes([down, note.pitch, loudness])
        yield max(begin + 1, end), 0, bytes([up, note.pitch, 0])


def ticks(time: Fraction) -> int:
    """From whole notes."""
    return round(time * 4 * TICKS)


def meta(tempi: Iterable[Tempo]) -> Iterator[Event]:
    """Titles, tempi and metres."""
    for tempo in tempi:
        now = ticks(tempo.start)
        quarter = min(SLOWEST, round(60_000_000 / tempo.quarters))
        title = tempo.title.encode(errors="replace")[:200]
        yield now, 0, b"\xff\x51\x03" + quarter.to_bytes(3, "big")
        yield now, 1, b"\xff\x03" + number(len(title)) + title
        beats, part = tempo.metre or (0, 0)
        if beats and part & (part - 1) == 0:
            yield now, 2, bytes([0xFF, 0x58, 4, beats % 256, part.bit_length() - 1, 24, 8])
