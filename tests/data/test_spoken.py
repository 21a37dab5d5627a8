"""Frames of speech as a network reads them, and as other voices would have said them."""

from typing import Any

import numpy as np
import pytest

from lmtool.arrays import Array
from lmtool.data.augment import Changes
from lmtool.data.spoken import BANDS, HALFWAY, SCALES, Stacking, scale_of
from lmtool.data.voices import Voice, Voices, coloured, warped

T, F = 7, 6
CENTRES = np.linspace(100.0, 600.0, F)


@pytest.fixture
def x(rng: np.random.Generator) -> Array:
    return (rng.standard_normal((T, F)) * 3 + np.arange(F)).astype(np.float32)


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(1)


def changed(x: Array, voice: Voice, changes: Changes | None = None) -> Array:
    """What a network of single frames reads of another voice, each band on its own scale."""
    voices = Voices(Stacking(1), changes or Changes(), voice, CENTRES)
    (found,) = voices([x], np.random.default_rng(3))
    return found


def test_bands_have_their_own_means_and_deviations(x: Array) -> None:
    z = Stacking(1)(x)
    np.testing.assert_allclose(z.mean(0), 0, atol=1e-6)
    np.testing.assert_allclose(z.std(0), 1, atol=1e-5)


def test_halfway_keeps_half_of_how_bands_differ(x: Array) -> None:
    z = Stacking(1, HALFWAY)(x)
    unit = float((x[0, 0] - x[1, 0]) / (z[0, 0] - z[1, 0]))
    np.testing.assert_allclose(z.mean(0) * unit, (x.mean(0) - x.mean()) / 2, atol=1e-5)
    assert (z**2).mean() == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize("scale", SCALES)
def test_how_loud_it_is_does_not_matter(scale: str, x: Array) -> None:
    np.testing.assert_allclose(Stacking(2, scale)(x + 5), Stacking(2, scale)(x), atol=1e-5)
    assert not Stacking(1, scale)(np.ones((3, F), np.float32)).any()


def test_frames_beside_each_other_end_with_the_last_again(x: Array) -> None:
    stacking = Stacking(3)
    z, y = stacking.scaled(x), stacking(x)
    assert y.shape == (stacking.steps(T), 3 * F) == (3, 18)
    np.testing.assert_array_equal(y.reshape(-1, F)[:T], z)
    np.testing.assert_array_equal(y.reshape(-1, F)[T:], [z[-1], z[-1]])


@pytest.mark.parametrize("scale", ["", "band", None, 1, ["bands"], {}])
def test_scales_that_are_none_are_refused(scale: Any) -> None:
    with pytest.raises(ValueError, match="on no scale"):
        scale_of({"scale": scale})
    assert scale_of({}) == BANDS and scale_of({"scale": HALFWAY}) == HALFWAY


def test_no_other_voice_is_the_same(x: Array) -> None:
    np.testing.assert_array_equal(changed(x, Voice()), Stacking(1)(x))


def test_a_longer_throat_moves_bands_down() -> None:
    x = np.zeros((1, F), np.float32)
    x[0, 2] = 1  # 300 Hz
    np.testing.assert_allclose(warped(x, CENTRES, 1.0), x)
    low = warped(x, CENTRES, 200 / 300)
    assert low[0].argmax() == 1 and low[0, 1] == pytest.approx(1)


def test_another_microphone_moves_each_band_by_as_much_all_the_time(x: Array) -> None:
    moved = coloured(x, np.array([1.0, 0.0, 0.0])) - x
    np.testing.assert_allclose(moved, np.tile(np.linspace(-1, 1, F), (T, 1)), atol=1e-6)
    np.testing.assert_allclose(changed(x, Voice(channel=2.0)), Stacking(1)(x), atol=1e-5)
    voices = Voices(Stacking(1, HALFWAY), Changes(), Voice(channel=2.0), CENTRES)
    assert np.abs(voices([x], np.random.default_rng(3))[0] - Stacking(1, HALFWAY)(x)).max() > 0.1


def test_masks_hide_bands_and_times(x: Array) -> None:
    plain = Stacking(1)(x)
    for voice, axis in ((Voice(band_mask=1.0), 0), (Voice(time_mask=1.0), 1)):
        hidden = changed(x, voice) == 0
        whole = hidden.all(axis)
        assert whole.any() and (hidden.any(axis) == whole).all()
        np.testing.assert_array_equal(changed(x, voice)[~hidden], plain[~hidden])


def test_a_recipe_says_how_much() -> None:
    class Recipe:
        warp, channel, band_mask, time_mask = 0.1, None, 0.2, 0.0

    assert Voice.of(Recipe()) == Voice(0.1, 0.0, 0.2, 0.0)
