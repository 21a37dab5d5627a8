"""Log-mel features against Kaldi's and their own first values; pieces of sound."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from lmtool.audio import filterbank as module
from lmtool.audio.filterbank import Filterbank
from lmtool.audio.pieces import pieces
from lmtool.audio.sound import Sound
from lmtool.errors import InputError
from tests.audio.handmade import RATE, tone

GOLDEN: list[float] = [
    17.439,
    21.370,
    21.469,
    18.991,
    18.221,
    17.320,
    21.302,
    21.464,
    18.304,
    19.867,
]  # bands 0, 10, 20, 30, 39 of the frames 0 and 7 of a tone


def test_known_values() -> None:
    found = Filterbank(RATE).features(tone())
    assert found.shape == (8, 40) and found.dtype == np.float32
    np.testing.assert_allclose(found[[0, 7]][:, [0, 10, 20, 30, 39]].ravel(), GOLDEN, atol=1e-3)


@pytest.mark.parametrize(("rate", "bands"), [(8_000, 40), (16_000, 40), (16_000, 23), (11_025, 30)])
def test_equal_to_kaldi(rate: int, bands: int) -> None:
    kaldi = pytest.importorskip("kaldi_native_fbank", reason="the oracle is not installed")
    options = kaldi.FbankOptions()
    options.frame_opts.samp_freq, options.frame_opts.dither = rate, 0
    options.mel_opts.num_bins = bands
    heard, sound = kaldi.OnlineFbank(options), tone(0.5, rate)
    heard.accept_waveform(rate, (sound.samples * 32_768).tolist())
    heard.input_finished()
    theirs = [heard.get_frame(i) for i in range(heard.num_frames_ready)]
    np.testing.assert_allclose(Filterbank(rate, bands).features(sound), theirs, atol=1e-3)


def test_the_bits_do_not_depend_on_how_sound_comes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PIECE", 7)
    bank, sound = Filterbank(RATE), tone(0.4)
    cuts = np.split(sound.samples, [3, 150, 151, 2000])
    streamed = bank.features_of(Sound(cut, RATE) for cut in cuts)
    np.testing.assert_array_equal(np.concatenate([*streamed]), bank.features(sound))


def test_silence_is_the_floor() -> None:
    found = Filterbank(RATE).features(Sound(np.zeros(400, np.float32), RATE))
    np.testing.assert_allclose(found, np.log(np.finfo(np.float32).eps), rtol=1e-6)


def test_centres_are_where_a_tone_is_heard() -> None:
    bank = Filterbank(RATE)
    t = np.arange(RATE) / RATE
    for band in (12, 25, 36):
        pure = np.sin(2 * np.pi * bank.centres[band] * t).astype(np.float32)
        assert bank.features(Sound(pure, RATE)).mean(0).argmax() == band


def test_refusals() -> None:
    bank = Filterbank(RATE)
    with pytest.raises(InputError, match=r"ffmpeg -i IN\.wav -ar 8000 OUT\.wav"):
        bank.features(tone(rate=16_000))
    with pytest.raises(InputError, match="199 samples, fewer than the 200 of a frame"):
        bank.features(Sound(tone().samples[:199], RATE))
    assert len(bank.features(Sound(tone().samples[:200], RATE))) == 1


def test_round_trip() -> None:
    tensors = {**Filterbank(16_000, 23).tensors(), "another": np.zeros(1)}
    assert Filterbank.from_tensors(tensors) == Filterbank(16_000, 23)
    assert list(tensors) == ["another"] and Filterbank.from_tensors(tensors) is None


@pytest.mark.parametrize(
    "values",
    [
        np.array([8_000, 0], np.int32),
        np.array([3, 40], np.int32),
        np.array([8_000, 100_000], np.int32),
        np.array([8_000], np.int32),
        np.array([8_000, 40], np.int64),
        np.array([8_000.0, 40.0]),
    ],
)
def test_damaged_parts_are_refused(values: Any) -> None:
    with pytest.raises(ValueError, match="its filterbank"):
        Filterbank.from_tensors({Filterbank.TENSOR: values})


def test_long_sound_is_cut_where_it_is_quiet() -> None:
    rate, rng = 1_000, np.random.default_rng(1)
    x = rng.standard_normal(95 * rate).astype(np.float32)
    for second in (25, 47, 74):
        x[second * rate : second * rate + 400] = 0
    found = [*pieces([Sound(x, rate)])]
    np.testing.assert_allclose([begin for begin, _ in found], [0, 25.2, 47.2, 74.2], atol=0.2)
    assert all(piece.seconds <= 30 for _, piece in found)
    np.testing.assert_array_equal(np.concatenate([piece.samples for _, piece in found]), x)


def test_a_minute_is_whole() -> None:
    sound = Sound(np.zeros(60_000, np.float32), 1_000)
    assert [*pieces([sound])] == [(0.0, sound)]
    assert len([*pieces([Sound(np.zeros(60_001, np.float32), 1_000)])]) > 1
    assert not [*pieces([])]


@pytest.mark.parametrize("seconds", [59, 60, 61, 90, 130])
@pytest.mark.parametrize("size", [777, 10_000, 61_000])
def test_cuts_do_not_depend_on_blocks(seconds: int, size: int) -> None:
    x = np.random.default_rng(seconds).standard_normal(seconds * 1_000 + 7).astype(np.float32)
    blocks = [Sound(x[i : i + size], 1_000) for i in range(0, len(x), size)]
    whole, found = pieces([Sound(x, 1_000)]), pieces(blocks)
    for (begin, piece), (second, other) in zip(whole, found, strict=True):
        assert begin == second
        np.testing.assert_array_equal(piece.samples, other.samples)


def test_no_more_is_read_than_a_cut_needs() -> None:
    read = 0

    def blocks() -> Iterator[Sound]:
        nonlocal read
        for _ in range(600):
            read += 1
            yield Sound(np.ones(1_000, np.float32), 1_000)

    for begin, _ in pieces(blocks()):
        assert read <= max(begin + 31, 61)
