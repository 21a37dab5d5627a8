"""A network unrolled: the gradient of one step's loss as a sum over the steps before it.

With s_k the states of all layers and L_t read off the top of s_t alone (row vectors):

    s_k = F(s_{k-1}, x_k; W),  s_0 = 0                                              (1)
    v_t = dL_t/ds_t,  v_{k-1} = v_k J_k,  J_k = ds_k/ds_{k-1}                       (2)
    T_k = v_k dF/dW,  s_{k-1} held fixed: the immediate derivative (Pascanu et al. 2013)  (3)
    dL_t/dW = T_1 + ... + T_t                                                       (4)
    ds_t/ds_k = J_t ... J_{k+1}                                                     (5)

A term holds s_{k-1} fixed, else paths would count twice. No cell has a formula of its own here:
a step is its ``forward`` with T = 1, a term its ``backward``, both in the kernels of training.
"""

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from lmtool.arrays import Array, Ids
from lmtool.models.decoder import Estimate, exact, loss_and_gradients, output_backward
from lmtool.models.network import stack_of
from lmtool.nn import stack as stacks
from lmtool.nn.noise import QUIET
from lmtool.nn.outputs import OUTPUTS
from lmtool.nn.parameters import Parameters
from lmtool.nn.stack import Stack, States
from lmtool.settings import ModelSettings

__all__ = ["Seed", "Step", "Term", "Unrolled", "joined", "unroll", "widened"]


class Step(NamedTuple):
    """One word read."""

    id: int
    x: Array  # (1, 1, E)
    before: States
    after: States
    top: Array  # (1, 1, D)
    tape: stacks.Tape


class Seed(NamedTuple):
    """What L_t asks of step t."""

    loss: float  # L_t, in nats
    states: States  # v_t
    gradients: Parameters  # of what is not recurrent: one term alone


class Term(NamedTuple):
    """What step k adds; ``gradients`` are overwritten with the next term."""

    k: int
    states: States  # v_k
    gradients: Parameters  # T_k, of the cells' weights
    dx: Array  # (E,) v_k dF/dx_k


def widened(parameters: Parameters) -> Parameters:
    """The same numbers in float64, in which differences of gradients can be seen."""
    return Parameters(parameters.shapes, parameters.flat.astype(np.float64))


class Unrolled(NamedTuple):
    """A network and the steps that it made."""

    settings: ModelSettings
    parameters: Parameters  # float64
    counts: Array  # (V,) of the vocabulary, which a sampler may need
    steps: list[Step]

    @property
    def stack(self) -> Stack:
        """The cells."""
        return stack_of(self.settings)

    def seed(self, t: int, target: int) -> Seed:
        """L_t and its gradients at the top: the factors dL_t/dp_t dp_t/da_t."""
        top, gradients = self.steps[t - 1].top[0], self.parameters.like()
        wanted = np.array([target], np.int32)
        loss, dtop = output_backward(self.parameters, gradients, top, wanted, self._exact(wanted))
        states = stacks.no_future(self.steps[t - 1].after)
        states[-1][0][...] = dtop
        return Seed(loss, states, gradients)

    def terms(self, t: int, states: States) -> Iterator[Term]:
        """(3) for k = t, t - 1, ..., 1, from v_t."""
        scratch = Parameters(self.stack.shapes(), dtype=np.float64)
        for k in range(t, 0, -1):
            step = self.steps[k - 1]
            dx, before = self._back(scratch, step.tape, np.zeros_like(step.top), states)
            yield Term(k, states, scratch, dx[0, 0])
            states = before  # (2)

    def products(self, t: int) -> Iterator[Array]:
        """(5) for k = t, t - 1, ..., 1: (N, N), N numbers in all states."""
        N = sum(part.size for state in self.steps[t - 1].after for part in state)
        product = np.eye(N)
        for step in self.steps[t - 1 : 0 : -1]:
            yield product
            product = self._times_jacobian(product, step)
        yield product

    def _times_jacobian(self, product: Array, step: Step) -> Array:
        """``product`` J_k: each of its rows goes back through the step."""
        x = step.x.repeat(len(product), axis=1)
        state = tuple(tuple(part.repeat(len(product), 0) for part in one) for one in step.before)
        top, _, tape = stacks.forward(self.stack, self.parameters, x, state, None, QUIET)
        scratch = Parameters(self.stack.shapes(), dtype=np.float64)
        rows = apart(product, step.before)
        return joined(self._back(scratch, tape, np.zeros_like(top), rows)[1])

    def _back(
        self, scratch: Parameters, tape: stacks.Tape, dtop: Array, states: States
    ) -> tuple[Array, States]:
        return stacks.backward(self.stack, self.parameters, scratch, tape, dtop, states)

    def truncated(self, t: int, targets: Sequence[int]) -> Parameters:
        """dL_t/dW as training computes it: one backward pass over all t steps at once."""
        inputs = np.array([[step.id] for step in self.steps[:t]], np.int32)
        wanted = np.array(targets[:t], np.int32)[:, None]
        gradients = self.parameters.like()
        estimate = partial(of_the_last, self._exact(wanted[-1]))
        state = self.stack.zero_state(1, np.float64)
        loss_and_gradients(
            self.settings, self.parameters, gradients, inputs, wanted, state, estimate
        )
        return gradients

    def _exact(self, targets: Ids) -> Estimate:
        return exact(OUTPUTS[self.settings.softmax], self.counts, targets)


def unroll(settings: ModelSettings, parameters: Parameters, counts: Array, inputs: Ids) -> Unrolled:
    """(1) for the ids that are read (T,), from zero state."""
    one = Unrolled(settings, parameters, counts, [])
    state = one.stack.zero_state(1, np.float64)
    for token in inputs.tolist():
        x = parameters["embedding.weight"][[[token]]]
        top, after, tape = stacks.forward(one.stack, parameters, x, state, None, QUIET)
        one.steps.append(Step(token, x, state, after, top, tape))
        state = after
    return one


def of_the_last(
    estimate: Estimate, weights: Any, gradients: Any, x: Array, targets: Ids
) -> tuple[float, Array]:
    """A loss of N rows that is the loss of the last alone."""
    dx = np.zeros_like(x)
    loss, dx[-1:] = estimate(weights, gradients, x[-1:], targets[-1:])
    return loss, dx


def joined(states: States) -> Array:
    """All states of B streams side by side: (B, N)."""
    return np.concatenate([part for state in states for part in state], axis=1)


def apart(x: Array, like: States) -> States:
    """Rows (B, N) as states of B streams."""
    widths = [part.shape[1] for state in like for part in state]
    pieces = iter(np.split(x, np.cumsum(widths)[:-1], axis=1))
    return tuple(tuple(np.ascontiguousarray(next(pieces)) for _ in state) for state in like)
