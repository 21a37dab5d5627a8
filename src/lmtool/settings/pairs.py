"""The pairs of what a model reads and what it writes, and the settings of each."""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from lmtool.errors import OptionError
from lmtool.errors import option as called
from lmtool.settings.classifier import ClassifierSettings, FrameSettings, VectorSettings
from lmtool.settings.conditional import CaptionerSettings, TranslatorSettings
from lmtool.settings.fields import declared
from lmtool.settings.network import ModelSettings, TextSettings
from lmtool.settings.recogniser import RecogniserSettings
from lmtool.settings.tagger import TaggerSettings
from lmtool.settings.training import TrainSettings
from lmtool.settings.word_vectors import WordVectorSettings

__all__ = ["PAIRS", "READS", "WRITES", "Pairing", "pair_of"]
__all__ += ["refuse_choices", "refuse_foreign"]


class Pairing(NamedTuple):
    """A kind of model."""

    name: str
    reads: str
    writes: str
    settings: type  # of the network
    columns: tuple[str, ...] = ()  # of its files, that can be named
    text: TextSettings = TextSettings()  # by default

    @property
    def takes(self) -> tuple[type, ...]:
        """Settings other than those of training."""
        worded = {"text", "vectors"} & {self.reads, self.writes}
        return (TextSettings, self.settings) if worded else (self.settings,)

    def __str__(self) -> str:
        """``a classifier (reads text, writes label)``"""
        return f"a {self.name} (reads {self.reads}, writes {self.writes})"


LOWER = TextSettings(lower=True)  # what is written keeps no case
PIECES = TextSettings(tokens="subword", vocab_size=6_000)  # no word is unknown
CAPTIONS = TextSettings(lower=True, vocab_size=5_000)
LETTERS = TextSettings(tokens="char")  # that a word not yet heard is written with
EVERY_WORD = TextSettings(lower=True, vocab_size=100_000)  # their case and letters are read, too
SEEN = TextSettings(lower=True, vocab_size=100_000, min_count=5)  # rarer words mislead
PAIRS = (
    Pairing("language model", "nothing", "text", ModelSettings),
    Pairing("translator", "text", "text", TranslatorSettings, ("source", "target"), PIECES),
    Pairing("captioner", "vector", "text", CaptionerSettings, (), CAPTIONS),
    Pairing("recogniser", "frames", "text", RecogniserSettings, (), LETTERS),
    Pairing("tagger", "text", "tags", TaggerSettings, ("text", "tags"), EVERY_WORD),
    Pairing("classifier", "text", "label", ClassifierSettings, ("text", "label"), LOWER),
    Pairing("frame classifier", "frames", "label", FrameSettings, ("label",)),
    Pairing("vector classifier", "vector", "label", VectorSettings, ("label",)),
    Pairing("word embedding", "nothing", "vectors", WordVectorSettings, (), SEEN),
)
READS = tuple(dict.fromkeys(pair.reads for pair in PAIRS))
WRITES = tuple(dict.fromkeys(pair.writes for pair in PAIRS))


def pair_of(reads: str | None = None, writes: str | None = None) -> Pairing:
    """The pair: text is written from nothing, all else from text, unless told otherwise.

    Raises OptionError for a pair that there is not.
    """
    writes = writes or "text"
    reads = reads or ("nothing" if writes in ("text", "vectors") else "text")
    for pair in PAIRS:
        if (pair.reads, pair.writes) == (reads, writes):
            return pair
    both = f"{called('reads', reads)} {called('writes', writes)}"
    known = ", ".join(f"{pair.reads} to {pair.writes}" for pair in PAIRS)
    raise OptionError(f"{both}: no model does that; must be one of {known}")


def refuse_foreign(pair: Pairing, given: Mapping[str, Any]) -> None:
    """Raises OptionError for an option, other than by default, that the pair does not take."""
    own = optional(*pair.takes)
    for kind in (*dict.fromkeys(other for pair in PAIRS for other in pair.takes), TrainSettings):
        for name, (field, _, option) in declared(kind).items():
            takers = option.kinds if option else ()
            foreign = pair.name not in takers if kind is TrainSettings and takers else False
            foreign |= kind is not TrainSettings and option is not None and name not in own
            if foreign and given.get(name, field.default) != field.default:
                message = f"{pair} does not take it; it is for"
                raise OptionError(f"{called(name)}: {message} {' and '.join(takers_of(name))}")
    refuse_choices(pair, given)
    if given.get("cell") == "window" and given.get("weight_drop"):
        message = f"{called('cell', 'window')} has no weights from state to state; leave it out"
        raise OptionError(f"{called('weight_drop')}: {message}")


def refuse_choices(pair: Pairing, given: Mapping[str, Any]) -> None:
    """Raises OptionError for a choice that is there for other pairs alone."""
    for name, (_, _, option) in declared(TrainSettings).items():
        choices = option and option.choices_of and option.choices_of.get(pair.name)
        value = given.get(name)
        if choices and value is not None and value not in choices:
            message = f"must be one of {', '.join(choices)} for {pair}, not {value}"
            raise OptionError(f"{called(name)}: {message}")


def refuse_columns(pair: Pairing, named: Iterable[str]) -> None:
    """Raises OptionError for a column that files of the pair do not have."""
    for name in named:
        if name not in pair.columns:
            takers = " and ".join(f"a {one.name}" for one in PAIRS if name in one.columns)
            raise OptionError(f"{called(name)}: {pair} does not take it; it is for {takers}")


def takers_of(name: str) -> Iterable[str]:
    """The kinds of model that take an option."""
    _, _, option = declared(TrainSettings).get(name, (None, None, None))
    if option is not None:
        return [f"a {name}" for name in option.kinds]
    return [f"a {pair.name}" for pair in PAIRS if name in optional(*pair.takes)]


def optional(*kinds: type) -> set[str]:
    """The fields of settings that are options."""
    fields = (known for kind in kinds for known in declared(kind).items())
    return {name for name, (_, _, option) in fields if option is not None}
