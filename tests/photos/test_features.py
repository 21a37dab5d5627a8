"""Photographs to vectors, and what is said where the extra is not installed."""

import importlib.util
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from lmtool import photos
from lmtool.errors import ConfigError

SIZE = 224
RAMP = [0.0696896, 4.829486]  # mean and largest, by another program over the same weights
RAMP_LARGEST = [930, 897, 113]

installed = pytest.mark.skipif(
    any(importlib.util.find_spec(name) is None for name in photos.NEEDED),
    reason="the extra photos is not installed",
)


@pytest.mark.parametrize("missing", [("PIL",), photos.NEEDED])
def test_a_missing_extra_is_named(
    missing: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    there = {name: None if name in missing else True for name in photos.NEEDED}
    monkeypatch.setattr(photos, "find_spec", there.get)
    named = " and ".join(missing)
    with pytest.raises(ConfigError, match=rf'{named}, .*: pip install "lmtool\[photos\]"$'):
        photos.features(["photo.jpg"])


def test_nothing_of_it_is_loaded_before_use() -> None:
    code = "import sys, lmtool.photos; assert not {'PIL', 'numba', 'rich'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


@installed
def test_a_row_a_photograph_the_same_bits_alone_and_in_company(tmp_path: Path) -> None:
    from PIL import Image

    paths = []
    for index in range(3):
        pixels = np.random.default_rng(index).integers(0, 256, (240, 300, 3), np.uint8)
        paths.append(tmp_path / f"{index}.png")
        Image.fromarray(pixels).save(paths[-1])
    vectors = photos.features(paths, threads=2)
    assert vectors.shape == (3, photos.WIDTH) and vectors.dtype == np.float32
    assert (vectors >= 0).all() and vectors.std() > 0.1
    assert (vectors == photos.features(paths, threads=1)).all()
    assert (vectors[1] == photos.features(str(paths[1]))[0]).all()
    assert photos.features([]).shape == (0, photos.WIDTH)


@installed
def test_known_pictures_have_known_features(tmp_path: Path) -> None:
    from PIL import Image

    y, x = np.mgrid[:SIZE, :SIZE]
    pixels = np.stack([x, y, (x + y) // 2], axis=2).astype(np.uint8)
    Image.fromarray(pixels).save(tmp_path / "ramp.png")
    (vector,) = photos.features([tmp_path / "ramp.png"])
    np.testing.assert_allclose([vector.mean(), vector.max()], RAMP, rtol=1e-4)
    np.testing.assert_array_equal(np.argsort(vector)[-3:], RAMP_LARGEST)
