"""What connects to what in a model that writes a text about a source."""

from dataclasses import dataclass
from typing import Any

from lmtool.settings import shared
from lmtool.settings.fields import check, option
from lmtool.settings.shared import MODEL

__all__ = ["CaptionerSettings", "ConditionalSettings", "TranslatorSettings"]


def tie() -> Any:
    """One matrix for what is read and what is written."""
    return option(True, "Use the word vectors as output weights.", panel=MODEL)


@dataclass(frozen=True, slots=True)
class TranslatorSettings:
    """What connects to what. Raises OptionError for a value that cannot be meant."""

    cell: str = shared.cell()
    activation: str = shared.activation()
    layers: int = shared.layers()  # of encoder and decoder each
    embed: int | None = shared.embed()  # E
    hidden: int | None = shared.hidden()  # H
    both: bool = shared.both()
    attention: str = option(
        "after",
        "Look at the source after the decoder's cells, between them, or never.",
        panel=MODEL,
        choices=("after", "between", "none"),
    )
    tie: bool = tie()
    members: int | None = shared.members()  # K
    window: int = shared.window()  # N

    def __post_init__(self) -> None:
        check(self)

    def __str__(self) -> str:
        """``lstm, 1 x 256 hidden, 256 embedding, source read both ways, attention after``"""
        ways = "both ways" if self.both else "one way"
        look = "no attention" if self.attention == "none" else f"attention {self.attention}"
        sizes = f"{self.layers} x {self.hidden} hidden, {self.embed} embedding"
        return f"{shared.reader(self)}, {sizes}, source read {ways}, {look}"


@dataclass(frozen=True, slots=True)
class CaptionerSettings:
    """What connects to what. Raises OptionError for a value that cannot be meant."""

    cell: str = shared.cell()
    activation: str = shared.activation()
    layers: int = shared.layers()
    embed: int | None = shared.embed()  # E
    hidden: int | None = shared.hidden()  # H
    tie: bool = tie()
    extractor: str = option(
        "", "What made the vectors of pictures, to do it again.", panel=MODEL, metavar="NAME",
        choices=("", "efficientnet-lite0"), shown="none",
    )  # fmt: skip
    members: int | None = shared.members()  # K
    window: int = shared.window()  # N
    both: bool = False  # a vector has one end
    attention: str = "none"  # and one step

    def __post_init__(self) -> None:
        check(self)

    def __str__(self) -> str:
        """``lstm, 1 x 256 hidden, 256 embedding``"""
        sizes = f"{self.layers} x {self.hidden} hidden, {self.embed} embedding"
        return f"{shared.reader(self)}, {sizes}"


ConditionalSettings = TranslatorSettings | CaptionerSettings
