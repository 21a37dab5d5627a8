"""One network of a language model along a sentence: each step with its numbers and products.

    x_t = E[id_t],   a_t = cells(x_t, a_{t-1}),   p_t = softmax(a_t W_y + b_y),   L_t = -ln p_t[y_t]

L_t is what ``score`` says, to the last bit; all else is computed once more in float64, by the
cells' own ``update``, and how far its probabilities are from those of ``score`` is told.
"""

import math
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from typing import Any, NamedTuple

import numpy as np

from lmtool.arrays import Array, Ids
from lmtool.display import Tabular
from lmtool.errors import ConfigError, InputError, option
from lmtool.inference.anatomy import LINES, Layer, Line, line, product
from lmtool.inference.next import NextWord
from lmtool.inference.reading import Sentence, sentence, shifted
from lmtool.inference.score import LN10, score_lines, verified
from lmtool.inference.unrolling import Backward, back
from lmtool.models.language_model import LanguageModel
from lmtool.models.network import Network, output_weights, stack_of
from lmtool.models.unrolled import widened
from lmtool.nn.parameters import Parameters
from lmtool.nn.stack import States
from lmtool.settings import LEVELS
from lmtool.settings.inside import TraceSettings
from lmtool.settings.shared import ACTIVATED
from lmtool.text.vocabulary import EOS, UNK_ID

__all__ = ["SHOWN", "Trace", "TraceStep", "alone", "trace"]

SHOWN = 12  # steps, unless all are asked for


@dataclass(frozen=True, slots=True, repr=False)
class TraceStep(Tabular):
    """A step: what is read, what is remembered, what is predicted."""

    _shown = ("t", "input", "target", "p", "loss")

    t: int
    input: str  # x_t as spelled
    input_id: int
    input_oov: bool
    target: str  # y_t
    target_id: int
    oov: bool
    x: tuple[float, ...]  # (E,) the row of the embedding
    before: dict[str, tuple[float, ...]]  # the top layer's a_{t-1}, of an LSTM c_{t-1}, too
    state: dict[str, tuple[float, ...]]  # a_t
    p: float
    loss: float  # nats
    top: tuple[NextWord, ...]  # most probable first
    products: tuple[Line, ...]  # () where only the step was asked for

    def _rows(self) -> tuple[Line, ...]:
        return self.products


@dataclass(frozen=True, slots=True, repr=False)
class Trace(Tabular):
    """A sentence, step by step; ``steps`` are those that are shown of ``n_steps``."""

    _shown = ("text", "loss", "perplexity", "n_steps")

    text: str
    cell: str
    activation: str
    sizes: dict[str, int]  # V, E, H, layers
    tied: bool
    member: int
    n_members: int
    mixed: bool  # with other models, which are left out here
    n_steps: int
    loss: float  # L, the sum over all steps
    perplexity: float  # exp(L / n_steps)
    difference: float  # of any ln p, between float64 and what ``score`` says
    zeros: float | None  # share of all layers' a_t that ReLU makes 0; None: no ReLU
    dead: float | None  # share of the units that are 0 at every step
    steps: tuple[TraceStep, ...]
    back: Backward | None

    def _rows(self) -> tuple[TraceStep, ...]:
        return self.steps

    def to_dict(self) -> dict[str, Any]:
        """The same as plain values; without ``back`` where it was not asked for."""
        values = asdict(self)
        if self.back is None:
            values.pop("back")
        return values


class Walk(NamedTuple):
    """What became of a sentence in float64."""

    network: Network
    tokens: list[str]  # as spelled, <EOS> last
    inputs: Ids  # (T,)
    ids: Ids  # (T,) that are predicted
    xs: list[Array]  # (T, I) what each layer reads, and last a_t of the last
    states: list[States]  # before step 1, after each
    tops: Array  # (T, D) what the softmax reads


def trace(model: LanguageModel, text: str, settings: TraceSettings | None = None) -> Trace:
    """The steps of a sentence. Raises InputError, ConfigError, ModelFileError."""
    settings = settings or TraceSettings()
    one = alone(model, settings.member)
    (known,) = score_lines(one, [text], level=LEVELS[1])
    T = len(known.words)
    if not T:
        raise InputError("nothing to trace: the sentence is empty")
    for name in ("step", "back"):
        refuse_beyond(name, getattr(settings, name), T)
    walk = walked(one, sentence(one.vocabulary, text))
    logp = np.array([row.log10_p * LN10 for row in known.words])
    double = verified(walk.network.log_probability(walk.tops, walk.ids))
    t, E, H = settings.back, walk.xs[0].shape[1], one.settings.hidden or 0
    zeros, dead = silent(one, walk)
    return Trace(
        text=text,
        cell=one.settings.cell,
        activation=one.settings.activation,
        sizes={"V": one.vocabulary.n_tokens, "E": E, "H": H, "layers": one.settings.layers},
        tied=one.settings.tie,
        member=settings.member,
        n_members=len(model.networks),
        mixed=model.mixture is not None,
        n_steps=T,
        loss=-math.fsum(logp),
        perplexity=math.exp(-math.fsum(logp) / T),
        difference=float(np.abs(double - logp).max()),
        zeros=zeros,
        dead=dead,
        steps=tuple(
            step_of(one, walk, k, float(logp[k - 1]), settings) for k in chosen(settings, T)
        ),
        back=None if t is None else backward(one, walk, t, settings.all),
    )


def alone(model: LanguageModel, member: int = 1) -> LanguageModel:
    """One network of a model as a model. Raises ConfigError where there is none."""
    n = len(model.networks)
    if not n:
        message = "the model has no network of its own, whose steps could be traced"
        raise ConfigError(f"{message}; train it with {option('members', 1)}")
    if member > n:
        raise ConfigError(f"{option('member', member)}: the model has {n}")
    own = model.networks[member - 1].parameters
    settings = replace(model.settings, members=1)
    return LanguageModel(settings, model.vocabulary, Parameters(own.shapes, own.flat))


def refuse_beyond(name: str, t: int | None, T: int) -> None:
    """Raises InputError for a step that the sentence does not have."""
    if t is not None and t > T:
        raise InputError(f"{option(name, t)}: the sentence has {T:,} steps, <EOS> among them")


def chosen(settings: TraceSettings, T: int) -> range:
    """The steps that are shown: the first ones, or those up to the one that is asked for."""
    if settings.all:
        return range(1, T + 1)
    last = max(settings.step or 0, settings.back or 0, min(T, SHOWN))
    return range(max(1, last - SHOWN + 1), last + 1)


def walked(model: LanguageModel, one: Sentence) -> Walk:
    """The sentence in float64: every layer's inputs and states."""
    double = Network(model.settings, widened(model.networks[0].parameters))
    stack, inputs = stack_of(model.settings), shifted(one.ids)
    state = stack.zero_state(1, np.float64)
    states: list[States] = [state]
    rows: list[list[Array]] = [[] for _ in range(stack.layers + 1)]
    for token in inputs.tolist():
        x, after = double.parameters["embedding.weight"][[token]], []
        for layer, before in enumerate(states[-1]):
            rows[layer].append(x)
            weights = stack.weights(double.parameters, layer)
            after.append(stack.cell.step(weights, x, before, stack.activation))
            x = after[-1][0]
        rows[-1].append(x)
        states.append(tuple(after))
    xs = [np.concatenate(each) for each in rows]
    tops, _ = double.read(inputs, states[0])
    return Walk(double, [*one.tokens, EOS], inputs, one.ids, xs, states, tops)


def silent(model: LanguageModel, walk: Walk) -> tuple[float | None, float | None]:
    """Shares of a_t, and of units at every step, that ReLU makes 0; None where there is no ReLU."""
    if model.settings.cell not in ACTIVATED or model.settings.activation != "relu":
        return None, None
    zero = np.array([[(a == 0).ravel() for a, *_ in state] for state in walk.states[1:]])
    return float(zero.mean()), float(zero.all(axis=0).mean())  # of (T, layers, H)


def step_of(
    model: LanguageModel, walk: Walk, t: int, logp: float, settings: TraceSettings
) -> TraceStep:
    """One step; ln p is the model's own."""
    vocabulary, before, after = model.vocabulary, walk.states[t - 1][-1], walk.states[t][-1]
    read, wanted = int(walk.inputs[t - 1]), int(walk.ids[t - 1])
    p = walk.network.log_probabilities(walk.tops[t - 1 : t])[0]
    best = np.argsort(-p, kind="stable")[: settings.top].tolist()
    top = (NextWord(vocabulary.tokens[i], math.exp(p[i]), float(p[i]) / LN10) for i in best)
    return TraceStep(
        t=t,
        input=[EOS, *walk.tokens][t - 1],
        input_id=read,
        input_oov=read == UNK_ID,
        target=walk.tokens[t - 1],
        target_id=wanted,
        oov=wanted == UNK_ID,
        x=tuple(walk.xs[0][t - 1].tolist()),
        before=named(before),
        state=named(after),
        p=math.exp(logp),
        loss=-logp,
        top=tuple(top),
        products=tuple(lines_of(walk, t)) if detailed(settings, t) else (),
    )


def detailed(settings: TraceSettings, t: int) -> bool:
    """Whether the products of a step are shown: of the one asked for, or of all."""
    return t == settings.step if settings.step is not None else settings.back is None


def named(state: tuple[Array, ...]) -> dict[str, tuple[float, ...]]:
    """a, and of an LSTM c; of a window only a, as the rest are sums on their way."""
    return {
        name: tuple(part[0].tolist())
        for name, part in zip(("a", "c"), state[:2] if len(state) < 3 else state[:1], strict=False)
    }


def lines_of(walk: Walk, t: int) -> Iterator[Line]:
    """From the one-hot vector to the softmax."""
    parameters, settings = walk.network.parameters, walk.network.settings
    stack, E = stack_of(settings), parameters["embedding.weight"]
    one_hot = np.zeros((1, len(E)))
    one_hot[0, walk.inputs[t - 1]] = 1
    x = walk.xs[0][t - 1 : t]
    yield Line("one-hot", (), one_hot.shape, ())
    yield product(f"x_{t} = one-hot E", one_hot, E, f"= row {walk.inputs[t - 1]} of E", x)
    for layer in range(stack.layers):
        weights = stack.weights(parameters, layer)
        both = (walk.states[k][layer] for k in (t - 1, t))
        if layer:
            yield line(f"layer {layer + 1}: x_{t} = a_{t} below", walk.xs[layer][t - 1 : t])
        yield from LINES[settings.cell](
            Layer(weights, settings.activation, walk.xs[layer][:t], *both)
        )
    yield from output_lines(walk, t)


def output_lines(walk: Walk, t: int) -> Iterator[Line]:
    """The logits and their softmax, whose sum is told as its distance from 1."""
    network, name = walk.network, f"a_{t}"
    a, top = (x[t - 1 : t] for x in (walk.xs[-1], walk.tops))
    if "projection.weight" in network.parameters:
        name = f"a_{t} P"
        yield product(name, a, network.parameters["projection.weight"].T)
    W_y = output_weights(network.parameters).weight.T
    yield Line(f"{name} W_y + b_y", (top.shape, W_y.shape), (1, W_y.shape[1]), ())
    p = np.exp(network.log_probabilities(top))
    yield Line(f"p_{t} = softmax", (), p.shape, (), "sum 1", float(abs(p.sum() - 1)))


def backward(model: LanguageModel, walk: Walk, t: int, whole: bool) -> Backward:
    """The gradient of the loss of step t."""
    counts, spelled = model.vocabulary.counts, [EOS, *walk.tokens]
    return back(walk.network, counts, walk.inputs[:t], walk.ids[:t], spelled, whole)
