"""The arithmetic of BLEU for one sentence, so that it can be followed with a pencil."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from lmtool.cli.render import cut, decimals, paragraph, table
from lmtool.cli.terminal import harmless
from lmtool.display import counted
from lmtool.settings import BleuSettings

if TYPE_CHECKING:
    from lmtool.inference.bleu import Bleu, Ngram

__all__ = ["as_object", "explained"]

WIDEST = 60  # characters of an n-gram
INDENT = "  "


def as_object(
    text: str, references: Sequence[str], result: "Bleu", settings: BleuSettings
) -> dict[str, Any]:
    """The result and its n-grams, shorter ones first."""
    from lmtool.inference.bleu import ORDER, ngrams, words_of

    words = words_of(settings)
    own, others = words(text), [words(one) for one in references]
    found = [one for n in range(1, ORDER + 1) for one in ngrams(own, others, n)]
    return result.to_dict() | {"ngrams": [asdict(one) for one in found]}


def explained(text: str, references: Sequence[str], result: "Bleu", settings: BleuSettings) -> str:
    """The texts, a table for each order, and what follows from their sums."""
    from lmtool.inference.bleu import ORDER, ngrams, words_of

    words = words_of(settings)
    own, others = words(text), [words(one) for one in references]
    parts = [texts(own, others)]
    for n in range(1, ORDER + 1):
        found = ngrams(own, others, n)
        parts.append("\n".join([*counts(found, n), precision(result, n)]))
    parts.append("\n".join([penalty(result), *means(result)]))
    return "\n\n".join(parts)


def texts(own: Sequence[str], others: Sequence[Sequence[str]]) -> str:
    """The words that are compared, and how many."""
    named = [("hypothesis", own), *((f"ref {i}", one) for i, one in enumerate(others, 1))]
    return "\n".join(
        paragraph(f"{name:10}  {harmless(' '.join(line))} ({counted(len(line), 'word')})", " " * 12)
        for name, line in named
    )


def counts(found: Sequence["Ngram"], n: int) -> Iterator[str]:
    """A row for each n-gram; marked where some of its count is cut off."""
    if not found:
        return
    heads = [f"ref {i}" for i in range(1, len(found[0].references) + 1)]
    rows = [
        [cut(" ".join(one.words), WIDEST), *map(str, (one.count, *one.references, one.clipped))]
        for one in found
    ]
    marked = [i for i, one in enumerate(found) if 0 < one.clipped < one.count]
    yield table([f"{n}-gram", "count", *heads, "clipped"], rows, marked=marked)


def precision(result: "Bleu", n: int) -> str:
    """``p_2 = 4 / 7 = 0.5714``; where nothing matches, what stands in its place."""
    matched, of, p = result.matched[n - 1], result.counted[n - 1], result.precisions[n - 1]
    if not of:
        return f"p_{n}: no {n}-gram"
    if matched or not p:
        return f"p_{n} = {matched} / {of} = {decimals(p / 100, 4)}"
    halved = 2 ** result.matched[:n].count(0)
    return f"p_{n} = 0 / {of}, smoothed 1 / ({halved} x {of}) = {decimals(p / 100, 4)}"


def penalty(result: "Bleu") -> str:
    """``BP = exp(1 - 7 / 4) = 0.4724``."""
    c, r = result.n_hypothesis, result.n_reference
    lengths = f"{counted(c, 'word')}, {r} in the closest reference"
    value = decimals(result.brevity_penalty, 4)
    if 0 < c < r:
        return f"BP = exp(1 - {r} / {c}) = {value}   ({lengths})"
    return f"BP = {value}   ({lengths})"


def means(result: "Bleu") -> Iterator[str]:
    """``BLEU-2 = BP (p_1 p_2)^(1/2) = 1.0000 x (0.7500 x 0.5714)^(1/2) = 65.47 %``."""
    for n in range(1, len(result.counted) + 1):
        if n > 1 and not result.counted[n - 1]:
            last = max(1, sum(map(bool, result.counted)))
            yield f"BLEU-{n} = BLEU-{last}: of one sentence the order goes no further"
            continue
        product = " x ".join(decimals(p / 100, 4) for p in result.precisions[:n])
        root = f"({product})^(1/{n})" if n > 1 else product
        score = decimals(getattr(result, f"bleu_{n}"))
        yield paragraph(
            f"BLEU-{n} = {decimals(result.brevity_penalty, 4)} x {root} = {score} %", INDENT
        )
