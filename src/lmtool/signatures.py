"""What a file is by its first bytes, for readers that were given something else than they read."""

import codecs
import re
import unicodedata
from typing import NamedTuple

__all__ = ["MODELS", "RECORDINGS", "SOUNDS", "START", "Kind"]
__all__ += ["conversion", "encoding", "is_text", "recognised"]

START = 4096  # bytes that suffice to know a file


class Kind(NamedTuple):
    """What a file is, with its article, and how a text comes of it."""

    name: str
    advice: str


NEEDED = "a text file is needed"
SAVE = "save it as plain text first"
EXPORT = "export it as CSV or as plain text first"
UNPACK = "unpack it first"

MODELS = ("a model of lmtool's", "a safetensors model")  # what tensor_file reads
SOUNDS = (".wav", ".flac", ".aif", ".aiff", ".au", ".ogg", ".oga", ".opus", ".mp3")  # names' ends
FORMS = ("a WAV", "a FLAC", "an AIFF", "an Ogg", "an MP3")
RECORDINGS = tuple(f"{form} recording" for form in FORMS)
OFFICE = "a word processor's or spreadsheet's document"
KINDS = (  # no text begins so: what is ASCII in a pattern is followed by a byte that is not
    (rb"%PDF-", "a PDF document", SAVE),  # but for these four, which may be texts all the same
    (rb"\{\\rtf", "an RTF document", SAVE),
    (rb"%!PS-", "a PostScript document", SAVE),
    (rb"version https://git-lfs\.github\.com/", "a Git LFS pointer", "fetch it: git lfs pull"),
    (rb'.{4}\0{4}\{"__metadata__":\{"lmtool"', MODELS[0], "name it after -m"),
    (rb".{4}\0{4}\{", MODELS[1], NEEDED),
    (rb"\x89PNG", "a PNG picture", NEEDED),
    (rb"\xff\xd8\xff", "a JPEG picture", NEEDED),
    (rb"GIF8[79]a.[\0-\x1f]", "a GIF picture", NEEDED),
    (rb"RIFF.{4}WEBP", "a WebP picture", NEEDED),
    (rb"II\*\0|MM\0\*", "a TIFF picture", NEEDED),
    (rb"BM.{4}\0{4}", "a BMP picture", NEEDED),
    (rb"\0\0..ftyp(heic|heix|mif1|avif)", "a HEIF or AVIF picture", NEEDED),
    (rb"RIFF.{4}WAVE", "a WAV recording", NEEDED),
    (rb"FORM.{4}AIF[CF]", "an AIFF recording", NEEDED),
    (rb"fLaC[\0\x80]\0", "a FLAC recording", NEEDED),
    (rb"OggS\0", "an Ogg recording", NEEDED),
    (rb"ID3[\x02-\x04]|\xff[\xf2\xf3\xfa\xfb]", "an MP3 recording", NEEDED),
    (rb"\0\0..ftyp", "an MP4 recording", NEEDED),
    (rb"\x1a\x45\xdf\xa3", "a Matroska or WebM film", NEEDED),
    (rb"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an old Office document (.doc, .xls)", SAVE),
    (rb"PK\x03\x04.{26}mimetypeapplication/epub", "an EPUB book", SAVE),
    (rb"PK\x03\x04.{26}(mimetype|_rels/|docProps/|word/|xl/|ppt/)", OFFICE, SAVE),
    (rb"PK\x03\x04.{26}\[Content_Types\]", OFFICE, SAVE),
    (rb"PK\x03\x04.{26}[^\0]{1,200}?\.npy", "a NumPy archive (.npz)", NEEDED),
    (rb"PK\x03\x04.{26}[\w.-]{1,200}/(data\.pkl|\.format_version)", "a PyTorch model", NEEDED),
    (rb"PK(\x03\x04|\x05\x06|\x07\x08)", "a zip archive", f"{UNPACK}: unzip"),
    (rb"\x1f\x8b", "a gzip archive", f"{UNPACK}: gzip -d"),
    (rb"\xfd7zXZ\0", "an xz archive", f"{UNPACK}: xz -d"),
    (rb"BZh[1-9](1AY&SY|\x17rE8P\x90)", "a bzip2 archive", f"{UNPACK}: bzip2 -d"),
    (rb"\x28\xb5\x2f\xfd", "a Zstandard archive", f"{UNPACK}: zstd -d"),
    (rb"\x04\x22\x4d\x18", "an LZ4 archive", f"{UNPACK}: lz4 -d"),
    (rb"\x1f\x9d", "a compress archive (.Z)", f"{UNPACK}: gzip -d"),
    (rb"7z\xbc\xaf\x27\x1c", "a 7z archive", f"{UNPACK}: 7z x"),
    (rb"Rar!\x1a\x07", "a RAR archive", f"{UNPACK}: unrar x"),
    (rb".{107}[\0 ].{149}ustar", "a tar archive", f"{UNPACK}: tar -xf"),
    (rb"PAR1[\0-\x1f]", "a Parquet table", EXPORT),
    (rb"ARROW1\0|FEA1\0|\xff{4}.{2}\0\0\x10\0\0\0", "an Arrow or Feather table", EXPORT),
    (rb"SQLite format 3\0", "an SQLite database", EXPORT),
    (rb"\x89HDF\r\n", "an HDF5 file", EXPORT),
    (rb"\x93NUMPY", "a NumPy array (.npy)", NEEDED),
    (rb"\x80[\x02-\x05]", "a Python pickle", NEEDED),
    (rb"mmap lm http://kheafield\.com", "a KenLM model", NEEDED),
    (rb"GGUF.\0\0\0", "a GGUF model", NEEDED),
    (rb"\xba\x16\x4f\x2f", "a fastText model", NEEDED),
    (rb"\x7fELF", "a Linux program", NEEDED),
    (rb"MZ.{60}\0\0", "a Windows program", NEEDED),
    (rb"[\xce\xcf]\xfa\xed\xfe", "a macOS program", NEEDED),
)
MARKS = (  # byte order marks; that of UTF-32LE begins like that of UTF-16LE
    (codecs.BOM_UTF32_LE, "UTF-32"),
    (codecs.BOM_UTF32_BE, "UTF-32"),
    (codecs.BOM_UTF16_LE, "UTF-16"),
    (codecs.BOM_UTF16_BE, "UTF-16"),
)
CONTROLS = bytes([*range(0x09), *range(0x0E, 0x1B), *range(0x1C, 0x20), 0x7F])  # rare in texts
FEW = 0.02  # of the bytes; random ones have 28 of 256
NO_LETTERS = {"Cc", "Cn", "Co"}  # Unicode's categories: controls, unassigned, private


def recognised(start: bytes) -> Kind | None:
    """What the file is that begins with ``start``; None for a text, and for what is not known.

    b"%PDF-1.7 ..." -> ("a PDF document", "save it as plain text first")
    """
    for pattern, name, advice in KINDS:
        if re.match(pattern, start[:START], re.DOTALL):
            return Kind(name, advice)
    return None


def is_text(start: bytes) -> bool:
    """Whether the bytes are UTF-8 without unusual control characters; the last may be cut."""
    return not _controls(start) and _decoded(start, "utf-8") is not None


def encoding(start: bytes) -> str | None:
    """UTF-16 or UTF-32 as ``iconv -f`` takes it, by its byte order mark or, without one, its NULs.

    b"h\\0i\\0" -> "UTF-16LE"; None for anything else.
    """
    for mark, name in MARKS:
        if start.startswith(mark):
            return name
    names = ("UTF-32LE", "UTF-32BE", "UTF-16LE", "UTF-16BE")
    return next((name for name in names if _may_be(start[:START], name)), None)


def conversion(raw: bytes) -> str | None:
    """The command that makes UTF-8 of text that is not; None for bytes that look binary.

    b"caf\\xe9" -> "iconv -f LATIN1 -t UTF-8"
    """
    if b"\0" in raw or _controls(raw) > FEW * len(raw):
        return None
    n_high = len(raw.translate(None, bytes(range(0x80))))
    n_valid = len(raw.decode(errors="ignore").encode().translate(None, bytes(range(0x80))))
    if n_valid > n_high / 2:  # UTF-8 but for some places
        return "iconv -c -f UTF-8 -t UTF-8"
    code = "CP1252" if re.search(rb"[\x80-\x9f]", raw) else "LATIN1"  # curly quotes or none
    return f"iconv -f {code} -t UTF-8"


def _may_be(start: bytes, name: str) -> bool:
    """Whether it reads as text and has as many NULs as one of this encoding must have.

    The upper bytes of Latin letters, blanks and line ends are NUL: all of them in an English text,
    a sixth or so in other alphabets.
    """
    width = 4 if "32" in name else 2
    upper = start[width - 1 :: width] if name.endswith("LE") else start[::width]
    others = start.replace(b"\0", b"")
    latin = width == 4 or (others.isascii() and not _controls(others))
    if not upper.count(0) or upper.count(0) < len(upper) / (2 if latin else 16):
        return False
    text = _decoded(start, name) or ""
    categories = {unicodedata.category(letter) for letter in set(text) if not letter.isspace()}
    return text != "" and not categories & NO_LETTERS


def _decoded(start: bytes, name: str) -> str | None:
    """The text but for a cut end; None where it is not of this encoding."""
    try:
        return codecs.getincrementaldecoder(name)().decode(start)
    except UnicodeDecodeError:
        return None


def _controls(raw: bytes) -> int:
    """How many unusual control characters there are."""
    return len(raw) - len(raw.translate(None, CONTROLS))
