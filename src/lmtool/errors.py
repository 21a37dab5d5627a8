"""Every error that lmtool raises on purpose.

LmtoolError
├── InputError       a corpus, a sentence or another input file is at fault
├── ModelFileError   a model file is missing, damaged, foreign or in the way
├── ConfigError      settings contradict each other or the data
│   └── OptionError  an option's value cannot be meant, whatever the data
├── TrainingError    training cannot go on (numbers blew up, nothing to learn from)
└── InterruptionError training was told to stop, and saved where it stood

The message is one line: what is wrong, where (``file:line``), what to do. An option is named in it
by ``option``, so that a program reads ``hidden`` where a command line reads ``--hidden``.
"""

import re
from collections.abc import Callable

__all__ = [
    "ConfigError",
    "InputError",
    "InterruptionError",
    "LmtoolError",
    "ModelFileError",
    "OptionError",
    "TrainingError",
    "option",
]

BEGIN, EQUALS, END = "\ue000", "\ue001", "\ue002"  # private use: in no text that means something
NAMED = re.compile(f"{BEGIN}(.*?)(?:{EQUALS}(.*?))?{END}")

Speller = Callable[[str, str | None], str]


def option(name: str, value: object = None) -> str:
    """An option, or an option with its value, for a message: "overwrite", True -> a mark.

    ``str(error)`` makes it ``overwrite=True``, the command line ``--overwrite``.
    """
    return f"{BEGIN}{name}{END}" if value is None else f"{BEGIN}{name}{EQUALS}{value}{END}"


def as_keyword(name: str, value: str | None) -> str:
    """The option as a Python program writes it."""
    if value is None:
        return name
    return f"{name}={value}" if value in ("True", "False") else f"{name}={value!r}"


class LmtoolError(Exception):
    """Base of every error a user can cause; the command line prints it and exits with 1."""

    def __str__(self) -> str:
        return self.spelled(as_keyword)

    def spelled(self, spell: Speller) -> str:
        """The message, the options in it spelled by ``spell(name, value)``."""
        message = str(self.args[0]) if self.args else ""
        return NAMED.sub(lambda found: spell(found[1], found[2]), message)


class InputError(LmtoolError):
    """A corpus, a sentence or another input file is at fault."""


class ModelFileError(LmtoolError):
    """A model file is missing, damaged, foreign or in the way."""


class ConfigError(LmtoolError):
    """Settings contradict each other or the data."""


class OptionError(ConfigError):
    """An option's value cannot be meant, whatever the data; on the command line, wrong usage."""


class TrainingError(LmtoolError):
    """Training cannot go on; ``best`` is the best model so far, if there is one."""

    best: object | None = None


class InterruptionError(LmtoolError):
    """Training was told to stop by a signal, and saved where it stood."""

    def __init__(self, message: str, signal: int) -> None:
        super().__init__(message, signal)
        self.signal = signal
