"""Writes recordings of a village whose people and things sound alike, and their texts.

A voice is a train of pulses, breath is noise; both are shaped by what the mouth does, frame by
frame, the voice by three resonances (formants; Klatt 1980), the breath by a band of noise:

e(t) = v(t) pulses(t),  H(f) = prod_k 1 / sqrt((1 - (f / F_k)^2)^2 + (f B / F_k^2)^2)        (1)
n(t) = white noise,     G(f) = exp(-((f - C) / W)^2 / 2)                                     (2)

Todd and toad differ in a vowel, as do Pete and pit, met and mat; Ned and net in how their last
sound begins. Speakers differ in pitch, in the length of their throats and in haste, and each word
comes out a little different each time, so that sound alone often leaves both possible. What they
read to learn from are words in any order; the sentences to recognise tell a story, and text.txt
tells more of them: a language model knows that somebody met Pete and fell into the pit.

    python examples/speech/make_corpus.py FOLDER [--noise 0.1] [--alike 0.5]

FOLDER then holds train.tsv (400 utterances), valid.tsv (100), test.tsv (200), the recordings that
they name (8 kHz, 16 bit, some 15 MB), and text.txt (4,000 sentences). All of it follows from the
seed; samples may differ by 1 of 32,768 where another NumPy rounds otherwise.
"""

import argparse
import random
import wave
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

SEED, RATE, HOP, FRAME = 3, 8_000, 40, 256  # samples a second, a step of the mouth, a window
SIZES = {"train": 400, "valid": 100, "test": 200}
N_SENTENCES = 4_000
B, W, TILT = 90.0, 500.0, 400.0  # Hz

Signal = NDArray[np.float64]

WORDS = {  # as they sound
    "Todd": "t aa d", "Pete": "p iy t", "Ned": "n eh d", "Ann": "ae n", "Kim": "k ih m",
    "Tom": "t aa m", "toad": "t ow d", "cat": "k ae t", "dog": "d ao g", "hen": "h eh n",
    "pit": "p ih t", "net": "n eh t", "mat": "m ae t", "pot": "p aa t", "tin": "t ih n",
    "met": "m eh t", "saw": "s ao", "fed": "f eh d", "sat": "s ae t", "ran": "r ae n",
    "the": "dh ah", "in": "ih n", "on": "aa n", "to": "t uw", "and": "ae n d", "of": "ah f",
}  # fmt: skip
PEOPLE, BEASTS = ("Todd", "Pete", "Ned", "Ann", "Kim", "Tom"), ("toad", "cat", "dog", "hen")
THINGS = ("pit", "net", "mat", "pot", "tin")
PATTERNS = (
    "P met P", "P saw the B", "P fed the B of P", "the B sat in the T", "P sat on the T",
    "P and P ran to the T", "the B ran to P", "P met P and saw the B", "the B of P sat on the T",
    "P saw the T and the B", "P fed the B and sat in the T",
)  # fmt: skip
VOWELS = {  # formants in Hz
    "aa": (700, 1150, 2500), "ow": (520, 950, 2450), "ao": (600, 880, 2450), "uw": (330, 900, 2250),
    "iy": (290, 2250, 2950), "ih": (400, 1950, 2600), "eh": (540, 1800, 2500),
    "ae": (690, 1680, 2450), "ah": (590, 1250, 2450),
}  # fmt: skip
NEAR = {"ow": "aa", "ih": "iy", "ae": "eh"}  # vowels that move towards others


class Sound(NamedTuple):
    """What the mouth does for a while."""

    formants: tuple[float, float, float]
    voice: float
    breath: float
    centre: float  # C
    seconds: float


NEUTRAL = (500.0, 1500.0, 2500.0)
CONSONANTS: dict[str, tuple[Sound, ...]] = {
    "m": (Sound((270, 1050, 2200), 0.45, 0, 0, 0.07),),
    "n": (Sound((270, 1600, 2600), 0.45, 0, 0, 0.07),),
    "r": (Sound((400, 1250, 1650), 0.7, 0, 0, 0.07),),
    "dh": (Sound((300, 1400, 2500), 0.35, 0.05, 3000, 0.05),),
    "s": (Sound(NEUTRAL, 0, 0.5, 3700, 0.11),),
    "f": (Sound(NEUTRAL, 0, 0.2, 2600, 0.10),),
    "h": (Sound(NEUTRAL, 0, 0.25, 1500, 0.06),),
    **{  # a closed mouth, with some voice or without, then a burst
        name: (Sound(NEUTRAL, hum, 0, 0, 0.05), Sound(NEUTRAL, hum, burst, centre, 0.02 + breath))
        for name, hum, burst, centre, breath in (
            ("p", 0, 0.4, 900, 0.02), ("t", 0, 0.5, 3400, 0.03), ("k", 0, 0.5, 2000, 0.03),
            ("d", 0.12, 0.4, 3300, 0), ("g", 0.12, 0.4, 1900, 0),
        )
    },
}  # fmt: skip


class Speaker(NamedTuple):
    """Who talks."""

    name: str
    pitch: float  # Hz
    throat: float  # by which formants are higher
    haste: float
    loudness: float


def speakers(rng: random.Random, n: int) -> list[Speaker]:
    """Men, women and children."""
    found = []
    for i in range(n):
        size, haste, loudness = rng.random(), rng.random(), rng.random()
        own = 95 + 130 * size, 0.9 + 0.25 * size, 0.85 + 0.4 * haste, 0.1 + 0.5 * loudness
        found.append(Speaker(f"s{i}", *own))
    return found


def mouth(words: list[str], who: Speaker, alike: float, rng: random.Random) -> list[Sound]:
    """The sounds of an utterance, with silence around it."""
    pause = Sound(NEUTRAL, 0, 0, 0, 0.12)
    sounds = [pause]
    for word in words:
        for phone in WORDS[word].split():
            sounds += [shifted(one, who, rng) for one in sounds_of(phone, alike)]
        sounds.append(pause._replace(seconds=0.02 + 0.06 * rng.random()))
    return [*sounds, pause]


def sounds_of(phone: str, alike: float) -> tuple[Sound, ...]:
    """A vowel, as near to its neighbour as is wanted, or a consonant."""
    if phone in CONSONANTS:
        return CONSONANTS[phone]
    own = VOWELS[phone]
    other = VOWELS[NEAR.get(phone, phone)]
    f1, f2, f3 = (x + alike * (y - x) for x, y in zip(own, other, strict=True))
    return (Sound((f1, f2, f3), 1, 0.01, 2500, 0.13),)


def shifted(sound: Sound, who: Speaker, rng: random.Random) -> Sound:
    """As this speaker makes it this time."""
    f1, f2, f3 = (f * who.throat * rng.gauss(1, 0.03) for f in sound.formants)
    return sound._replace(
        formants=(f1, f2, f3), seconds=sound.seconds / who.haste * rng.uniform(0.8, 1.3)
    )


def tracks(sounds: list[Sound]) -> Signal:
    """(T, 6) formants, voice, breath, centre each HOP, gliding from sound to sound."""
    steps = [max(1, round(one.seconds * RATE / HOP)) for one in sounds]
    rows = np.array([(*one.formants, one.voice, one.breath, one.centre) for one in sounds], float)
    whole = np.repeat(rows, steps, axis=0)
    padded = np.pad(whole, ((2, 2), (0, 0)), "edge")
    return np.asarray(np.mean([padded[i : i + len(whole)] for i in range(5)], axis=0))


def spoken(sounds: list[Sound], who: Speaker, noise: float, rng: np.random.Generator) -> Signal:
    """Samples within -1 and 1: (1) and (2), and the noise of the room."""
    course = tracks(sounds)
    n = len(course) * HOP
    pitch = who.pitch * np.linspace(1.08, 0.9, n) * (1 + 0.01 * np.sin(np.arange(n) / 300))
    pulses = np.diff(np.floor(np.cumsum(pitch) / RATE), prepend=0) * 8
    f = np.fft.rfftfreq(FRAME, 1 / RATE)[:, None]
    resonances = [1 / np.hypot(1 - (f / F) ** 2, f * B / F**2) for F in course.T[:3]]
    voice = np.prod(resonances, axis=0) * course.T[3] / (1 + f / TILT)
    breath = np.exp(-(((f - course.T[5]) / W) ** 2) / 2) * course.T[4]
    x = shaped(pulses, voice.T) + shaped(rng.normal(0, 1, n), breath.T)
    x *= who.loudness / np.abs(x).max()
    room: Signal = x + noise * np.sqrt(np.mean(x**2)) * rng.normal(0, 1, n)
    return np.clip(room, -1, 1)


def shaped(x: Signal, gains: Signal) -> Signal:
    """x (N,) with each window's spectrum times its gains (T, FRAME / 2 + 1), windows added up."""
    padded = np.pad(x, FRAME // 2)
    starts = np.arange(len(gains)) * HOP
    windows = padded[starts[:, None] + np.arange(FRAME)] * np.hanning(FRAME)
    pieces = np.fft.irfft(np.fft.rfft(windows) * gains, FRAME)
    y = np.zeros(len(padded))
    for start, piece in zip(starts, pieces, strict=True):
        y[start : start + FRAME] += piece
    return y[FRAME // 2 : FRAME // 2 + len(x)] * HOP * 2 / FRAME


def sentence(rng: random.Random) -> list[str]:
    """A line of a story."""
    kinds = {"P": PEOPLE, "B": BEASTS, "T": THINGS}
    pattern = PATTERNS[int(len(PATTERNS) * rng.random())].split()
    return [pick(kinds[word], rng) if word in kinds else word for word in pattern]


def pick(options: tuple[str, ...], rng: random.Random) -> str:
    """One of them, the first ones more often."""
    return options[int(len(options) * rng.random() ** 1.5)]


def word_list(rng: random.Random) -> list[str]:
    """Words in no order."""
    return [[*WORDS][int(len(WORDS) * rng.random())] for _ in range(3 + int(4 * rng.random()))]


def save(path: Path, samples: Signal) -> None:
    """16 bits, one channel."""
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, RATE, 0, "NONE", ""))
        file.writeframes(np.round(samples * 32_767).astype("<i2").tobytes())


def part(
    folder: Path, name: str, given: Any, rng: random.Random, noises: np.random.Generator
) -> None:
    """A manifest and its recordings."""
    (folder / name).mkdir(parents=True, exist_ok=True)
    people, rows = speakers(rng, 20), ["file\ttext\tspeaker"]
    for i in range(SIZES[name]):
        words, who = (word_list if name == "train" else sentence)(rng), people[i % len(people)]
        samples = spoken(mouth(words, who, given.alike, rng), who, given.noise, noises)
        save(folder / name / f"{i:03}.wav", samples)
        rows.append(f"{name}/{i:03}.wav\t{' '.join(words)}\t{name}-{who.name}")
    (folder / f"{name}.tsv").write_text("".join(f"{row}\n" for row in rows), "utf-8")


def main() -> None:
    """Writes it all."""
    parser = argparse.ArgumentParser(description="Write a small corpus of speech.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--noise", type=float, default=0.1, help="of the room, to 1 of the voice")
    parser.add_argument("--alike", type=float, default=0.5, help="0: vowels apart, 1: the same")
    given = parser.parse_args()
    rng, noises = random.Random(SEED), np.random.default_rng(SEED)
    for name in SIZES:
        part(given.folder, name, given, rng, noises)
    lines = (" ".join(sentence(rng)) for _ in range(N_SENTENCES))
    (given.folder / "text.txt").write_text("".join(f"{line}\n" for line in lines), "utf-8")


if __name__ == "__main__":
    main()
