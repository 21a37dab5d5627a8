"""The translator of ``lmtool.models.conditional`` in PyTorch: training, and beam search in batches.

One two-way LSTM reads, one LSTM writes, and attention stands after it.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from benchmarks.encoders import padded
from benchmarks.peers import Tensor, long, torch
from lmtool.arrays import Array, Ids
from lmtool.data.batch import Batch, Data
from lmtool.models.encoder import EMBEDDING
from lmtool.settings import TrainSettings
from lmtool.text.vocabulary import EOS_ID, UNK_ID

__all__ = ["Network", "Trainer"]

TARGET, READS, WRITES = "embedding.weight", "encoder.", "decoder."  # names of weights
NEVER = -float("inf")


class Source(NamedTuple):
    """Texts that were read, side by side."""

    memory: Tensor  # (B, S, M)
    keys: Tensor  # (B, H, S)
    real: Tensor  # (B, 1, S)
    state: Any  # (1, B, H) twice


class Beams(NamedTuple):
    """The beginnings of B texts, k each."""

    ids: Tensor  # (B, k, t)
    logp: Tensor  # (B, k), -inf where there is none
    state: Any  # (1, B k, H) twice


class Network:
    """Modules with the weights of a translator of lmtool."""

    def __init__(self, start: Mapping[str, Array]) -> None:
        nn, weights = torch().nn, {name: torch().tensor(array) for name, array in start.items()}
        H, E = len(weights["attention.key"]), weights[TARGET].shape[1]
        self.source = nn.Embedding.from_pretrained(weights[EMBEDDING], freeze=False)
        self.target = nn.Embedding.from_pretrained(weights[TARGET], freeze=False)
        self.encoder = with_weights(nn.LSTM(E, H, bidirectional=True), weights, READS)
        self.decoder = with_weights(nn.LSTM(E, H), weights, WRITES)
        self.named = {
            name: nn.Parameter(weights[name])
            for name in weights
            if name.startswith(("bridge.", "attention.", "output."))
        }

    def gradients(self) -> dict[str, Array]:
        """By lmtool's names, after ``backward``."""
        own = {EMBEDDING: self.source.weight, TARGET: self.target.weight, **self.named}
        for prefix, module in ((READS, self.encoder), (WRITES, self.decoder)):
            own |= {prefix + name: x for name, x in module.named_parameters()}
        return {name: x.grad.numpy() for name, x in own.items()}

    def parameters(self) -> list[Any]:
        """All that is trained."""
        modules = (self.source, self.target, self.encoder, self.decoder)
        return [*self.named.values(), *(x for each in modules for x in each.parameters())]

    def read(self, ids: Tensor, lengths: Tensor) -> Source:
        """ids (S, B), padding at the end."""
        rnn, own = torch().nn.utils.rnn, self.named
        packed = rnn.pack_padded_sequence(self.source(ids), lengths, enforce_sorted=False)
        top, (last, _) = self.encoder(packed)
        memory = rnn.pad_packed_sequence(top)[0].transpose(0, 1)
        z = torch().cat([last[0], last[1]], 1) @ own["bridge.weight"].T + own["bridge.bias"]
        state = tuple(part.contiguous()[None] for part in z.tanh().chunk(2, 1))
        keys = (memory @ own["attention.key"].T).transpose(1, 2)
        real = torch().arange(len(ids))[None, None] < lengths[:, None, None]
        return Source(memory, keys, real, state)

    def looked(self, h: Tensor, source: Source) -> Tensor:
        """Queries h (B, N, H), each to its source -> (B, N, E)."""
        e = torch().bmm(h, source.keys) * h.shape[2] ** -0.5
        a = e.masked_fill(~source.real, NEVER).softmax(2)
        both = torch().cat([h, torch().bmm(a, source.memory)], 2)
        return (both @ self.named["attention.mix"].T + self.named["attention.bias"]).tanh()

    def logits(self, y: Tensor) -> Tensor:
        """Through the word vectors."""
        return torch().nn.functional.linear(y, self.target.weight, self.named["output.bias"])

    def loss(self, batch: "Ready") -> Tensor:
        """The mean of -ln p over the real targets."""
        source = self.read(batch.ids, batch.lengths)
        h, _ = self.decoder(self.target(batch.inputs), source.state)
        real = batch.targets.T >= 0
        y = self.looked(h.transpose(0, 1), source)[real]
        return torch().nn.functional.cross_entropy(self.logits(y), batch.targets.T[real])

    def search(
        self, sources: Iterable[Ids], side_by_side: int, beam: int, longest: int
    ) -> Iterator[float]:
        """The best score of a text about each, in the order of their length."""
        ordered = sorted(sources, key=len, reverse=True)
        with torch().inference_mode():
            for i in range(0, len(ordered), side_by_side):
                yield from self.best(ordered[i : i + side_by_side], beam, longest)

    def best(self, sources: Sequence[Ids], beam: int, longest: int) -> list[float]:
        """ln P / tokens of the best text about each: (1) of ``lmtool.inference.beam``."""
        ids = torch().nn.utils.rnn.pad_sequence([long(each) for each in sources])
        source = self.read(ids, long(np.array([len(each) for each in sources])))
        found: list[list[tuple[float, list[int]]]] = [[] for _ in sources]
        beams = begun(source, beam)
        for t in range(longest + 1):
            beams = self.stepped(beams, source, found, last=t == longest)
            settle(beams, found, longest)
            if bool((beams.logp == NEVER).all()):
                break
        return [max(each)[0] for each in found]

    def stepped(self, beams: Beams, source: Source, found: list[Any], last: bool) -> Beams:
        """One token further; a text that ends leaves the beam and its place."""
        B, k, t = beams.ids.shape
        x = self.target(beams.ids[:, :, -1].reshape(1, -1))
        h, state = self.decoder(x, beams.state)
        logp = self.logits(self.looked(h.view(B, k, -1), source)).log_softmax(2)
        logp[:, :, UNK_ID] = NEVER
        if last:
            logp[:, :, EOS_ID + 1 :] = NEVER
        V = logp.shape[2]
        sums, flat = (beams.logp[:, :, None] + logp).view(B, -1).topk(k)
        free = k - torch().tensor([len(each) for each in found])
        sums = sums.masked_fill(torch().arange(k) >= free[:, None], NEVER)
        parents, tokens = flat // V, flat % V
        before = beams.ids.gather(1, parents[:, :, None].expand(-1, -1, t))
        ids = torch().cat([before, tokens[:, :, None]], 2)
        ends = (tokens == EOS_ID) & (sums > NEVER)
        for b, row in ends.nonzero().tolist():
            found[b].append((float(sums[b, row]) / t, ids[b, row].tolist()))
        rows = (parents + k * torch().arange(B)[:, None]).view(-1)
        state = tuple(part.index_select(1, rows) for part in state)
        return Beams(ids, sums.masked_fill(ends, NEVER), state)


def with_weights(module: Any, weights: Mapping[str, Tensor], prefix: str) -> Any:
    """The module, its weights those whose names begin so."""
    own = {k.removeprefix(prefix): x for k, x in weights.items() if k.startswith(prefix)}
    module.load_state_dict(own)
    return module


def begun(source: Source, k: int) -> Beams:
    """One beginning of each text, which reads <EOS>."""
    B = len(source.memory)
    logp = torch().full((B, k), NEVER)
    logp[:, 0] = 0
    state = tuple(part.repeat_interleave(k, 1) for part in source.state)
    return Beams(torch().full((B, k, 1), EOS_ID), logp, state)


def settle(beams: Beams, found: Sequence[Any], longest: int) -> None:
    """Ends those texts whose beginnings cannot reach the best score that was found."""
    best = torch().tensor([max(each)[0] if each else NEVER for each in found])
    beams.logp[beams.logp.max(1).values / (longest + 1) < best] = NEVER


class Ready(NamedTuple):
    """A batch as PyTorch takes it: padding at the end."""

    ids: Tensor  # (S, B)
    lengths: Tensor  # (B,)
    inputs: Tensor  # (T, B)
    targets: Tensor
    n: int  # targets

    @classmethod
    def of(cls, batch: Batch) -> "Ready":
        """lmtool's batch."""
        if batch.source is None or batch.starts is None or batch.inputs is None:
            raise ValueError("the batch has no source or no text")
        lengths, ids = long(len(batch.source) - batch.starts), padded(batch.source, batch.starts)
        return cls(ids, lengths, long(batch.inputs), long(batch.targets), batch.n)


class Trainer:
    """The network in training; its batches lie ready."""

    def __init__(self, start: Mapping[str, Array], data: Data, recipe: TrainSettings) -> None:
        self.network, self.clip, self.n_steps = Network(start), recipe.clip, 0
        self.batches = [Ready.of(data.batch(i)) for i in range(data.steps_a_pass)]
        self.optimizer = torch().optim.Adam(self.network.parameters(), recipe.lr)

    def step(self) -> float:
        """The sum of -ln p over the step's targets."""
        batch = self.batches[self.n_steps % len(self.batches)]
        self.optimizer.zero_grad()
        loss = self.network.loss(batch)
        loss.backward()
        torch().nn.utils.clip_grad_norm_(self.network.parameters(), self.clip)
        self.optimizer.step()
        self.n_steps += 1
        return float(loss.detach()) * batch.n

    def one_pass(self) -> None:
        """Each batch once."""
        for _ in self.batches:
            self.step()
