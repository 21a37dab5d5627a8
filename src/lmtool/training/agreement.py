"""What several ranks must agree upon before they train one model."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from functools import partial

from lmtool.errors import ConfigError
from lmtool.kinds import Material
from lmtool.text.reader import STDIN
from lmtool.training.ranks import Ranks
from lmtool.training.request import Request
from lmtool.training.resume import surroundings

__all__ = ["entered", "idle", "refuse_other_files", "refuse_streams", "unlike"]


@contextmanager
def entered(ranks: Ranks, context: AbstractContextManager[None]) -> Iterator[None]:
    """Within a context that the first rank enters for all."""
    with ExitStack() as held:
        ranks.ask(partial(held.enter_context, context))
        yield


def refuse_streams(request: Request, ranks: Ranks) -> None:
    """Raises ConfigError where only one of several ranks could read."""
    if ranks.n > 1 and STDIN in (*request.corpus, *request.valid):
        message = "standard input reaches one process alone; name a file that all can read"
        raise ConfigError(f"{ranks.n} processes train together: {message}")


def refuse_other_files(material: Material, ranks: Ranks) -> None:
    """Raises ConfigError where a rank has read something else than the first one."""
    first, *others = ranks.gather(material.fingerprints)
    for rank, own in enumerate(others, 1):
        for name, value in own.items():
            if first.get(name) != value:
                message = f"the {name} of rank {rank} is not that of rank 0"
                raise ConfigError(f"{message}: give all ranks the same files and options")


def unlike(ranks: Ranks) -> Iterator[str]:
    """What may change the last bits, since it is not the same for all ranks."""
    first, *others = ranks.gather(surroundings())
    for name, value in first.items():
        strange = [rank for rank, own in enumerate(others, 1) if own[name] != value]
        if strange:
            which = f"rank{'s' * (len(strange) > 1)} {', '.join(map(str, strange))}"
            other = others[strange[0] - 1][name]
            yield f"{name} is {value} for rank 0, {other} for {which}: the last bits may differ"


def idle(ranks: Ranks, units: int) -> Iterator[str]:
    """That there are more ranks than pieces of work."""
    if ranks.n > units:
        pieces = "piece of work" if units == 1 else "pieces of work"
        yield (
            f"a step has {units} {pieces} for {ranks.n} processes: the others only validate; "
            "more shards or members give them work"
        )
