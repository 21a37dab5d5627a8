"""WAV by its chunks: 8, 16, 24 and 32-bit PCM, 32 and 64-bit float, plain or extensible headers.

``RIFF`` size ``WAVE``, then chunks: a name of 4 bytes, a size, so many bytes, one more where the
size is odd. ``fmt `` says what stands in ``data``. The sizes of a header are promises: no byte is
allocated that the file does not hold.
"""

import struct
from collections.abc import Callable, Iterator
from typing import BinaryIO, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lmtool.arrays import Array
from lmtool.errors import InputError

__all__ = ["Format", "is_wav", "layout", "sample_blocks"]

PCM, FLOAT, EXTENSIBLE = 1, 3, 0xFFFE
MENDED = "make it anew: ffmpeg -i IN.wav OUT.wav"


class Format(NamedTuple):
    """What a header says of the samples; ``code`` is that of the sub-format where there is one."""

    code: int
    channels: int
    rate: int  # Hz
    bits: int
    size: int  # bytes of all samples, as promised

    @property
    def frame(self) -> int:
        """Bytes of one sample of all channels."""
        return self.channels * self.bits // 8

    @property
    def known(self) -> bool:
        """Whether the samples are read here."""
        return (self.code, self.bits) in DECODED


def is_wav(start: bytes) -> bool:
    """Whether a file that begins so is a WAV with sizes of 32 bits."""
    return start[:4] == b"RIFF" and start[8:12] == b"WAVE"


def layout(stream: BinaryIO, size: int) -> Format:
    """The header of a file of ``size`` bytes, which then stands at its first sample. InputError."""
    stream.seek(12)
    found: Format | None = None
    while len(head := stream.read(8)) == 8:
        name, length = head[:4], int.from_bytes(head[4:], "little")
        if name == b"data" and found is not None:
            return within(found._replace(size=length), size - stream.tell())
        if name == b"fmt ":
            found = format_of(stream.read(min(length, 40)))
            length -= min(length, 40)
        stream.seek(length + length % 2, 1)
    raise InputError(f"has no samples in it; {MENDED}")


def format_of(chunk: bytes) -> Format:
    """The chunk ``fmt ``. Raises InputError."""
    if len(chunk) < 16:
        raise InputError(f"has a damaged header; {MENDED}")
    code, channels, rate, _, _, bits = struct.unpack("<HHIIHH", chunk[:16])
    if code == EXTENSIBLE and len(chunk) >= 26:
        (code,) = struct.unpack("<H", chunk[24:26])
    return Format(code, channels, rate, bits, 0)


def within(promised: Format, left: int) -> Format:
    """The same, if its samples fit into the bytes that are left. Raises InputError."""
    if promised.size > left:
        message = f"is cut short: {promised.size:,} bytes of samples promised, {left:,} in it"
        raise InputError(f"{message}; {MENDED}")
    return promised


def sample_blocks(stream: BinaryIO, given: Format, n: int) -> Iterator[Array]:
    """Blocks (up to n, channels) float32, in -1..1 but for floats that are larger."""
    decode, left = DECODED[given.code, given.bits], given.size - given.size % given.frame
    while left:
        raw = stream.read(min(left, n * given.frame))
        if not raw or len(raw) % given.frame:
            raise InputError(f"is cut short while it is read; {MENDED}")
        left -= len(raw)
        yield decode(raw).reshape(-1, given.channels)


def whole(dtype: str, zero: int, scale: float) -> Callable[[bytes], NDArray[np.float32]]:
    """Whole numbers as parts of the largest."""

    def decode(raw: bytes) -> NDArray[np.float32]:
        return (np.frombuffer(raw, dtype).astype(np.float32) - np.float32(zero)) / np.float32(scale)

    return decode


def in_three(raw: bytes) -> NDArray[np.float32]:
    """24 bits: three bytes, made the upper ones of four."""
    wide = np.zeros((len(raw) // 3, 4), np.uint8)
    wide[:, 1:] = np.frombuffer(raw, np.uint8).reshape(-1, 3)
    return whole("<i4", 0, 1 << 31)(wide.tobytes())


def real(dtype: str) -> Callable[[bytes], NDArray[np.float32]]:
    """Floats; those too large for float32 become infinite."""

    def decode(raw: bytes) -> NDArray[np.float32]:
        with np.errstate(over="ignore"):
            return np.frombuffer(raw, dtype).astype(np.float32)

    return decode


DECODED: dict[tuple[int, int], Callable[[bytes], NDArray[np.float32]]] = {
    (PCM, 8): whole("u1", 128, 1 << 7),
    (PCM, 16): whole("<i2", 0, 1 << 15),
    (PCM, 24): in_three,
    (PCM, 32): whole("<i4", 0, 1 << 31),
    (FLOAT, 32): real("<f4"),
    (FLOAT, 64): real("<f8"),
}
