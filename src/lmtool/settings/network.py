"""What is read, and what connects to what."""

from dataclasses import dataclass

from lmtool.settings import shared
from lmtool.settings.fields import check, option
from lmtool.settings.shared import MODEL

__all__ = ["ModelSettings", "TextSettings"]

DATA = "Data"


@dataclass(frozen=True, slots=True)
class TextSettings:
    """How characters become ids. Raises OptionError for a value that cannot be meant."""

    tokens: str = option(
        "word",
        "What is predicted; split: words apart from punctuation, subword: pieces of words.",
        panel=DATA,
        shown="word; subword where text is translated",
        choices=("word", "split", "subword", "char"),
    )
    lower: bool = option(
        False,
        "Lower-case the text.",
        panel=DATA,
        shown="on where labels, tags or captions are written",
    )
    vocab_size: int = option(  # outputs = kept + <EOS> + <UNK>
        10_000,
        "Most frequent tokens kept.",
        panel=DATA,
        shown="10000; 100000 for tags, 6000 pieces, 5000 for captions",
        at_least=1,
    )
    min_count: int = option(
        1, "Rarer tokens become <UNK>.", panel=DATA, shown="1; 5 for vectors", at_least=1
    )

    def __post_init__(self) -> None:
        check(self)


@dataclass(frozen=True, slots=True)
class ModelSettings:
    """What connects to what. Raises OptionError for a value that cannot be meant."""

    cell: str = shared.cell()
    activation: str = shared.activation()
    layers: int = shared.layers()
    embed: int | None = shared.embed()  # E
    hidden: int | None = shared.hidden()  # H
    tie: bool = option(  # a projection H -> E where they differ
        True, "Use the word vectors as output weights.", panel=MODEL
    )
    softmax: str = "full"  # a key of nn.outputs.SOFTMAXES; follows the output that is trained
    members: int | None = shared.members(0)  # K
    window: int = shared.window()  # N

    def __post_init__(self) -> None:
        check(self)

    def __str__(self) -> str:
        """``lstm, 1 x 192 hidden, 128 embedding, tied output weights``"""
        tied = "tied" if self.tie else "free"
        sizes = f"{self.layers} x {self.hidden} hidden, {self.embed} embedding"
        return f"{shared.reader(self)}, {sizes}, {tied} output weights"
