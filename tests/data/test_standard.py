"""Frames on one scale, and clips changed for training as they are defined, purely in the rng."""

from typing import Any

import numpy as np
import pytest

from lmtool.arrays import Array
from lmtool.data.augment import Changes, stretched
from lmtool.data.neighbours import agreement, centring_helps
from lmtool.data.standard import FARTHEST, Framing, Standardisation, centred, with_differences

CLIPS = [
    np.random.default_rng(seed).normal((5, -300, 2), (1, 40, 0), (4 + seed, 3)).astype(np.float32)
    for seed in range(6)
]
ONES = np.ones(3, np.float32)


def test_frames_have_mean_0_and_scale_1_and_what_never_changes_is_0() -> None:
    standard = Standardisation.of(CLIPS)
    z = np.concatenate([standard(x) for x in CLIPS])
    assert z.dtype == np.float32
    np.testing.assert_allclose(z.mean(0), 0, atol=1e-5)
    np.testing.assert_allclose(z.std(0), (1, 1, 0), atol=1e-5)
    assert standard.scale[2] == 1


def test_a_large_mean_does_not_swallow_the_scale() -> None:
    x = (1e6 + np.random.default_rng(1).normal(0, 1, (500, 1))).astype(np.float32)
    assert Standardisation.of([x[:3], x[3:]]).scale[0] == pytest.approx(
        x.std(dtype=float), rel=1e-3
    )


def test_what_is_far_off_is_cut() -> None:
    far = Standardisation.of(CLIPS)(np.full((1, 3), -1e30, np.float32))
    np.testing.assert_array_equal(far, -FARTHEST)


def test_round_trip() -> None:
    standard = Standardisation.of(CLIPS)
    tensors = {**standard.tensors(), "another": ONES}
    again = Standardisation.from_tensors(tensors)
    np.testing.assert_array_equal(again(CLIPS[0]), standard(CLIPS[0]))
    assert list(tensors) == ["another"]


@pytest.mark.parametrize(
    ("mean", "scale", "reason"),
    [
        (ONES, ONES[:2], "do not belong together"),
        (ONES.astype(np.float64), ONES, "do not belong together"),
        (ONES[:, None], ONES[:, None], "do not belong together"),
        (ONES[:0], ONES[:0], "do not belong together"),
        (ONES, 0 * ONES, "not above 0"),
        (ONES, -ONES, "not above 0"),
        (ONES * np.float32(np.nan), ONES, "not finite"),
        (ONES, ONES * np.float32(np.inf), "not finite"),
    ],
)
def test_constants_that_cannot_be(mean: Any, scale: Any, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        Standardisation(mean, scale)


@pytest.mark.parametrize("centre", [False, True])
@pytest.mark.parametrize("differences", [False, True])
def test_framing_is_what_it_says(centre: bool, differences: bool) -> None:
    framing = Framing.of(CLIPS, centre, differences)
    x = CLIPS[1].astype(np.float64)
    x = x - x.mean(0) if centre else x
    f = np.hstack([x, x - np.vstack([x[:1], x[:-1]])]) if differences else x
    wanted = (f - framing.standard.mean) / framing.standard.scale
    np.testing.assert_allclose(framing(CLIPS[1]), wanted, atol=1e-4)
    assert framing.width == 3


def test_differences_need_a_column_each() -> None:
    with pytest.raises(ValueError, match="no differences"):
        Framing(Standardisation.of(CLIPS), False, True)


@pytest.mark.parametrize("ratio", [0.5, 1.0, 1.3, 3.0])
def test_stretching_keeps_both_ends_and_straight_lines(ratio: float) -> None:
    x = np.linspace(0, 1, 11, dtype=np.float32)[:, None] * (2, -3)
    longer = stretched(x.astype(np.float32), ratio)
    assert len(longer) == round(11 * ratio)
    np.testing.assert_allclose(longer[[0, -1]], x[[0, -1]], atol=1e-6)
    np.testing.assert_allclose(np.diff(longer, 2, axis=0), 0, atol=1e-6)


@pytest.mark.parametrize("n", [1, 2])
def test_the_shortest_clips_can_be_stretched(n: int) -> None:
    for ratio in (0.1, 1.0, 1.9, 5.0):
        assert len(stretched(np.ones((n, 3), np.float32), ratio)) >= 1


def changed(changes: Changes, x: Array, seed: int = 1) -> Array:
    """x after the changes."""
    return changes(x, np.ones(x.shape[1], np.float32), np.random.default_rng(seed))


def test_each_change_is_what_it_says() -> None:
    x = CLIPS[2]
    assert {len(changed(Changes(stretch=0.5), x, s)) for s in range(50)} <= {*range(3, 10)}
    ratios = [changed(Changes(gain=0.2), x, s) / x for s in range(50)]
    assert all(np.ptp(r) < 1e-5 and 0.8 <= r.mean() <= 1.2 for r in ratios)
    flips = [changed(Changes(mirror=(0, 2)), x, s) / x for s in range(50)]
    assert {tuple(np.round(f[0])) for f in flips} == {(1, 1, 1), (-1, 1, -1)}
    noise = np.concatenate([changed(Changes(noise=0.1), x, s) - x for s in range(300)])
    np.testing.assert_allclose(noise.std(0), 0.1, rtol=0.1)
    np.testing.assert_array_equal(changed(Changes(), x), x)


@pytest.mark.parametrize("centre", [False, True])
def test_features_are_changed_as_their_clips_would_be(centre: bool) -> None:
    framing = Framing.of(CLIPS, centre, True)
    changes = Changes(0.3, 0.2, 0.1, (1,))
    augment, x = framing.augment(changes), CLIPS[3]
    assert augment is not None
    before = framing(x)
    (z,) = augment([before], np.random.default_rng(4))
    scale = framing.standard.scale[:3]
    base = centred(x) if centre else x
    wanted = framing(changes(base, scale, np.random.default_rng(4)))
    np.testing.assert_allclose(z, wanted, atol=2e-3)
    np.testing.assert_array_equal(before, framing(x))  # the data stay as they are
    np.testing.assert_array_equal(z, augment([before], np.random.default_rng(4))[0])


def test_no_change_is_no_hook() -> None:
    assert Framing.of(CLIPS, True, True).augment(Changes()) is None


def test_the_first_difference_is_nothing() -> None:
    np.testing.assert_array_equal(with_differences(np.array([[3.0], [5.0]])), [[3, 0], [5, 2]])


def people(n: int, by_place: bool) -> tuple[list[Array], Any]:
    """Clips labelled by where they are, or by how they move, each somewhere else."""
    rng = np.random.default_rng(7)
    labels = np.arange(n) % 2
    places = labels * 10.0 if by_place else rng.normal(0, 10, n)
    moves = np.zeros(n) if by_place else labels
    t = np.linspace(0, 1, 20)[:, None]
    clips = [p + (1 + m) * np.sin(9 * t * (1 + m)) for p, m in zip(places, moves, strict=True)]
    return [x + rng.normal(0, 0.01, x.shape) for x in clips], labels.astype(np.int32)


def test_means_are_taken_off_where_they_tell_nothing() -> None:
    assert centring_helps(*people(60, by_place=False))
    assert not centring_helps(*people(60, by_place=True))
    assert agreement(*people(60, by_place=True)) == 1
