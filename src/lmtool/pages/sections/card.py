"""The card: what the model is, what it has learnt from, and where its limits are."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from lmtool.display import counted
from lmtool.pages.elements import Element, details, e, number, said, table
from lmtool.pages.sections.base import Section
from lmtool.pages.subject import Subject

__all__ = ["SECTION", "Card", "headline"]

SELDOM = 5  # occurrences from which on a word is known a little
LISTED = 8  # labels by name
UNITS = {"word": "words", "split": "words and marks", "subword": "pieces of words",
         "char": "characters"}  # fmt: skip
# of validation measures the one that says most, and how it is said
SAID = {
    "valid_bleu": "BLEU {:z.1f}",
    "valid_f1": "F1 {:z.1f} %",
    "valid_accuracy": "{:z.1f} % right",
    "valid_wer": "word error rate {:z.1f} %",
    "valid_perplexity": "perplexity {:z.4g}",
}
COUNTS = {"n_lines": "line", "n": "example", "n_words": "word", "n_tokens": "token",
          "n_frames": "frame"}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Card:
    """Names and values, all of them the model's own words."""

    facts: tuple[tuple[str, str], ...]
    settings: tuple[tuple[str, str], ...]
    command: str


def headline(subject: Subject) -> str:
    """``A language model over words: perplexity 3.56 on held-out text``"""
    face, kind = subject.face, subject.kind
    what = WHAT[kind](face) if kind in WHAT else f"A {kind}"
    result = subject.claimed("result")
    measures = result if isinstance(result, dict) else {}
    for name, said_so in SAID.items():
        value = measures.get(name)
        if isinstance(value, int | float) and math.isfinite(value):
            return f"{what}: {said_so.format(value)} in validation"
    return what


def over(face: Any) -> str:
    """``words``, ``pieces of words``, ``characters``"""
    return UNITS.get(face.vocabulary.tokenizer.name, "tokens")


WHAT: dict[str, Callable[[Any], str]] = {
    "language model": lambda face: f"A language model over {over(face)}",
    "tagger": lambda face: "A tagger of words",
    "classifier": lambda face: f"A classifier of texts, {len(face.labels)} labels",
    "frame classifier": lambda face: f"A classifier of clips, {len(face.labels)} labels",
    "vector classifier": lambda face: f"A classifier of vectors, {len(face.labels)} labels",
    "translator": lambda face: f"A translator into {over(face)}",
    "captioner": lambda face: f"A captioner of vectors, in {over(face)}",
    "recogniser": lambda face: f"A recogniser of speech, in {over(face)}",
    "word embedding": lambda face: f"Vectors of {len(face.vocabulary):,} words",
}


def numbers(subject: Subject) -> Card:
    """What the file says of itself."""
    facts = [
        ("network", network(subject)),
        ("mixture", mixture(subject)),
        ("weights", number(subject.card["n_parameters"]) if subject.card["n_parameters"] else ""),
        *words(subject),
        *names(subject),
        ("learnt from", counts(subject.claimed("corpus", "train"))),
        ("validated on", counts(subject.claimed("corpus", "valid"))),
        ("recipe", recipe(subject.claimed("recipe"))),
        ("versions", pairs(subject.claimed("versions"))),
        ("digest", str(subject.card.get("digest", ""))),
    ]
    own = {**flat(subject.card.get("network")), **flat(subject.claimed("recipe"))}
    command = subject.claimed("command")
    return Card(
        tuple((name, value) for name, value in facts if value),
        tuple((name, number(value)) for name, value in own.items() if value is not None),
        command if isinstance(command, str) else "",
    )


def network(subject: Subject) -> str:
    """Its settings in a line; of an n-gram model alone what is counted."""
    if not subject.card["n_parameters"]:
        mixed = mixture(subject)
        return "none of its own: models are mixed" if mixed else "none: runs of words are counted"
    K = getattr(subject.face.settings, "members", 1) or 1
    return f"{'mean of ' + str(K) + ': ' if K > 1 else ''}{subject.face.settings}"


def mixture(subject: Subject) -> str:
    """What a language model mixes: ``network 0.723, 5-gram 0.277``"""
    parts = subject.card.get("parts", ())
    return ", ".join(f"{one['name']} {one['weight']:z.3f}" for one in parts if len(parts) > 1)


def words(subject: Subject) -> list[tuple[str, str]]:
    """The vocabulary, and how much of it was seldom seen."""
    vocabulary = getattr(subject.face, "vocabulary", None)
    if vocabulary is None:
        return []
    learnt = vocabulary.counts[2:]
    seldom = int((learnt < SELDOM).sum())
    share = f"{100 * seldom / max(1, len(learnt)):z.0f} % of them seen less than {SELDOM} times"
    size = f"{vocabulary.n_tokens:,} outputs with <EOS> and <UNK>"
    return [("vocabulary", f"{size}; {share}" if vocabulary.counts.any() else size)]


def names(subject: Subject) -> list[tuple[str, str]]:
    """Labels or tags and how often each was seen, the most frequent first."""
    for what in ("labels", "tags"):
        counted_names = subject.card.get(what)
        if isinstance(counted_names, dict):
            most = sorted(counted_names.items(), key=lambda one: -one[1])
            listed = ", ".join(f"{name} {n:,}" for name, n in most[:LISTED] if n)
            more = f" and {len(most) - LISTED} more" if len(most) > LISTED else ""
            return [(what, listed + more)]
    return []


def counts(value: Any) -> str:
    """``9,216 lines, 52,437 words``"""
    if not isinstance(value, dict):
        return ""
    known = [(thing, value[name]) for name, thing in COUNTS.items() if name in value]
    return ", ".join(counted(n, thing) for thing, n in known if isinstance(n, int))


def recipe(value: Any) -> str:
    """``adam, 36 steps of 32 sequences, learning rate 0.012, dropout 0``"""
    if not isinstance(value, dict) or not isinstance(value.get("batch"), int):
        return ""
    steps = value.get("steps")
    run = f"{number(steps)} steps" if steps else f"{number(value.get('epochs'))} epochs"
    rate, drop = number(value.get("lr")), number(value.get("dropout"))
    batch = f"{value['batch']} sequences"
    return f"{value.get('optimizer')}, {run} of {batch}, learning rate {rate}, dropout {drop}"


def pairs(value: Any) -> str:
    """``lmtool 0.1.0, numpy 2.4.6``"""
    known = value.items() if isinstance(value, dict) else ()
    return ", ".join(f"{name} {version}" for name, version in known)


def flat(value: Any) -> dict[str, Any]:
    """The plain values of a record."""
    known = value.items() if isinstance(value, dict) else ()
    return {str(name): x for name, x in known if not isinstance(x, dict | list)}


def draw(card: Card) -> list[Element]:
    """Names and values; the command that repeats the training."""
    rows = [part for name, value in card.facts for part in (e("dt", name), e("dd", said(value)))]
    found = [e("dl", *rows)]
    if card.command:
        found += [details("The command that repeats it", e("pre", said(card.command)))]
    if card.settings:
        cells = [(name, said(value)) for name, value in card.settings]
        found += [details("All settings", table(("setting", "value"), cells, "Settings", 2))]
    return found


SECTION = Section("card", "Card", numbers, draw, "lmtool info")
