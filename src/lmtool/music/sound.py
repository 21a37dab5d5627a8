"""Notes to sound: each a decaying sum of overtones, in the manner of a plucked string.

x(t) = (1 - exp(-t / a)) sum_k w_k sin(2 pi k f t) exp(-k t / d),   f = 440 * 2^((pitch - 69) / 12)
"""

import io
import wave
from collections.abc import Iterator
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from lmtool.errors import InputError, option
from lmtool.music.tune import Note, Performance

__all__ = ["RATE", "samples", "wav_bytes"]

RATE = 22_050  # samples a second
LONGEST = 20 * 60  # seconds
MOST_SOUND = 20_000  # seconds of single notes: half a minute of work
WEIGHTS = (1.0, 0.45, 0.2, 0.1, 0.05)  # w_1 .. w_5
ATTACK, DECAY, RELEASE = 0.004, 1.2, 0.03  # a, d, and what lets a key go: seconds
RINGING = 5.0  # seconds after which a note is silent
VOICE, CHORDS, PEAK = 1.0, 0.35, 0.9

Samples = NDArray[np.float32]


def wav_bytes(played: Performance) -> bytes:
    """A WAV file: one channel, 16 bits."""
    x = np.round(samples(played) * 32767).astype("<i2")
    file = io.BytesIO()
    with wave.open(file, "wb") as out:
        out.setparams((1, 2, RATE, len(x), "NONE", ""))
        out.writeframes(x.tobytes())
    return file.getvalue()


def samples(played: Performance) -> Samples:
    """(N,), between -1 and 1. Raises InputError for more than LONGEST seconds."""
    refuse_longer(played.duration, LONGEST)
    notes = list(timed(played))
    refuse_longer(sum(min(length, RINGING) for _, length, _, _ in notes), MOST_SOUND)
    x = np.zeros(int((played.duration + 0.5) * RATE), np.float32)
    for start, length, pitch, loudness in notes:
        sound = tone(pitch, round(min(length, RINGING) * RATE))
        begin = int(start * RATE)
        x[begin : begin + len(sound)] += loudness * sound[: len(x) - begin]
    loudest = float(np.abs(x).max(initial=0))
    return x * np.float32(PEAK / loudest) if loudest else x


def refuse_longer(seconds: float, most: float) -> None:
    """Raises InputError."""
    if seconds > most:
        message = f"{seconds / 60:.0f} minutes of sound, and {most / 60:.0f} are the most"
        raise InputError(f"{message}; choose with {option('tune')}")


def timed(played: Performance) -> Iterator[tuple[float, float, int, float]]:
    """(start, length, pitch, loudness), in seconds."""
    *voices, chords = played.voices
    for notes, loudness in [*((voice, VOICE) for voice in voices), (chords, CHORDS)]:
        rising = sorted(notes, key=lambda note: note.start)
        starts = played.seconds(note.start for note in rising)
        for note, start in zip(rising, starts, strict=True):
            yield start, lasting(played, note, start), note.pitch, loudness


def lasting(played: Performance, note: Note, start: float) -> float:
    """Seconds."""
    return next(played.seconds([note.start + note.length])) - start


@lru_cache(maxsize=512)
def tone(pitch: int, n: int) -> Samples:
    """n samples of a note."""
    t = np.arange(n, dtype=np.float32) / RATE
    f = 440 * 2 ** ((pitch - 69) / 12)
    audible = [(k, w) for k, w in enumerate(WEIGHTS, 1) if k * f < RATE / 2]
    x = np.zeros(n, np.float32)
    for k, w in audible:
        x += np.float32(w) * np.sin(np.float32(2 * np.pi * k * f) * t) * np.exp(-k / DECAY * t)
    x *= 1 - np.exp(-t / ATTACK)
    return x * np.minimum(1, t[::-1] / RELEASE)
