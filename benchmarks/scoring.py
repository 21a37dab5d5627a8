"""Scoring speed: a file against training on the same text, and against PyTorch on the same weights.

The same log-probabilities are computed everywhere.
"""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
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
    zipf_vocabulary,
)
from benchmarks.peers import (
    MODELS,
    THREADS,
    Job,
    LmtoolTrainer,
    Network,
    V,
    check_same,
    copied,
    fresh_model,
    has_torch,
    long,
    torch,
    torch_logp,
)
from lmtool.api import Model
from lmtool.arrays import Ids
from lmtool.inference.evaluate import cut, sentence_logp, sentences, stream_logp
from lmtool.inference.reading import shifted
from lmtool.inference.score import LN10
from lmtool.kinds.sizes import plan
from lmtool.models.language_model import LanguageModel, initialise
from lmtool.settings import TextSettings, TrainSettings
from lmtool.text.reader import read_lines
from lmtool.text.vocabulary import EOS_ID, N_SPECIALS, Vocabulary

__all__ = ["run"]

NAME = "LSTM 256"
WORDS = 20  # a sentence
N_LINES, N_FEW = 800, 50  # sentences side by side, and one at a time
STREAMS = 64
COLUMNS = ("way", "threads", "lmtool", "PyTorch", "lmtool / PyTorch")

FILE = ("output", "threads", "scored", "trained", "scored / trained")
SIDE_BY_SIDE = 64  # sentences of PyTorch


class Text(NamedTuple):
    """Lines, a model of them, and all their ids to train on."""

    model: LanguageModel
    lines: list[str]
    ids: Ids

    @classmethod
    def of(cls, options: Options) -> "Text":
        """A file's, or generated ones."""
        if options.data:
            every = [line for line in read_lines(options.data / "train.txt") if line.text.strip()]
            lines = [line.text for line in every]
            vocabulary = Vocabulary.build(lines, TextSettings(vocab_size=V - N_SPECIALS))
        else:
            vocabulary = zipf_vocabulary(V)
            lines = [
                vocabulary.decode(row) for row in sentence_ids(V, max(10 * N_LINES, options.lines))
            ]
        ids = np.concatenate([vocabulary.sentence(vocabulary.split(line)) for line in lines])
        weights = initialise(MODELS[NAME], vocabulary.counts, np.random.default_rng(SEED))
        return cls(LanguageModel(MODELS[NAME], vocabulary, weights), lines[: options.lines], ids)

    def job(self, output: str) -> Job:
        """Training as ``lmtool train`` does it, but for the size of the model."""
        asked = TrainSettings(output=output, steps=1)
        _, recipe = plan(self.model.settings, asked, len(self.ids), V)
        return Job(self.model, self.ids, recipe)

    def score(self, threads: int) -> float:
        """ln p of the file, its lines scored as ``lmtool score -f`` does."""
        scores = Model(self.model).score_lines(self.lines, threads=threads)
        return sum(score.log10_p for score in scores) * LN10

    @property
    def n_tokens(self) -> int:
        """Of the file, <EOS> included."""
        return sum(len(line.split()) + 1 for line in self.lines)


def trained(text: Text, options: Options) -> list[Row]:
    """A row for each output and number of threads."""
    rows: list[Row] = []
    for output in ("full", "sampled"):
        trainer = LmtoolTrainer.of(text.job(output))
        for n in THREADS:
            arms: dict[str, Callable[[], float]] = {
                "scored": timing(partial(text.score, n), text.n_tokens, options.seconds),
                "trained": partial(trainer.speed, n, options.seconds),
            }
            speeds = interleaved(arms, options.repeats)
            medians = [median(speeds[name]) for name in arms]
            rows.append([output, str(n), *medians, ratio(speeds["scored"], speeds["trained"])])
    return rows


def scored(text: Text, network: Network | None, options: Options) -> list[Row]:
    """A row for each number of threads."""
    sentences = [text.model.vocabulary.sentence(line.split()) for line in text.lines]
    if network is not None:
        check_same(text.score(1), packed_logp(network, sentences))
    rows: list[Row] = []
    for n in THREADS:
        arms: dict[str, Callable[[], float]] = {"lmtool": partial(text.score, n)}
        if network is not None:
            torch().set_num_threads(n)
            arms["PyTorch"] = partial(packed_logp, network, sentences)
        rows.append([str(n), *compared(arms, text.n_tokens, options)])
    return rows


def packed_logp(network: Network, sentences: Sequence[Ids]) -> float:
    """ln p of sentences in PyTorch: those of like length packed, side by side."""
    order = sorted(sentences, key=len, reverse=True)
    batches = (order[i : i + SIDE_BY_SIDE] for i in range(0, len(order), SIDE_BY_SIDE))
    with torch().inference_mode():
        return -sum(batch_loss(network, batch) for batch in batches)


def batch_loss(network: Network, sentences: Sequence[Ids]) -> float:
    """-ln p, one number a word as ``score`` gives them, added up."""
    rnn = torch().nn.utils.rnn
    targets = rnn.pack_sequence([long(ids) for ids in sentences])
    inputs = rnn.pack_sequence([long(shifted(ids)) for ids in sentences])
    top, _ = network.rnn(inputs._replace(data=network.embedding(inputs.data)))
    cross_entropy = torch().nn.functional.cross_entropy
    each = cross_entropy(network.output(top.data), targets.data, reduction="none")
    return float(sum(each.double().tolist()))


class Way(NamedTuple):
    """Of computing ln p."""

    n_tokens: int
    lmtool: Callable[[], float]
    torch: Callable[[Network], float]


def run(options: Options) -> Iterator[Table]:
    """Three tables; the text is train.txt of ``--data`` where it is given."""
    if not has_torch():
        say("scoring: PyTorch is not installed, so lmtool runs alone")
    text = Text.of(options)
    yield Table(
        f"Scoring a file and training on it with {NAME}, tokens/s", FILE, trained(text, options)
    )
    network = copied(text.model) if has_torch() else None
    yield Table(
        f"{len(text.lines):,} lines with {NAME}, tokens/s",
        COLUMNS[1:],
        scored(text, network, options),
    )
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
    with threadpool_limits(threads, "blas"):
        return compared(arms, way.n_tokens, options)


def compared(arms: dict[str, Callable[[], float]], n_tokens: int, options: Options) -> list[Cell]:
    """Speeds of lmtool and PyTorch, and their ratio."""
    timed = {name: timing(arm, n_tokens, options.seconds) for name, arm in arms.items()}
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


def sentence_ids(n_tokens: int, n: int = N_LINES) -> Ids:
    """Generated sentences (n, WORDS + 1), <EOS> at the end of each."""
    rng = np.random.default_rng(SEED)
    words = N_SPECIALS + zipf_ids(rng, n_tokens - N_SPECIALS, n * WORDS)
    ends = np.full((n, 1), EOS_ID, np.int32)
    return np.hstack([words.reshape(n, WORDS), ends])
