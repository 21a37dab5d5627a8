"""A corpus as int32 ids on disk, and the split into training and validation lines."""

import hashlib
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lmtool.errors import InputError
from lmtool.settings import TextSettings
from lmtool.text.numbering import LINE_END, Numbering
from lmtool.text.reader import STDIN, display_name
from lmtool.text.rows import Rows
from lmtool.text.sentences import Sentences
from lmtool.text.tokenizers import TOKENIZERS
from lmtool.text.transcript import Transcript, transcribe
from lmtool.text.vocabulary import EOS_ID, N_SPECIALS, UNK_ID, Vocabulary

__all__ = ["Corpus", "prepare"]

HELD_OUT_EVERY = 20  # lines, so 5 % are held out
MOST_HELD_OUT = 10_000  # lines
LONGEST_RUN = 10  # neighbouring lines held out together

Paths = Sequence[str | Path | Sentences]


@dataclass(frozen=True, eq=False)
class Corpus:
    """The lines of a text as ids, ``<EOS>`` after each; blank lines are left out.

    Characters and UTF-8 bytes are those of the words as spelled, joined again, and one for the
    end of each line.
    """

    ids: NDArray[np.int32]  # (n_tokens + n_lines,), a read-only memory map
    n_lines: int
    n_words: int  # without <EOS>
    n_oov: int  # those of them with a token without an id of its own
    n_characters: int
    n_bytes: int
    fingerprint: str  # 16 hex digits: SHA-256 over the ids


def prepare(
    paths: Paths,
    valid_paths: Paths | None,
    settings: TextSettings,
    folder: str | Path,
    known: Vocabulary | None = None,
) -> tuple[Vocabulary, Corpus, Corpus]:
    """(vocabulary, training, validation); the ids are files in ``folder``, needed while in use.

    Without ``valid_paths`` 5 % of the lines are held out, but no more than 10,000; a text of
    fewer than 20 lines is validated on itself. The vocabulary is that of the training lines, or
    ``known``, which has the same settings and is counted anew in them.
    Raises InputError, ConfigError (settings).
    """
    _refuse_stdin_twice([*paths, *(valid_paths or ())])
    try:
        return _prepare(paths, valid_paths, settings, Path(folder), known)
    except OSError as error:
        message = f"{display_name(folder)}: cannot keep ids here: {error.strerror or error}"
        raise InputError(f"{message}; set TMPDIR to a folder with room") from error


def _prepare(
    paths: Paths,
    valid_paths: Paths | None,
    settings: TextSettings,
    folder: Path,
    known: Vocabulary | None,
) -> tuple[Vocabulary, Corpus, Corpus]:
    numbering = TOKENIZERS[settings.tokens].numbering()
    train = _transcribed(paths, settings, numbering, folder / "text")
    if valid_paths:
        valid = _transcribed(valid_paths, settings, numbering, folder / "valid-text")
    else:
        train, valid = _hold_out(train, folder)
    spellings = numbering.spellings()
    vocabulary = _vocabulary(train, spellings, settings, known)
    _refuse_all_unknown(vocabulary, paths, known)
    code = _Code.of(spellings, vocabulary)
    return vocabulary, code.encode(train, "train.ids"), code.encode(valid, "valid.ids")


def _transcribed(
    paths: Paths, settings: TextSettings, numbering: Numbering, target: Path
) -> Transcript:
    text = transcribe(paths, TOKENIZERS[settings.tokens], numbering, target)
    if not target.stat().st_size:
        raise InputError(f"{_names(paths)}: no text in it; at least one word is needed")
    return text


def _hold_out(text: Transcript, folder: Path) -> tuple[Transcript, Transcript]:
    """(training, validation): every k-th run of lines is held out, spread over the corpus.

    A run of neighbours, so that document context means something in the validation text too.
    """
    n_lines = text.n_lines()
    if n_lines < HELD_OUT_EVERY:
        return text, Transcript(Path(shutil.copyfile(text.path, folder / "valid-text")))
    k = max(HELD_OUT_EVERY, -(-n_lines // MOST_HELD_OUT))
    run = max(1, min(LONGEST_RUN, n_lines // (HELD_OUT_EVERY * k)))
    parts = Transcript(folder / "train-text"), Transcript(folder / "valid-text")
    with open(parts[0].path, "wb") as train, open(parts[1].path, "wb") as valid:
        for chunk, first, lengths in text.lined_chunks():
            lines = first + np.arange(len(lengths))
            held_out = np.repeat(lines // run % k == k - 1, lengths)
            train.write(chunk[~held_out].data)
            valid.write(chunk[held_out].data)
    text.path.unlink()
    return parts


def _vocabulary(
    text: Transcript, spellings: list[str], settings: TextSettings, known: Vocabulary | None
) -> Vocabulary:
    counts = dict(zip(spellings, text.counts(len(spellings)).tolist(), strict=True))
    n_lines = counts.pop(spellings[LINE_END])
    if known is not None:
        return known.recounted(counts, n_lines)
    return Vocabulary.from_counts(counts, n_lines, settings)


@dataclass(frozen=True, slots=True)
class _Code:
    """What becomes of each spelling: n_spellings entries, the line end's first."""

    rows: Rows
    n_characters: NDArray[np.int64]
    n_bytes: NDArray[np.int64]
    separator: str

    @classmethod
    def of(cls, spellings: list[str], vocabulary: Vocabulary) -> "_Code":
        rows = vocabulary.rows(spellings[LINE_END + 1 :])
        return cls(
            rows=Rows(
                np.append(np.int32(EOS_ID), rows.flat),
                np.append(0, rows.offsets + 1),
            ),
            n_characters=np.fromiter(map(len, spellings), np.int64),
            n_bytes=np.fromiter((len(word.encode()) for word in spellings), np.int64),
            separator=vocabulary.tokenizer.separator,
        )

    def encode(self, text: Transcript, name: str) -> Corpus:
        """Replaces the transcript by a file of ids beside it."""
        counts = text.counts(len(self.n_bytes))
        n_lines, n_words = int(counts[LINE_END]), int(counts.sum() - counts[LINE_END])
        n_gaps = n_words - n_lines
        path = text.path.with_name(name)
        fingerprint = self._write(text, path)
        text.path.unlink()
        return Corpus(
            ids=np.memmap(path, np.int32, mode="r"),
            n_lines=n_lines,
            n_words=n_words,
            n_oov=int(counts[self.rows.holding(UNK_ID)].sum()),
            n_characters=int(counts @ self.n_characters) + n_gaps * len(self.separator),
            n_bytes=int(counts @ self.n_bytes) + n_gaps * len(self.separator.encode()),
            fingerprint=fingerprint,
        )

    def _write(self, text: Transcript, path: Path) -> str:
        digest = hashlib.sha256()
        with open(path, "wb") as file:
            for chunk in text.chunks():
                for ids in self.rows.in_parts(chunk):
                    file.write(ids.data)
                    digest.update(ids.data)
        return digest.hexdigest()[:16]


def _names(paths: Paths) -> str:
    return ", ".join(display_name(str(path)) for path in paths) or "no file"


def _refuse_stdin_twice(paths: Paths) -> None:
    if [str(path) for path in paths].count(STDIN) > 1:
        raise InputError("-: standard input can be read once only; save it to a file first")


def _refuse_all_unknown(vocabulary: Vocabulary, paths: Paths, known: Vocabulary | None) -> None:
    if known is not None and not vocabulary.counts[N_SPECIALS:].any():
        message = "every word is unknown to the model to go on with"
        raise InputError(f"{_names(paths)}: {message}; give another text, or train a new model")
    if len(vocabulary) == N_SPECIALS:
        least = vocabulary.settings.min_count
        message = f"every word is unknown: no ordinary word occurs {least} times or more"
        raise InputError(f"{_names(paths)}: {message}; lower min_count or give more text")
