"""Scoring speed: the same log-probabilities with the same weights in lmtool and in PyTorch."""

from collections.abc import Callable, Iterator
from statistics import median
from typing import NamedTuple

import numpy as np
from threadpoolctl import threadpool_limits

from benchmarks.common import (
    SEED,
    Cell,
    Options,
    Row,
    Table,
    interleaved,
    per_second,
    ratio,
    say,
    zipf_ids,
)
from benchmarks.peers import (
    MODELS,
    THREADS,
    Network,
    check_same,
    copied,
    fresh_model,
    has_torch,
    torch,
    torch_logp,
)
from lmtool.api import Model
from lmtool.arrays import Ids
from lmtool.inference.evaluate import cut, sentence_logp, sentences, stream_logp
from lmtool.inference.score import LN10
from lmtool.models.language_model import LanguageModel
from lmtool.text.vocabulary import EOS_ID, N_SPECIALS

__all__ = ["run"]

NAME = "LSTM 256"
WORDS = 20  # a sentence
N_LINES, N_FEW = 800, 50  # sentences side by side, and one at a time
STREAMS = 64
COLUMNS = ("way", "threads", "lmtool", "PyTorch", "lmtool / PyTorch")


class Way(NamedTuple):
    """Of computing ln p."""

    n_tokens: int
    lmtool: Callable[[], float]
    torch: Callable[[Network], float]


def run(options: Options) -> Iterator[Table]:
    """One table."""
    if not has_torch():
        say("scoring: PyTorch is not installed, so lmtool runs alone")
    model = fresh_model(MODELS[NAME])
    network = copied(model) if has_torch() else None
    rows: list[Row] = []
    for name, way in ways(model).items():
        if network is not None:
            check_same(way.lmtool(), way.torch(network))
        rows += [[name, str(n), *row(way, network, n, options)] for n in THREADS]
    yield Table(f"Scoring with {NAME}, tokens/s", COLUMNS, rows)


def row(way: Way, network: Network | None, threads: int, options: Options) -> list[Cell]:
    """One way with some threads."""
    arms = {"lmtool": way.lmtool}
    if network is not None:
        torch().set_num_threads(threads)
        arms["PyTorch"] = lambda: way.torch(network)
    timed = {name: timing(arm, way.n_tokens, options.seconds) for name, arm in arms.items()}
    with threadpool_limits(threads, "blas"):
        speeds = interleaved(timed, options.repeats)
    ours, theirs = speeds["lmtool"], speeds.get("PyTorch", [])
    return [median(ours), *((median(theirs), ratio(ours, theirs)) if theirs else (None, None))]


def timing(arm: Callable[[], float], n_tokens: int, seconds: float) -> Callable[[], float]:
    """Tokens a second, when called."""
    return lambda: n_tokens * per_second(arm, seconds)


def ways(model: LanguageModel) -> dict[str, Way]:
    """Sentence by sentence, as ``lmtool evaluate`` does, and side by side, as training does."""
    ids = sentence_ids(model.vocabulary.n_tokens)
    few = [row[:, None] for row in ids[:N_FEW]]
    lines = [model.vocabulary.decode(row) for row in ids[:N_FEW]]
    stream = ids.ravel()
    return {
        "one sentence at a time": Way(
            sum(map(len, few)),
            lambda: Model(model).evaluate(lines).log10_p * LN10,
            lambda network: sum(torch_logp(network, piece) for piece in few),
        ),
        "64 sentences side by side": Way(
            len(stream),
            lambda: sentence_logp(model, stream),
            lambda network: sum(torch_logp(network, piece) for piece in sentences(stream)),
        ),
        "64 streams, state carried": Way(
            len(stream),
            lambda: stream_logp(model, stream, STREAMS),
            lambda network: torch_logp(network, *cut(stream, STREAMS)),
        ),
    }


def sentence_ids(n_tokens: int) -> Ids:
    """Generated sentences (N_LINES, WORDS + 1), <EOS> at the end of each."""
    rng = np.random.default_rng(SEED)
    words = N_SPECIALS + zipf_ids(rng, n_tokens - N_SPECIALS, N_LINES * WORDS)
    ends = np.full((N_LINES, 1), EOS_ID, np.int32)
    return np.hstack([words.reshape(N_LINES, WORDS), ends])
