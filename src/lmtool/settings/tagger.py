"""What connects to what in a model that tags words."""

from dataclasses import dataclass

from lmtool.settings import shared
from lmtool.settings.fields import check, option
from lmtool.settings.shared import MODEL

__all__ = ["TaggerSettings"]


@dataclass(frozen=True, slots=True)
class TaggerSettings:
    """What connects to what. Raises OptionError for a value that cannot be meant."""

    cell: str = shared.cell()
    activation: str = shared.activation()
    layers: int = shared.layers()
    embed: int | None = shared.embed()  # E
    hidden: int | None = shared.hidden()  # H
    both: bool = shared.both()
    letters: int = option(  # C
        30, "Size of a letter's vector; 0 = none.", panel=MODEL, at_least=0, absurd=1e4
    )
    filters: int = option(  # F
        50, "Runs of three letters looked for in a word.", panel=MODEL, at_least=1, absurd=1e5
    )
    case: int = option(
        10, "Size of the vector of a word's case; 0 = none.", panel=MODEL, at_least=0, absurd=1e4
    )
    tagging: str = "crf"  # a key of nn.outputs.TAGGINGS; follows the output that is trained
    members: int | None = shared.members()  # K
    window: int = shared.window()  # N

    def __post_init__(self) -> None:
        check(self)

    def __str__(self) -> str:
        """``lstm both ways, 1 x 128 hidden, 100 embedding, 50 filters over letters of 30, crf``"""
        ways = f"{shared.reader(self)}{' both ways' * self.both}"
        sizes = f"{self.layers} x {self.hidden} hidden, {self.embed} embedding"
        runs = f", {self.filters} filters over letters of {self.letters}" * bool(self.letters)
        case = f", case of {self.case}" * bool(self.case)
        return f"{ways}, {sizes}{runs}{case}, {self.tagging}"
