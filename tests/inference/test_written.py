"""How good texts about sources are: the numbers are those of their parts."""

import math

import pytest

from lmtool.errors import InputError
from lmtool.inference.bleu import corpus_bleu
from lmtool.inference.translate import score_given, translate
from lmtool.inference.written import evaluate_written
from lmtool.settings import BleuSettings, SearchSettings, TextSettings
from lmtool.text.vocabulary import Vocabulary
from tests.inference.chance import ChanceModel, vocabulary_of

RECORDS = [
    ("der Hund", ["the dog", "a dog"]),
    ("die Katze sah", ["the cat saw"]),
    ("Hund", ["the Zork dog"]),
]


@pytest.mark.parametrize("threads", [1, 3])
def test_numbers_are_those_of_the_parts(threads: int) -> None:
    model = ChanceModel(vocabulary_of("the", "dog", "saw", "a", "cat"))
    settings = SearchSettings(beam=3)
    found = evaluate_written(model, RECORDS, settings, threads)
    written = [translate(model, source, settings).text for source, _ in RECORDS]
    bleu = corpus_bleu(written, [texts for _, texts in RECORDS])
    assert (found.bleu, found.bleu_1, found.length_ratio, found.signature) == (
        bleu.bleu, bleu.bleu_1, bleu.length_ratio, bleu.signature
    )  # fmt: skip
    scores = list(score_given(model, [(s, text) for s, texts in RECORDS for text in texts]))
    total = math.fsum(score.log10_p for score in scores)
    assert found.perplexity == pytest.approx(10 ** (-total / (2 + 2 + 3 + 3 + 4)))
    assert (found.n, found.n_texts, found.n_words, found.n_oov) == (3, 4, 10, 1)
    assert "bleu=" in repr(found) or repr(found).startswith("TextEvaluation(")
    assert set(found.to_dict()) >= {"bleu", "bleu_4", "signature", "length_ratio", "perplexity"}


def test_a_model_without_case_is_measured_without() -> None:
    lower = Vocabulary.build(["the dog"], TextSettings(lower=True))
    plain = Vocabulary.build(["the dog"], TextSettings())
    for vocabulary, case in ((lower, True), (plain, False)):
        model = ChanceModel(vocabulary, eyes=False)
        text = translate(model, "der Hund").text
        found = evaluate_written(model, [("der Hund", [text.upper()])])
        expected = corpus_bleu([text], [[text.upper()]], BleuSettings(lower=case))
        assert (found.bleu, found.signature) == (expected.bleu, expected.signature)


def test_nothing_to_evaluate() -> None:
    with pytest.raises(InputError, match="nothing to evaluate"):
        evaluate_written(ChanceModel(vocabulary_of("a")), [])
