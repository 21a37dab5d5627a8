"""Key signatures, metres, tempi and chord symbols of ABC: the values of its fields.

The sharps of a key are counted along the circle of fifths, F C G D A E B: C major has none, each
fifth up one more; a mode has as many as the major key on its own step of the scale.     (1)
"""

import re
from collections.abc import Mapping
from fractions import Fraction

__all__ = ["Metre", "beat_of", "key_of", "metre_of", "speed_of", "triad", "unit_of", "whole"]

Metre = tuple[int, int]  # (3, 4); (0, 1) is free

FIFTHS = "FCGDAEB"
STEPS = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}  # semitones above C
MODES = {  # fifths from the major key on the same tonic
    "": 0, "maj": 0, "ion": 0, "mix": -1, "dor": -2, "m": -3, "min": -3, "aeo": -3, "phr": -4,
    "loc": -5, "lyd": 1,
}  # fmt: skip
KEY = re.compile(r"\s*([A-G])([#b]?)\s*(?!clef|treble|bass|alto|tenor)([A-Za-z]*)")
EXTRA = re.compile(r"(?:^|\s)(\^\^?|__?|=)([A-Ga-g])(?=\s|$)")
BAGPIPE = {"F": 1, "C": 1}
ACCIDENTALS = {"^": 1, "^^": 2, "_": -1, "__": -2, "=": 0}
CHORD = re.compile(r"\(?([A-G])([#b]?)(maj7|maj|min7|min|m7|m6|m|dim7|dim|d|aug|\+|sus[24]|[679])?")
THIRDS = {  # semitones above the root
    "": (0, 4, 7), "maj": (0, 4, 7), "m": (0, 3, 7), "min": (0, 3, 7), "7": (0, 4, 7, 10),
    "9": (0, 4, 7, 10), "m7": (0, 3, 7, 10), "min7": (0, 3, 7, 10), "maj7": (0, 4, 7, 11),
    "6": (0, 4, 7, 9), "m6": (0, 3, 7, 9), "dim": (0, 3, 6), "d": (0, 3, 6), "dim7": (0, 3, 6, 9),
    "aug": (0, 4, 8), "+": (0, 4, 8), "sus2": (0, 2, 7), "sus4": (0, 5, 7),
}  # fmt: skip
LOWEST = 48  # of a chord's root: the C below middle C
PART = re.compile(r"(\d{1,3})\s*/\s*(\d{1,3})")
LARGEST = 128  # parts of a whole note


def key_of(value: str) -> Mapping[str, int] | None:
    """``D``, ``Am``, ``E dor``, ``G ^c`` -> semitones by letter, by (1); None for what is none."""
    bare = value.strip()
    if bare in ("HP", "Hp"):
        return BAGPIPE
    found = KEY.match(value)
    mode = mode_of(found[3]) if found else None
    if found is None or mode is None:
        known = bare in ("", "none") or bare.startswith(("clef", "exp", "treble", "bass"))
        return extra(value) if known else None
    sharps = FIFTHS.index(found[1]) - 1 + mode + 7 * {"#": 1, "b": -1, "": 0}[found[2]]
    by_fifths = {letter: (sharps + 6 - i) // 7 for i, letter in enumerate(FIFTHS)}
    return by_fifths | extra(value)


def mode_of(name: str) -> int | None:
    """Fifths; the first three letters count."""
    return MODES.get("m" if name == "M" else name if name == "m" else name.lower()[:3])


def extra(value: str) -> dict[str, int]:
    """Accidentals that a key adds."""
    return {letter.upper(): ACCIDENTALS[sign] for sign, letter in EXTRA.findall(value)}


def metre_of(value: str) -> Metre | None:
    """``3/4``, ``C``, ``C|``, ``2+3/8`` -> (3, 4); ``none`` -> (0, 1); None for no metre."""
    bare = value.strip()
    known = {"C": (4, 4), "C|": (2, 2), "none": (0, 1), "": (0, 1)}.get(bare)
    found = re.fullmatch(r"\(?(\d{1,2}(?:\+\d{1,2}){0,8})\)?/(\d{1,3})", bare.replace(" ", ""))
    if known or not found:
        return known
    beats, part = sum(map(int, found[1].split("+"))), int(found[2])
    return (beats, part) if beats > 0 and 0 < part <= LARGEST else None


def whole(metre: Metre) -> Fraction:
    """The length of a bar; 0 where it is free."""
    return Fraction(*metre)


def unit_of(value: str) -> Fraction | None:
    """``1/8`` -> the length of a note without a number."""
    found = PART.match(value.strip())
    if value.strip() == "1":
        return Fraction(1)
    if not found or not int(found[1]) > 0 or not 0 < int(found[2]) <= LARGEST:
        return None
    return Fraction(int(found[1]), int(found[2]))


def beat_of(metre: Metre) -> Fraction:
    """What is counted: a dotted quarter in 6/8, a half in 2/2, a quarter where bars are free."""
    beats, part = metre if metre[0] else (4, 4)
    return Fraction(3, part) if part >= 8 and beats % 3 == 0 else Fraction(1, part)


def speed_of(value: str, unit: Fraction) -> float | None:
    """``1/4=120``, ``120`` (in units) -> whole notes a minute; None for words and for nonsense."""
    bare = re.sub(r'"[^"]*"', "", value).strip()
    found = re.fullmatch(r"(?:(.*)=)?\s*(\d{1,4}(?:\.\d{1,3})?)", bare)
    if not found:
        return None
    beat = unit_of(found[1]) if found[1] else unit
    speed = float(beat or 0) * float(found[2])
    return speed if 1 <= speed <= 1000 else None


def triad(symbol: str) -> tuple[int, ...]:
    """``G7`` -> its keys on the piano, from 48 on; () for what is no chord."""
    found = CHORD.match(symbol.strip())
    if not found:
        return ()
    root = LOWEST + STEPS[found[1]] + {"#": 1, "b": -1, "": 0}[found[2]]
    return tuple(root + third for third in THIRDS[found[3] or ""])
