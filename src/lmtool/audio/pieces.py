"""Long recordings in pieces, cut where they are quietest."""

import numpy as np

from lmtool.arrays import Array
from lmtool.audio.sound import Sound

__all__ = ["pieces"]

WHOLE = 60.0  # seconds that are not cut
LONGEST, SHORTEST = 30.0, 10.0  # of a piece, the last one apart
FRAME = 0.01  # seconds
AROUND = 15  # frames whose loudness counts at a cut


def pieces(sound: Sound) -> list[tuple[float, Sound]]:
    """[(second where it begins, piece), ...]: all of the sound, each sample once.

    Up to 60 s are one piece; of more each piece has 30 s at most, and is cut in the quietest place
    of its last 20 s.
    """
    if sound.seconds <= WHOLE:
        return [(0.0, sound)]
    frame = max(1, int(FRAME * sound.rate))
    loud, begins = loudness(sound.samples, frame), [0]
    longest, shortest = (int(seconds / FRAME) for seconds in (LONGEST, SHORTEST))
    while len(sound.samples) - begins[-1] * frame > longest * frame:
        first = begins[-1] + shortest
        begins.append(first + int(np.argmin(loud[first : begins[-1] + longest])))
    cuts = [begin * frame for begin in begins]
    ends = [*cuts[1:], len(sound.samples)]
    return [
        (begin / sound.rate, sound._replace(samples=sound.samples[begin:end]))
        for begin, end in zip(cuts, ends, strict=True)
    ]


def loudness(samples: Array, frame: int) -> Array:
    """The energy around each frame's beginning, frames in full."""
    whole = samples[: len(samples) // frame * frame].reshape(-1, frame)
    energy = np.einsum("ij,ij->i", whole, whole, dtype=np.float64)
    return np.convolve(energy, np.ones(AROUND), "same")
