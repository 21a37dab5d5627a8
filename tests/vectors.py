"""Vectors made by hand, and a model that reads words as these."""

import numpy as np

from lmtool.api import Model
from lmtool.inference.embeddings import Embeddings
from lmtool.models.language_model import LanguageModel, initialise
from lmtool.settings import ModelSettings, TextSettings
from lmtool.text.vocabulary import Vocabulary

ROYAL = {  # a person or a fruit, royal, male or female
    "<EOS>": (1.0, 2.0, 0.0),
    "<UNK>": (2.0, 3.0, -1.0),  # the direction of queen, but no answer
    "man": (1.0, 0.0, 0.5),
    "woman": (1.0, 0.0, -0.5),
    "king": (1.0, 1.5, 0.5),
    "queen": (1.0, 1.5, -0.5),
    "apple": (-1.0, 0.5, 0.0),
    "orange": (-1.0, 0.25, 0.0),
}


def royal() -> Embeddings:
    """Whose king - man + woman is queen."""
    return Embeddings(tuple(ROYAL), np.array([*ROYAL.values()], np.float32))


def model(known: Embeddings) -> Model:
    """A language model with these vectors."""
    counts = np.arange(len(known), 0, -1, dtype=np.int64)
    vocabulary = Vocabulary(known.words, counts, TextSettings())
    settings = ModelSettings(cell="rnn", embed=known.vectors.shape[1], hidden=4)
    parameters = initialise(settings, counts, np.random.default_rng(1))
    parameters["embedding.weight"][...] = known.vectors
    return Model(LanguageModel(settings, vocabulary, parameters, {"recipe": {"seed": 1}}))
