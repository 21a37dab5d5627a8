"""What whatever predicts a text can be asked, as methods: a language model, a given translator."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Unpack

import numpy as np

from lmtool import arguments
from lmtool.display import Listing
from lmtool.inference.reading import AHEAD, Ahead
from lmtool.inference.score import SentenceScore, score, score_lines, score_utterances
from lmtool.settings import LEVELS, Option, checked

if TYPE_CHECKING:
    from lmtool.inference.next import NextWord
    from lmtool.inference.pairs import GroupResult, Pair, PairScore
    from lmtool.inference.sample import Sample
    from lmtool.inference.surprisal import SentenceSurprisal
    from lmtool.models.predictor import Predictor
    from lmtool.settings.keywords import SampleKeywords, SurprisalKeywords
    from lmtool.text.vocabulary import Vocabulary


__all__ = ["Predicting"]


class Predicting:
    """Scores, samples and next words of a predictor."""

    __slots__ = ()

    @property
    def _predictor(self) -> Predictor:
        raise NotImplementedError

    @property
    def vocabulary(self) -> Vocabulary:
        """Tokens, ids and counts."""
        return self._predictor.vocabulary

    def score(self, text: str) -> SentenceScore:
        """P(text) as a product of conditionals; log10, and bits a word. Raises InputError."""
        return score(self._predictor, arguments.text(text))

    def score_lines(
        self,
        lines: Iterable[str],
        *,
        threads: int = 1,
        ahead: Ahead = AHEAD,
        level: str = LEVELS[0],
    ) -> Iterator[SentenceScore]:
        """One score a line, each on its own; a blank line gives a score without words.

        The factors are of words, or with the level "token" of the tokens that they have.

        Up to ``ahead`` lines are asked for before the first is answered: lines of like length are
        computed together, to the same bits as alone. 1 answers each line as it comes.
        """
        threads, ahead = arguments.paced(threads, ahead)
        level = checked("level", level, str, Option(choices=LEVELS))
        return score_lines(self._predictor, arguments.lines(lines), threads, ahead, level)

    def surprisal(self, text: str, **options: Unpack[SurprisalKeywords]) -> SentenceSurprisal:
        """Each word's surprisal, entropies, rank, frequency; options of SurprisalSettings.

        Logarithms are to base 2 unless ``base`` is "e" or "10". Raises InputError, ConfigError.
        """
        from lmtool.inference.surprisal import surprisal
        from lmtool.settings import SurprisalSettings

        settings = arguments.options(SurprisalSettings, options)
        return surprisal(self._predictor, arguments.text(text), settings)

    def surprisal_lines(
        self,
        lines: Iterable[str],
        *,
        threads: int = 1,
        ahead: Ahead = AHEAD,
        **options: Unpack[SurprisalKeywords],
    ) -> Iterator[SentenceSurprisal]:
        """The same line by line; a blank line gives a result without words."""
        from lmtool.inference.surprisal import surprisal_lines
        from lmtool.settings import SurprisalSettings

        settings = arguments.options(SurprisalSettings, options)
        threads, ahead = arguments.paced(threads, ahead)
        given = arguments.lines(lines)
        return surprisal_lines(self._predictor, given, settings, threads, ahead)

    def score_utterances(
        self,
        lines: Iterable[str],
        *,
        threads: int = 1,
        ahead: Ahead = AHEAD,
        level: str = LEVELS[0],
    ) -> Iterator[SentenceScore]:
        """One score a line ``utt-id w1 w2 ...``, the id left out. Raises InputError."""
        threads, ahead = arguments.paced(threads, ahead)
        level = checked("level", level, str, Option(choices=LEVELS))
        given = arguments.lines(lines)
        return score_utterances(self._predictor, given, threads, ahead, level)

    def sample(
        self,
        *,
        n: int = 1,
        prompt: str = "",
        seed: int | None = None,
        **options: Unpack[SampleKeywords],
    ) -> Listing[Sample]:
        """n texts drawn word by word until <EOS>; options are fields of SampleSettings."""
        return Listing(self.samples(n=n, prompt=prompt, seed=seed, **options))

    def samples(
        self,
        *,
        n: int = 1,
        prompt: str = "",
        seed: int | None = None,
        **options: Unpack[SampleKeywords],
    ) -> Iterator[Sample]:
        """The same, each drawn when it is asked for."""
        from lmtool.inference.sample import sample
        from lmtool.settings import SampleSettings

        settings = arguments.options(SampleSettings, options)
        n, prompt = arguments.whole(n, "n", 0), arguments.text(prompt, "prompt")
        drawn = int(np.random.SeedSequence().generate_state(1)[0]) if seed is None else seed
        drawn = arguments.whole(drawn, "seed", 0)
        rng = np.random.default_rng(drawn)
        return (sample(self._predictor, rng, settings, prompt, drawn) for _ in range(n))

    def next(self, text: str = "", k: int = 10) -> Listing[NextWord]:
        """The k most probable tokens after text, most probable first."""
        from lmtool.inference.next import next_words

        k = arguments.whole(k, "k", 1)
        return next_words(self._predictor, arguments.text(text), k)

    def score_pairs(
        self,
        pairs: Iterable[Pair],
        *,
        per_word: bool = False,
        threads: int = 1,
        ahead: Ahead = AHEAD,
    ) -> Iterator[PairScore]:
        """Minimal pairs, (good, bad) or more of a ``Pair``: which sentence is more probable."""
        from lmtool.inference.pairs import score_pairs

        threads, ahead = arguments.paced(threads, ahead)
        return score_pairs(self._predictor, arguments.pairs(pairs), per_word, threads, ahead)

    def pairs(self, pairs: Iterable[Pair], *, per_word: bool = False) -> Listing[GroupResult]:
        """The accuracy of each group of minimal pairs, with a 95 % interval."""
        from lmtool.inference.pairs import accuracies

        return accuracies(self.score_pairs(pairs, per_word=per_word))
