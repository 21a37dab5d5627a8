"""How good texts about sources are: BLEU of those written, perplexity of those that are known.

BLEU is that of the best text of beam search against all texts that are known of its source, in
lower case where the model writes no other; perplexity is 10^(-log10 P / n), n words and an <EOS>
for each text.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from lmtool.display import Tabular
from lmtool.errors import InputError
from lmtool.inference.bleu import corpus_bleu
from lmtool.inference.score import power_of_ten
from lmtool.inference.translate import DEFAULT, score_given, translate_lines
from lmtool.models.predictor import Conditional
from lmtool.settings import BleuSettings, SearchSettings

__all__ = ["TextEvaluation", "evaluate_written"]

Record = tuple[Any, Sequence[str]]  # a source, its texts


@dataclass(frozen=True, slots=True, repr=False)
class TextEvaluation(Tabular):
    """How well a model writes; BLEU in percent."""

    _shown = ("bleu", "perplexity", "length_ratio", "n", "signature")

    bleu: float  # BLEU-4
    bleu_1: float
    bleu_2: float
    bleu_3: float
    bleu_4: float
    length_ratio: float  # words written / those of the known text whose number is closest
    perplexity: float  # of the known texts
    n: int  # sources
    n_texts: int  # that are known of them
    n_words: int  # of these, without <EOS>
    n_oov: int  # of these words
    signature: str  # what BLEU depends on

    def to_dict(self) -> dict[str, Any]:
        """The same as plain values."""
        return asdict(self)


def evaluate_written(
    model: Conditional,
    records: Iterable[Record],
    settings: SearchSettings = DEFAULT,
    threads: int = 1,
) -> TextEvaluation:
    """How well a model writes about sources whose texts are known.

    Raises InputError where there is none, ModelFileError for weights too large.
    """
    known = list(records)
    if not known:
        raise InputError("nothing to evaluate: there is no source with a text about it")
    sources = [source for source, _ in known]
    written = [one.text for one in translate_lines(model, sources, settings, threads)]
    lower = BleuSettings(lower=model.vocabulary.settings.lower)
    bleu = corpus_bleu(written, [texts for _, texts in known], lower)
    pairs = ((source, text) for source, texts in known for text in texts)
    scores = list(score_given(model, pairs, threads))
    factors = sum(one.n_words + bool(one.words) for one in scores)
    log10_p = math.fsum(one.log10_p for one in scores)
    return TextEvaluation(
        *(bleu.bleu, bleu.bleu_1, bleu.bleu_2, bleu.bleu_3, bleu.bleu_4, bleu.length_ratio),
        perplexity=power_of_ten(-log10_p / max(1, factors)),
        n=len(known),
        n_texts=len(scores),
        n_words=sum(one.n_words for one in scores),
        n_oov=sum(one.n_oov for one in scores),
        signature=bleu.signature,
    )
