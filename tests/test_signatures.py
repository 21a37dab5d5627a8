"""What a file is by its first bytes: what others write is named, and no text is mistaken."""

import bz2
import gzip
import io
import lzma
import pickle
import sqlite3
import struct
import tarfile
import wave
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lmtool.model_file import save
from lmtool.models.language_model import LanguageModel
from lmtool.signatures import KINDS, conversion, encoding, is_text, recognised

texts = st.text(st.characters(exclude_categories=["Cs", "Cc", "Co", "Cn"]))


def zipped(*names: str, content: bytes = b"x") -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name in names:
            archive.writestr(name, content)
    return buffer.getvalue()


def written(write: Callable[[io.BytesIO], object]) -> bytes:
    buffer = io.BytesIO()
    write(buffer)
    return buffer.getvalue()


def tarred() -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("corpus.txt"))
    return buffer.getvalue()


def recording() -> bytes:
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setparams((1, 2, 8000, 0, "NONE", ""))
        file.writeframes(bytes(100))
    return buffer.getvalue()


def database() -> bytes:
    connection = sqlite3.connect(":memory:")
    connection.execute("create table t (x)")
    content: bytes = connection.serialize()
    connection.close()
    return content


@pytest.mark.parametrize(
    ("content", "name", "advice"),
    [
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "PNG", "a text file is needed"),
        (b"\xff\xd8\xff\xe0\0\x10JFIF", "JPEG", "a text file is needed"),
        (b"GIF89a\x10\0\x10\0\xf7", "GIF", "a text file is needed"),
        (b"RIFF\x24\x10\0\0WEBPVP8 ", "WebP", "a text file is needed"),
        (b"II*\0\x08\0\0\0", "TIFF", "a text file is needed"),
        (b"BM\x36\x10\x0e\0\0\0\0\0\x36\0\0\0", "BMP", "a text file is needed"),
        (b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n", "PDF", "save it as plain text first"),
        (b"{\\rtf1\\ansi Todd met Pete}", "RTF", "save it as plain text first"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(99), "old Office", "save it as plain"),
        (zipped("[Content_Types].xml", "word/document.xml"), "word processor's", "save it as"),
        (zipped("mimetype", content=b"application/vnd.oasis.opendocument.text"), "word", "save"),
        (zipped("mimetype", content=b"application/epub+zip"), "EPUB", "save it as plain text"),
        (zipped("corpus.txt"), "zip archive", "unpack it first: unzip"),
        (zipped("archive/data.pkl"), "PyTorch", "a text file is needed"),
        (written(lambda file: np.savez(file, x=np.ones(3))), r"\.npz", "a text file is needed"),
        (written(lambda file: np.save(file, np.ones(3))), r"\.npy", "a text file is needed"),
        (gzip.compress(b"Todd", mtime=0), "gzip", "gzip -d"),
        (lzma.compress(b"Todd"), "xz", "xz -d"),
        (bz2.compress(b"Todd"), "bzip2", "bzip2 -d"),
        (bz2.compress(b""), "bzip2", "bzip2 -d"),
        (b"\x28\xb5\x2f\xfd\x20\x04", "Zstandard", "zstd -d"),
        (b"7z\xbc\xaf\x27\x1c\0\4", "7z", "7z x"),
        (tarred(), "tar archive", "tar -xf"),
        (b"PAR1\x15\x04\x15\x10", "Parquet", "export it as CSV"),
        (b"ARROW1\0\0\xff\xff\xff\xff", "Arrow", "export it as CSV"),
        (b"\x89HDF\r\n\x1a\n", "HDF5", "export it as CSV"),
        (database(), "SQLite", "export it as CSV"),
        (pickle.dumps({"a": 1}), "pickle", "a text file is needed"),
        (recording(), "WAV", "a text file is needed"),
        (b"fLaC\0\0\0\x22", "FLAC", "a text file is needed"),
        (b"OggS\0\2", "Ogg", "a text file is needed"),
        (b"ID3\4\0\0", "MP3", "a text file is needed"),
        (b"\x7fELF\2\1\1", "Linux program", "a text file is needed"),
        (struct.pack("<Q", 9) + b'{"a": {}}', "safetensors", "a text file is needed"),
        (b"version https://git-lfs.github.com/spec/v1\n", "Git LFS", "git lfs pull"),
    ],
)
def test_what_others_write(content: bytes, name: str, advice: str) -> None:
    kind = recognised(content)
    assert kind is not None
    assert name.replace("\\", "") in kind.name and advice in kind.advice


def test_a_model_of_ours(lstm: LanguageModel, tmp_path: Path) -> None:
    save(lstm, tmp_path / "m")
    kind = recognised((tmp_path / "m").read_bytes())
    assert kind == ("a model of lmtool's", "name it after -m")


WORDS = "PK BM BMW MZ GIF89a RIFF OggS fLaC ID3 PAR1 ARROW1 FEA1 GGUF II* MM %PDF {rtf BZh9 7z Rar!"


@pytest.mark.parametrize("word", WORDS.split())
@pytest.mark.parametrize("code", ["utf-8", "latin-1"])
def test_a_text_may_begin_with_the_letters_of_a_signature(word: str, code: str) -> None:
    text = f"{word} are the first letters of a long line in a café\n" * 20
    assert recognised(text.encode(code)) is None
    assert encoding(text.encode(code)) is None


@given(texts.filter(lambda text: not text.startswith(("%PDF-", "{\\rtf", "%!PS-"))))
def test_no_text_is_mistaken(text: str) -> None:
    raw = f"{text}\n".encode()
    assert recognised(raw) is None and encoding(raw) is None and is_text(raw)
    assert is_text(raw[:-2])  # the last character may be cut


@given(st.binary(max_size=300))
def test_any_bytes_get_an_answer(raw: bytes) -> None:
    assert recognised(raw) is None or recognised(raw) in {kind[1:] for kind in KINDS}
    assert encoding(raw) is None or "UTF-" in str(encoding(raw))
    assert conversion(raw) is None or "iconv" in str(conversion(raw))


SAMPLES = (
    "Todd met Pete.\r\nPete met Todd.\r\n",
    "Żółw spotkał żółwia.\n",
    "Всё смешалось в доме Облонских.\n" * 9,
    "Ὃ μὲν θεός, ἄνδρα μοι ἔννεπε, Μοῦσα\n",
    "בראשית ברא אלהים את השמים ואת הארץ\n",
    "一二三 四五六\n七八九 abc\n",
    "h",
)


@pytest.mark.parametrize("sample", SAMPLES)
@pytest.mark.parametrize("code", ["UTF-16LE", "UTF-16BE", "UTF-32LE", "UTF-32BE"])
def test_wide_encodings_without_a_mark(sample: str, code: str) -> None:
    raw = sample.encode(code)
    assert encoding(raw) == code
    assert encoding(raw + raw[:1]) == code or len(sample) == 1  # cut in a character


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"Todd\n",
        b"ok\nno\0pe\n",
        b"one\0two\0three\0",
        bytes(99),
        struct.pack("<9H", *range(9)),
    ],
)
def test_no_wide_encoding(raw: bytes) -> None:
    assert encoding(raw) is None


@pytest.mark.parametrize(
    ("raw", "command"),
    [
        ("Le café était fermé.".encode("latin-1"), "iconv -f LATIN1 -t UTF-8"),
        ("Le café “était” fermé.".encode("cp1252"), "iconv -f CP1252 -t UTF-8"),
        ("Le café était fermé.".encode() + b"\xe9", "iconv -c -f UTF-8 -t UTF-8"),
        (bytes(range(1, 256)), None),
        (b"caf\xe9\0", None),
    ],
)
def test_what_converts(raw: bytes, command: str | None) -> None:
    assert conversion(raw) == command
