"""The memory that a run may take: what the system, its groups and its limits leave."""

import math
from collections.abc import Iterator
from pathlib import Path

from lmtool.errors import ConfigError, option
from lmtool.kinds.base import Memory

__all__ = ["free_memory", "process_memory", "refuse_too_large"]

GB = 1e9
PROC = Path("/proc")
CGROUPS = Path("/sys/fs/cgroup")
LIMITS = (  # of a group: its most, what it has, and the name of what of that can be given back
    ("memory.max", "memory.current", "inactive_file"),
    ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"),
)


def refuse_too_large(memory: Memory, processes: int = 1) -> None:
    """Raises ConfigError where a run of so many processes would take more memory than is free."""
    free, wanted = free_memory(), processes * memory.peak
    if wanted <= free:
        return
    names: tuple[str, ...] = ("batch", "bptt")
    if memory.held > memory.step:
        names = ("hidden", "embed", "layers", "members", "vocab_size")
    smaller = " or ".join(map(option, names))
    raise ConfigError(
        f"training would take {wanted / GB:.1f} GB of memory, {free / GB:.1f} GB are free: "
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
