"""A recogniser in lmtool and in PyTorch: training, and from files of sound to what is said."""

import wave
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import numpy as np

from benchmarks.common import (
    SEED,
    Options,
    Row,
    Table,
    interleaved,
    long_calls_per_second,
    per_second,
    ratio,
    say,
)
from benchmarks.encoders import padded
from benchmarks.peers import (
    THREADS,
    LmtoolTrainer,
    Tensor,
    check_gradients,
    check_same,
    compares,
    has_torch,
    long,
    torch,
)
from benchmarks.throughput import MEASURES, Arms, measures
from lmtool.arrays import Array
from lmtool.audio.filterbank import Filterbank
from lmtool.audio.sound import read_sound
from lmtool.data.batch import Batch, Data
from lmtool.data.ragged import Ragged
from lmtool.data.spoken import Stacking
from lmtool.faces.recogniser import Recogniser
from lmtool.inference.recogniser import Parts
from lmtool.inference.recogniser import Recogniser as Trained
from lmtool.inference.validation import SIDE_BY_SIDE
from lmtool.kinds import Material
from lmtool.kinds.recogniser import KIND
from lmtool.kinds.spoken import Spoken
from lmtool.models.encoder import FRAMES
from lmtool.models.recogniser import BIAS, WEIGHT, loss_and_gradients
from lmtool.nn.outputs.ctc import BLANK
from lmtool.nn.parameters import Parameters
from lmtool.settings import TextSettings, TrainSettings
from lmtool.settings.recogniser import RecogniserSettings
from lmtool.text.vocabulary import N_SPECIALS, Vocabulary
from lmtool.training.session import fresh_weights
from lmtool.workers import Workers

__all__ = ["Job", "run", "trained"]

SIZE, LAYERS, STACK, BANDS, RATE, BATCH = 256, 2, 3, 40, 16_000, 16
N_UTTERANCES = BATCH * 16  # a pass, sorted as one pool
SHORTEST, LONGEST = 60, 700  # frames
SHAPE, SCALE = 4.0, 67.0  # of the gamma distribution of lengths, mean 2.7 s, as in AN4
LETTER = 13  # frames
N_FILES = 4 * SIDE_BY_SIDE  # a block for each thread, and some
HEARD = (
    "threads",
    "files to texts",
    "forward",
    "PyTorch's forward",
    "files to texts / PyTorch's forward",
    "forward / PyTorch's forward",
)
MODEL = f"a recogniser of two-way LSTM {LAYERS} x {SIZE} over {BANDS} bands, {STACK} frames a step"
LSTM = "encoder."  # before the names of its weights
LETTERS = " abcdefghijklmnopqrstuvwxyz'"
RECIPE = TrainSettings(
    steps=1,
    batch=BATCH,
    dropout=0.0,
    weight_drop=0.0,
    word_drop=0.0,
    stretch=0.0,
    gain=0.0,
    noise=0.0,
    warp=0.0,
    band_mask=0.0,
    time_mask=0.0,
)


class Job(NamedTuple):
    """What both train and listen with."""

    settings: RecogniserSettings
    material: Material
    recipe: TrainSettings
    start: Parameters

    @classmethod
    def fresh(cls) -> "Job":
        """Generated frames and letters, random weights."""
        asked = RecogniserSettings(
            layers=LAYERS, embed=SIZE, hidden=SIZE, bands=BANDS, stack=STACK, members=1
        )
        material = utterances()
        settings, recipe = KIND.plan(asked, RECIPE, material, 0.0)
        return cls(settings, material, recipe, fresh_weights(KIND, settings, material, SEED))

    def data(self) -> Data:
        """The batches."""
        return KIND.data(self.material, self.recipe)


def utterances() -> Material:
    """Frames of noise as long as short commands, letters by chance."""
    rng = np.random.default_rng(SEED)
    counts = {letter: 1000 - k for k, letter in enumerate(LETTERS)}
    vocabulary = Vocabulary.from_counts(counts, N_UTTERANCES, TextSettings(tokens="char"))
    lengths = drawn(rng, N_UTTERANCES)
    sources = Ragged.of(rng.standard_normal((n, BANDS), np.float32) for n in lengths)
    first, last = N_SPECIALS, vocabulary.n_tokens
    targets = Ragged.of(rng.integers(first, last, n // LETTER, np.int32) for n in lengths)
    stacking, bank = Stacking(STACK), Filterbank(RATE, BANDS)
    own = Spoken(sources, targets, np.arange(N_UTTERANCES), stacking)
    return Material(Parts(bank, BANDS, stacking, vocabulary), own, own, {}, {}, [])


def drawn(rng: np.random.Generator, n: int) -> list[int]:
    """Lengths in frames."""
    lengths = np.clip(rng.gamma(SHAPE, SCALE, n), SHORTEST, LONGEST)
    return list(lengths.astype(np.intp))


# --- PyTorch --------------------------------------------------------------------------------


class Ready(NamedTuple):
    """A batch as PyTorch takes it: padding at the end."""

    steps: Tensor  # (S, B, n F)
    lengths: Tensor  # (B,)
    letters: Tensor  # of all, end to end
    n_letters: Tensor  # (B,)
    n: int  # letters

    @classmethod
    def of(cls, batch: Batch) -> "Ready":
        """lmtool's batch."""
        if batch.source is None:
            raise ValueError("the batch has no source")
        lengths = long(len(batch.source) - batch.first())
        real = [column[column >= 0] for column in batch.targets.T]
        n_letters = long(np.array([len(ids) for ids in real]))
        steps = padded(batch.source, batch.first())
        return cls(steps, lengths, long(np.concatenate(real)), n_letters, batch.n)


class Network:
    """Modules with the weights of a recogniser of lmtool."""

    def __init__(self, start: Mapping[str, Array]) -> None:
        nn, weights = torch().nn, {name: torch().tensor(array) for name, array in start.items()}
        self.frames = nn.Linear(STACK * BANDS, SIZE, bias=False)
        self.frames.load_state_dict({"weight": weights[FRAMES]})
        self.rnn = nn.LSTM(SIZE, SIZE, LAYERS, bidirectional=True)
        self.rnn.load_state_dict(
            {k.removeprefix(LSTM): x for k, x in weights.items() if k.startswith(LSTM)}
        )
        self.output = nn.Linear(2 * SIZE, len(start[WEIGHT]))
        self.output.load_state_dict({"weight": weights[WEIGHT], "bias": weights[BIAS]})
        self.ctc = nn.CTCLoss(blank=BLANK, reduction="sum")

    def parameters(self) -> list[Any]:
        """All that is trained."""
        return [x for each in (self.frames, self.rnn, self.output) for x in each.parameters()]

    def gradients(self) -> dict[str, Array]:
        """By lmtool's names, after ``backward``."""
        own = {FRAMES: self.frames.weight, WEIGHT: self.output.weight, BIAS: self.output.bias}
        own |= {LSTM + name: x for name, x in self.rnn.named_parameters()}
        return {name: x.grad.numpy() for name, x in own.items()}

    def log_probabilities(self, steps: Tensor, lengths: Tensor) -> Tensor:
        """steps (S, B, n F) -> ln p (S, B, V), padding left out."""
        rnn = torch().nn.utils.rnn
        packed = rnn.pack_padded_sequence(self.frames(steps), lengths, enforce_sorted=False)
        top, _ = rnn.pad_packed_sequence(self.rnn(packed)[0])
        return self.output(top).log_softmax(2)

    def loss(self, batch: Ready) -> Tensor:
        """The mean of -ln P over the letters."""
        logp = self.log_probabilities(batch.steps, batch.lengths)
        return self.ctc(logp, batch.letters, batch.lengths, batch.n_letters) / batch.n


class Trainer:
    """The network in training; its batches lie ready."""

    def __init__(self, start: Mapping[str, Array], data: Data, recipe: TrainSettings) -> None:
        self.network, self.clip = Network(start), recipe.clip
        self.batches = [Ready.of(data.batch(i)) for i in range(data.steps_a_pass)]
        self.frames = data.tokens
        self.optimizer = torch().optim.Adam(self.network.parameters(), recipe.lr)

    def one_pass(self) -> None:
        """Each batch once."""
        for batch in self.batches:
            self.optimizer.zero_grad()
            self.network.loss(batch).backward()
            torch().nn.utils.clip_grad_norm_(self.network.parameters(), self.clip)
            self.optimizer.step()

    def speed_of_passes(self, threads: int, seconds: float) -> float:
        """Frames a second over whole passes."""
        torch().set_num_threads(threads)
        return long_calls_per_second(self.one_pass, seconds) * self.frames


# --- training -------------------------------------------------------------------------------


def check(job: Job) -> None:
    """Stops where lmtool and PyTorch differ in the loss or in a gradient."""
    batch, ours, network = job.data().batch(0), job.start.like(), Network(job.start)
    loss = loss_and_gradients(job.settings, job.start, ours, batch)
    theirs = network.loss(Ready.of(batch))
    theirs.backward()
    check_same(loss, float(theirs.detach()) * batch.n)
    check_gradients(ours, network.gradients())


def trained(job: Job, seconds: float) -> Arms:
    """Frames a second, over whole passes."""
    ours = LmtoolTrainer(KIND, job.settings, job.material, job.recipe, job.start)
    arms: Arms = {("lmtool", n): partial(ours.speed_of_passes, n, seconds) for n in THREADS}
    if compares():
        check(job)
    if has_torch():
        theirs = Trainer(job.start, job.data(), job.recipe)
        arms |= {("PyTorch", n): partial(theirs.speed_of_passes, n, seconds) for n in THREADS}
    return arms


# --- transcribing ---------------------------------------------------------------------------


class Speech(NamedTuple):
    """Recordings as files and as steps, and who writes down what is said."""

    files: list[Path]
    steps: list[Array]
    seconds: float  # of sound
    ours: Trained
    theirs: Network | None

    @classmethod
    def of(cls, job: Job, folder: Path) -> "Speech":
        """Noise; a step in four or so says a letter, as where speech is heard."""
        rng, parts = np.random.default_rng(SEED), job.material.parts
        n_samples = [n * parts.filterbank.shift for n in drawn(rng, N_FILES)]
        files = [folder / f"{k}.wav" for k in range(N_FILES)]
        for path, n in zip(files, n_samples, strict=True):
            write_wav(path, rng.integers(-3000, 3000, n, np.int16))
        steps = [parts.stacking(parts.filterbank.features(read_sound(path))) for path in files]
        start = job.start.copy()
        heard = Trained(job.settings, parts, start).log_probabilities(steps[:1])[0]
        lead = heard[:, N_SPECIALS:].max(1) - heard[:, BLANK]
        start[BIAS][BLANK] += np.quantile(lead, 1 - STACK / LETTER)
        network = Network(start) if has_torch() else None
        seconds = sum(n_samples) / RATE
        return cls(files, steps, seconds, Trained(job.settings, parts, start), network)

    def whole(self, threads: int) -> int:
        """From files to texts, as ``lmtool transcribe`` does it; how many letters."""
        found = Recogniser(self.ours).transcribe_files(self.files, threads=threads, beam=1)
        return sum(len(one.hypotheses[0].tokens) for one in found)

    def ours_forward(self, threads: int) -> float:
        """From steps to ln p alone; the sum of the blank's."""
        with Workers(threads) as workers:
            found = workers.map(self.ours.log_probabilities, self.blocks())
            return sum(float(logp[:, BLANK].sum()) for block in found for logp in block)

    def theirs_forward(self, threads: int) -> float:
        """The same in PyTorch."""
        assert self.theirs is not None
        torch().set_num_threads(threads)
        with torch().inference_mode():
            return sum(blanks(self.theirs, block) for block in self.blocks())

    def blocks(self) -> list[list[Array]]:
        """Recordings of like length."""
        ordered = sorted(self.steps, key=len)
        return [ordered[i : i + SIDE_BY_SIDE] for i in range(0, len(ordered), SIDE_BY_SIDE)]


def blanks(network: Network, block: list[Array]) -> float:
    """The sum of ln p of the blank over the real steps."""
    steps = [torch().from_numpy(x) for x in block]
    lengths = long(np.array([len(x) for x in block]))
    logp = network.log_probabilities(torch().nn.utils.rnn.pad_sequence(steps), lengths)
    real = torch().arange(len(logp))[:, None] < lengths
    return float(logp[..., BLANK][real].double().sum())


def write_wav(path: Path, samples: Array) -> None:
    """One channel of 16 bits."""
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(samples.astype("<i2").tobytes())


def transcribed(speech: Speech, options: Options) -> list[Row]:
    """A row for each number of threads: seconds of sound a second."""
    if speech.theirs is not None:
        check_same(speech.ours_forward(1), speech.theirs_forward(1))
    return [heard(speech, n, options) for n in THREADS]


def heard(speech: Speech, threads: int, options: Options) -> Row:
    """What each of HEARD is."""
    who: list[Callable[[int], object]] = [speech.whole, speech.ours_forward]
    who += [speech.theirs_forward] if speech.theirs else []

    def speed(function: Callable[[int], object]) -> float:
        return per_second(lambda: function(threads), options.seconds) * speech.seconds

    speeds = interleaved({k: partial(speed, one) for k, one in enumerate(who)}, options.repeats)
    medians = [median(each) for each in speeds.values()]
    if speech.theirs is None:
        return [str(threads), *medians, None, None, None]
    return [str(threads), *medians, *(ratio(speeds[k], speeds[2]) for k in range(2))]


# --- the part -------------------------------------------------------------------------------


def run(options: Options) -> Iterator[Table]:
    """Two tables."""
    if not has_torch():
        say("recognisers: PyTorch is not installed, so lmtool runs alone")
    job = Job.fresh()
    row = measures(trained(job, options.seconds), options.repeats)
    yield Table(f"Training {MODEL}, frames/s", MEASURES, [row])
    with TemporaryDirectory() as folder:
        speech = Speech.of(job, Path(folder))
        title = f"Transcribing {N_FILES} recordings of {speech.seconds:.0f} s in all with {MODEL}"
        yield Table(f"{title}, seconds of sound a second", HEARD, transcribed(speech, options))
