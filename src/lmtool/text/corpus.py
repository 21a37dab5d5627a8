"""A corpus as int32 ids on disk, and the split into training and validation lines."""

import hashlib
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lmtool.errors import InputError
from lmtool.settings import TextSettings
from lmtool.text.reader import STDIN, display_name
from lmtool.text.tokenizers import TOKENIZERS, Tokenizer
from lmtool.text.transcript import LINE_END, Spellings, Transcript, transcribe
from lmtool.text.vocabulary import EOS_ID, UNK_ID, Vocabulary, check

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
    check(settings)
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
    encode = _Encoder(vocabulary, words)
    return vocabulary, encode.corpus(train, "train.ids"), encode.corpus(valid, "valid.ids")


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


class _Encoder:
    """From the numbers of spellings to ids."""

    def __init__(self, vocabulary: Vocabulary, words: list[str]) -> None:
        ids = vocabulary.ids(map(vocabulary.normalise, words))
        self._ids = np.array([EOS_ID, *ids], np.int32)
        separator = len(vocabulary.tokenizer.join(("", "")))
        self._characters = self._sizes(words, len, separator)
        self._bytes = self._sizes(words, lambda word: len(word.encode()), separator)

    @staticmethod
    def _sizes(words: list[str], size: Callable[[str], int], separator: int) -> NDArray[np.int64]:
        """What each number adds to the size of the text; a line's end replaces a separator."""
        return np.array([1 - separator, *(size(word) + separator for word in words)], np.int64)

    def corpus(self, text: Transcript, name: str) -> Corpus:
        """The text as ids in the file ``name`` beside it, which it replaces."""
        counts = text.counts(len(self._ids))
        target = text.path.with_name(name)
        text.rewritten(target, lambda numbers: self._ids[numbers])
        text.path.unlink()
        ids = np.memmap(target, np.int32, "r")
        n_lines = int(counts[LINE_END])
        return Corpus(
            ids=ids,
            n_lines=n_lines,
            n_words=len(ids) - n_lines,
            n_oov=int(counts[self._ids == UNK_ID].sum()),
            n_characters=int(counts @ self._characters),
            n_bytes=int(counts @ self._bytes),
            fingerprint=_fingerprint(target),
        )


def _fingerprint(path: Path) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()[:16]


def _refuse_all_unknown(vocabulary: Vocabulary, paths: Paths) -> None:
    if vocabulary.n_tokens == UNK_ID + 1:
        raise InputError(
            f"{_names(paths)}: every word is unknown; lower --min-count or give another corpus"
        )


def _refuse_stdin_twice(paths: Paths) -> None:
    if sum(str(path) == STDIN for path in paths) > 1:
        raise InputError("standard input (-) can be read only once; name a file for one of them")


def _names(paths: Paths) -> str:
    return ", ".join(map(display_name, paths))
