"""What connects to what in a model that writes down what is said."""

from dataclasses import dataclass

from lmtool.settings import shared
from lmtool.settings.fields import check, option
from lmtool.settings.shared import MODEL

__all__ = ["RecogniserSettings"]


@dataclass(frozen=True, slots=True)
class RecogniserSettings:
    """What connects to what. Raises OptionError for a value that cannot be meant."""

    cell: str = shared.cell()
    activation: str = shared.activation()
    layers: int = shared.layers(2)
    embed: int | None = shared.embed()  # E, of stacked frames
    hidden: int | None = shared.hidden()  # H
    both: bool = shared.both()
    bands: int = option(  # of recordings; frames that are given have their own
        40, "Log-mel bands of a recording's frames.", panel=MODEL, at_least=1, at_most=512
    )
    stack: int = option(
        3, "Neighbouring frames read as one step.", panel=MODEL, at_least=1, at_most=100
    )
    members: int | None = shared.members()  # K
    window: int = shared.window()  # N

    def __post_init__(self) -> None:
        check(self)

    def __str__(self) -> str:
        """``lstm both ways, 2 x 256 hidden, 256 embedding, 3 frames a step, ctc``"""
        ways = f"{shared.reader(self)}{' both ways' * self.both}"
        sizes = f"{self.layers} x {self.hidden} hidden, {self.embed} embedding"
        return f"{ways}, {sizes}, {self.stack} frames a step, ctc"
