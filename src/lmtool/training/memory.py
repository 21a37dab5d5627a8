"""The memory of a run, computed before any of it is taken.

K networks of P weights together; n moments; B streams in shards of b = B / shards; A of the
K shards units at work at a time, each over N = T b tokens. In floats:

    held  = (3 + n) P + gradients + B K states H      weights: at the start, now, at best   (1)
    gradients = shards P, or the rows of them that a sampled step touches                   (2)
    step  = A (cells + output)                                                              (3)
    cells = N (3 E + L (2 gates + 6) H) + 4 L gates H^2     masks and copies included       (4)
    valid = 2 A logits of a validation                                                      (5)
    saved = 2 (2 + n) P                               what a resume file holds, twice       (6)
    peak  = held + max(step, valid, saved)                                                  (7)
"""

import math
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from lmtool.errors import ConfigError
from lmtool.models.language_model import parameter_shapes
from lmtool.models.network import PER_TOKEN, shapes
from lmtool.nn.cells import CELLS
from lmtool.nn.outputs import OUTPUTS
from lmtool.nn.outputs.classes import S, n_classes
from lmtool.nn.outputs.full import CHUNK
from lmtool.settings import ModelSettings, TrainSettings
from lmtool.training.optimizers import OPTIMIZERS

__all__ = ["Memory", "forecast_memory", "free_memory", "process_memory", "refuse_too_large"]

FLOAT = 4  # bytes
COMPILED = 24 << 20  # bytes of kernels and threads
VALIDATED = 32 * 64  # rows of a validation whose logits may be held at once
GB = 1e9
PROC = Path("/proc")
CGROUPS = Path("/sys/fs/cgroup")
LIMITS = (  # of a group: its most, what it has, and the name of what of that can be given back
    ("memory.max", "memory.current", "inactive_file"),
    ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"),
)


class Memory(NamedTuple):
    """Bytes that a run adds to its process."""

    held: int  # all the time
    step: int  # within a step or a validation
    saved: int  # while the run is saved

    @property
    def peak(self) -> int:
        """(7)."""
        return self.held + max(self.step, self.saved)


def forecast_memory(settings: ModelSettings, recipe: TrainSettings, V: int) -> Memory:
    """What training takes, from shapes alone; ids are on disk. No None but in the budget."""
    P, n = size(parameter_shapes(settings, V)), OPTIMIZERS[recipe.optimizer].n_moments
    B, H, K = recipe.batch or 1, settings.hidden or 1, settings.members or 1
    states = B * K * CELLS[settings.cell].n_states * settings.layers * H
    held = (3 + n) * P + gradients_size(settings, recipe, V) + states  # (1)
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
    G = CELLS[settings.cell].n_gates
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


def refuse_too_large(settings: ModelSettings, recipe: TrainSettings, V: int) -> None:
    """Raises ConfigError where a run would take more memory than is free."""
    memory, free = forecast_memory(settings, recipe, V), free_memory()
    if memory.peak <= free:
        return
    smaller = "--batch or --bptt"
    if memory.held > memory.step:
        smaller = "--hidden, --embed, --layers, --members or --vocab-size"
    raise ConfigError(
        f"training would take {memory.peak / GB:.1f} GB of memory, {free / GB:.1f} GB are free: "
        f"give a smaller {smaller}"
    )


def free_memory() -> float:
    """Bytes that this process can still take; infinite where that is not known."""
    return max(0.0, min([*system_memory(), *group_memory(), *address_space()], default=math.inf))


def system_memory() -> Iterator[float]:
    """What Linux says is available, with what can be swapped."""
    lines = (line.split() for line in text(PROC / "meminfo").splitlines())
    values = {words[0].rstrip(":"): float(words[1]) * 1024 for words in lines if len(words) > 1}
    if "MemAvailable" in values:
        yield values["MemAvailable"] + values.get("SwapFree", 0.0)


def group_memory() -> Iterator[float]:
    """What the limits of the control groups leave, of either version."""
    for line in text(PROC / "self/cgroup").splitlines():
        number, kinds, path = line.split(":", 2)
        if number == "0" or "memory" in kinds.split(","):
            own = CGROUPS / ("" if number == "0" else "memory") / path.strip("/")
            for folder in [own, *own.parents]:
                if folder.is_relative_to(CGROUPS):
                    yield from limit_of(folder)


def limit_of(folder: Path) -> Iterator[float]:
    """What one group's limit leaves, where it has one."""
    for most, used, reclaimable in LIMITS:
        limit, now = text(folder / most).strip(), text(folder / used).strip()
        if limit.isdigit() and now.isdigit():
            pairs = (line.split() for line in text(folder / "memory.stat").splitlines())
            back = sum(float(pair[1]) for pair in pairs if pair[:1] == [reclaimable])
            yield float(limit) - float(now) + back


def address_space() -> Iterator[float]:
    """What ``ulimit -v`` leaves."""
    try:
        import resource  # not on Windows
    except ImportError:
        return
    limit, _ = resource.getrlimit(resource.RLIMIT_AS)
    if limit != resource.RLIM_INFINITY:
        yield limit - pages(0)


def process_memory() -> float:
    """Bytes of this process that are in memory; 0 where that is not known."""
    return pages(1)


def pages(which: int) -> float:
    """Bytes: 0 the address space of this process, 1 what of it is in memory."""
    counts = text(PROC / "self/statm").split()
    if not counts:
        return 0.0
    import resource

    return float(counts[which]) * resource.getpagesize()


def text(path: Path) -> str:
    """Of a file of the system; nothing where it is not there."""
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
