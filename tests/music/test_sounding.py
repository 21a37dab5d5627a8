"""Tunes to MIDI and to sound: what is written is what the tune says, to the tick and the hertz."""

import io
import struct
import wave
from pathlib import Path

import numpy as np
import pytest

from lmtool.errors import InputError
from lmtool.music.abc import read_abc
from lmtool.music.midi import midi_bytes, number
from lmtool.music.notes import read_notes
from lmtool.music.sound import RATE, samples, wav_bytes
from lmtool.music.tune import Performance, Tune, perform

TWO = """\
X:1
T:One
M:6/8
L:1/8
K:C
"C"CDE G3|

X:2
T:Two
M:2/4
L:1/4
Q:1/4=60
K:C
cc|
"""


def tunes(text: str = TWO) -> list[Tune]:
    return list(read_abc(enumerate(text.split("\n"), 1), "a"))


def played(text: str = TWO, tempo: float | None = None, chords: bool = True) -> Performance:
    return perform(tunes(text), tempo, chords)


def test_tunes_come_one_after_the_other() -> None:
    performance = played()
    assert performance.duration == pytest.approx(1 + 8 / 6 + 2)  # two beats, a whole rest, two
    melody, chords = performance.voices
    assert [n.pitch for n in melody] == [60, 62, 64, 67, 72, 72]
    assert [n.pitch for n in chords] == [48, 52, 55]
    starts = list(performance.seconds(n.start for n in melody))
    assert starts == pytest.approx([0, 1 / 6, 2 / 6, 1 / 2, 1 + 8 / 6, 2 + 8 / 6])
    assert played(chords=False).voices[-1] == ()
    assert played(tempo=240).duration == pytest.approx(1 / 2 + 4 / 6 + 1 / 2)


@pytest.mark.parametrize(
    ("value", "expected"), [(0, "00"), (127, "7f"), (128, "8100"), (0x0FFFFFFF, "ffffff7f")]
)
def test_numbers_of_seven_bits(value: int, expected: str) -> None:
    assert number(value).hex() == expected


def test_the_midi_file_is_what_the_standard_says() -> None:
    content = midi_bytes(played())
    assert content[:14] == b"MThd" + struct.pack(">IHHH", 6, 1, 3, 480)
    rest, tracks = content[14:], []
    while rest:
        assert rest[:4] == b"MTrk"
        (size,) = struct.unpack(">I", rest[4:8])
        tracks.append(rest[8 : 8 + size])
        rest = rest[8 + size :]
    assert len(tracks) == 3 and all(track.endswith(b"\0\xff\x2f\0") for track in tracks)
    assert tracks[0].startswith(b"\0\xff\x51\x03" + (333_333).to_bytes(3, "big"))  # 180 quarters
    assert b"\xff\x03\x03One" in tracks[0] and b"\xff\x58\x04\x06\x03" in tracks[0]
    assert tracks[1].startswith(bytes([0, 0x90, 60, 96, 0x81, 0x70, 0x80, 60, 0, 0, 0x90, 62]))


def test_mido_reads_the_same_notes(tmp_path: Path) -> None:
    mido = pytest.importorskip("mido", reason="mido, which reads MIDI files, is absent")
    (tmp_path / "a.mid").write_bytes(midi_bytes(played()))
    file = mido.MidiFile(tmp_path / "a.mid")
    assert file.length == pytest.approx(played().duration, abs=0.001)
    now, heard = 0.0, []
    for message in file:
        now += message.time
        if message.type == "note_on" and message.channel == 0:
            heard.append((message.note, now))
    (melody, _) = played().voices
    starts = played().seconds(n.start for n in melody)
    assert [pitch for pitch, _ in heard] == [n.pitch for n in melody]
    assert [start for _, start in heard] == pytest.approx(list(starts), abs=0.001)


def test_the_pitch_is_heard() -> None:
    x = samples(played("X:1\nL:1/1\nK:C\nA\n"))
    assert np.abs(x).max() == pytest.approx(0.9)
    spectrum = np.abs(np.fft.rfft(x[: 2 * RATE]))
    assert np.argmax(spectrum) / 2 == pytest.approx(440, abs=1)


def test_the_sound_file_says_what_it_holds() -> None:
    with wave.open(io.BytesIO(wav_bytes(played()))) as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (1, 2, RATE)
        assert file.getnframes() / RATE == pytest.approx(played().duration + 0.5, abs=0.001)
        x = np.frombuffer(file.readframes(file.getnframes()), "<i2")
    assert 29_000 < np.abs(x.astype(int)).max() < 30_000


def test_rests_are_silent() -> None:
    x = samples(played("X:1\nM:4/4\nL:1/4\nK:C\nC4|z4|C4|\n"))
    assert not x[int(2.1 * RATE) : int(3.9 * RATE)].any() and x[int(4.1 * RATE)] != 0
    assert not samples(played("X:1\nK:C\nz4\n")).any()


def test_sound_has_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InputError, match="minutes of sound"):
        samples(played("X:1\nM:4/4\nK:C\n" + "Z999|" * 2))
    monkeypatch.setattr("lmtool.music.sound.MOST_SOUND", 120)
    (dense,) = read_notes([(1, " ".join([*map(str, range(30, 80)), "|"] * 4))], "a")
    with pytest.raises(InputError, match="minutes of sound"):
        samples(perform([dense]))


def test_so_has_music() -> None:
    with pytest.raises(InputError, match="more than a day of music"):
        played("X:1\nM:4/4\nK:C\n" + "Z999|" * 60)
