"""Ladder 2 and 3: numeric gradients in double precision, and PyTorch's on the same weights."""

from functools import partial
from typing import Any

import numpy as np
import pytest

from lmtool.arrays import Array
from lmtool.models.decoder import loss_and_gradients
from lmtool.models.language_model import initialise
from lmtool.models.network import States, zero_state
from lmtool.nn.cells import CELLS
from lmtool.nn.noise import Noise
from lmtool.nn.outputs import OUTPUTS
from lmtool.nn.parameters import Parameters
from lmtool.settings import ModelSettings

V, T, B = 7, 6, 3
ESTIMATE = partial(OUTPUTS["full"].loss, scale=1.0)
SHAPES = [(1, True, 5, 5), (1, True, 4, 5), (2, False, 4, 5), (2, True, 5, 5)]
CASES = [
    ModelSettings(cell, activation, layers, embed, hidden, tie)
    for cell in CELLS
    for activation in (("tanh", "relu") if cell in ("rnn", "window") else ("tanh",))
    for layers, tie, embed, hidden in SHAPES
]
CASES += [
    ModelSettings("window", "tanh", 2, 4, 5, window=1),
    ModelSettings("window", "tanh", 1, 4, 5, window=T),
    ModelSettings("window", "tanh", 1, 5, 5, window=T + 3),  # wider than a segment
]


def make(settings: ModelSettings) -> tuple[Parameters, Any, Any]:
    """Random weights in double precision, inputs and targets."""
    rng = np.random.default_rng(0)
    parameters = initialise(settings, np.ones(V, np.int64), rng, np.float64)
    parameters.flat[:] = rng.normal(size=parameters.flat.size) * 0.4
    inputs, targets = rng.integers(0, V, (2, T, B)).astype(np.int32)
    return parameters, inputs, targets


@pytest.mark.parametrize("settings", CASES, ids=str)
def test_gradients_equal_finite_differences(settings: ModelSettings) -> None:
    parameters, inputs, targets = make(settings)
    gradients = parameters.like()
    gradients.flat[...] = np.nan  # overwritten
    keep = (np.random.default_rng(1).random((T, B)) > 0.3).astype(np.float64)
    state: States = zero_state(settings, B, np.float64)

    def loss() -> float:
        rng = np.random.default_rng(5)  # the same dropout masks each time
        return loss_and_gradients(
            settings,
            parameters,
            gradients,
            inputs,
            targets,
            state,
            ESTIMATE,
            keep,
            Noise(0.3, 0.4, 0.2, rng),
        )[0]

    loss()
    analytic = gradients.flat.copy()
    for i in np.random.default_rng(2).choice(parameters.flat.size, 40, replace=False):
        value, step = parameters.flat[i], 1e-5
        parameters.flat[i] = value + step
        above = loss()
        parameters.flat[i] = value - step
        below = loss()
        parameters.flat[i] = value
        assert analytic[i] == pytest.approx((above - below) / (2 * step), rel=1e-5, abs=1e-7)


@pytest.mark.parametrize("settings", CASES, ids=str)
def test_gradients_equal_torch(settings: ModelSettings) -> None:
    torch = pytest.importorskip("torch", reason="compared with PyTorch only where it is installed")
    parameters, inputs, targets = make(settings)
    gradients = parameters.like()
    gradients.flat[...] = np.nan  # overwritten
    state = zero_state(settings, B, np.float64)
    loss, _ = loss_and_gradients(settings, parameters, gradients, inputs, targets, state, ESTIMATE)
    leaves = {name: torch.tensor(array, requires_grad=True) for name, array in parameters.items()}
    expected = torch_loss(torch, settings, leaves, inputs, targets)
    expected.backward()
    assert loss == pytest.approx(expected.item(), rel=1e-10)
    for name, leaf in leaves.items():
        np.testing.assert_allclose(gradients[name], leaf.grad.numpy(), rtol=1e-5, atol=1e-9)


def torch_loss(
    torch: Any, settings: ModelSettings, leaves: dict[str, Any], inputs: Array, targets: Array
) -> Any:
    """The same model in PyTorch: the sum of -ln p."""
    weights = {
        name.removeprefix("rnn."): leaf for name, leaf in leaves.items() if name.startswith("rnn.")
    }
    x = leaves["embedding.weight"][torch.tensor(inputs.astype(np.int64))]
    read = torch_window if settings.cell == "window" else torch_cells
    top = read(torch, settings, weights, x)
    if "projection.weight" in leaves:
        top = top @ leaves["projection.weight"].T
    own = "output.weight" if "output.weight" in leaves else "embedding.weight"
    logits = top @ leaves[own].T + leaves["output.bias"]
    wanted = torch.tensor(targets.astype(np.int64)).reshape(-1)
    return torch.nn.functional.cross_entropy(logits.reshape(-1, V), wanted, reduction="sum")


def torch_cells(torch: Any, settings: ModelSettings, weights: dict[str, Any], x: Any) -> Any:
    """PyTorch's own."""
    kind = {"lstm": torch.nn.LSTM, "gru": torch.nn.GRU, "rnn": torch.nn.RNN}[settings.cell]
    options = {"nonlinearity": settings.activation} if settings.cell == "rnn" else {}
    network = kind(settings.embed, settings.hidden, settings.layers, **options).double()
    return torch.func.functional_call(network, weights, (x,))[0]


def torch_window(torch: Any, settings: ModelSettings, weights: dict[str, Any], x: Any) -> Any:
    """The last N vectors side by side, zeros before the first, times one matrix."""
    N, H = settings.window, settings.hidden
    for layer in range(settings.layers):
        padded = torch.cat([x.new_zeros(N - 1, *x.shape[1:]), x])
        wide = torch.cat([padded[N - 1 - k : N - 1 - k + len(x)] for k in range(N)], dim=2)
        W = torch.cat(list(weights[f"weight_ih_l{layer}"].split(H)), dim=1)  # (H, N E)
        x = getattr(torch, settings.activation)(wide @ W.T + weights[f"bias_ih_l{layer}"])
    return x


@pytest.mark.parametrize("settings", CASES, ids=str)
def test_inference_equals_training(settings: ModelSettings) -> None:
    """The numpy step, one word at a time, gives the loss of the compiled loop."""
    from lmtool.models.language_model import LanguageModel

    parameters, inputs, targets = make(settings)
    model = LanguageModel(settings, None, parameters)  # type: ignore[arg-type]
    loss, last = loss_and_gradients(
        settings, parameters, parameters.like(), inputs, targets, model.zero_state(B), ESTIMATE
    )
    state, total = model.zero_state(B), 0.0
    for x, y in zip(inputs, targets, strict=True):
        top, state = model.step(x, state)
        total -= float(model.log_probabilities(top)[np.arange(B), y].sum())
    assert total == pytest.approx(loss, rel=1e-9)
    np.testing.assert_allclose(state[0][0], last[0][0], rtol=1e-9)
