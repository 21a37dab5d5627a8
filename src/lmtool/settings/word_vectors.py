"""How words get vectors from the words around them."""

from dataclasses import dataclass

from lmtool.settings import shared
from lmtool.settings.fields import check, option
from lmtool.settings.shared import FOLLOWS, MODEL

__all__ = ["WordVectorSettings"]


@dataclass(frozen=True, slots=True)
class WordVectorSettings:
    """What is learnt from what. Raises OptionError for a value that cannot be meant."""

    embed: int | None = shared.embed()  # E
    window: int = shared.window()  # W
    subsample: float | None = option(  # t
        None,
        "Words above this share of a text are read less often, for vectors; 0 = always.",
        panel=MODEL,
        shown=FOLLOWS,
        at_least=0,
        at_most=1,
    )
    counted: bool = False  # follows the output that is trained
    layers: int = 1
    members: int | None = 1

    def __post_init__(self) -> None:
        check(self)

    def __str__(self) -> str:
        """``learnt vectors of 100, from 5 words on either side, those above 0.001 less often``"""
        seldom = f", those above {self.subsample:g} less often" * bool(self.subsample)
        how = "counted" if self.counted else "learnt"
        return f"{how} vectors of {self.embed}, from {self.window} words on either side{seldom}"
