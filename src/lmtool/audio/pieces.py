"""Long recordings in pieces, cut where they are quietest."""

from collections.abc import Iterable, Iterator

import numpy as np

from lmtool.arrays import Array
from lmtool.audio.sound import Sound

__all__ = ["pieces"]

WHOLE = 60.0  # seconds that are not cut
LONGEST, SHORTEST = 30.0, 10.0  # of a piece, the last one apart
FRAME = 0.01  # seconds
AROUND = 15  # frames whose loudness counts at a cut


def pieces(blocks: Iterable[Sound]) -> Iterator[tuple[float, Sound]]:
    """(second where it begins, piece): all of a sound in blocks, each sample once.

    Up to 60 s are one piece; of more each piece has 30 s at most, and is cut in the quietest place
    of its last 20 s. No more is read ahead than a cut needs.
    """
    coming = iter(blocks)
    first = next(coming, None)
    if first is None:
        return
    rate, begin, held = first.rate, 0, first.samples
    frame = max(1, int(FRAME * rate))
    longest, shortest = (int(seconds / FRAME) for seconds in (LONGEST, SHORTEST))
    seen = (longest + AROUND) * frame
    if len(held := filled(held, coming, int(WHOLE * rate) + 1)) > WHOLE * rate:
        while len(held := filled(held, coming, seen)) > longest * frame:
            loud = loudness(held[:seen], frame)[shortest:longest]
            cut = (shortest + int(np.argmin(loud))) * frame
            yield begin / rate, Sound(held[:cut], rate)
            begin, held = begin + cut, held[cut:]
    yield begin / rate, Sound(held, rate)


def filled(held: Array, coming: Iterator[Sound], n: int) -> Array:
    """The samples and those that come, until there are n, or no more."""
    some, total = [held], len(held)
    while total < n and (block := next(coming, None)) is not None:
        some.append(block.samples)
        total += len(block.samples)
    return np.concatenate(some) if len(some) > 1 else held


def loudness(samples: Array, frame: int) -> Array:
    """The energy around each frame's beginning, frames in full."""
    whole = samples[: len(samples) // frame * frame].reshape(-1, frame)
    energy = np.einsum("ij,ij->i", whole, whole, dtype=np.float64)
    return np.convolve(energy, np.ones(AROUND), "same")
