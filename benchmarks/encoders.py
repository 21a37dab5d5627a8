"""Training speed of an encoder under a head: the same model, texts and optimiser twice.

The encoder is a two-way LSTM over word vectors. A head is what its tops become; a new one is one
entry of HEADS.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from benchmarks.common import (
    SEED,
    Options,
    Table,
    long_calls_per_second,
    say,
    zipf_ids,
    zipf_vocabulary,
)
from benchmarks.peers import (
    THREADS,
    LmtoolTrainer,
    Tensor,
    V,
    check_same,
    compares,
    has_torch,
    long,
    torch,
)
from benchmarks.throughput import MEASURES, Arms, measures
from lmtool.arrays import Array, Ids
from lmtool.data.batch import Batch, Data
from lmtool.data.examples import POOL
from lmtool.data.ragged import Ragged
from lmtool.data.readers.labelled import read_labelled
from lmtool.inference.classify import Parts
from lmtool.inference.tag import Parts as TagParts
from lmtool.kinds import Kind, Material, classifier, tagger
from lmtool.kinds.labelled import Labelled
from lmtool.kinds.tagged import Sentences
from lmtool.models.encoder import EMBEDDING
from lmtool.settings import TextSettings, TrainSettings
from lmtool.settings.classifier import ClassifierSettings
from lmtool.settings.tagger import TaggerSettings
from lmtool.text.labels import Labels
from lmtool.text.letters import Letters
from lmtool.text.schemes import PLAIN
from lmtool.text.tags import Tags
from lmtool.text.vocabulary import N_SPECIALS, Vocabulary
from lmtool.training.session import fresh_weights

__all__ = ["HEADS", "Texts", "arms", "run"]

SIZE, BATCH = 256, 64
N_TEXTS = BATCH * POOL  # a pass, so that there is as little padding as in training
SHORTEST, LONGEST = 3, 50  # words
SHAPE, SCALE = 4.0, 4.8  # of the gamma distribution of lengths, mean 19
N_LABELS, N_TAGS = 5, 17
FILE = "train.tsv"  # of --data
LSTM = "encoder."  # before the names of its weights
ADAM = TrainSettings(steps=1, batch=BATCH, dropout=0.0, weight_drop=0.0, word_drop=0.0)


class Tops(NamedTuple):
    """What PyTorch's encoder gives a head."""

    top: Tensor  # (S, B, D), 0 at padding, which is at the end
    lengths: Tensor  # (B,)
    real: Tensor  # (S, B, 1)


class Texts(NamedTuple):
    """Words as ids, and their labels."""

    vocabulary: Vocabulary
    labels: Labels
    words: list[Ids]
    targets: list[Ids]  # (1,) each

    @classmethod
    def of(cls, options: Options) -> "Texts":
        """A file's, or generated ones."""
        path = options.data and options.data / FILE
        return cls.read(path) if path and path.exists() else cls.generated()

    @classmethod
    def read(cls, path: Path) -> "Texts":
        """The first ones of a file of labelled texts; the vocabulary is the whole file's."""
        records = list(read_labelled(path).records)
        texts = (record.text for record in records)
        vocabulary = Vocabulary.build(texts, TextSettings(vocab_size=V - N_SPECIALS))
        labels, some = Labels.build(records), records[:N_TEXTS]
        words = [np.array(vocabulary.encode(record.text), np.int32) for record in some]
        return cls(vocabulary, labels, words, [labels.targets(record) for record in some])

    @classmethod
    def generated(cls) -> "Texts":
        """Words as frequent and texts as long as in reviews, labels by chance."""
        rng = np.random.default_rng(SEED)
        vocabulary = zipf_vocabulary(V)
        drawn = np.rint(rng.gamma(SHAPE, SCALE, N_TEXTS)).astype(np.intp)
        lengths = np.clip(drawn, SHORTEST, LONGEST)
        ids = N_SPECIALS + zipf_ids(rng, vocabulary.n_tokens - N_SPECIALS, int(lengths.sum()))
        words = np.split(ids.astype(np.int32), np.cumsum(lengths)[:-1])
        targets = rng.integers(N_LABELS, size=(N_TEXTS, 1), dtype=np.int32)
        counts = np.bincount(targets[:, 0], minlength=N_LABELS)
        names = tuple(map(str, range(N_LABELS)))
        return cls(vocabulary, Labels(names, counts, several=False), words, list(targets))


class Head(NamedTuple):
    """What an encoder's tops become.

    material(texts) -> what lmtool learns from.
    modules(weights) -> what PyTorch has beside embedding and LSTM, with those weights.
    targets(batch) -> the targets of lmtool's batch as ``loss`` takes them.
    loss(modules, tops, targets) -> the mean of -ln p over the batch's targets, in PyTorch.
    """

    kind: Kind
    settings: Any
    material: Callable[[Texts], Material]
    modules: Callable[[Mapping[str, Tensor]], Any]
    targets: Callable[[Batch], Tensor]
    loss: Callable[[Any, Tops, Tensor], Tensor]
    recipe: TrainSettings = ADAM


# --- heads ----------------------------------------------------------------------------------


def labelled(texts: Texts) -> Material:
    """Whole texts and their labels, without n-grams."""
    sources, targets = Ragged.of(texts.words), Ragged.of(texts.targets)
    examples = Labelled(sources, targets, None, np.arange(len(sources)))
    parts = Parts(texts.vocabulary, texts.labels, None)
    return Material(parts, examples, examples, {}, {}, [])


def linear(weights: Mapping[str, Tensor]) -> Any:
    """The output layer."""
    layer = torch().nn.Linear(*reversed(weights["output.weight"].shape))
    layer.load_state_dict({name: weights[f"output.{name}"] for name in ("weight", "bias")})
    return layer


def label_of(batch: Batch) -> Tensor:
    """(B,)"""
    return long(batch.targets[0])


def pooled_loss(output: Any, tops: Tops, targets: Tensor) -> Tensor:
    """Mean and maximum over the real steps, softmax over the labels."""
    mean = tops.top.sum(0) / tops.lengths[:, None]
    peak = tops.top.masked_fill(~tops.real, -torch().inf).max(0).values
    logits = output(torch().cat([mean, peak], 1))
    return torch().nn.functional.cross_entropy(logits, targets)


def tagged(texts: Texts) -> Material:
    """The same words, a random tag of each."""
    rng, sources = np.random.default_rng(SEED), Ragged.of(texts.words)
    drawn = [rng.integers(N_TAGS, size=len(words), dtype=np.int32) for words in texts.words]
    counts = np.bincount(np.concatenate(drawn), minlength=N_TAGS)
    tags = Tags(tuple(f"t{n}" for n in range(N_TAGS)), counts, PLAIN)
    nothing = np.zeros((1, 2), np.int32)
    rows = np.arange(len(sources))
    spellings = Ragged(np.zeros_like(sources.flat), sources.offsets)
    examples = Sentences(sources, spellings, nothing, Ragged.of(drawn), rows)
    parts = TagParts(texts.vocabulary, Letters("a"), tags)
    return Material(parts, examples, examples, {}, {}, [])


def chained(weights: Mapping[str, Tensor]) -> Any:
    """The output layer and the scores of a linear chain."""
    nn, names = torch().nn, ("first", "between", "last")
    chain = nn.ParameterDict({x: nn.Parameter(weights[f"output.{x}"].clone()) for x in names})
    return nn.ModuleDict({"output": linear(weights), "chain": chain})


def tags_of(batch: Batch) -> Tensor:
    """(S, B), -1 at padding."""
    if batch.starts is None:
        raise ValueError("the batch has no source")
    return padded(batch.targets, batch.starts, fill=-1)


def softmax_loss(output: Any, tops: Tops, targets: Tensor) -> Tensor:
    """At each word by itself."""
    logits = output(tops.top).flatten(0, 1)
    return torch().nn.functional.cross_entropy(logits, targets.flatten(), ignore_index=-1)


def chain_loss(modules: Any, tops: Tops, targets: Tensor) -> Tensor:
    """ln Z minus the score of the tags, in log space, all texts side by side (as pytorch-crf)."""
    z, chain, real = modules["output"](tops.top), modules["chain"], tops.real[..., 0]
    between, y, columns = chain["between"], targets.clamp(min=0), torch().arange(z.shape[1])
    alpha, score = chain["first"] + z[0], chain["first"][y[0]] + z[0, columns, y[0]]
    for t in range(1, len(z)):
        ahead = torch().logsumexp(alpha[:, :, None] + between, 1) + z[t]
        alpha = torch().where(real[t, :, None], ahead, alpha)
        step = between[y[t - 1], y[t]] + z[t, columns, y[t]]
        score = score + step * real[t]
    end = y[tops.lengths - 1, columns]
    log_z = torch().logsumexp(alpha + chain["last"], 1)
    return (log_z - score - chain["last"][end]).sum() / tops.lengths.sum()


TAGGER = TaggerSettings(embed=SIZE, hidden=SIZE, letters=0, case=0, members=1)
HEADS = {
    "label, mean-max pool": Head(
        classifier.KIND,
        ClassifierSettings(embed=SIZE, hidden=SIZE, ngrams=0, members=1),
        labelled,
        linear,
        label_of,
        pooled_loss,
    ),
    "tags, softmax": Head(
        tagger.KIND,
        TAGGER,
        tagged,
        linear,
        tags_of,
        softmax_loss,
        replace(ADAM, output="full"),
    ),
    "tags, CRF": Head(
        tagger.KIND,
        TAGGER,
        tagged,
        chained,
        tags_of,
        chain_loss,
        replace(ADAM, output="crf"),
    ),
}


# --- PyTorch --------------------------------------------------------------------------------


class Ready(NamedTuple):
    """A batch as PyTorch takes it: padding at the end."""

    ids: Tensor  # (S, B)
    lengths: Tensor  # (B,)
    real: Tensor  # (S, B, 1)
    targets: Tensor
    n: int  # targets

    @classmethod
    def of(cls, batch: Batch, head: Head) -> "Ready":
        """lmtool's batch."""
        if batch.source is None or batch.starts is None:
            raise ValueError("the batch has no source")
        lengths = long(len(batch.source) - batch.starts)
        real = torch().arange(len(batch.source))[:, None, None] < lengths[:, None]
        ids = padded(batch.source, batch.starts)
        return cls(ids, lengths, real, head.targets(batch), batch.n)


def padded(columns: Array, starts: Ids, fill: int = 0) -> Tensor:
    """(S, B, ...), those before the starts at the end instead, as ``fill``."""
    own = zip(columns.swapaxes(0, 1), starts, strict=True)
    real = [torch().tensor(column[start:]) for column, start in own]
    real = real if columns.ndim == 3 else [ids.long() for ids in real]
    return torch().nn.utils.rnn.pad_sequence(real, padding_value=fill)


class TorchEncoder:
    """The same encoder and head in training by PyTorch; its batches lie ready."""

    def __init__(
        self, head: Head, start: Mapping[str, Any], data: Data, recipe: TrainSettings
    ) -> None:
        nn, weights = torch().nn, {name: torch().tensor(array) for name, array in start.items()}
        self.head, self.clip, self.n_steps = head, recipe.clip, 0
        self.batches = [Ready.of(data.batch(i), head) for i in range(data.steps_a_pass)]
        self.tokens = data.tokens
        self.embedding = nn.Embedding.from_pretrained(weights[EMBEDDING], freeze=False)
        self.rnn = nn.LSTM(SIZE, SIZE, bidirectional=True)
        self.rnn.load_state_dict(
            {k.removeprefix(LSTM): x for k, x in weights.items() if k.startswith(LSTM)}
        )
        self.own = head.modules(weights)
        every = nn.ModuleList([self.embedding, self.rnn, self.own])
        self.parameters = list(every.parameters())
        self.optimizer = torch().optim.Adam(self.parameters, recipe.lr)

    def tops(self, batch: Ready) -> Tops:
        """What the LSTM makes of a batch, padding left out."""
        rnn = torch().nn.utils.rnn
        x = self.embedding(batch.ids)
        packed = rnn.pack_padded_sequence(x, batch.lengths, enforce_sorted=False)
        top, _ = rnn.pad_packed_sequence(self.rnn(packed)[0])
        return Tops(top, batch.lengths, batch.real)

    def step(self) -> float:
        """The sum of -ln p over the step's targets."""
        batch = self.batches[self.n_steps % len(self.batches)]
        self.optimizer.zero_grad()
        loss = self.head.loss(self.own, self.tops(batch), batch.targets)
        loss.backward()
        torch().nn.utils.clip_grad_norm_(self.parameters, self.clip)
        self.optimizer.step()
        self.n_steps += 1
        return float(loss.detach()) * batch.n

    def speed_of_passes(self, threads: int, seconds: float) -> float:
        """Tokens a second over whole passes."""
        torch().set_num_threads(threads)
        passes = long_calls_per_second(lambda: [self.step() for _ in self.batches], seconds)
        return passes * self.tokens


# --- the part -------------------------------------------------------------------------------


def run(options: Options) -> Iterator[Table]:
    """One table; the texts are train.tsv of ``--data`` where it is there."""
    if not has_torch():
        say("encoders: PyTorch is not installed, so lmtool runs alone")
    texts = Texts.of(options)
    rows = [
        [name, *measures(arms(head, texts, options.seconds), options.repeats)]
        for name, head in HEADS.items()
    ]
    title = f"Training a two-way LSTM {SIZE} under a head, tokens/s with 1 and 2 threads"
    yield Table(title, ("head", *MEASURES), rows)


def arms(head: Head, texts: Texts, seconds: float) -> Arms:
    """The first step of both must give the same loss."""
    material = head.material(texts)
    settings, recipe = head.kind.plan(head.settings, head.recipe, material, 0.0)
    start = fresh_weights(head.kind, settings, material, SEED)

    def fresh() -> dict[str, LmtoolTrainer | TorchEncoder]:
        ours = LmtoolTrainer(head.kind, settings, material, recipe, start)
        if not has_torch():
            return {"lmtool": ours}
        data = head.kind.data(material, recipe)
        return {"lmtool": ours, "PyTorch": TorchEncoder(head, start, data, recipe)}

    if compares():
        check_same(*(trainer.step() for trainer in fresh().values()))
    trainers = fresh()
    return {
        (name, n): partial(trainer.speed_of_passes, n, seconds)
        for n in THREADS
        for name, trainer in trainers.items()
    }
