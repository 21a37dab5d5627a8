"""What an option is: its default, help, bounds and heading, said once as metadata of a field.

The command line builds its options from the metadata, and every settings class checks its values
by them, so that a value is refused in the same words wherever it comes from.
"""

import dataclasses
import math
import numbers
import operator
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, NoReturn, get_args, get_type_hints

from lmtool.errors import OptionError
from lmtool.errors import option as named

__all__ = ["Option", "check", "checked", "declared", "option"]

KEY = "option"  # in the metadata of a field
LONGEST = 60  # characters of a refused value that a message shows


@dataclass(frozen=True, slots=True)
class Option:
    """How a user meets a field. A bound that is None does not exist."""

    help: str = ""
    panel: str | None = None  # the heading in the help; None: Options
    choices: tuple[str, ...] = ()
    at_least: float | None = None
    above: float | None = None
    at_most: float | None = None
    below: float | None = None
    absurd: float | None = None  # the largest value that can end; too large to be worth a word
    shown: str | None = None  # what None, the default, stands for
    metavar: str | None = None
    flag: str | None = None  # on the command line, where it is not the field's name
    kinds: tuple[str, ...] = ()  # of models that take it; none: all
    choices_of: Mapping[str, tuple[str, ...]] | None = None  # by kind, where they differ

    @property
    def bounds(self) -> str:
        """``at least 0 and below 1``; empty where every value will do."""
        named = {"at least": self.at_least, "above": self.above}
        named |= {"at most": self.at_most, "below": self.below}
        return " and ".join(f"{name} {x:,g}" for name, x in named.items() if x is not None)

    def admits(self, value: Any) -> bool:
        """Whether the value is a choice, or a number within the bounds."""
        if isinstance(value, str | bool):
            return not self.choices or value in self.choices
        low = -math.inf if self.at_least is None else self.at_least
        high = min(math.inf if x is None else x for x in (self.at_most, self.absurd))
        inside = low <= value <= high and (isinstance(value, int) or math.isfinite(value))
        beyond = self.above is not None and value <= self.above
        return inside and not beyond and (self.below is None or value < self.below)


def option(default: Any, help: str, **metadata: Any) -> Any:
    """A dataclass field with its Option."""
    return dataclasses.field(default=default, metadata={KEY: Option(help, **metadata)})


@cache
def declared(kind: Any) -> Mapping[str, tuple[dataclasses.Field[Any], Any, Option | None]]:
    """The fields of a settings class by name, each with its type and its Option, if it has one."""
    hints = get_type_hints(kind)
    known = dataclasses.fields(kind)
    return {field.name: (field, hints[field.name], field.metadata.get(KEY)) for field in known}


def check(settings: Any) -> None:
    """Raises OptionError for a value of another type or beyond its bounds."""
    for name, (_, hint, wanted) in declared(settings.__class__).items():
        value = checked(name, getattr(settings, name), hint, wanted or Option())
        object.__setattr__(settings, name, value)  # numpy's numbers become Python's


def checked(name: str, value: Any, hint: Any, wanted: Option) -> Any:
    """The value as its type, ``int`` or ``float | None`` say. Raises OptionError.

    "hidden", "200", int, Option(at_least=1) -> hidden: must be a whole number, not '200'
    """
    kinds = get_args(hint) or (hint,)
    if value is None and type(None) in kinds:
        return None
    plain = next(filter(is_value, (converted(value, kind) for kind in kinds)), None)
    if plain is None:  # of another type
        refuse(name, TYPES[kinds[0]], repr(value))
    if not wanted.admits(plain):
        refuse(name, expected(plain, wanted), str(plain))
    return plain


def is_value(value: Any) -> bool:
    """Whether it is not None."""
    return value is not None


def refuse(name: str, expected: str, given: str) -> NoReturn:
    """Raises OptionError."""
    given = given if len(given) <= LONGEST else f"{given[:LONGEST]}..."
    raise OptionError(f"{named(name)}: must be {expected}, not {given}")


TYPES = {
    bool: "True or False",
    int: "a whole number",
    float: "a number",
    str: "text",
}


def converted(value: Any, kind: type) -> Any:
    """The value as Python's own type; None where it is of another one."""
    if kind is bool or isinstance(value, bool):
        return value if kind is bool and isinstance(value, bool) else None
    if kind is int:
        return operator.index(value) if isinstance(value, numbers.Integral) else None
    if kind is float:
        return float(value) if isinstance(value, numbers.Real) else None
    return value if isinstance(value, kind) else None


def expected(value: Any, wanted: Option) -> str:
    """What it should have been."""
    if wanted.choices:
        return f"one of {', '.join(wanted.choices)}"
    if wanted.absurd is not None and value > wanted.absurd:
        return f"at most {wanted.absurd:,g}"
    return wanted.bounds or "a finite number"
