"""Vectors of the same words by counting in a text: what stands beside those that are measured."""

from collections.abc import Iterable

import numpy as np

from lmtool.data.windows import Running, keep
from lmtool.inference.embeddings import Embeddings
from lmtool.models.cooccurrence import count_vectors
from lmtool.text.specials import EOS_ID, N_SPECIALS, UNK_ID

__all__ = ["counted_beside"]

WINDOW, SUBSAMPLE, SEED = 5, 1e-3, 1


def counted_beside(known: Embeddings, lines: Iterable[str], threads: int = 1) -> Embeddings:
    """Those of the known words, of the same length, from lines of words."""
    rows, ids = dict[str, int](), list[int]()
    for line in lines:
        for word in line.split():
            if word not in rows:
                place = known.find(word)
                rows[word] = UNK_ID if place is None else place + N_SPECIALS
            ids.append(rows[word])
        ids.append(EOS_ID)
    text = np.array(ids, np.int32)
    counts = np.bincount(text, minlength=len(known) + N_SPECIALS)
    shares = keep(Running(text, counts, WINDOW, SUBSAMPLE))
    size = known.vectors.shape[1]
    vectors = count_vectors(text, shares, WINDOW, size, SEED, threads)[N_SPECIALS:]
    return Embeddings(known.words, vectors, known.matrix, known.vocabulary, known.matrices)
