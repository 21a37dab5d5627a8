"""The words' vectors."""

import numpy as np
import pytest

from lmtool.api import Model
from lmtool.errors import InputError
from lmtool.text.vocabulary import Vocabulary
from tests.conftest import tiny


def test_a_vector_for_each_word(vocabulary: Vocabulary) -> None:
    model = tiny(vocabulary, "lstm")
    found = Model(model).embeddings
    assert found.words == vocabulary.tokens and len(found) == vocabulary.n_tokens
    assert np.array_equal(found.vectors, model.parameters["embedding.weight"])
    assert np.array_equal(found["Todd"], found.vectors[vocabulary.id("Todd")])


def test_several_networks_stand_side_by_side(vocabulary: Vocabulary) -> None:
    model = tiny(vocabulary, "gru", members=3)
    found = Model(model).embeddings
    assert found.vectors.shape == (vocabulary.n_tokens, 3 * 6)
    parts = [model.parameters[f"{k}.embedding.weight"][4] for k in range(3)]
    assert np.array_equal(found.vectors[4], np.concatenate(parts))


@pytest.mark.parametrize("members", [1, 2])
def test_nobody_changes_the_model_through_them(vocabulary: Vocabulary, members: int) -> None:
    model = tiny(vocabulary, "rnn", members=members)
    with pytest.raises(ValueError, match="read-only"):
        Model(model).embeddings["Todd"][0] = 1
    assert model.parameters.flat.flags.writeable


def test_an_unknown_word_has_no_vector(vocabulary: Vocabulary) -> None:
    with pytest.raises(InputError, match="'Anne': no such word"):
        Model(tiny(vocabulary, "lstm")).embeddings["Anne"]
