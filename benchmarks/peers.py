"""The same model twice: trained and run by lmtool and by PyTorch."""

import importlib
import math
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from functools import cached_property
from types import SimpleNamespace
from typing import Any, NamedTuple, Self

import numpy as np

from benchmarks.common import (
    SEED,
    installed,
    long_calls_per_second,
    per_second,
    zipf_ids,
    zipf_vocabulary,
)
from lmtool.arrays import Array, Ids
from lmtool.data.stream import segment
from lmtool.kinds import Kind, Material
from lmtool.kinds.language_model import KIND
from lmtool.kinds.sizes import plan
from lmtool.models.language_model import LanguageModel, initialise
from lmtool.nn.parameters import Parameters
from lmtool.settings import ModelSettings, TrainSettings
from lmtool.training.run import Run, new_run
from lmtool.training.session import Session, open_session
from lmtool.training.step import training_step

__all__ = [
    "BATCH",
    "BPTT",
    "MODELS",
    "THREADS",
    "Job",
    "LmtoolTrainer",
    "Network",
    "SampledTrainer",
    "Tensor",
    "TorchTrainer",
    "V",
    "check_gradients",
    "check_same",
    "compares",
    "copied",
    "fresh_job",
    "fresh_model",
    "has_torch",
    "long",
    "network",
    "torch",
    "torch_logp",
]

V = 10_000
BATCH, BPTT, LR = 20, 35, 0.004
N_IDS = 200_000
STEPS = 32  # time steps whose outputs are computed together, as in lmtool.inference.evaluate
THREADS = (1, 2)
ALONE: str | None = None  # who runs without the other, where memory is measured
CLOSE = 1e-4  # of gradients, against the largest of a matrix

MODELS = {
    "RNN 200": ModelSettings("rnn", hidden=200, embed=200),
    "LSTM 256": ModelSettings("lstm", hidden=256, embed=256),
    "LSTM 2x200": ModelSettings("lstm", layers=2, hidden=200, embed=200),
    "LSTM 650": ModelSettings("lstm", hidden=650, embed=650),
}

Tensor = Any  # torch may be absent, so nothing of it has a type


# --- lmtool ---------------------------------------------------------------------------------


def fresh_model(settings: ModelSettings, n_tokens: int = V) -> LanguageModel:
    """Random weights over generated words."""
    vocabulary = zipf_vocabulary(n_tokens)
    rng = np.random.default_rng(SEED)
    return LanguageModel(settings, vocabulary, initialise(settings, vocabulary.counts, rng))


class Job(NamedTuple):
    """What both train."""

    model: LanguageModel  # at the start
    ids: Ids
    recipe: TrainSettings


def fresh_job(settings: ModelSettings, n_tokens: int = V, output: str = "full") -> Job:
    """Random ids, 20 streams, 35 steps, Adam, clipping, no dropout, the state carried."""
    ids = zipf_ids(np.random.default_rng(SEED), n_tokens, N_IDS)
    asked = TrainSettings(
        output=output, steps=1, batch=BATCH, bptt=BPTT, lr=LR, dropout=0.0, context="document"
    )
    settings, recipe = plan(settings, asked, len(ids), n_tokens)
    return Job(fresh_model(settings, n_tokens), ids, recipe)


class LmtoolTrainer:
    """A model of any kind in training by lmtool."""

    def __init__(
        self,
        kind: Kind,
        settings: Any,
        material: Material,
        recipe: TrainSettings,
        start: Parameters,
    ) -> None:
        self.kind, self.settings, self.material = kind, settings, material
        self.recipe, self.start = recipe, start

    @cached_property
    def run(self) -> Run:
        """Weights and moments, made when they are needed."""
        with self.session(1) as session:
            return new_run(session, self.start.copy())

    @classmethod
    def of(cls, job: Job) -> "LmtoolTrainer":
        """A language model."""
        model, ids, recipe = job
        text = SimpleNamespace(ids=ids, fingerprint="")
        material = Material(model.vocabulary, text, text, {}, {}, [])
        return cls(KIND, model.settings, material, recipe, model.parameters)

    def session(self, threads: int) -> AbstractContextManager[Session]:
        """The job for some threads, as long as it is used."""
        threaded = replace(self.recipe, threads=threads)
        return open_session(self.kind, self.settings, self.material, threaded)

    def step(self) -> float:
        """The sum of -ln p over the step's targets."""
        with self.session(1) as session:
            return training_step(session, self.run)

    def speed(self, threads: int, seconds: float) -> float:
        """Tokens a second."""
        with self.session(threads) as session:
            steps = per_second(lambda: training_step(session, self.run), seconds)
            return steps * session.data.tokens_a_step

    def speed_of_passes(self, threads: int, seconds: float) -> float:
        """Tokens a second over whole passes, since batches differ in length."""
        with self.session(threads) as session:

            def one_pass() -> None:
                for _ in range(session.data.steps_a_pass):
                    training_step(session, self.run)

            return long_calls_per_second(one_pass, seconds) * session.data.tokens


# --- PyTorch --------------------------------------------------------------------------------


def has_torch() -> bool:
    """Whether there is a PyTorch to compare with."""
    return ALONE != "lmtool" and installed("torch") is not None


def compares() -> bool:
    """Whether both are there, so that they can be seen to agree."""
    return ALONE is None and has_torch()


def torch() -> Any:
    """The package, which only these functions load."""
    return importlib.import_module("torch")


@dataclass(frozen=True, slots=True)
class Network:
    """The modules of a language model; the embedding's weights are the output's."""

    embedding: Any  # nn.Embedding
    rnn: Any  # nn.RNN or nn.LSTM
    output: Any  # nn.Linear
    dropout: Any  # nn.Dropout

    def __call__(self, ids: Tensor, state: Any) -> tuple[Tensor, Any]:
        """ids (T, B) -> logits (T, B, V) and the state after them."""
        top, state = self.read(ids, state)
        return self.output(top), state

    def read(self, ids: Tensor, state: Any) -> tuple[Tensor, Any]:
        """ids (T, B) -> top (T, B, H) and the state after them."""
        top, state = self.rnn(self.dropout(self.embedding(ids)), state)
        return self.dropout(top), state

    @property
    def modules(self) -> Any:
        """All of them, as one module."""
        return torch().nn.ModuleList([self.embedding, self.rnn, self.output, self.dropout])


def network(settings: ModelSettings, n_tokens: int, dropout: float = 0.0) -> Network:
    """Fresh modules."""
    nn = torch().nn
    between = dropout if settings.layers > 1 else 0.0
    rnn = getattr(nn, settings.cell.upper())(
        settings.embed, settings.hidden, settings.layers, dropout=between
    )
    embedding, output = nn.Embedding(n_tokens, settings.embed), nn.Linear(settings.hidden, n_tokens)
    output.weight = embedding.weight
    return Network(embedding, rnn, output, nn.Dropout(dropout))


def copied(model: LanguageModel) -> Network:
    """The same weights as the model's."""
    weights = {name: torch().tensor(array) for name, array in model.parameters.items()}
    copy = network(model.settings, model.vocabulary.n_tokens)
    copy.embedding.load_state_dict({"weight": weights["embedding.weight"]})
    copy.output.load_state_dict(
        {"weight": weights["embedding.weight"], "bias": weights["output.bias"]}
    )
    copy.rnn.load_state_dict(
        {k.removeprefix("rnn."): x for k, x in weights.items() if k.startswith("rnn.")}
    )
    return copy


class TorchTrainer:
    """A network in training by PyTorch."""

    def __init__(self, network: Network, optimizer: Any, ids: Ids, clip: float) -> None:
        self.network, self.optimizer, self.ids, self.clip = network, optimizer, ids, clip
        self.n_steps, self.state = 0, None

    @classmethod
    def of(cls, job: Job) -> Self:
        """The same weights, ids and recipe as lmtool's."""
        network = copied(job.model)
        optimizer = torch().optim.Adam(network.modules.parameters(), job.recipe.lr)
        return cls(network, optimizer, job.ids, job.recipe.clip)

    def step(self) -> float:
        """The sum of -ln p over the step's tokens."""
        inputs, targets = map(long, segment(self.ids, self.n_steps, BPTT, BATCH))
        self.optimizer.zero_grad()
        top, state = self.network.read(inputs, self.state)
        loss = self.loss(top.flatten(0, 1), targets.flatten())
        loss.backward()
        torch().nn.utils.clip_grad_norm_(self.network.modules.parameters(), self.clip)
        self.optimizer.step()
        self.n_steps, self.state = self.n_steps + 1, detached(state)
        return float(loss.detach()) * BATCH * BPTT

    def loss(self, top: Tensor, targets: Tensor) -> Tensor:
        """The mean of -ln p, top (N, H)."""
        return torch().nn.functional.cross_entropy(self.network.output(top), targets)

    def speed(self, threads: int, seconds: float) -> float:
        """Tokens a second."""
        torch().set_num_threads(threads)
        return per_second(self.step, seconds) * BATCH * BPTT


class SampledTrainer(TorchTrainer):
    """The same with a sampled softmax: a target beside words that a step's targets share."""

    q: Tensor  # (V,)
    samples: int

    def loss(self, top: Tensor, targets: Tensor) -> Tensor:
        """Corrected by ln q; a drawn word that is the target counts once."""
        nn, layer = torch().nn.functional, self.network.output
        ids = torch().multinomial(self.q, self.samples, replacement=True)
        corrected = layer.bias - self.q.log()
        own = (top * layer.weight[targets]).sum(1) + corrected[targets]
        others = top @ layer.weight[ids].T + corrected[ids]
        others = others.masked_fill(ids == targets[:, None], -torch().inf)
        logits = torch().cat([own[:, None], others], 1)
        return nn.cross_entropy(logits, torch().zeros_like(targets))

    @classmethod
    def of(cls, job: Job) -> Self:
        """Words are drawn as they are frequent."""
        made = super().of(job)
        counts = np.maximum(1, job.model.vocabulary.counts).astype(np.float32)
        made.q, made.samples = torch().tensor(counts / counts.sum()), job.recipe.samples or 1
        return made


def torch_logp(network: Network, pieces: Ids, skip: Ids | int = 0) -> float:
    """What ``lmtool.inference.evaluate.padded_logp`` computes, in PyTorch."""
    T, B = pieces.shape
    inputs = long(np.maximum(np.concatenate([np.zeros((1, B), np.int32), pieces[:-1]]), 0))
    counted = long(np.where(np.arange(T)[:, None] >= skip, pieces, -1))
    cross_entropy = torch().nn.functional.cross_entropy
    state, total = None, 0.0
    with torch().inference_mode():
        for start in range(0, T, STEPS):
            top, state = network.read(inputs[start : start + STEPS], state)
            wanted = counted[start : start + STEPS]
            logits = network.output(top[wanted >= 0])
            total -= float(cross_entropy(logits, wanted[wanted >= 0], reduction="sum"))
    return total


def long(ids: Ids) -> Tensor:
    """Ids as PyTorch takes them."""
    return torch().from_numpy(ids.astype(np.int64))


def detached(state: Any) -> Any:
    """The state without its history."""
    return tuple(part.detach() for part in state) if isinstance(state, tuple) else state.detach()


def check_same(ours: float, theirs: float) -> None:
    """Stops where the two do not compute the same number, since a ratio would mean nothing."""
    if not math.isclose(ours, theirs, rel_tol=1e-4):
        raise RuntimeError(f"lmtool and PyTorch do not agree: {ours} and {theirs}")


def check_gradients(ours: Mapping[str, Array], theirs: Mapping[str, Array]) -> None:
    """Stops where a gradient differs."""
    for name, gradient in theirs.items():
        if np.abs(ours[name] - gradient).max() > CLOSE * np.abs(gradient).max():
            raise RuntimeError(f"lmtool and PyTorch do not agree in the gradient of {name}")
