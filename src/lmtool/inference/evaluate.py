"""Perplexity, with every count that it depends on; definitions as in SRILM's ppl."""

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from itertools import tee
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from lmtool._version import __version__
from lmtool.arrays import Ids
from lmtool.display import Listing, Tabular
from lmtool.errors import InputError
from lmtool.inference.reading import Measure, Sentence, Values, follow, sentence, side_by_side
from lmtool.inference.score import LN2, LN10, measured_logp, verified, without
from lmtool.models.adaptation import adapted, in_documents
from lmtool.models.mixture import Mixture, parts_of
from lmtool.models.predictor import Predictor, Top, joined, rows
from lmtool.models.tempered import Tempered
from lmtool.settings import CONTEXTS, LEVELS, AdaptSettings, Option, checked
from lmtool.text.vocabulary import EOS_ID
from lmtool.workers import Workers

__all__ = [
    "Evaluation",
    "cut",
    "evaluate",
    "evaluations",
    "padded",
    "padded_logp",
    "perplexity",
    "sentence_logp",
    "sentences",
    "stream_logp",
]

Measured = TypeVar("Measured")

STEPS = 32  # time steps whose outputs are computed together
SENTENCES = 64  # side by side
AS_TRAINED = AdaptSettings()
BURN_IN = 64  # tokens after which a state has forgotten where it started


@dataclass(frozen=True, slots=True)
class PartEvaluation:
    """What a mixture makes of a text by one of its parts alone."""

    name: str
    weight: float
    perplexity: float


@dataclass(frozen=True, slots=True, repr=False)
class Evaluation(Tabular):
    """A text's probability. Blank lines do not count."""

    _shown = ("perplexity", "bits_per_word", "bits_per_character", "n_words", "n_oov", "context")

    perplexity: float  # <EOS> and unknown words included
    perplexity_no_eos: float
    perplexity_no_oov: float  # unknown words' factors left out
    perplexity_no_eos_no_oov: float
    log10_p: float
    n_sentences: int
    n_words: int
    n_oov: int
    n_characters: int  # one for the end of each line included
    n_bytes: int  # the same in UTF-8
    bits_per_word: float  # <EOS> included: log2(perplexity)
    bits_per_character: float
    bits_per_byte: float
    context: str
    signature: str
    level: str | None = None  # None, as the next three: each word is a token
    perplexity_per_word: float | None = None  # the above
    perplexity_per_token: float | None = None
    n_tokens: int | None = None
    parts: tuple[PartEvaluation, ...] = ()  # of a mixture
    adaptation: dict[str, dict[str, float]] | None = None  # how the model followed the text

    def to_dict(self) -> dict[str, Any]:
        """The same as plain values; what sets tokens apart where words may have several."""
        absent = (*(LEVELLED if self.level is None else ()), *FOLLOWING)
        missing = [name for name in absent if name in LEVELLED or not getattr(self, name)]
        return without(missing, asdict(self))


LEVELLED = ("level", "perplexity_per_word", "perplexity_per_token", "n_tokens")
FOLLOWING = ("parts", "adaptation")


@dataclass(slots=True)
class Sums:
    """What is added up over lines; natural logarithms."""

    logp: float = 0.0
    logp_eos: float = 0.0
    logp_oov: float = 0.0
    n_sentences: int = 0
    n_words: int = 0
    n_oov: int = 0
    n_characters: int = 0
    n_bytes: int = 0
    n_tokens: int = 0
    parts: NDArray[np.float64] | float = 0.0  # (K,) of a mixture


def evaluate(
    model: Predictor,
    lines: Iterable[str],
    context: str = "sentence",
    threads: int = 1,
    adaptation: AdaptSettings = AS_TRAINED,
) -> Evaluation:
    """Sentence context: each line from zero state; document: the state carries over.

    Raises InputError where there is no word, OptionError for another context, ConfigError where
    a model cannot follow the text.
    """
    return evaluations(model, lines, (context,), threads, adaptation)[0]


def evaluations(
    model: Predictor,
    lines: Iterable[str],
    contexts: Sequence[str] = CONTEXTS,
    threads: int = 1,
    adaptation: AdaptSettings = AS_TRAINED,
) -> Listing[Evaluation]:
    """``evaluate`` in several contexts, the text read once."""
    for context in contexts:
        checked("context", context, str, Option(choices=CONTEXTS))
        in_documents(adaptation, context)
    model = adapted(model, adaptation)
    sums = [Sums() for _ in contexts]
    copies = tee(lines, len(contexts))
    with Workers(threads) as workers:
        streams = map(partial(line_logps, model, workers), contexts, copies)
        for parts in zip(*streams, strict=True):
            for total, part in zip(sums, parts, strict=True):
                add_line(total, model, *part)
    if not sums[0].n_sentences:
        raise InputError("nothing to evaluate: there is no word in the text")
    totals = zip(sums, contexts, strict=True)
    return Listing(summary(model, total, context, adaptation) for total, context in totals)


def line_logps(
    model: Predictor, workers: Workers, context: str, lines: Iterable[str]
) -> Iterator[tuple[Sentence, NDArray[np.float64]]]:  # (1 + K, T)
    """Each line that is not blank, and ln p of its words and <EOS>; of a mixture's parts, too."""
    every = (sentence(model.vocabulary, line) for line in lines)
    spoken, measure = (one for one in every if one.words), measured_parts(model)
    if context == "sentence":
        read = side_by_side(model, spoken, measure, workers)
    else:
        read = follow(model, spoken, measure)
    for one, values in read:
        yield one, np.stack([verified(each) for each in values])


def measured_parts(model: Predictor) -> Measure:
    """ln p of each token, and as each part of a mixture has it."""
    if len(parts_of(model)) < 2:
        return measured_logp(model)
    mixture = Mixture(parts_of(model), getattr(model, "buckets", None))

    def measure(top: Top, ids: Ids) -> Values:
        columns = mixture.columns(top, ids)
        return tuple(x.astype(np.float64) for x in (mixture.mixed(columns), *columns.logp))

    return measure


def add_line(sums: Sums, model: Predictor, line: Sentence, each: NDArray[np.float64]) -> None:
    """Adds one line, counted as its tokens spell it."""
    logps, sums.parts = each[0], sums.parts + each[1:].sum(axis=1)
    text, oov = model.vocabulary.tokenizer.separator.join(line.words), line.oov()
    unknown = oov if line.pieces is None else np.repeat(oov, line.lengths())
    sums.logp += math.fsum(logps)
    sums.logp_eos += float(logps[-1])
    sums.logp_oov += math.fsum(logps[unknown])
    sums.n_sentences += 1
    sums.n_words += len(line.words)
    sums.n_oov += int(oov.sum())
    sums.n_tokens += len(line.ids) - 1
    sums.n_characters += len(text) + 1
    sums.n_bytes += len(text.encode()) + 1


def summary(
    model: Predictor, sums: Sums, context: str, adaptation: AdaptSettings = AS_TRAINED
) -> Evaluation:
    """The conventions, from the sums."""
    n = sums.n_words + sums.n_sentences
    several = model.vocabulary.several
    per_token = perplexity(sums.logp, sums.n_tokens + sums.n_sentences)
    return Evaluation(
        perplexity=perplexity(sums.logp, n),
        perplexity_no_eos=perplexity(sums.logp - sums.logp_eos, sums.n_words),
        perplexity_no_oov=perplexity(sums.logp - sums.logp_oov, n - sums.n_oov),
        perplexity_no_eos_no_oov=perplexity(
            sums.logp - sums.logp_eos - sums.logp_oov, sums.n_words - sums.n_oov
        ),
        log10_p=sums.logp / LN10,
        n_sentences=sums.n_sentences,
        n_words=sums.n_words,
        n_oov=sums.n_oov,
        n_characters=sums.n_characters,
        n_bytes=sums.n_bytes,
        bits_per_word=-sums.logp / LN2 / n,
        bits_per_character=-sums.logp / LN2 / sums.n_characters,
        bits_per_byte=-sums.logp / LN2 / sums.n_bytes,
        context=context,
        signature=signature(model, context, adaptation),
        level=LEVELS[0] if several else None,
        perplexity_per_word=perplexity(sums.logp, n) if several else None,
        perplexity_per_token=per_token if several else None,
        n_tokens=sums.n_tokens if several else None,
        parts=tuple(by_parts(model, sums, n)),
        adaptation=adaptation.said() or None,
    )


def by_parts(model: Predictor, sums: Sums, n: int) -> Iterator[PartEvaluation]:
    """Each part of a mixture alone."""
    parts = parts_of(model)
    if len(parts) > 1:
        for part, logp in zip(parts, np.asarray(sums.parts).tolist(), strict=True):
            yield PartEvaluation(part.name, part.weight, perplexity(logp, n))


def perplexity(logp: float, n: int) -> float:
    """exp(-logp / n); NaN where nothing is counted."""
    return math.exp(min(700.0, -logp / n)) if n else math.nan


def signature(model: Predictor, context: str, adaptation: AdaptSettings = AS_TRAINED) -> str:
    """Everything that two perplexities must share to be comparable."""
    vocabulary = model.vocabulary
    case = "lower" if vocabulary.settings.lower else "mixed"
    size = f"{vocabulary.n_tokens - 2}+2:{vocabulary.digest}"
    return (
        f"tokens:{vocabulary.tokenizer.name}|case:{case}|vocab:{size}|context:{context}"
        f"|eos:yes|oov:incl{mixed(model)}{followed(adaptation)}|version:{__version__}"
    )


def mixed(model: Predictor) -> str:
    """``|model:network*0.723+5-gram*0.277``, ``|model:5-gram``; nothing of networks alone."""
    parts = parts_of(model)
    if not parts:
        return ""
    names = (f"{part.name}*{part.weight:.3f}" if len(parts) > 1 else part.name for part in parts)
    warm = (f"@{x.temperature:g}" if isinstance(x, Tempered) else "" for _, _, x in parts)
    shown = "+".join(f"{name}{T}" for name, T in zip(names, warm, strict=True))
    buckets = getattr(model, "buckets", None)
    followed = "+".join(clue.kind for clue in buckets.clues) if buckets else ""
    return f"|model:{shown}" + f"|weights:{followed}" * bool(followed)


def followed(adaptation: AdaptSettings) -> str:
    """``|adapt:rate=0.001,decay=0.02|cache:size=500,weight=0.12,sharpness=8``, or nothing."""
    said = adaptation.said().items()
    values = ((kind, (f"{k}={x:g}" for k, x in each.items())) for kind, each in said)
    return "".join(f"|{kind}:{','.join(each)}" for kind, each in values)


def stream_logp(model: Predictor, ids: Ids, n_streams: int = 1) -> float:
    """ln p of the stream w1 w2 <EOS> ..., cut into n_streams pieces that run side by side."""
    return padded_logp(model, *cut(ids, n_streams))


def cut(ids: Ids, n_streams: int) -> tuple[Ids, Ids]:
    """(pieces (T, B), skip (B,)) for ``padded_logp``.

    Each piece first reads the BURN_IN tokens before it, so the pieces add up to nearly the whole.
    """
    bounds = np.arange(n_streams + 1) * len(ids) // n_streams
    firsts, stops = np.maximum(0, bounds[:-1] - BURN_IN), bounds[1:]
    pieces = np.full(((stops - firsts).max(), n_streams), -1, np.int32)
    for b, (first, stop) in enumerate(zip(firsts, stops, strict=True)):
        pieces[: stop - first, b] = ids[first:stop]
    return pieces, (bounds[:-1] - firsts).astype(np.int32)


def sentence_logp(model: Predictor, ids: Ids) -> float:
    """ln p of the stream, every sentence from zero state."""
    return sum(padded_logp(model, pieces) for pieces in sentences(ids))


def sentences(ids: Ids, values: Ids | None = None) -> Iterator[Ids]:
    """The sentences as columns (T, B) for ``padded_logp``, those of like length together.

    With ``values`` (n_tokens,) these in their places.
    """
    values = ids if values is None else values
    ends = np.flatnonzero(ids == EOS_ID) + 1
    starts = np.concatenate([[0], ends[:-1]])
    order = np.argsort(ends - starts, kind="stable")
    for group in np.array_split(order, -(-len(order) // SENTENCES)):
        pieces = np.full((int((ends - starts)[group].max()), len(group)), -1, np.int32)
        for b, i in enumerate(group):
            pieces[: ends[i] - starts[i], b] = values[starts[i] : ends[i]]
        yield pieces


def padded_logp(model: Predictor, pieces: Ids, skip: Ids | int = 0) -> float:
    """ln p of the columns of pieces (T, B), each from zero state; -1 is padding at the end.

    The first skip (B,) tokens of a column are read but not counted.
    """
    total = 0.0
    for logp in padded(model, pieces, skip, model.log_probability):
        total += float(logp.sum(dtype=np.float64))
    return total


@np.errstate(all="ignore")  # weights of a run that blows up
def padded(
    model: Predictor, pieces: Ids, skip: Ids | int, measure: Callable[[Top, Ids], Measured]
) -> list[Measured]:
    """What is measured of the tokens that count in ``padded_logp``, in parts."""
    T, B = pieces.shape
    inputs = np.maximum(np.concatenate([np.zeros((1, B), np.int32), pieces[:-1]]), 0)
    counted = np.where(np.arange(T)[:, None] >= skip, pieces, -1)
    state, measured = model.zero_state(B), []
    for start in range(0, T, STEPS):
        tops = []
        for t in range(start, min(start + STEPS, T)):
            top, state = model.step(inputs[t], state)
            tops.append(top)
        wanted = counted[start : start + STEPS].ravel()
        real = np.flatnonzero(wanted >= 0)
        measured.append(measure(rows(joined(tops), real), wanted[real]))
    return measured
