"""The settings as keyword options, so that an editor completes them and a type checker reads them.

A test compares names and types with the dataclasses', which are the ones that count.
"""

from typing import TypedDict

__all__ = [
    "AdaptKeywords",
    "AdaptedSurprisalKeywords",
    "BleuKeywords",
    "CompareKeywords",
    "RescoreKeywords",
    "SampleKeywords",
    "SearchKeywords",
    "SurprisalKeywords",
    "TrainingKeywords",
    "TranscribeKeywords",
]


class TextKeywords(TypedDict, total=False):
    """TextSettings."""

    tokens: str
    lower: bool
    vocab_size: int
    min_count: int


class ModelKeywords(TypedDict, total=False):
    """ModelSettings."""

    cell: str
    activation: str
    layers: int
    embed: int | None
    hidden: int | None
    tie: bool
    softmax: str
    members: int | None
    window: int


class ClassifierKeywords(TypedDict, total=False):
    """What ClassifierSettings has beyond ModelSettings."""

    both: bool
    pool: str
    ngrams: int | None
    labelling: str


class FrameKeywords(TypedDict, total=False):
    """What FrameSettings has beyond PooledSettings."""

    centre: bool | None
    differences: bool


class TaggerKeywords(TypedDict, total=False):
    """What TaggerSettings has beyond the others."""

    letters: int
    filters: int
    case: int
    tagging: str


class RecogniserKeywords(TypedDict, total=False):
    """What RecogniserSettings has beyond the others."""

    bands: int
    stack: int


class WordVectorKeywords(TypedDict, total=False):
    """What WordVectorSettings has beyond the others."""

    subsample: float | None
    counted: bool


class TrainKeywords(TypedDict, total=False):
    """TrainSettings."""

    output: str | None
    samples: int | None
    finish: float | None
    epochs: float | None
    steps: int | None
    seconds: float | None
    batch: int | None
    bptt: int | None
    lr: float | None
    optimizer: str
    clip: float
    dropout: float | None
    weight_drop: float | None
    word_drop: float | None
    drop_warmup: int | None
    smoothing: float | None
    margin: float | None
    stretch: float | None
    gain: float | None
    noise: float | None
    mirror: str | None
    warp: float | None
    channel: float | None
    band_mask: float | None
    time_mask: float | None
    context: str
    ngram: int | str | None
    prune: str | None
    vectors: str | None
    freeze: bool
    seed: int
    shards: int | None
    threads: int | None


class NetworkKeywords(
    ModelKeywords,
    ClassifierKeywords,
    FrameKeywords,
    TaggerKeywords,
    RecogniserKeywords,
    WordVectorKeywords,
    total=False,
):
    """What connects to what, of any kind of model."""


class TrainingKeywords(TextKeywords, NetworkKeywords, TrainKeywords, total=False):
    """All that says what is trained, and how."""

    time: str | float | None  # "10m", as the command line has it; another name of seconds


class SurprisalKeywords(TypedDict, total=False):
    """SurprisalSettings."""

    base: str
    context: str
    level: str
    top: int
    spillover: int
    frequency: bool


class AdaptKeywords(TypedDict, total=False):
    """AdaptSettings."""

    adapt: bool
    adapt_rate: float
    adapt_decay: float
    cache: int
    cache_weight: float
    cache_sharpness: float


class AdaptedSurprisalKeywords(SurprisalKeywords, AdaptKeywords, total=False):
    """Both."""


class SampleKeywords(TypedDict, total=False):
    """SampleSettings."""

    max_words: int
    temperature: float
    top_k: int
    top_p: float
    allow_unk: bool


class SearchKeywords(TypedDict, total=False):
    """SearchSettings."""

    n: int
    beam: int
    length_norm: float
    max_length: int | None
    allow_unk: bool
    no_repeat: int


class TraceKeywords(TypedDict, total=False):
    """TraceSettings."""

    step: int | None
    back: int | None
    top: int
    all: bool
    member: int


class GradientKeywords(TypedDict, total=False):
    """GradientSettings."""

    epsilon: float
    limit: float
    entries: int
    member: int
    seed: int


class CompareKeywords(TypedDict, total=False):
    """CompareSettings."""

    context: str
    oov: str
    resamples: int
    seed: int


class BleuKeywords(TypedDict, total=False):
    """BleuSettings."""

    lower: bool
    tokenize: str
    chrf: bool
    resamples: int
    seed: int


class RescoreKeywords(TypedDict, total=False):
    """RescoreSettings."""

    score_type: str | None
    per_word: bool | None
    resamples: int
    seed: int


class TranscribeKeywords(TypedDict, total=False):
    """TranscribeSettings."""

    n: int
    beam: int | None
    lm_weight: float
    word_bonus: float
    lexicon: bool | None
