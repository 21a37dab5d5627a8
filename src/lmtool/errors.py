"""Every error that lmtool raises on purpose.

LmtoolError
├── InputError       a corpus, a sentence or another input file is at fault
├── ModelFileError   a model file is missing, damaged, foreign or in the way
├── ConfigError      settings contradict each other or the data
├── TrainingError    training cannot go on (numbers blew up, nothing to learn from)
└── InterruptionError training was told to stop, and saved where it stood

The message is one line: what is wrong, where (``file:line``), what to do.
"""

__all__ = [
    "ConfigError",
    "InputError",
    "InterruptionError",
    "LmtoolError",
    "ModelFileError",
    "TrainingError",
]


class LmtoolError(Exception):
    """Base of every error a user can cause; the command line prints it and exits with 1."""


class InputError(LmtoolError):
    """A corpus, a sentence or another input file is at fault."""


class ModelFileError(LmtoolError):
    """A model file is missing, damaged, foreign or in the way."""


class ConfigError(LmtoolError):
    """Settings contradict each other or the data."""


class TrainingError(LmtoolError):
    """Training cannot go on; ``best`` is the best model so far, if there is one."""

    best: object | None = None


class InterruptionError(LmtoolError):
    """Training was told to stop by a signal, and saved where it stood."""

    def __init__(self, message: str, signal: int) -> None:
        super().__init__(message)
        self.signal = signal
