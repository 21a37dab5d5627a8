"""Scores made by hand, for the tests of output formats."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from lmtool.cli.formats import FORMATS, Job
from lmtool.inference.score import SentenceScore, WordScore

IDS = {"<EOS>": 0, "<UNK>": 1, "Todd": 2, "met": 3, " ": 4}


def word(text: str, log10_p: float, token: str | None = None) -> WordScore:
    """A word with its probability; unknown where the token is <UNK>."""
    return WordScore(
        word=text,
        token=token or text,
        oov=token == "<UNK>",
        log10_p=log10_p,
        surprisal_bits=-log10_p / math.log10(2),
        p=10**log10_p,
    )


def sentence(text: str, *words: WordScore) -> SentenceScore:
    """A sentence of words, the last being <EOS>."""
    log10_p = sum(part.log10_p for part in words)
    return SentenceScore(
        text=text,
        log10_p=log10_p,
        p=10**log10_p,
        perplexity=10 ** (-log10_p / len(words)) if words else None,
        n_words=max(0, len(words) - 1),
        n_oov=sum(part.oov for part in words),
        words=words,
    )


def three() -> list[SentenceScore]:
    """A known sentence, a blank line, and a sentence with an unknown word."""
    return [
        sentence("Todd met", word("Todd", -1.0), word("met", -0.25), word("<EOS>", -0.5)),
        sentence(""),
        sentence("Zork met", word("Zork", -3.0, "<UNK>"), word("met", -1.5), word("<EOS>", -0.5)),
    ]


def characters() -> list[SentenceScore]:
    """Of a character model: a space between two letters, one of them unknown."""
    letters = (word("T", -1.0, "<UNK>"), word(" ", -0.5), word("<EOS>", -0.25))
    return [sentence("T ", *letters)]


def long(n: int = 5000) -> list[SentenceScore]:
    """A sentence whose probability no float can hold."""
    return [sentence("Todd " * n, *[word("Todd", -1.25)] * n, word("<EOS>", -0.5))]


@dataclass(frozen=True, slots=True)
class Surprisal:
    """Stands in for a word with the entropy before it, in bits."""

    word: str
    token: str
    oov: bool
    length: int
    log10_p: float
    surprisal_bits: float
    entropy_before: float


@dataclass(frozen=True, slots=True)
class SentenceSurprisal:
    """Stands in for a sentence of them."""

    words: tuple[Surprisal, ...]


def surprisals(
    scores: list[SentenceScore], entropies: list[list[float]]
) -> list[SentenceSurprisal]:
    """The same sentences with the entropies before their words."""
    return [
        SentenceSurprisal(
            tuple(
                Surprisal(w.word, w.token, w.oov, len(w.word), w.log10_p, w.surprisal_bits, entropy)
                for w, entropy in zip(score.words, before, strict=True)
            )
        )
        for score, before in zip(scores, entropies, strict=True)
    ]


def job(level: str | None = None, ranked: bool = False) -> Job:
    """A job on standard input."""
    return Job(level=level, ranked=ranked, source="-", token_id=lambda token: IDS[token])


def text(name: str, scores: Sequence[Any], level: str | None = None, ranked: bool = False) -> str:
    """What the command prints."""
    lines = FORMATS[name].lines(scores, job(level, ranked))
    return "".join(f"{line}\n" for line in lines)
