"""What ``lmtool rescore`` prints: the table of layouts."""

import math
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from lmtool.cli.render import cut, decimals, json_line, number, table
from lmtool.cli.terminal import harmless

if TYPE_CHECKING:
    from lmtool.inference.rescore import Choice, Rescored, Rescoring

__all__ = ["FORMATS", "NAMES", "WITH_SUMMARY"]

BAR, SPELLED = "|||", "&#124;&#124;&#124;"  # what parts the fields of a list, and as Moses has it
LN10 = math.log(10)

Names = Sequence[str]  # of the models


def as_text(result: "Rescoring", names: Names) -> Iterator[str]:
    """The best of each list, a line each."""
    return (harmless(one.text) for one in result.lists)


def as_utterances(result: "Rescoring", names: Names) -> Iterator[str]:
    """The same after the id: ``utt w1 w2``, what Kaldi calls text."""
    return (harmless(f"{one.id} {one.text}".rstrip()) for one in result.lists)


def as_kaldi(result: "Rescoring", names: Names) -> Iterator[str]:
    """``utt-1 w1 w2``, the best first and numbered anew."""
    for one in result.lists:
        for place, choice in enumerate(one.hypotheses, 1):
            yield harmless(f"{one.id}-{place} {choice.text}".rstrip())


def as_moses(result: "Rescoring", names: Names) -> Iterator[str]:
    """``0 ||| text ||| recogniser= -3.1 lm= -8.2 words= 3 unknown= 0 ||| -11.3``, ln P."""
    for one in result.lists:
        for choice in one.hypotheses:
            text = harmless(choice.text).replace(BAR, SPELLED)
            given = choice.recogniser
            features = "" if given is None else f"recogniser= {number(given)} "
            features += f"lm= {' '.join(number(p * LN10) for p in choice.log10_p)}"
            features += f" words= {choice.n_words} unknown= {choice.n_oov}"
            yield f"{harmless(one.id)} ||| {text} ||| {features} ||| {number(choice.score)}"


def as_srilm(result: "Rescoring", names: Names) -> Iterator[str]:
    """``acoustic lm n w1 w2``, a blank line between lists; lm is log10 P, the models' mean."""
    for place, one in enumerate(result.lists):
        if place:
            yield ""
        for choice in one.hypotheses:
            mean = math.fsum(choice.log10_p) / len(choice.log10_p)
            numbers = f"{number(choice.recogniser or 0.0)} {number(mean)} {choice.n_words}"
            yield harmless(f"{numbers} {choice.text}".rstrip())


def as_tables(result: "Rescoring", names: Names) -> Iterator[str]:
    """Each list, and what its places are made of."""
    errors = ["errors"] * (result.chosen is not None)
    scores = ["recogniser"] * any(c.recogniser is not None for c in choices(result))
    logps = ["log10 p"] if len(names) == 1 else [f"log10 p {k}" for k in range(1, len(names) + 1)]
    headers = ["", "text", "was", *scores, *logps, "words", "unknown", "total", *errors]
    for place, one in enumerate(result.lists):
        rows = [
            row(rank, c, bool(scores), bool(errors)) for rank, c in enumerate(one.hypotheses, 1)
        ]
        found = table(headers, rows, 2) if rows else "no hypothesis"
        yield "\n" * bool(place) + f"{titled(one)}\n{found}"


def choices(result: "Rescoring") -> Iterator["Choice"]:
    """Of all lists."""
    return (choice for one in result.lists for choice in one.hypotheses)


def titled(one: "Rescored") -> str:
    """The id, and the reference where there is one."""
    said = f": {harmless(one.reference)}" if one.reference is not None else ""
    return f"{cut(one.id)}{said}"


def row(rank: int, choice: "Choice", scores: bool, errors: bool) -> list[str]:
    """Of a table."""
    return [
        str(rank),
        harmless(choice.text),
        str(choice.rank),
        *[number(choice.recogniser, 4)] * scores,
        *(decimals(p, 3) for p in choice.log10_p),
        str(choice.n_words),
        str(choice.n_oov),
        decimals(choice.score, 3),
        *[number(choice.n_errors)] * errors,
    ]


def as_objects(result: "Rescoring", names: Names) -> Iterator[str]:
    """An object a list, then the summary."""
    for one in result.lists:
        yield json_line(one.to_dict())
    yield json_line(result.to_dict())


FORMATS: dict[str, Callable[["Rescoring", Names], Iterator[str]]] = {
    "text": as_text,
    "table": as_tables,
    "utterances": as_utterances,
    "jsonl": as_objects,
    "moses": as_moses,
    "kaldi": as_kaldi,
    "srilm": as_srilm,
}
NAMES = ("jsonl", "moses", "kaldi", "srilm")  # of formats that are read, too
WITH_SUMMARY = ("jsonl",)  # layouts that hold it; with the others it is told
