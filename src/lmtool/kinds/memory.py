"""The memory of a language model's run, computed before any of it is taken.

K networks of P weights together; n moments; B streams in shards of b = B / shards; A of the
K shards units at work at a time, each over N = T b tokens. In floats:

    held  = (2 + n) P + gradients + B K states H      weights: now and at best              (1)
    gradients = shards P, or the rows of them that a sampled step touches                   (2)
    step  = A (cells + output)                                                              (3)
    cells = N (3 E + L (2 gates + 6) H) + 4 L gates H^2     masks and copies included       (4)
    valid = 2 A logits of a validation                                                      (5)
    saved = 2 (2 + n) P                               what a resume file holds, twice       (6)
    peak  = held + max(step, valid, saved)                                                  (7)
"""

import math

from lmtool.kinds.base import Memory
from lmtool.models.language_model import parameter_shapes
from lmtool.models.network import PER_TOKEN, shapes
from lmtool.nn.cells import cell_of
from lmtool.nn.outputs import OUTPUTS
from lmtool.nn.outputs.classes import S, n_classes
from lmtool.nn.outputs.full import CHUNK
from lmtool.settings import ModelSettings, TrainSettings

__all__ = ["COMPILED", "FLOAT", "forecast_memory"]

FLOAT = 4  # bytes
MOMENTS = {"adam": 2, "sgd": 0}  # of the optimizers
COMPILED = 24 << 20  # bytes of kernels and threads
VALIDATED = 32 * 64  # rows of a validation whose logits may be held at once


def forecast_memory(settings: ModelSettings, recipe: TrainSettings, V: int) -> Memory:
    """What training takes, from shapes alone; ids are on disk. No None but in the budget."""
    P, n = size(parameter_shapes(settings, V)), MOMENTS[recipe.optimizer]
    B, H, K = recipe.batch or 1, settings.hidden or 1, settings.members or 1
    states = B * K * cell_of(settings).n_states * settings.layers * H
    held = (2 + n) * P + gradients_size(settings, recipe, V) + states  # (1)
    shards = recipe.shards or 1
    active = min(recipe.threads or 1, K * shards)
    N = (recipe.bptt or 1) * -(-B // shards)
    step = active * (cells_size(settings, N) + output_size(settings, recipe, N, V))  # (3)
    valid = 2 * active * min(VALIDATED, max(1, CHUNK // V)) * V  # (5)
    return Memory(
        held=FLOAT * held + COMPILED,
        step=FLOAT * max(step, valid),
        saved=FLOAT * 2 * (2 + n) * P,  # (6)
    )


def size(named: dict[str, tuple[int, ...]]) -> int:
    """Numbers in arrays of these shapes."""
    return sum(map(math.prod, named.values()))


def sampled(recipe: TrainSettings) -> bool:
    """Whether no step touches all the vocabulary."""
    return OUTPUTS[recipe.output or "full"].sampler is not None and not recipe.finish


def gradients_size(settings: ModelSettings, recipe: TrainSettings, V: int) -> int:
    """(2), with the copies of the rows that a step's networks share."""
    K, shards = settings.members or 1, recipe.shards or 1
    named = shapes(settings, V)
    if not sampled(recipe):
        return K * shards * size(named)
    rows = {name: shape for name, shape in named.items() if name in PER_TOKEN}
    touched = size(rows) // V * rows_of_step(recipe, V)
    return K * (shards * (size(named) - size(rows) + touched) + touched)


def rows_of_step(recipe: TrainSettings, V: int) -> int:
    """Tokens that a sampled step may touch."""
    drawn = S if recipe.output == "classes" else recipe.samples or 1
    return min(V, (recipe.batch or 1) * (recipe.bptt or 1) + drawn)


def cells_size(settings: ModelSettings, N: int) -> int:
    """(4): embeddings, tapes and their gradients of a unit."""
    E, H, L = settings.embed or 1, settings.hidden or 1, settings.layers
    G = cell_of(settings).n_gates
    return N * (3 * E + L * (2 * G + 6) * H) + 4 * L * G * H * H


def output_size(settings: ModelSettings, recipe: TrainSettings, N: int, V: int) -> int:
    """Logits, the rows that they need and the gradient of the top of a unit."""
    D = (settings.embed if settings.tie else settings.hidden) or 1
    if sampled(recipe) and recipe.output == "classes":
        head = min(S, V) + n_classes(V)
        return N * (head + 3 * D) + 3 * head * D
    if sampled(recipe):
        return (recipe.samples or 1) * (N + 2 * D) + 5 * N * D
    rows = max(1, CHUNK // V)
    return min(N, rows) * V + (V * D if rows < N else 0) + 3 * N * D
