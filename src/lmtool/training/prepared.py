"""What a run is made from: a vocabulary, two texts as ids, and perhaps a finished model."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from lmtool.models.language_model import LanguageModel
from lmtool.text.corpus import Corpus, prepare
from lmtool.text.sentences import Sentences
from lmtool.text.vocabulary import Vocabulary
from lmtool.training.resume import Job

__all__ = ["BEGUN", "Prepared", "data_of", "facts", "prepared"]

NAMELESS = os.name == "posix"  # mapped files need no name: one that is killed leaves none behind
BEGUN = "model to begin with"  # in the data of a resume file


class Prepared(NamedTuple):
    """What a run is made from."""

    vocabulary: Vocabulary  # its counts are those of the training text
    train: Corpus
    valid: Corpus
    init: LanguageModel | None  # a finished model to go on with


@contextmanager
def prepared(
    job: Job, sentences: Sentences | None, init: LanguageModel | None
) -> Iterator[Prepared]:
    """Vocabulary, training and validation ids, kept on disk for as long as they are used."""
    with tempfile.TemporaryDirectory(prefix="lmtool-") as folder:
        corpus = job.corpus or ([sentences] if sentences else [])
        known = init.vocabulary if init else None
        texts = prepare(corpus, job.valid or None, job.text, Path(folder), known)
        parts = Prepared(*texts, init)
        if not NAMELESS:
            yield parts
            return
    yield parts


def facts(corpus: Corpus) -> dict[str, Any]:
    """What a model file says about a text."""
    names = ("fingerprint", "n_lines", "n_words", "n_oov")
    return {name: getattr(corpus, name) for name in names}


def data_of(parts: Prepared) -> dict[str, str]:
    """Fingerprints of everything that a run is made from."""
    vocabulary, train_corpus, valid_corpus, init = parts
    return ({BEGUN: init.digest} if init else {}) | {
        "training text": train_corpus.fingerprint,
        "validation text": valid_corpus.fingerprint,
        "vocabulary": vocabulary.digest,
    }
