"""What connects to what in models that label whole sequences, by what these are made of."""

from dataclasses import dataclass

from lmtool.settings import shared
from lmtool.settings.fields import check, option
from lmtool.settings.shared import FOLLOWS, MODEL

__all__ = ["NO_CELL", "ClassifierSettings", "FrameSettings", "PooledSettings", "VectorSettings"]

NO_CELL = "none"
STEPS = ("rnn", NO_CELL)  # that make sense of one vector


@dataclass(frozen=True, slots=True)
class PooledSettings:
    """Source -> cells -> pool -> label. Raises OptionError for a value that cannot be meant."""

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
    labelling: str = "full"  # a key of nn.outputs.LABELLINGS; follows the labels
    members: int | None = shared.members()  # K
    window: int = shared.window()  # N

    def __post_init__(self) -> None:
        check(self)

    def __str__(self) -> str:
        """``lstm both ways, 1 x 128 hidden, 128 embedding, mean-max pool``"""
        ways = f"{shared.reader(self)}{' both ways' * self.both}"
        cells = f"{ways}, {self.layers} x {self.hidden} hidden"
        cells = "no cells" if self.cell == NO_CELL else cells
        return f"{cells}, {self.embed} embedding, {self.pool} pool"


@dataclass(frozen=True, slots=True)
class ClassifierSettings(PooledSettings):
    """Of words."""

    ngrams: int | None = option(  # 0: none, 1: words, 2: and pairs, 3: and triples
        None,
        "Longest run of words that counts by itself; 0 = none.",
        panel=MODEL,
        shown=FOLLOWS,
        at_least=0,
        at_most=3,
    )

    def __str__(self) -> str:
        """The same, and ``, runs up to 2 words``."""
        runs = f", runs up to {self.ngrams} words" * bool(self.ngrams)
        return f"{PooledSettings.__str__(self)}{runs}"


@dataclass(frozen=True, slots=True)
class FrameSettings(PooledSettings):
    """Of frames."""

    centre: bool | None = option(
        None, "Take each clip's mean off its frames.", panel=MODEL, shown="follows the clips"
    )
    differences: bool = option(
        True, "Read beside each frame how it differs from the last.", panel=MODEL
    )


@dataclass(frozen=True, slots=True)
class VectorSettings(PooledSettings):
    """Of one vector, which cells read in one step: a network without recurrence."""

    cell: str = option("rnn", "The cell; none is a linear model.", panel=MODEL, choices=STEPS)
    both: bool = False
    pool: str = "mean-max"  # of one step the step itself
    window: int = shared.WINDOW  # and nothing before it
