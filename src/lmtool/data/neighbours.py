"""How often the nearest neighbour of a clip has its label: what a clip's mean is good for."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from lmtool.arrays import Array
from lmtool.data.augment import stretched
from lmtool.data.standard import centred

__all__ = ["agreement", "centring_helps"]

MOST = 500  # clips
LENGTH = 24  # frames that clips are brought to
MARGIN = 0.1  # means help so much only where they tell the label


def centring_helps(clips: Sequence[Array], labels: NDArray[np.int32]) -> bool:
    """Whether clips are better compared without their means, in which people and places differ.

    Where each clip has neighbours by the same person, means seem to tell more than they do for
    others; so they have to tell much more.
    """
    some = np.linspace(0, len(clips) - 1, min(MOST, len(clips))).astype(np.intp)
    few = [clips[i].astype(np.float64) for i in some.tolist()]
    bare = agreement([centred(x) for x in few], labels[some])
    return agreement(few, labels[some]) - bare < MARGIN


def agreement(clips: Sequence[Array], labels: NDArray[np.int32]) -> float:
    """The share of clips (T, F) whose nearest other one has the same label (n,)."""
    deviation = np.concatenate(clips).std(0)
    scale = np.where(deviation > 0, deviation, 1)
    x = np.stack([(stretched(clip, LENGTH / len(clip)) / scale).ravel() for clip in clips])
    squares = (x**2).sum(1)
    distances = squares[:, None] + squares - 2 * x @ x.T
    np.fill_diagonal(distances, np.inf)
    return float((labels[distances.argmin(1)] == labels).mean())
