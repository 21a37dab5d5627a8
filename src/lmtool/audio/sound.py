"""A file of sound as samples: WAV by the module beside, all else by soundfile (extra ``audio``).

Two channels are averaged, as a recorder of one voice writes them; more belong to more voices and
are refused. Files are read in blocks, so that none of their size is needed beside the samples.
"""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

import numpy as np

from lmtool.arrays import Array
from lmtool.audio.wav import is_wav, layout, sample_blocks
from lmtool.errors import ConfigError, InputError
from lmtool.signatures import RECORDINGS, START, is_text, recognised

__all__ = ["Sound", "is_sound", "read_blocks", "read_sound", "shown"]

WANTED = "a WAV, FLAC, OGG or MP3 recording is needed"
EXTRA = 'pip install "lmtool[audio]"'
BLOCK = 1 << 18  # samples at a time
MOST = 1 << 28  # samples: 4.6 hours at 16 kHz, 1 GiB
MOST_CHANNELS = 2
RATES = range(1_000, 400_000)  # Hz
LOUDEST = 1e6  # of floats, which should end at 1 and in some files at 32,768


class Sound(NamedTuple):
    """One channel of samples."""

    samples: Array  # (N,) float32, in -1..1
    rate: int  # Hz

    @property
    def seconds(self) -> float:
        """How long it is."""
        return len(self.samples) / self.rate


def read_sound(path: str | Path) -> Sound:
    """The whole of a file, of which there is one sample at least.

    Raises InputError that names the file: what is no sound, is cut short, has no sample or more
    than two channels, samples that are no numbers, more than 4.6 hours of 16 kHz; ConfigError where
    soundfile is needed and absent.
    """
    blocks = [*read_blocks(path)]
    return Sound(np.concatenate([block.samples for block in blocks]), blocks[0].rate)


def read_blocks(path: str | Path) -> Iterator[Sound]:
    """The same in blocks, none of them empty."""
    n = 0
    try:
        for samples, rate in opened(Path(path)):
            n += len(samples)
            yield Sound(mono(samples), rate)
            if n > MOST:
                raise InputError(f"has more than {MOST:,} samples; cut it into shorter ones")
        if not n:
            raise InputError("has no sample in it; leave it out")
    except (InputError, ConfigError) as error:
        raise type(error)(f"{shown(path)}: {error}") from None
    except OSError as error:
        message = f"cannot be read: {error.strerror or error}; check the path"
        raise InputError(f"{shown(path)}: {message}") from None
    except ValueError as error:  # a NUL in the path
        raise InputError(f"{shown(path)}: cannot be read: {error}; check the path") from None


def shown(path: str | Path) -> str:
    """The path as a message may show it, control characters escaped."""
    return str(path) if str(path).isprintable() else repr(str(path))


def is_sound(start: bytes) -> bool:
    """Whether a file that begins so is known as a recording."""
    found = recognised(start)
    return found is not None and found.name in RECORDINGS


def opened(path: Path) -> Iterator[tuple[Array, int]]:
    """Blocks (n, channels) and the rate. Raises InputError, ConfigError, OSError."""
    if path.exists() and not path.is_file():
        raise InputError("is not a file; name recordings")
    with path.open("rb") as stream:
        start = stream.read(START)
        if is_wav(start):
            given = layout(stream, path.stat().st_size)
            if given.known:
                check(given.channels, given.rate)
                yield from ((block, given.rate) for block in sample_blocks(stream, given, BLOCK))
                return
    refuse_others(start)
    yield from by_soundfile(path)


def refuse_others(start: bytes) -> None:
    """Raises InputError for what its first bytes say that it is, where that is no sound."""
    found = recognised(start)
    if found is not None and found.name not in RECORDINGS:
        raise InputError(f"is {found.name}; {WANTED}")
    if not start:
        raise InputError(f"is empty; {WANTED}")
    if is_text(start):
        raise InputError(f"is text; {WANTED}")


def by_soundfile(path: Path) -> Iterator[tuple[Array, int]]:
    """Blocks of whatever libsndfile reads. Raises InputError, ConfigError."""
    try:
        import soundfile
    except ImportError:
        message = "only plain WAV is read without soundfile, which is not installed"
        raise ConfigError(f"{message}: {EXTRA}") from None
    try:
        with closing(soundfile.SoundFile(str(path))) as file:
            check(file.channels, file.samplerate)
            n = 0
            while len(block := file.read(BLOCK, "float32", always_2d=True)):
                n += len(block)
                yield block, file.samplerate
            whole(n, file.frames, file.format)
    except (RuntimeError, TypeError) as error:  # its own errors are RuntimeErrors
        reason = " ".join(str(error).rpartition(": ")[2].split())[:200]
        raise InputError(f"is damaged, or no sound ({reason}); {WANTED}") from None


def whole(n: int, promised: int, form: str) -> None:
    """Raises InputError for fewer samples than promised; an MP3 only guesses how many it has."""
    if n < promised and form not in ("MP3", "MPEG"):
        message = f"is cut short: {promised:,} samples promised, {n:,} in it"
        raise InputError(f"{message}; make it anew")


def check(channels: int, rate: int) -> None:
    """Raises InputError for channels or a rate that speech does not have."""
    if not 1 <= channels <= MOST_CHANNELS:
        ways = "choose one voice: ffmpeg -i IN -af 'pan=mono|c0=c0' OUT.wav"
        raise InputError(f"has {channels} channels; one is wanted, two are averaged; {ways}")
    if rate not in RATES:
        message = (
            f"has {rate:,} samples a second; {RATES.start:,} to {RATES.stop - 1:,} are possible"
        )
        raise InputError(message)


def mono(samples: Array) -> Array:
    """(n, channels) -> (n,). Raises InputError for NaN, infinities and absurd sizes."""
    if not (np.abs(samples) <= LOUDEST).all():
        raise InputError(f"has a sample that is no number, or above {LOUDEST:g}; make it anew")
    one = samples[:, 0] if samples.shape[1] == 1 else samples.mean(1, dtype=np.float32)
    return np.ascontiguousarray(one, np.float32)
