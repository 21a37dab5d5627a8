"""Recordings and manifests as targets: each form damaged, and what is read of it verified."""

import importlib.util
import io
from pathlib import Path

import numpy as np

from lmtool.audio.filterbank import Filterbank
from lmtool.audio.sound import read_sound
from lmtool.data.readers.frames import read_frames
from lmtool.data.readers.utterances import read_utterances
from tests.audio.handmade import RATE, saved, tone, wav
from tests.fuzz.labelled import refused

__all__ = ["manifests_case", "manifests_seeds", "sounds_case", "sounds_seeds"]

SHORT = tone(0.03)


def sounds_seeds(folder: Path) -> list[bytes]:
    """The same sound in each form."""
    forms = [wav(SHORT, *form) for form in ((1, 8), (1, 16), (1, 24, True), (3, 32), (3, 64))]
    if importlib.util.find_spec("soundfile") is None:
        return forms
    import soundfile

    for name, kind in (("FLAC", "PCM_16"), ("OGG", "VORBIS"), ("WAV", "ULAW")):
        stream = io.BytesIO()
        soundfile.write(stream, SHORT.samples, RATE, kind, format=name)
        forms.append(stream.getvalue())
    return forms


def sounds_case(data: bytes, folder: Path) -> bool:
    """A file as sound, and as frames."""
    path = folder / "a.wav"
    path.write_bytes(data)

    def work() -> None:
        sound = read_sound(path)
        assert sound.samples.ndim == 1 and len(sound.samples) and np.isfinite(sound.samples).all()
        assert np.isfinite(Filterbank(sound.rate).features(sound)).all()

    return not refused(work)


def manifests_seeds(folder: Path) -> list[bytes]:
    """Lists of files that are there."""
    rows = b"a.wav\tTodd met Pete\nb.wav\tthe toad\n"
    return [
        rows,
        b"file\ttext\tspeaker\n" + rows.replace(b"\n", b"\ts\n"),
        b'{"frames": [[1, 2], [3, 4]], "text": "Todd"}\n{"frames": [[0.5, 2]], "text": "met"}\n',
        b"a.npy\tTodd\na.npy\tPete\n",
    ]


def manifests_case(data: bytes, folder: Path) -> bool:
    """A file as a list of utterances, with texts and without, and of labelled clips."""
    path = folder / "m.tsv"
    path.write_bytes(data)
    for name in ("a.wav", "b.wav"):
        saved(folder / name, SHORT)
    np.save(folder / "a.npy", np.ones((3, 2)))

    def heard(labelled: bool) -> None:
        for one in read_utterances(path, labelled=labelled).records:
            assert one.source.ndim == 2 and np.isfinite(one.source).all()
            assert not labelled or (one.text and one.text == one.text.strip())

    ways = [
        refused(lambda: heard(True)),
        refused(lambda: heard(False)),
        refused(lambda: list(read_frames(path).records)),
    ]
    return not all(ways)
