"""What connects to what in a model that labels whole sequences."""

from dataclasses import dataclass

from lmtool.settings import shared
from lmtool.settings.fields import check, option
from lmtool.settings.shared import FOLLOWS, MODEL

__all__ = ["NO_CELL", "ClassifierSettings"]

NO_CELL = "none"


@dataclass(frozen=True, slots=True)
class ClassifierSettings:
    """What connects to what. Raises OptionError for a value that cannot be meant."""

    cell: str = shared.cell(NO_CELL, help="The cell; none pools the vectors alone.")
    activation: str = shared.activation()
    layers: int = shared.layers()
    embed: int | None = shared.embed()  # E
    hidden: int | None = shared.hidden()  # H
    both: bool = shared.both()
    pool: str = option(
        "mean-max",
        "How steps become one vector.",
        panel=MODEL,
        choices=("mean-max", "attention"),
    )
    ngrams: int | None = option(  # 0: none, 1: words, 2: and pairs, 3: and triples
        None,
        "Longest run of words that counts by itself; 0 = none.",
        panel=MODEL,
        shown=FOLLOWS,
        at_least=0,
        at_most=3,
    )
    labelling: str = "full"  # a key of nn.outputs.LABELLINGS; follows the labels
    members: int | None = shared.members()  # K

    def __post_init__(self) -> None:
        check(self)

    def __str__(self) -> str:
        """``lstm both ways, 1 x 128 hidden, 128 embedding, mean-max pool, runs up to 2 words``"""
        cells = f"{self.cell}{' both ways' * self.both}, {self.layers} x {self.hidden} hidden"
        cells = "no cells" if self.cell == NO_CELL else cells
        runs = f", runs up to {self.ngrams} words" * bool(self.ngrams)
        return f"{cells}, {self.embed} embedding, {self.pool} pool{runs}"
