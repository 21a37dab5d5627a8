"""Every form of WAV is the same sound; what is no sound, or damaged, is refused in one line."""

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lmtool.audio import sound as sounds
from lmtool.audio.sound import Sound, read_blocks, read_sound
from lmtool.errors import ConfigError, InputError
from tests.audio.handmade import RATE, chunk, header, raw, riff, tone, wav
from tests.refused import refused

X = tone().samples
STEREO = np.stack([X, -X / 2], axis=1)
NAN = np.array([0, np.nan, 0], np.float32)
FORMS = [(1, 8), (1, 16), (1, 24), (1, 32), (3, 32), (3, 64)]


@pytest.mark.parametrize("wide", [False, True])
@pytest.mark.parametrize(("code", "bits"), FORMS)
def test_each_form_of_wav(tmp_path: Path, code: int, bits: int, wide: bool) -> None:
    path = tmp_path / "a.wav"
    path.write_bytes(wav(tone(), code, bits, wide))
    read = read_sound(path)
    assert (read.rate, read.samples.dtype.name, len(read.samples)) == (RATE, "float32", len(X))
    finest = 1 if code == 3 else 1 << min(bits, 24) - 1
    np.testing.assert_allclose(read.samples, X, atol=1.6 / finest if code == 1 else 0)


def test_chunks_before_and_behind_are_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    plain = header(1, 16), chunk(b"data", raw(X, 1, 16))
    path.write_bytes(
        riff(chunk(b"LIST", b"odd"), plain[0], chunk(b"fact", b"1234"), plain[1], b"id")
    )
    np.testing.assert_allclose(read_sound(path).samples, X, atol=1e-4)


def test_two_channels_are_averaged(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    path.write_bytes(wav(Sound(STEREO, RATE), 3, 32))
    np.testing.assert_allclose(read_sound(path).samples, X / 4, atol=1e-7)


def test_blocks_are_the_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.wav"
    path.write_bytes(wav(tone()))
    whole = read_sound(path).samples
    monkeypatch.setattr(sounds, "BLOCK", 300)
    blocks = [block.samples for block in read_blocks(path)]
    assert [len(block) for block in blocks] == [300, 300, 200]
    np.testing.assert_array_equal(np.concatenate(blocks), whole)


def test_seconds() -> None:
    assert tone(0.5).seconds == 0.5


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "is empty"),
        (b"Todd met Pete\n", "is text; a WAV"),
        (b"%PDF-1.7\n\0\1", "is a PDF document"),
        (riff(header(1, 16), chunk(b"data", b"")), "has no sample in it"),
        (riff(header(1, 16)), "has no samples in it"),
        (riff(chunk(b"fmt ", b"short")), "has a damaged header"),
        (riff(header(1, 16), chunk(b"data", b"0123456789", 0xFFFFFFF0)), "is cut short: 4,294"),
        (wav(tone())[:-100], "is cut short: 1,600 bytes of samples promised, 1,500 in it"),
        (wav(Sound(np.zeros((9, 8), np.float32), RATE)), "has 8 channels; one is wanted"),
        (wav(Sound(X, 5)), "has 5 samples a second; 1,000 to"),
        (wav(Sound(NAN, RATE), 3, 32), "has a sample that is no number"),
        (wav(Sound(X * 1e7, RATE), 3, 32), "has a sample that is no number, or above 1e"),
        (riff(header(1, 16, channels=0), chunk(b"data", b"12")), "has 0 channels"),
    ],
)  # fmt: skip
def test_refusals_name_the_file(tmp_path: Path, content: bytes, reason: str) -> None:
    path = tmp_path / "a.wav"
    path.write_bytes(content)
    with refused(InputError) as caught:
        read_sound(path)
    message = str(caught.value)
    assert message.startswith(f"{path}: {reason}") and "\n" not in message


def test_what_cannot_be_opened_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read: No such file"):
        read_sound(tmp_path / "none.wav")
    with pytest.raises(InputError, match="is not a file"):
        read_sound(tmp_path)
    with pytest.raises(InputError, match="cannot be read"):
        read_sound("a\0.wav")


def test_too_long_is_refused_before_it_is_in_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.wav"
    path.write_bytes(wav(tone()))
    monkeypatch.setattr(sounds, "MOST", 500)
    with pytest.raises(InputError, match="more than 500 samples"):
        read_sound(path)


def test_a_missing_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.flac"
    path.write_bytes(b"fLaC\0\0\0\x22" + bytes(40))
    monkeypatch.setitem(sys.modules, "soundfile", None)
    with pytest.raises(ConfigError, match=r'a\.flac: .*: pip install "lmtool\[audio\]"$'):
        read_sound(path)


@pytest.fixture
def soundfile() -> Any:
    return pytest.importorskip("soundfile", reason="the extra audio is not installed")


@pytest.mark.parametrize(("suffix", "within"), [("flac", 4e-5), ("ogg", 0.1), ("aiff", 4e-5)])
def test_other_formats(tmp_path: Path, soundfile: Any, suffix: str, within: float) -> None:
    path = tmp_path / f"a.{suffix}"
    soundfile.write(str(path), X, RATE)
    read = read_sound(path)
    assert read.rate == RATE
    np.testing.assert_allclose(read.samples, X, atol=within)


def test_rare_kinds_of_wav(tmp_path: Path, soundfile: Any) -> None:
    path = tmp_path / "a.wav"
    soundfile.write(str(path), X, RATE, subtype="ULAW")
    np.testing.assert_allclose(read_sound(path).samples, X, atol=0.03)


def test_a_cut_flac_is_refused(tmp_path: Path, soundfile: Any) -> None:
    path = tmp_path / "a.flac"
    soundfile.write(str(path), tone(1.0).samples, RATE)
    path.write_bytes(path.read_bytes()[:-2000])
    with pytest.raises(InputError, match=r"is cut short|is damaged"):
        read_sound(path)
    path.write_bytes(b"fLaC\0\0\0\x22" + bytes(40))
    with pytest.raises(InputError, match="is damaged, or no sound"):
        read_sound(path)
