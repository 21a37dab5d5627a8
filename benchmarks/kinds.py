"""Every kind of model beside PyTorch in one table: speed, memory, and how near the processor is."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from benchmarks import encoders, peers, recognisers, scoring, throughput, translation
from benchmarks.common import (
    SEED,
    Options,
    Row,
    Table,
    in_child,
    interleaved,
    peak_mb,
    per_second,
    say,
)
from benchmarks.peak import numbers, sgemm, training_flop
from benchmarks.peers import MODELS, THREADS, V, copied, fresh_model, has_torch, long, torch
from benchmarks.throughput import MEASURES, Arms, measures
from lmtool.inference.sample import sample
from lmtool.models.encoder import EMBEDDING
from lmtool.nn.cells.base import factor, multiply
from lmtool.nn.parameters import Parameters
from lmtool.settings import SampleSettings
from lmtool.text.vocabulary import EOS_ID

__all__ = ["run"]

NAME = "LSTM 256"
SAMPLED = 50  # words of a text that is drawn
IN_CACHE = (200, 128, 64)  # a product whose right side stays in the first cache
SHARES = ("MFLOP", "of sgemm", "of FMA", "lmtool, MB", "PyTorch, MB")


class Case(NamedTuple):
    """Something that both do."""

    arms: Arms
    mflop: float  # of a token or a frame: matrix products alone


# --- what is compared -----------------------------------------------------------------------


def language_model(output: str, options: Options) -> Case:
    """Training; of a sampled softmax a step's targets share the words that are drawn."""
    arms = throughput.arms(MODELS[NAME], options.seconds, output)
    samples = peers.fresh_job(MODELS[NAME], output=output).recipe.samples or V
    return Case(arms, training_flop(MODELS[NAME], samples if output == "sampled" else V) / 1e6)


def encoder(head: str, options: Options) -> Case:
    """Training under a head, over ``--data`` where it has such texts."""
    one, texts = encoders.HEADS[head], encoders.Texts.of(options)
    material = one.material(texts)
    settings, _ = one.kind.plan(one.settings, one.recipe, material, 0.0)
    shapes = one.kind.shapes(settings, material.parts)
    return Case(encoders.arms(one, texts, options.seconds), 6 * products(shapes) / 1e6)


def translator(options: Options) -> Case:
    """Training; tokens are those that are written, and as many are read."""
    job = translation.Job.fresh()
    return Case(translation.trained(job, options.seconds), 6 * products_of(job.start) / 1e6)


def recogniser(options: Options) -> Case:
    """Training, frame by frame."""
    job = recognisers.Job.fresh()
    mflop = 6 * products_of(job.start) / recognisers.STACK / 1e6
    return Case(recognisers.trained(job, options.seconds), mflop)


def scored(options: Options) -> Case:
    """A file's log-probabilities."""
    text, arms = scoring.Text.of(options), Arms()
    sentences = [text.model.vocabulary.sentence(line.split()) for line in text.lines]
    for n in THREADS:
        ours = partial(text.score, n)
        arms["lmtool", n] = scoring.timing(ours, text.n_tokens, options.seconds)
    if has_torch():
        theirs = partial(scoring.packed_logp, copied(text.model), sentences)
        speed = scoring.timing(theirs, text.n_tokens, options.seconds)
        arms |= {("PyTorch", n): threaded(n, speed) for n in THREADS}
    return Case(arms, training_flop(MODELS[NAME], V) / 3e6)


def drawn(options: Options) -> Case:
    """One text after the other, word by word."""
    model, rng = fresh_model(MODELS[NAME]), np.random.default_rng(SEED)
    settings = SampleSettings(max_words=SAMPLED)

    def ours() -> int:
        return len(sample(model, rng, settings).word_scores)

    arms: Arms = {("lmtool", n): partial(words_a_second, ours, options.seconds) for n in THREADS}
    if has_torch():
        theirs = partial(drawn_by_torch, copied(model))
        speed = partial(words_a_second, theirs, options.seconds)
        arms |= {("PyTorch", n): threaded(n, speed) for n in THREADS}
    return Case(arms, training_flop(MODELS[NAME], V) / 3e6)


def drawn_by_torch(network: peers.Network) -> int:
    """A text of PyTorch's; how many words."""
    state, words = None, [EOS_ID]
    with torch().inference_mode():
        while len(words) == 1 or (words[-1] != EOS_ID and len(words) <= SAMPLED):
            logits, state = network(long(np.array([words[-1:]])), state)
            words.append(int(torch().multinomial(logits[0, 0].softmax(0), 1)))
    return len(words) - 1


def words_a_second(draw: Callable[[], int], seconds: float) -> float:
    """Of texts of any length."""
    lengths: list[int] = []
    texts = per_second(lambda: lengths.append(draw()), seconds)
    return texts * sum(lengths) / len(lengths)


def threaded(n: int, speed: Callable[[], float]) -> Callable[[], float]:
    """PyTorch's with so many threads."""

    def timed() -> float:
        torch().set_num_threads(n)
        return speed()

    return timed


def products_of(weights: Parameters) -> int:
    """Multiplications of a token."""
    return products({name: x.shape for name, x in weights.items()})


def products(shapes: Mapping[str, tuple[int, ...]]) -> int:
    """The numbers in all matrices but those of which a row is looked up."""
    own = (shape for name, shape in shapes.items() if name != EMBEDDING and len(shape) == 2)
    return int(sum(np.prod(shape) for shape in own))


CASES: dict[str, Callable[[Options], Case]] = {
    f"language model {NAME}, training, full": partial(language_model, "full"),
    f"language model {NAME}, training, sampled": partial(language_model, "sampled"),
    "classifier, training": partial(encoder, "label, mean-max pool"),
    "tagger, training, CRF": partial(encoder, "tags, CRF"),
    "translator, training": translator,
    "recogniser, training": recogniser,
    f"language model {NAME}, scoring": scored,
    f"language model {NAME}, sampling": drawn,
}


# --- the processor, and memory --------------------------------------------------------------


def fma(seconds: float) -> float:
    """Floating-point operations a second of fused multiply-adds on numbers in the first cache."""
    M, K, N = IN_CACHE
    x, y, out = numbers((M, K)), factor(numbers((K, N))), numbers((M, N))

    def some() -> None:
        for _ in range(100):
            multiply(x, y, out)

    return 100 * per_second(some, seconds) * 2 * M * K * N


def peak(name: str, who: str, options: Options) -> float:
    """MB of a process in which one of the two trains alone for a little."""
    peers.ALONE = who
    CASES[name](replace(options, seconds=0.0)).arms[who, 1]()
    return peak_mb()


def run(options: Options) -> Iterator[Table]:
    """One table."""
    if not has_torch():
        say("kinds: PyTorch is not installed, so lmtool runs alone")
    peaks = {"sgemm": partial(sgemm, options.seconds), "fma": partial(fma, options.seconds)}
    best = {name: max(some) for name, some in interleaved(peaks, options.repeats).items()}
    rows = [row(name, options, best) for name in CASES]
    about = ", ".join(f"{name} {speed / 1e9:.0f} GFLOP/s" for name, speed in best.items())
    yield Table(
        f"Tokens or frames a second beside PyTorch ({about})",
        ("what", *MEASURES[:-1], *SHARES),
        rows,
    )


def row(name: str, options: Options, best: Mapping[str, float]) -> Row:
    """One case; shares are those of one thread."""
    say(f"  {name}")
    case = CASES[name](options)
    measured = measures(case.arms, options.repeats)[:-1]
    speed: Any = measured[0]
    shares = [speed * case.mflop * 1e6 / best[what] for what in ("sgemm", "fma")]
    who = ("lmtool", *("PyTorch",) * has_torch())
    memory = [in_child(peak, name, each, options) for each in who]
    return [name, *measured, case.mflop, *shares, *memory, *(None,) * (2 - len(memory))]
