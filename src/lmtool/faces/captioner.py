"""The face of a captioner: what its commands do, as methods."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, ClassVar, Unpack

from lmtool import arguments
from lmtool.arguments import PathLike, Paths
from lmtool.arrays import Array
from lmtool.data.readers.clips import Clip, same_width
from lmtool.data.readers.vectors import grouped
from lmtool.display import Shown
from lmtool.errors import InputError
from lmtool.faces import known, sources
from lmtool.faces.writer import TrainedConditional, Writer
from lmtool.inference.reading import AHEAD, Ahead
from lmtool.inference.translate import Translation
from lmtool.inference.written import TextEvaluation
from lmtool.settings.keywords import SearchKeywords
from lmtool.text.reader import display_name

__all__ = ["Captioner"]

TOGETHER = 16  # pictures


class Photo(Clip):
    """The vector of a picture, named by its file alone."""

    __slots__ = ()

    @property
    def text(self) -> str:
        """Its name."""
        return self.path


@dataclass(frozen=True, slots=True, repr=False)
class Captioner(Writer, Shown):
    """A trained captioner: it reads a vector (F,), such as a picture's, and writes a text."""

    kind: ClassVar[str] = "captioner"

    captioner: TrainedConditional

    @property
    def _model(self) -> TrainedConditional:
        return self.captioner

    @property
    def width(self) -> int | None:
        """F; None where the model does not say."""
        standard = getattr(getattr(self.captioner, "parts", None), "standard", None)
        return None if standard is None else len(standard)

    @property
    def _given(self) -> sources.Given:
        return sources.given("vector", self.width)

    def _sources(self, given: Iterable[Any]) -> Iterator[Any]:
        return self._given.sources(given)

    def source(self, given: str, row: int | None = None) -> Clip:
        """What ``given`` on a command line means: a row of a file, the first one by default."""
        wanted = arguments.whole(row or 1, "row", 1)
        found: Clip | None = next(islice(self.clips(given), wanted - 1, None), None)
        if found is None:
            raise InputError(f"{display_name(given)}: there is no row {wanted} in it")
        return found

    def caption(self, vector: Any, **options: Unpack[SearchKeywords]) -> Translation:
        """The best captions of a vector; options are fields of SearchSettings."""
        return next(self.caption_lines([vector], **options))

    def caption_lines(
        self,
        vectors: Iterable[Any],
        *,
        threads: int = 1,
        ahead: Ahead = AHEAD,
        **options: Unpack[SearchKeywords],
    ) -> Iterator[Translation]:
        """The same one by one, each on its own; what ``clips`` and ``photos`` give are vectors."""
        return self._written(vectors, threads, ahead, options)

    def clips(self, path: PathLike) -> Iterator[Any]:
        """The vectors that a file holds, for ``caption_lines``."""
        return self._given.unlabelled(path)

    def photos(self, paths: Paths) -> Iterator[Clip]:
        """Those of pictures, for ``caption_lines``. Raises InputError."""
        features = photo_reader(str(getattr(self.settings, "extractor", "")))
        some = arguments.paths(paths, "paths")
        parts = (some[i : i + TOGETHER] for i in range(0, len(some), TOGETHER))
        clips = (clip for part in parts for clip in pictured(features, part))
        return same_width(clips, "a picture", self.width)

    def evaluate(
        self,
        source: Paths | Iterable[tuple[Any, str | Sequence[str]]],
        *,
        threads: int = 1,
        **options: Unpack[SearchKeywords],
    ) -> TextEvaluation:
        """BLEU and perplexity on an array and its texts, JSON lines, or pairs (vector, text).

        A vector may have several texts, in a list. Raises InputError.
        """
        records = known.captions(source, self.width, lambda x: next(self._sources([x])))
        return self._measured(records, threads, options)

    def files(self, files: Sequence[str]) -> list[tuple[str | Path, ...]]:
        """Files of a command line, those that belong together. Raises InputError."""
        return [tuple(filter(None, both)) for both in grouped(files, texts=True)]


def photo_reader(extractor: str) -> Callable[..., Array]:
    """What makes vectors of pictures, if it made those of training, too. Raises InputError."""
    from lmtool import photos

    if extractor != photos.EXTRACTOR:
        made = f"vectors of {extractor}" if extractor else "vectors of unknown origin"
        message = f"the model has learnt from {made}, not of {photos.EXTRACTOR}"
        raise InputError(f"{message}: it cannot read pictures; give it such vectors: -f FILE")
    return photos.features


def pictured(features: Callable[..., Array], paths: Sequence[str]) -> Iterator[Clip]:
    """The vectors of some pictures."""
    for path, vector in zip(paths, features(paths), strict=True):
        yield Photo((), vector[None], 1, path)
