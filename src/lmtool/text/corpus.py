"""A corpus as int32 ids on disk, and the split into training and validation lines."""

import hashlib
import shutil
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lmtool.errors import InputError
from lmtool.settings import TextSettings
from lmtool.text.reader import STDIN, display_name
from lmtool.text.tokenizers import TOKENIZERS, Tokenizer
from lmtool.text.transcript import LINE_END, Spellings, Transcript, transcribe
from lmtool.text.vocabulary import EOS_ID, N_SPECIALS, UNK_ID, Vocabulary, check_settings

__all__ = ["Corpus", "prepare"]

HELD_OUT_EVERY = 20  # lines, so 5 % are held out
MOST_HELD_OUT = 10_000  # lines

Paths = Sequence[str | Path]


@dataclass(frozen=True, eq=False)
class Corpus:
    """The lines of a text as ids, ``<EOS>`` after each; blank lines are left out.

    Characters and UTF-8 bytes are those of the tokens as spelled, joined again by their
    tokenizer, and one for the end of each line.
    """

    ids: NDArray[np.int32]  # (n_words + n_lines,), a read-only memory map
    n_lines: int
    n_words: int  # tokens without <EOS>
    n_oov: int  # those of them without an id of their own
    n_characters: int
    n_bytes: int
    fingerprint: str  # 16 hex digits: SHA-256 over the ids


def prepare(
    paths: Paths, valid_paths: Paths | None, settings: TextSettings, folder: str | Path
) -> tuple[Vocabulary, Corpus, Corpus]:
    """(vocabulary, training, validation); the ids are files in ``folder``, needed while in use.

    Without ``valid_paths`` every 20th line is held out, fewer in a corpus of more than 200,000
    lines, the last one of a smaller corpus; a single line is validated on itself. The vocabulary
    is that of the training lines. Raises InputError, ConfigError (settings).
    """
    check_settings(settings)
    _refuse_stdin_twice([*paths, *(valid_paths or ())])
    try:
        return _prepare(paths, valid_paths, settings, Path(folder))
    except OSError as error:
        message = f"{folder}: cannot keep the corpus here: {error.strerror or error}"
        raise InputError(f"{message}; set TMPDIR to a folder with room") from error


def _prepare(
    paths: Paths, valid_paths: Paths | None, settings: TextSettings, folder: Path
) -> tuple[Vocabulary, Corpus, Corpus]:
    tokenizer = TOKENIZERS[settings.tokens]
    spellings = Spellings()
    train = _transcribed(paths, tokenizer, spellings, folder / "text")
    if valid_paths:
        valid = _transcribed(valid_paths, tokenizer, spellings, folder / "valid-text")
    else:
        train, valid = _hold_out(train, folder)
    n_lines, *counts = train.counts(len(spellings)).tolist()
    _, *words = spellings
    vocabulary = Vocabulary.from_counts(zip(words, counts, strict=True), n_lines, settings)
    _refuse_all_unknown(vocabulary, paths)
    encoder = _Encoder(vocabulary, words)
    return vocabulary, encoder.corpus(train, "train.ids"), encoder.corpus(valid, "valid.ids")


def _transcribed(
    paths: Paths, tokenizer: Tokenizer, spellings: Spellings, target: Path
) -> Transcript:
    text = transcribe(paths, tokenizer, spellings, target)
    if not target.stat().st_size:
        raise InputError(f"{_names(paths)}: no text in it; at least one word is needed")
    return text


def _hold_out(text: Transcript, folder: Path) -> tuple[Transcript, Transcript]:
    """(training, validation): every k-th line is held out, spread evenly over the corpus."""
    n_lines = sum(int(np.count_nonzero(chunk == LINE_END)) for chunk in text.chunks())
    if n_lines == 1:
        shutil.copyfile(text.path, folder / "valid-text")
        return text, Transcript(folder / "valid-text")
    k = min(n_lines, max(HELD_OUT_EVERY, -(-n_lines // MOST_HELD_OUT)))
    parts = Transcript(folder / "train-text"), Transcript(folder / "valid-text")
    with open(parts[0].path, "wb") as train, open(parts[1].path, "wb") as valid:
        for chunk, lines in text.numbered_chunks():
            held_out = lines % k == k - 1
            chunk[~held_out].tofile(train)
            chunk[held_out].tofile(valid)
    text.path.unlink()
    return parts
