"""How the weights are found."""

from dataclasses import dataclass, replace
from itertools import chain
from typing import Any

from lmtool.errors import OptionError
from lmtool.errors import option as named
from lmtool.settings.columns import columns
from lmtool.settings.fields import check, declared, option
from lmtool.settings.shared import FOLLOWS, MODEL
from lmtool.settings.thresholds import thresholds

__all__ = ["TrainSettings", "without_foreign"]

TRAINING = "Training"
AUGMENTATION = "Augmentation"
STREAMS = ("language model",)  # kinds that read a text without end
CONDITIONAL = ("translator", "captioner")
OUTPUTS = {
    "language model": ("full", "sampled", "classes"),
    **dict.fromkeys(CONDITIONAL, ("full", "sampled")),
    "tagger": ("crf", "full", "sigmoid"),
    "word embedding": ("skipgram", "cbow", "counts"),
}
TEXTS = ("language model", *CONDITIONAL, "classifier", "tagger")
WORDS = TEXTS  # whose vectors may come from elsewhere
SPEECH = ("recogniser",)
FRAMES = ("frame classifier",)
SMOOTHED = (*CONDITIONAL, "classifier", "frame classifier", "vector classifier")
NEUTRAL: dict[str, Any] = {  # of options that not every kind takes
    "output": "full",
    "samples": 1,
    "finish": 0.0,
    "bptt": 1,
    "word_drop": 0.0,
    "smoothing": 0.0,
    "margin": 0.0,
    "stretch": 0.0,
    "gain": 0.0,
    "noise": 0.0,
    "mirror": "",
    "warp": 0.0,
    "channel": 0.0,
    "band_mask": 0.0,
    "time_mask": 0.0,
}
BUDGETS = ("epochs", "steps", "seconds")
MOST_TOKENS = 1_000_000  # of a step


@dataclass(frozen=True, slots=True)
class TrainSettings:
    """How the weights are found. Raises OptionError for a value that cannot be meant."""

    output: str | None = option(
        None,
        "How text (full, sampled, classes), tags (crf, full, sigmoid) or vectors (skipgram, cbow,"
        " counts) are trained.",
        panel=TRAINING,
        metavar="NAME",
        shown=FOLLOWS,
        choices=tuple(dict.fromkeys(chain(*OUTPUTS.values()))),
        choices_of=OUTPUTS,
        kinds=tuple(OUTPUTS),
    )
    samples: int | None = option(
        None,
        "Words drawn a step by the sampled softmax, or as negatives.",
        panel=TRAINING,
        shown=FOLLOWS,
        at_least=1,
        absurd=1e7,
        kinds=(*STREAMS, *CONDITIONAL, "word embedding"),
    )
    finish: float | None = option(
        None,
        "Last share of the updates, trained with the full softmax instead.",
        panel=TRAINING,
        shown=FOLLOWS,
        at_least=0,
        at_most=1,
        kinds=(*STREAMS, *CONDITIONAL),
    )
    epochs: float | None = option(
        None, "Passes over the text.", panel=TRAINING, shown=FOLLOWS, above=0, absurd=1e9
    )
    steps: int | None = option(
        None, "Updates, instead of epochs.", panel=TRAINING, at_least=1, absurd=2**31 - 1
    )
    seconds: float | None = option(
        None,
        "Time to train, instead of epochs.",
        panel=TRAINING,
        above=0,
        absurd=1e9,
        flag="time",
        metavar="90s|10m|2h",
    )
    batch: int | None = option(  # B
        None, "Streams.", panel=TRAINING, shown=FOLLOWS, at_least=1, absurd=1e6
    )
    bptt: int | None = option(  # T
        None,
        "Time steps that gradients go back.",
        panel=TRAINING,
        shown=FOLLOWS,
        at_least=1,
        absurd=1e6,
        kinds=STREAMS,
    )
    lr: float | None = option(
        None,
        "Peak learning rate.",
        panel=TRAINING,
        shown="the optimizer's",
        above=0,
        absurd=1e30,  # beyond, numbers overflow at once
    )
    optimizer: str = option("adam", "The update.", panel=TRAINING, choices=("adam", "sgd"))
    clip: float = option(0.5, "Largest norm of the gradient.", panel=TRAINING, above=0, absurd=1e30)
    dropout: float | None = option(  # on embeddings, between layers, before the output
        None, "Share of units left out.", panel=TRAINING, shown=FOLLOWS, at_least=0, below=1
    )
    weight_drop: float | None = option(
        None,
        "Share of the weights from state to state that a step leaves out.",
        panel=TRAINING,
        shown=FOLLOWS,
        at_least=0,
        below=1,
    )
    word_drop: float | None = option(
        None,
        "Share of the vocabulary that a step does not read.",
        panel=TRAINING,
        shown=FOLLOWS,
        at_least=0,
        below=1,
        kinds=TEXTS,
    )
    drop_warmup: int | None = option(
        None,
        "Updates over which the three shares left out grow from 0.",
        panel=TRAINING,
        shown=FOLLOWS,
        at_least=0,
        absurd=2**31 - 1,
    )
    smoothing: float | None = option(  # Szegedy et al. 2016
        None,
        "Share of each target that goes to all labels or tokens alike.",
        panel=TRAINING,
        shown=FOLLOWS,
        at_least=0,
        below=1,
        kinds=SMOOTHED,
    )
    margin: float | None = option(  # Wang et al. 2019
        None,
        "Lead that the sampled softmax asks of a target, as a share of the largest it can have.",
        panel=TRAINING,
        shown=FOLLOWS,
        at_least=0,
        below=1,
        kinds=STREAMS,
    )
    stretch: float | None = option(
        None,
        "Make clips longer or shorter by up to this share.",
        panel=AUGMENTATION,
        shown=FOLLOWS,
        at_least=0,
        below=1,
        kinds=(*FRAMES, *SPEECH),
    )
    gain: float | None = option(
        None,
        "Make a clip's numbers larger or smaller by up to this share.",
        panel=AUGMENTATION,
        shown=FOLLOWS,
        at_least=0,
        below=1,
        kinds=(*FRAMES, *SPEECH),
    )
    noise: float | None = option(
        None,
        "Noise added to frames, in standard deviations of each column.",
        panel=AUGMENTATION,
        shown=FOLLOWS,
        at_least=0,
        absurd=100,
        kinds=(*FRAMES, *SPEECH),
    )
    mirror: str | None = option(
        None,
        "Columns whose sign changes together in half of the clips, from 0: 0,3,6 or 0:60:3.",
        panel=AUGMENTATION,
        shown="none",
        metavar="COLUMNS",
        kinds=FRAMES,
    )
    warp: float | None = option(
        None,
        "Make voices higher or lower by up to this share, by moving bands.",
        panel=AUGMENTATION,
        shown=FOLLOWS,
        at_least=0,
        at_most=0.5,
        kinds=(*FRAMES, *SPEECH),
    )
    channel: float | None = option(
        None,
        "Make each recording another microphone's: some bands louder, others softer, by about this"
        " much, in nats.",
        panel=AUGMENTATION,
        shown=FOLLOWS,
        at_least=0,
        absurd=10,
        kinds=(*FRAMES, *SPEECH),
    )
    band_mask: float | None = option(
        None,
        "Largest share of the bands that each of two masks hides.",
        panel=AUGMENTATION,
        shown=FOLLOWS,
        at_least=0,
        at_most=1,
        kinds=(*FRAMES, *SPEECH),
    )
    time_mask: float | None = option(
        None,
        "Largest share of the time that each of two masks hides.",
        panel=AUGMENTATION,
        shown=FOLLOWS,
        at_least=0,
        at_most=1,
        kinds=(*FRAMES, *SPEECH),
    )
    context: str = option(
        "mixed",
        "Carry the state over lines, reset it, or learn both.",
        panel=TRAINING,
        choices=("document", "sentence", "mixed"),
        kinds=STREAMS,
    )
    ngram: int | str | None = option(
        None,
        "Order of an n-gram model of the text that is mixed with the networks, or one as ARPA file;"
        " 0: none.",
        panel=MODEL,
        shown="5 with --time, of texts up to 20 million tokens",
        metavar="N|FILE",
        at_least=0,
        at_most=20,
        kinds=STREAMS,
    )
    prune: str | None = option(
        None,
        "Drop n-grams that occur no more often than this, by order: 0,0,1.",
        panel=MODEL,
        shown="0,0,0,1 with --time, 0,0,1 above 5 million tokens",
        metavar="COUNTS",
        kinds=STREAMS,
    )
    vectors: str | None = option(
        None,
        "Begin with the words' vectors in this file: a model's, word2vec's text, or .npy.",
        panel=MODEL,
        metavar="FILE",
        shown="none",
        kinds=WORDS,
    )
    freeze: bool = option(False, "Leave these vectors as they are.", panel=MODEL, kinds=WORDS)
    seed: int = option(1, "Repeats a run bit for bit.", panel=TRAINING, at_least=0)
    shards: int | None = option(
        None,
        "Parts of a batch that threads can share; part of the recipe.",
        panel=TRAINING,
        shown="one a core",
        at_least=1,
        absurd=1024,
    )
    threads: int | None = option(
        None,
        "Changes the time, never the result.",
        panel=TRAINING,
        shown="all cores",
        at_least=1,
    )

    def __post_init__(self) -> None:
        check(self)
        columns(self.mirror or "", "mirror")
        thresholds(self.prune or "", "prune")
        given = [named(name) for name in BUDGETS if getattr(self, name) is not None]
        if len(given) > 1:
            raise OptionError(f"{' and '.join(given)}: give only one of them")
        if self.freeze and not self.vectors:
            message = f"there is nothing to freeze; give {named('vectors')}, too"
            raise OptionError(f"{named('freeze')}: {message}")
        if (self.batch or 1) * (self.bptt or 1) > MOST_TOKENS:
            both = f"{named('batch')} times {named('bptt')}"
            raise OptionError(f"{both}: must be at most {MOST_TOKENS:,} tokens a step")


def without_foreign(recipe: TrainSettings, kind: str) -> TrainSettings:
    """The recipe, what a kind of model does not take being neutral in it."""
    known = declared(TrainSettings).items()
    foreign = {name for name, (_, _, o) in known if o and o.kinds and kind not in o.kinds}
    return replace(recipe, **{name: NEUTRAL[name] for name in NEUTRAL if name in foreign})
