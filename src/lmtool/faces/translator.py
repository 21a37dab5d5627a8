"""The face of a translator: what its commands do, as methods."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Unpack

from lmtool import arguments
from lmtool.arguments import Paths
from lmtool.data.readers.parallel import paired
from lmtool.display import Shown
from lmtool.errors import OptionError, option
from lmtool.faces import known
from lmtool.faces.writer import TrainedConditional, Writer
from lmtool.inference.reading import AHEAD, Ahead
from lmtool.inference.translate import Translation
from lmtool.inference.written import TextEvaluation
from lmtool.settings.keywords import SearchKeywords

__all__ = ["Translator"]


@dataclass(frozen=True, slots=True, repr=False)
class Translator(Writer, Shown):
    """A trained translator: it reads a text and writes one."""

    kind: ClassVar[str] = "translator"

    translator: TrainedConditional

    @property
    def _model(self) -> TrainedConditional:
        return self.translator

    @property
    def attends(self) -> bool:
        """Whether it says where it looked as it wrote."""
        return bool(self.settings.attention != "none")

    def _sources(self, given: Iterable[Any]) -> Iterator[Any]:
        return arguments.lines(given, "sources", "for one source give [text]")

    def source(self, given: str, row: int | None = None) -> str:
        """What ``given`` on a command line means: the text itself. Raises OptionError."""
        if row is not None:
            raise OptionError(f"{option('row')}: is of vectors in a file; a {self.kind} reads text")
        return given

    def translate(self, text: str, **options: Unpack[SearchKeywords]) -> Translation:
        """The best translations of a line; options are fields of SearchSettings."""
        return next(self.translate_lines([text], **options))

    def translate_lines(
        self,
        lines: Iterable[str],
        *,
        threads: int = 1,
        ahead: Ahead = AHEAD,
        **options: Unpack[SearchKeywords],
    ) -> Iterator[Translation]:
        """The same line by line, each on its own; a blank line gives a blank one.

        Up to ``ahead`` lines are asked for before the first is answered: those of like length are
        computed together, to the same bits as alone. 1 answers each line as it comes.
        """
        return self._written(lines, threads, ahead, options)

    def evaluate(
        self,
        source: Paths | Iterable[tuple[str, str | Sequence[str]]],
        *,
        source_column: str | None = None,
        target_column: str | None = None,
        threads: int = 1,
        **options: Unpack[SearchKeywords],
    ) -> TextEvaluation:
        """BLEU and perplexity on two files, one that holds both, or pairs (text, translation).

        A text may have several translations, in a list. Columns are those of a file that holds
        both, by their usual names where none are given. Raises InputError.
        """
        records = known.translations(source, source_column, target_column)
        return self._measured(records, threads, options)

    def files(self, files: Sequence[str]) -> list[tuple[str | Path, ...]]:
        """Files of a command line, those that belong together. Raises OptionError."""
        return paired(files)
