"""How often a recogniser is right, and the weights that make it so: WER by speaker, tuning."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lmtool.display import Shown, Tabular
from lmtool.errors import InputError
from lmtool.inference import wer
from lmtool.inference.ctc_beam import decoder
from lmtool.inference.fusion import Language
from lmtool.inference.reading import AHEAD, Ahead
from lmtool.inference.transcribe import (
    Heard,
    Progress,
    Recording,
    SpeechModel,
    Transcription,
    transcribe_all,
)
from lmtool.inference.weights import tuned
from lmtool.inference.wer import Confusion, Wer
from lmtool.settings import TranscribeSettings

__all__ = ["SpeakerErrors", "SpeechEvaluation", "Tuning", "evaluated", "transcribed", "tune"]

MOST = 20  # confusions that are told
ROUNDS = 5
LISTED = 20  # texts of each utterance, by which weights are found
MOST_WEIGHT, MOST_BONUS = 5.0, 10.0  # beyond, lists that were made with less say nothing

Counts = NDArray[np.int64]


@dataclass(frozen=True, slots=True, repr=False)
class SpeakerErrors(Shown):
    """Errors of what one speaker says; percent."""

    _shown = ("speaker", "wer", "n_words", "n_utterances")

    speaker: str
    wer: float
    n_words: int
    n_utterances: int


@dataclass(frozen=True, slots=True, repr=False)
class SpeechEvaluation(Tabular):
    """Errors of transcriptions; percentages of words, of letters, of utterances."""

    _shown = ("wer", "cer", "n_words", "substitutions", "deletions", "insertions", "exact")

    wer: float
    cer: float
    n_words: int  # of the references
    substitutions: int
    deletions: int
    insertions: int
    exact: float  # utterances without an error
    n_utterances: int
    confusions: tuple[Confusion, ...]  # the most frequent ones first
    speakers: tuple[SpeakerErrors, ...]  # where they are known

    def to_dict(self) -> dict[str, Any]:
        """The same as plain values."""
        own = asdict(self)
        own["confusions"] = [one._asdict() for one in self.confusions]
        return own


@dataclass(frozen=True, slots=True, repr=False)
class Tuning(Shown):
    """Weights that were found, and the word error rates of greedy decoding and with them."""

    _shown = ("lm_weight", "word_bonus", "wer", "wer_greedy", "n_utterances")

    lm_weight: float
    word_bonus: float
    wer: float
    wer_greedy: float
    n_utterances: int

    def to_dict(self) -> dict[str, Any]:
        """The same as plain values."""
        return asdict(self)


def transcribed(
    model: SpeechModel,
    recordings: Iterable[Recording],
    settings: TranscribeSettings,
    language: Language | None = None,
    threads: int = 1,
    ahead: Ahead = AHEAD,
    sights: bool = False,
    progress: Progress | None = None,
) -> Iterator[Transcription]:
    """What is said in each recording, one by one."""
    decode = decoder(model.vocabulary, settings, language)
    return transcribe_all(model, recordings, decode, settings.n, threads, ahead, sights, progress)


def evaluated(results: Iterable[Transcription]) -> SpeechEvaluation:
    """Errors of transcriptions with references. Raises InputError where there is no word."""
    seen = [(one, one.reference or "") for one in results]
    words = [wer.statistics(one.text.split(), said.split()) for one, said in seen]
    letters = [wer.statistics(one.text, said) for one, said in seen]
    if not seen:
        raise InputError("there is no utterance to measure")
    total, spelled = Wer.of(np.sum(words, axis=0)), Wer.of(np.sum(letters, axis=0))
    confused = wer.confusions((one.text.split(), said.split()) for one, said in seen)
    return SpeechEvaluation(
        wer=total.wer,
        cer=spelled.wer,
        n_words=total.n_words,
        substitutions=total.substitutions,
        deletions=total.deletions,
        insertions=total.insertions,
        exact=total.exact,
        n_utterances=len(seen),
        confusions=tuple(confused[:MOST]),
        speakers=tuple(by_speaker([one.speaker for one, _ in seen], words)),
    )


def by_speaker(names: Sequence[str | None], counts: Sequence[Counts]) -> Iterator[SpeakerErrors]:
    """Each speaker's errors, the worst first; nothing where none is known."""
    known = sorted({name for name in names if name is not None})
    found = []
    for speaker in known:
        own = [x for name, x in zip(names, counts, strict=True) if name == speaker]
        total = np.sum(own, axis=0)
        errors = 100 * total[wer.ERRORS].sum() / max(1, total[wer.WORDS])
        found.append(SpeakerErrors(speaker, float(errors), int(total[wer.WORDS]), len(own)))
    yield from sorted(found, key=lambda one: (-one.wer, one.speaker))


def tune(
    model: SpeechModel,
    recordings: Sequence[Recording],
    settings: TranscribeSettings,
    language: Language,
    threads: int = 1,
) -> tuple[TranscribeSettings, Tuning]:
    """The settings with the weights that make the fewest word errors, and how many these are.

    Lists of the best texts are made with the weights so far, then weights found that are the best
    for all lists so far (see ``weights``), until they stay. Of all that were tried those are taken
    whose texts have the fewest errors. Raises InputError.
    """
    if not recordings:
        raise InputError("weights cannot be tuned without an utterance")
    references = [one.reference or "" for one in recordings]
    lists: list[dict[str, Heard]] = [{} for _ in recordings]
    now, tried = (settings.lm_weight, settings.word_bonus), dict[tuple[float, float], float]()
    beam = settings.width(True)
    while now not in tried and len(tried) < ROUNDS:
        asked = replace(
            settings, n=min(LISTED, beam), beam=beam, lm_weight=now[0], word_bonus=now[1]
        )
        results = [*transcribed(model, recordings, asked, language, threads)]
        tried[now] = evaluated(results).wer
        for known, result in zip(lists, results, strict=True):
            known |= {one.text: one for one in result.hypotheses if one.text not in known}
        now = weights_of(lists, references)
    best = min(tried, key=lambda weights: tried[weights])
    plain = evaluated(transcribed(model, recordings, TranscribeSettings(beam=1), None, threads))
    found = Tuning(*best, tried[best], plain.wer, len(recordings))
    return replace(settings, lm_weight=best[0], word_bonus=best[1]), found


def weights_of(lists: Sequence[dict[str, Heard]], references: Sequence[str]) -> tuple[float, float]:
    """The weight and the bonus with the fewest errors."""
    pairs = [(list(known.values()), said) for known, said in zip(lists, references, strict=True)]
    pairs = [(texts, said) for texts, said in pairs if texts]
    most = max(len(texts) for texts, _ in pairs)
    features, errors = np.zeros((len(pairs), most, 4)), np.zeros((len(pairs), most), np.int64)
    for n, (texts, said) in enumerate(pairs):
        filled = texts + texts[:1] * (most - len(texts))
        features[n, :, :3] = [one.parts for one in filled]
        errors[n] = [wer.n_errors(one.text.split(), said.split()) for one in filled]
    vector, _ = tuned(features, errors)
    bonus = float(np.clip(vector[2], -MOST_BONUS, MOST_BONUS))
    return round(min(float(vector[1]), MOST_WEIGHT), 3), round(bonus, 3)
