"""Sounds made by hand, and WAV files of them in every form, byte by byte."""

import struct
from pathlib import Path

import numpy as np

from lmtool.arrays import Array
from lmtool.audio.sound import Sound

RATE = 8_000
GUID = bytes.fromhex("000000001000800000aa00389b71")  # of a sub-format, after its code


def tone(seconds: float = 0.1, rate: int = RATE) -> Sound:
    """A voice's vowel, nearly: harmonics that fall, and a little noise."""
    t = np.arange(round(seconds * rate)) / rate
    x = sum(np.sin(2 * np.pi * 120 * k * t) / k for k in range(1, 12))
    x += 0.05 * np.random.default_rng(1).standard_normal(len(t))
    return Sound((0.25 * x).astype(np.float32), rate)


def chunk(name: bytes, content: bytes, size: int | None = None) -> bytes:
    """One of a RIFF file; ``size`` may lie."""
    size = len(content) if size is None else size
    return name + struct.pack("<I", size) + content + b"\0" * (len(content) % 2)


def header(code: int, bits: int, channels: int = 1, rate: int = RATE, wide: bool = False) -> bytes:
    """The chunk ``fmt ``; ``wide`` is the extensible one."""
    frame = channels * bits // 8
    plain = struct.pack(
        "<HHIIHH", 0xFFFE if wide else code, channels, rate, rate * frame, frame, bits
    )
    more = struct.pack("<HHIH", 22, bits, 0, code) + GUID if wide else b""
    return chunk(b"fmt ", plain + more)


def riff(*chunks: bytes) -> bytes:
    """The whole file."""
    body = b"WAVE" + b"".join(chunks)
    return b"RIFF" + struct.pack("<I", len(body)) + body


def raw(x: Array, code: int, bits: int) -> bytes:
    """Samples in -1..1 as bytes."""
    if code == 3:
        return x.astype(f"<f{bits // 8}").tobytes()
    if bits == 8:
        return np.round(x * 127 + 128).astype(np.uint8).tobytes()
    whole = np.round(x.astype(np.float64) * ((1 << bits - 1) - 1)).astype("<i4")
    return whole.view(np.uint8).reshape(-1, 4)[:, : bits // 8].tobytes()


def wav(sound: Sound, code: int = 1, bits: int = 16, wide: bool = False) -> bytes:
    """A WAV of (N,) or (N, channels)."""
    x = sound.samples
    channels = 1 if x.ndim == 1 else x.shape[1]
    data = raw(x.reshape(-1), code, bits)
    return riff(header(code, bits, channels, sound.rate, wide), chunk(b"data", data))


def saved(path: Path, sound: Sound) -> Path:
    """A plain WAV, its folders made."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(wav(sound))
    return path
