"""What ``transcribe`` and ``evaluate`` share: a language model that helps, and its weights."""

from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lmtool.cli.render import decimals, pairs, table
from lmtool.cli.terminal import harmless, talk
from lmtool.settings import TranscribeSettings

if TYPE_CHECKING:
    from lmtool.api import Model, Recogniser
    from lmtool.inference.speech import SpeechEvaluation, Tuning

__all__ = ["Lm", "Tune", "helped", "say_tuning", "speech_report"]

SHOWN = 10  # confusions

Lm = Annotated[
    Path | None,
    typer.Option("--lm", metavar="FILE", help="A language model that knows what is likely said."),
]
Tune = Annotated[
    str | None,
    typer.Option(
        metavar="MANIFEST",
        help="Recordings with texts, to find --lm-weight and --word-bonus on.",
    ),
]


def helped(
    recogniser: "Recogniser",
    lm: Path | None,
    tune: str | None,
    wanted: TranscribeSettings,
    threads: int | None,
) -> tuple["Model | None", TranscribeSettings]:
    """The language model, and the settings with the weights that were found, which are said."""
    if lm is None:
        if tune or wanted.lexicon:
            name = "--tune" if tune else "--lexicon"
            raise typer.BadParameter("needs a language model: give --lm FILE", param_hint=name)
        return None, wanted

    from lmtool import api
    from lmtool.workers import n_cores

    language: api.Model = api.load_as(lm, api.Model)
    if tune is None:
        return language, wanted
    options: Any = asdict(wanted)
    found = recogniser.tune(tune, language, threads=threads or n_cores(), **options)
    say_tuning(found, tune)
    return language, replace(wanted, lm_weight=found.lm_weight, word_bonus=found.word_bonus)


def say_tuning(found: "Tuning", path: str) -> None:
    """The weights, and what they are worth."""
    weights = f"--lm-weight {found.lm_weight:z.4g} --word-bonus {found.word_bonus:z.4g}"
    worth = f"WER {decimals(found.wer)} on {path}, {decimals(found.wer_greedy)} without"
    talk(f"tuned: {weights} ({worth})")


def speech_report(result: "SpeechEvaluation") -> str:
    """Rates and counts, then who is taken for whom, then each speaker."""
    names = ("wer", "cer", "n_words", "substitutions", "deletions", "insertions", "exact")
    parts = [pairs([(name, getattr(result, name)) for name in (*names, "n_utterances")])]
    confused = [
        (str(one.times), harmless(one.reference or "-"), harmless(one.hypothesis or "-"))
        for one in result.confusions[:SHOWN]
    ]
    if confused:
        parts.append(table(("times", "said", "heard"), confused, 0))
    spoken = [
        (harmless(one.speaker), decimals(one.wer), str(one.n_words)) for one in result.speakers
    ]
    if spoken:
        parts.append(table(("speaker", "wer", "words"), spoken, 1))
    return "\n\n".join(part.rstrip("\n") for part in parts)
