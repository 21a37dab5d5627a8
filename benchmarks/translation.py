"""A translator in lmtool and in PyTorch: training speed, and beam search, with the same weights."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from benchmarks.common import (
    SEED,
    Options,
    Row,
    Table,
    long_calls_per_second,
    say,
    zipf_ids,
    zipf_vocabulary,
)
from benchmarks.peers import (
    THREADS,
    LmtoolTrainer,
    check_gradients,
    check_same,
    compares,
    has_torch,
    torch,
)
from benchmarks.throughput import MEASURES, Arms, measures
from benchmarks.torch_translator import Network, Ready, Trainer
from lmtool.arrays import Ids
from lmtool.data.examples import POOL
from lmtool.data.ragged import Ragged
from lmtool.faces.translator import Translator
from lmtool.inference.conditional import Parts
from lmtool.inference.conditional import Translator as Trained
from lmtool.inference.score import LN10
from lmtool.inference.validation import SIDE_BY_SIDE
from lmtool.kinds import Material
from lmtool.kinds.paired import Paired
from lmtool.kinds.translator import KIND
from lmtool.models.conditional import loss_and_gradients
from lmtool.nn.outputs import OUTPUTS
from lmtool.nn.parameters import Parameters
from lmtool.settings import TrainSettings
from lmtool.settings.conditional import TranslatorSettings
from lmtool.text.vocabulary import EOS_ID, N_SPECIALS
from lmtool.training.session import fresh_weights

__all__ = ["Job", "run", "trained"]

SIZE, V, BATCH = 256, 6_000, 64
N_PAIRS = BATCH * POOL  # a pass, so that there is as little padding as in training
SHORTEST, LONGEST = 4, 40  # pieces
SHAPE, SCALE = 10.0, 1.4  # of the gamma distribution of lengths, mean 14, as in Multi30k
SPREAD = 0.15  # of the ratio of the lengths of a pair
N_SOURCES, BEAM, WRITTEN = 1_000, 5, 14  # of the search; the longest text
FEW = 8  # sources that both translate before the clocks run
RECIPE = TrainSettings(
    steps=1, batch=BATCH, output="full", dropout=0.0, weight_drop=0.0, word_drop=0.0, smoothing=0.0
)


class Job(NamedTuple):
    """What both train and search with."""

    settings: Any
    material: Material
    recipe: TrainSettings
    start: Parameters

    @classmethod
    def fresh(cls) -> "Job":
        """Generated pairs, random weights."""
        asked = TranslatorSettings(embed=SIZE, hidden=SIZE, members=1)
        material = pairs()
        settings, recipe = KIND.plan(asked, RECIPE, material, 0.0)
        return cls(settings, material, recipe, fresh_weights(KIND, settings, material, SEED))

    def data(self) -> Any:
        """The batches."""
        return KIND.data(self.material, self.recipe)


def pairs() -> Material:
    """Pieces as frequent as words, sources and targets as long as in descriptions of pictures."""
    rng, vocabulary = np.random.default_rng(SEED), zipf_vocabulary(V)
    read = lengths(rng.gamma(SHAPE, SCALE, N_PAIRS))
    written = lengths(read * rng.normal(1, SPREAD, N_PAIRS))
    sources = Ragged.of(texts(rng, vocabulary.n_tokens, read))
    ended = (np.append(ids, np.int32(EOS_ID)) for ids in texts(rng, vocabulary.n_tokens, written))
    targets, rows = Ragged.of(list(ended)), np.arange(N_PAIRS)
    train = Paired(sources, targets, targets.lengths, rows, rows)
    return Material(Parts(vocabulary, vocabulary), train, train, {}, {}, [])


def lengths(drawn: Any) -> Any:
    """Whole ones."""
    return np.clip(np.rint(drawn), SHORTEST, LONGEST).astype(np.intp)


def texts(rng: np.random.Generator, n_tokens: int, lengths: Any) -> list[Ids]:
    """Ids of such lengths."""
    ids = N_SPECIALS + zipf_ids(rng, n_tokens - N_SPECIALS, int(lengths.sum()))
    return np.split(ids.astype(np.int32), np.cumsum(lengths)[:-1])


# --- training -------------------------------------------------------------------------------


def check(job: Job) -> None:
    """Stops where lmtool and PyTorch differ in the loss or in a gradient."""
    batch, ours, network = job.data().batch(0), job.start.like(), Network(job.start)
    estimate = partial(OUTPUTS["full"].loss, scale=1 / batch.n, draw=None)
    loss = loss_and_gradients(job.settings, job.start, ours, batch, estimate)
    theirs = network.loss(Ready.of(batch))
    theirs.backward()
    check_same(loss, float(theirs.detach()) * batch.n)
    check_gradients(ours, network.gradients())


def trained(job: Job, seconds: float) -> Arms:
    """Tokens that are written, a second, over whole passes."""
    ours = LmtoolTrainer(KIND, job.settings, job.material, job.recipe, job.start)
    arms: Arms = {("lmtool", n): partial(ours.speed_of_passes, n, seconds) for n in THREADS}
    if compares():
        check(job)
    if has_torch():
        theirs = Trainer(job.start, job.data(), job.recipe)
        arms |= {("PyTorch", n): partial(passes, theirs, job, n, seconds) for n in THREADS}
    return arms


def passes(trainer: Trainer, job: Job, threads: int, seconds: float) -> float:
    """PyTorch's."""
    torch().set_num_threads(threads)
    return long_calls_per_second(trainer.one_pass, seconds) * float(job.data().tokens)


# --- beam search ----------------------------------------------------------------------------


class Searched(NamedTuple):
    """The same sources as lines and as ids, and who translates them."""

    lines: list[str]
    ids: list[Ids]
    ours: Translator
    theirs: Network | None

    @classmethod
    def of(cls, job: Job) -> "Searched":
        """Sources of training."""
        parts = job.material.parts
        ids = [job.material.train.sources[i] for i in range(N_SOURCES)]
        lines = [parts.words.decode(each) for each in ids]
        model = Translator(Trained(job.settings, parts, job.start))
        return cls(lines, ids, model, Network(job.start) if has_torch() else None)

    def few(self) -> "Searched":
        """Some of them."""
        return self._replace(lines=self.lines[:FEW], ids=self.ids[:FEW])

    def by_lmtool(self, threads: int) -> float:
        """The sum of the best scores, in nats a token."""
        options: Any = {"beam": BEAM, "max_length": WRITTEN, "threads": threads}
        found = self.ours.translate_lines(self.lines, **options)
        return LN10 * sum(one.hypotheses[0].score for one in found)

    def by_torch(self, threads: int) -> float:
        """The same."""
        if self.theirs is None:
            raise ValueError("PyTorch is not installed")
        torch().set_num_threads(threads)
        return sum(self.theirs.search(self.ids, SIDE_BY_SIDE, BEAM, WRITTEN))


def searched(job: Job, options: Options) -> Row:
    """What each of MEASURES is, in sentences a second."""
    both = Searched.of(job)
    if both.theirs is not None:
        check_same(both.few().by_lmtool(1), both.few().by_torch(1))

    def speed(translate: Callable[[int], float], threads: int) -> float:
        calls = long_calls_per_second(lambda: translate(threads), options.seconds)
        return calls * len(both.lines)

    who = {"lmtool": both.by_lmtool} | ({"PyTorch": both.by_torch} if both.theirs else {})
    arms: Arms = {(name, n): partial(speed, one, n) for n in THREADS for name, one in who.items()}
    return measures(arms, options.repeats)


# --- the part -------------------------------------------------------------------------------


def run(options: Options) -> Iterator[Table]:
    """Two tables."""
    if not has_torch():
        say("translation: PyTorch is not installed, so lmtool runs alone")
    job = Job.fresh()
    model = f"a translator of LSTM {SIZE} with attention and {V:,} outputs"
    row = measures(trained(job, options.seconds), options.repeats)
    yield Table(f"Training {model}, tokens/s", MEASURES, [row])
    title = f"Translating {N_SOURCES:,} sentences with {model}, beam {BEAM}, sentences/s"
    yield Table(title, MEASURES, [searched(job, options)])
