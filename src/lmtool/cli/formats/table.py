"""Dialects of ``score``: each turns a stream of scores into lines; a new one is a line in FORMATS.

``srilm`` writes what ``ngram -ppl -debug 2`` writes (with [rnn] where the n-gram order stands), and
``kenlm`` what ``query`` writes, so that scripts for either read lmtool's output unchanged.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lmtool.cli.render import cut, json_line, number, power, table
from lmtool.cli.terminal import harmless

if TYPE_CHECKING:
    from lmtool.inference.score import SentenceScore, WordScore

__all__ = ["FORMATS", "LEVELS", "Job", "factors"]

LEVELS = ("word", "sentence")
SENTENCE = ("text", "log10_p", "p", "perplexity", "n_words", "n_oov")
WORD = ("sentence", "word", "token", "oov", "log10_p", "surprisal_bits", "p")
TEXT = 72  # characters of a sentence that a ranking shows
HISTORY = 2  # words of the history that a table shows


@dataclass(frozen=True, slots=True)
class Job:
    """What the scores belong to."""

    level: str | None  # a name in LEVELS; None leaves the choice to the format
    ranked: bool  # sentences to compare, rather than lines of a file
    source: str  # the file's name
    token_id: Callable[[str], int]  # 0 is <EOS>, 1 is <UNK>


Format = Callable[[Iterable["SentenceScore"], Job], Iterator[str]]


def as_table(scores: Iterable["SentenceScore"], job: Job) -> Iterator[str]:
    """The chain rule of one sentence, a ranking of several, or a line per line of a file."""
    if not job.ranked:
        form = _chains if job.level == "word" else _lines
        yield from form(scores)
        return
    collected = list(scores)
    by_word = job.level == "word" or (job.level is None and len(collected) == 1)
    yield from _chains(collected) if by_word else iter([ranking(collected)])


def _chains(scores: Iterable["SentenceScore"]) -> Iterator[str]:
    for index, score in enumerate(scores):
        yield "\n" * (index > 0) + chain(score) if score.words else ""


def _lines(scores: Iterable["SentenceScore"]) -> Iterator[str]:
    yield f"{'log10_p':>12}  {'perplexity':>12}  {'n_oov':>5}  text"
    for score in scores:
        numbers = f"{number(score.log10_p):>12}  {number(score.perplexity):>12}  {score.n_oov:>5}"
        yield f"{numbers}  {harmless(score.text)}" if score.words else ""


def chain(score: "SentenceScore") -> str:
    """P(text) factor by factor, and what it comes to."""
    return f"{factors(score.words)}\n\n{_sum(score)}"


def factors(words: tuple["WordScore", ...]) -> str:
    """The chain rule: one row per factor, with the product so far."""
    rows, log10_p = [], 0.0
    for index, word in enumerate(words):
        log10_p += word.log10_p
        numbers = (f"{word.log10_p:.4f}", f"{word.surprisal_bits:.2f}", power(log10_p))
        rows.append((_factor(words, index), power(word.log10_p), *numbers))
    headers = ("P(word | words before)", "p", "log10 p", "bits", "product")
    return table(headers, rows, 1, [index for index, word in enumerate(words) if word.oov])


def _factor(words: tuple["WordScore", ...], index: int) -> str:
    history = [cut(word.word) for word in words[max(0, index - HISTORY) : index]]
    dots = ["..."] * (index > HISTORY)
    given = " | " + " ".join(dots + history) if history else ""
    return f"P({_marked(words[index])}{given})"


def _marked(word: "WordScore") -> str:
    return f"{cut(word.word)} as {word.token}" if word.oov else cut(word.word)


def _sum(score: "SentenceScore") -> str:
    total = f"P = {power(score.log10_p)}   log10 P = {score.log10_p:.4f}"
    words = f"{score.n_words} word{'s' * (score.n_words != 1)} + <EOS>, {score.n_oov} OOV"
    line = f"{total}   perplexity = {number(score.perplexity)}   ({words})"
    unknown = [cut(word.word) for word in score.words if word.oov]
    return line + f"\nnot in the vocabulary: {', '.join(unknown)}" * bool(unknown)


def ranking(scores: list["SentenceScore"]) -> str:
    """Sentences, most probable first, with the odds of the first against each."""
    ordered = sorted(scores, key=lambda score: -score.log10_p)
    rows = [
        (
            str(rank),
            cut(score.text, TEXT),
            f"{score.log10_p:.4f}",
            power(score.log10_p),
            number(score.perplexity),
            str(score.n_oov),
            f"{power(ordered[0].log10_p - score.log10_p)} : 1",
        )
        for rank, score in enumerate(ordered, 1)
    ]
    headers = ("", "sentence", "log10 P", "P", "perplexity", "OOV", "best : this")
    return table(headers, rows, 2, [index for index, score in enumerate(ordered) if score.n_oov])


def tsv(scores: Iterable["SentenceScore"], job: Job) -> Iterator[str]:
    """One row per sentence, or per word with the number of its line."""
    by_word = job.level == "word"
    yield "\t".join(WORD if by_word else SENTENCE)
    for line, score in enumerate(scores, 1):
        yield from _word_rows(score, line) if by_word else iter([_sentence_row(score)])


def _sentence_row(score: "SentenceScore") -> str:
    if not score.words:
        return "\t".join([harmless(score.text), "", "", "", "0", "0"])
    values = (number(score.log10_p), power(score.log10_p, 6), number(score.perplexity))
    return "\t".join([harmless(score.text), *values, str(score.n_words), str(score.n_oov)])


def _word_rows(score: "SentenceScore", line: int) -> Iterator[str]:
    for word in score.words:
        names = (harmless(word.word), harmless(word.token), number(word.oov))
        values = (number(word.log10_p), number(word.surprisal_bits), power(word.log10_p, 6))
        yield "\t".join([str(line), *names, *values])


def jsonl(scores: Iterable["SentenceScore"], job: Job) -> Iterator[str]:
    """One object per sentence; without its words at level ``sentence``."""
    for score in scores:
        value = score.to_dict()
        if job.level == "sentence":
            del value["words"]
        yield json_line(value)


@dataclass(frozen=True, slots=True)
class Totals:
    """Counts of a sentence or a file; a sum of two is again one."""

    n_sentences: int = 0
    n_words: int = 0  # without <EOS>
    n_oov: int = 0
    known: float = 0.0  # log10 P without the unknown words
    unknown: float = 0.0  # log10 P of the unknown words

    def __add__(self, other: "Totals") -> "Totals":
        return Totals(
            self.n_sentences + other.n_sentences,
            self.n_words + other.n_words,
            self.n_oov + other.n_oov,
            self.known + other.known,
            self.unknown + other.unknown,
        )


def _totals(score: "SentenceScore") -> Totals:
    known = sum(word.log10_p for word in score.words if not word.oov)
    unknown = sum(word.log10_p for word in score.words if word.oov)
    return Totals(1, score.n_words, score.n_oov, known, unknown)


def _perplexity(log10_p: float, n: int, undefined: str, digits: int) -> str:
    return power(-log10_p / n, digits) if n > 0 else undefined


def srilm(scores: Iterable["SentenceScore"], job: Job) -> Iterator[str]:
    """``ngram -debug 2`` (``-debug 1`` at level ``sentence``): OOVs count, but not in logprob."""
    total = Totals()
    for score in scores:
        if not score.words:
            yield ""
            continue
        part = _totals(score)
        total += part
        yield " ".join(_bare(word.word) for word in score.words[:-1])
        if job.level != "sentence":
            yield from _srilm_words(score.words)
        yield from _srilm_totals(part)
        yield ""
    counts, sums = _srilm_totals(total)
    yield f"file {harmless(job.source)}: {counts}"
    yield sums


def _srilm_words(words: tuple["WordScore", ...]) -> Iterator[str]:
    history = "<s> "
    for index, word in enumerate(words):
        name = "</s>" if index == len(words) - 1 else _bare(word.word)
        value = f"[rnn] {power(word.log10_p, 6)} [ {word.log10_p:.6g} ]"
        yield f"\tp( {name} | {history}) \t= {'[OOV] 0 [ -inf ]' if word.oov else value}"
        history = f"{name} ..."


def _srilm_totals(totals: Totals) -> tuple[str, str]:
    n = totals.n_words - totals.n_oov
    ppl = _perplexity(totals.known, n + totals.n_sentences, "undefined", 6)
    ppl1 = _perplexity(totals.known, n, "undefined", 6)
    counts = f"{totals.n_sentences} sentences, {totals.n_words} words, {totals.n_oov} OOVs"
    return counts, f"0 zeroprobs, logprob= {totals.known:.6g} ppl= {ppl} ppl1= {ppl1}"


def kenlm(scores: Iterable["SentenceScore"], job: Job) -> Iterator[str]:
    """``query``: word=id length log10 for each word, then sums; id 0 is unknown, 2 is </s>."""
    total = Totals()
    for score in scores:
        if not score.words:
            yield ""
            continue
        part = _totals(score)
        total += part
        words = "" if job.level == "sentence" else _kenlm_words(score.words, job.token_id)
        yield f"{words}Total: {part.known + part.unknown:.7g} OOV: {part.n_oov}"
    n = total.n_words + total.n_sentences
    log10_p = total.known + total.unknown
    yield f"Perplexity including OOVs:\t{_perplexity(log10_p, n, 'nan', 7)}"
    yield f"Perplexity excluding OOVs:\t{_perplexity(total.known, n - total.n_oov, 'nan', 7)}"
    yield f"OOVs:\t{total.n_oov}"
    yield f"Tokens:\t{n}"


def _kenlm_words(words: tuple["WordScore", ...], token_id: Callable[[str], int]) -> str:
    cells = []
    for index, word in enumerate(words):
        last = index == len(words) - 1
        name = "</s>" if last else _bare(word.word)
        number = 2 if last else 0 if word.oov else token_id(word.token) + 1
        cells.append(f"{name}={number} {index + 2} {word.log10_p:.7g}\t")  # <s> counts as well
    return "".join(cells)


def _bare(word: str) -> str:
    """A word without blanks, which these formats split at."""
    return harmless(word) if word.strip() else "<space>"


FORMATS: dict[str, Format] = {
    "table": as_table,
    "tsv": tsv,
    "jsonl": jsonl,
    "srilm": srilm,
    "kenlm": kenlm,
}
