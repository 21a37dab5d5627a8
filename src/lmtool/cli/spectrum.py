"""Pictures of what is heard."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lmtool.inference.transcribe import Transcription

__all__ = ["Pictures"]


class Pictures:
    """Collected for files, written when all are there."""

    def __init__(self, html: Path | None, svg: Path | None, recogniser: Any) -> None:
        self._html, self._svg = html, svg

    def seen(self, results: Iterable["Transcription"]) -> Iterator["Transcription"]:
        """The same results."""
        yield from results

    def write(self) -> None:
        """The files."""
