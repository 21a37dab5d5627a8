"""What is read, and what connects to what."""

from dataclasses import dataclass

from lmtool.settings.fields import check, option

__all__ = ["ModelSettings", "TextSettings"]

FOLLOWS = "follows the corpus"
DATA, MODEL = "Data", "Model"


@dataclass(frozen=True, slots=True)
class TextSettings:
    """How characters become ids. Raises OptionError for a value that cannot be meant."""

    tokens: str = option("word", "What is predicted.", panel=DATA, choices=("word", "char"))
    lower: bool = option(False, "Lower-case the text.", panel=DATA)
    vocab_size: int = option(  # outputs = kept + <EOS> + <UNK>
        10_000, "Most frequent tokens kept.", panel=DATA, at_least=1
    )
    min_count: int = option(1, "Rarer tokens become <UNK>.", panel=DATA, at_least=1)

    def __post_init__(self) -> None:
        check(self)


@dataclass(frozen=True, slots=True)
class ModelSettings:
    """What connects to what. Raises OptionError for a value that cannot be meant."""

    cell: str = option("lstm", "The cell.", panel=MODEL, choices=("lstm", "gru", "rnn"))
    activation: str = option("tanh", "Of rnn cells.", panel=MODEL, choices=("tanh", "relu"))
    layers: int = option(1, "Cells on top of each other.", panel=MODEL, at_least=1, absurd=100)
    embed: int | None = option(  # E
        None, "Size of a word vector.", panel=MODEL, shown=FOLLOWS, at_least=1, absurd=1e6
    )
    hidden: int | None = option(  # H
        None, "Size of the state.", panel=MODEL, shown=FOLLOWS, at_least=1, absurd=1e6
    )
    tie: bool = option(  # a projection H -> E where they differ
        True, "Use the word vectors as output weights.", panel=MODEL
    )
    softmax: str = "full"  # a key of nn.outputs.SOFTMAXES; follows the output that is trained
    members: int | None = option(  # K
        None,
        "Networks whose probabilities are averaged.",
        panel=MODEL,
        shown=FOLLOWS,
        at_least=1,
        absurd=100,
    )

    def __post_init__(self) -> None:
        check(self)

    def __str__(self) -> str:
        """``lstm, 1 x 192 hidden, 128 embedding, tied output weights``"""
        tied = "tied" if self.tie else "free"
        sizes = f"{self.layers} x {self.hidden} hidden, {self.embed} embedding"
        return f"{self.cell}, {sizes}, {tied} output weights"
