"""What of a run only some ranks have is brought to all of them."""

from itertools import chain

from lmtool.training.run import Run
from lmtool.training.session import Session

__all__ = ["everywhere", "weights_everywhere"]


def weights_everywhere(session: Session, run: Run) -> None:
    """Networks that one rank trains, for whatever needs them all: a validation, the end."""
    for member, home in zip(run.members, session.share.homes, strict=True):
        if home is not None:
            session.ranks.copy(member.parameters.flat, home)


def everywhere(session: Session, run: Run) -> None:
    """All that a run that goes on begins with: moments and the units' states, too."""
    weights_everywhere(session, run)
    for member, home in zip(run.members, session.share.homes, strict=True):
        if home is not None:
            for moment in member.moments:
                session.ranks.copy(moment.flat, home)
    own = [run.states[unit] for unit in session.share.units]
    run.states[:] = chain.from_iterable(session.ranks.gather(own))
