"""A tiny vocabulary and a tiny random model of each cell, shared by all tests."""

import hypothesis
import numpy as np
import pytest

from lmtool.models.language_model import LanguageModel, initialise
from lmtool.nn.cells import CELLS
from lmtool.settings import ModelSettings, TextSettings
from lmtool.text.vocabulary import Vocabulary

hypothesis.settings.register_profile("untimed", deadline=None)  # machines may be busy
hypothesis.settings.load_profile("untimed")

LINES = ("Todd met Pete", "Pete met Todd", "the cat saw Todd", "the dog saw the cat")


@pytest.fixture(scope="session")
def vocabulary() -> Vocabulary:
    """Nine outputs."""
    return Vocabulary.build(LINES, TextSettings())


def tiny(vocabulary: Vocabulary, cell: str, **options: int | bool) -> LanguageModel:
    """Random weights, large enough that every probability is its own."""
    settings = ModelSettings(cell=cell, **({"embed": 6, "hidden": 8} | options))  # type: ignore[arg-type]
    rng = np.random.default_rng(3)
    parameters = initialise(settings, vocabulary.counts, rng)
    parameters.flat += rng.normal(0, 0.3, parameters.flat.size).astype(np.float32)
    return LanguageModel(settings, vocabulary, parameters, {"recipe": {"seed": 1}})


@pytest.fixture(scope="session", params=CELLS)
def model(request: pytest.FixtureRequest, vocabulary: Vocabulary) -> LanguageModel:
    """One layer, tied, with a projection."""
    return tiny(vocabulary, request.param)


@pytest.fixture(scope="session")
def lstm(vocabulary: Vocabulary) -> LanguageModel:
    """Two layers, free output weights."""
    return tiny(vocabulary, "lstm", layers=2, tie=False)
