"""A text that is in no file: lines from a program, as blocks that a reader could have read."""

from collections.abc import Iterable, Iterator
from itertools import islice

from lmtool.errors import InputError

__all__ = ["Sentences"]

BLOCK = 1 << 12  # lines


class Sentences:
    """Lines without their ends, to be read once."""

    def __init__(self, lines: Iterable[str]) -> None:
        self._lines = enumerate(lines)

    def __str__(self) -> str:
        return "sentences"

    def blocks(self) -> Iterator[str]:
        """As ``reader.read_blocks``. Raises InputError for a line that no file could hold."""
        while some := list(islice(self._lines, BLOCK)):
            yield "".join(f"{checked(*line)}\n" for line in some).replace("\r\n", "\n")


def checked(index: int, line: str) -> str:
    """The same line."""
    name = f"sentences[{index}]"
    if "\n" in line:
        raise InputError(f"{name}: holds a line end; give each line as a sentence of its own")
    if "\0" in line:
        raise InputError(f"{name}: looks binary (a NUL character); text is needed")
    try:
        line.encode()
    except UnicodeEncodeError as error:
        code = f"U+{ord(line[error.start]):04X}"
        raise InputError(f"{name}: not UTF-8: half a character, {code}; repair the text") from None
    return line
