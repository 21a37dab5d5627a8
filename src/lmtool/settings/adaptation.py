"""What a language model may do with the text that it reads."""

from dataclasses import dataclass

from lmtool.settings.fields import check, option

__all__ = ["AdaptSettings"]

PANEL = "Options for adapting to the text"


@dataclass(frozen=True, slots=True)
class AdaptSettings:
    """Nothing by default. Raises OptionError for a value that cannot be meant."""

    adapt: bool = option(
        False,
        "Let the networks learn from the text, each word once it was predicted; in document"
        " context.",
        panel=PANEL,
    )
    adapt_rate: float = option(0.001, "How far their weights move.", at_least=0, panel=PANEL)
    adapt_decay: float = option(
        0.02, "How fast they return to the trained ones.", at_least=0, panel=PANEL
    )
    cache: int = option(
        0,
        "Remember the last N tokens and what the networks' states were; 0 = none; in document"
        " context.",
        at_least=0,
        at_most=1_000_000,
        panel=PANEL,
    )
    cache_weight: float = option(
        0.12, "The share of the cache in each probability.", at_least=0, at_most=0.5, panel=PANEL
    )
    cache_sharpness: float = option(
        8.0, "0 counts words; the more, the more states have to be alike.", at_least=0, panel=PANEL
    )

    def __post_init__(self) -> None:
        check(self)

    @property
    def active(self) -> bool:
        """Whether anything changes with the text."""
        return self.adapt or self.cache > 0

    def said(self) -> dict[str, dict[str, float]]:
        """What is done, and how: ``{"cache": {"size": 500, "weight": 0.12, "sharpness": 8.0}}``."""
        cache = {"size": self.cache, "weight": self.cache_weight, "sharpness": self.cache_sharpness}
        adapt = {"rate": self.adapt_rate, "decay": self.adapt_decay}
        every = (("adapt", adapt, self.adapt), ("cache", cache, self.cache))
        return {name: values for name, values, used in every if used}
