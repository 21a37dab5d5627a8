"""What translators and captioners have in common: both write a text about a source."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol, Unpack

from lmtool import arguments, model_file
from lmtool.arguments import PathLike
from lmtool.display import Listing, Shown, counted, quoted
from lmtool.errors import InputError, option
from lmtool.faces.card import card
from lmtool.faces.predicting import Predicting
from lmtool.faces.worded import WordVectors
from lmtool.inference.embeddings import Worded
from lmtool.inference.next import NextWord
from lmtool.inference.reading import AHEAD, Ahead, reading
from lmtool.inference.sample import Sample
from lmtool.inference.score import SentenceScore
from lmtool.inference.translate import Translation, score_given, translate_lines
from lmtool.inference.written import TextEvaluation, evaluate_written
from lmtool.kinds.base import Trained
from lmtool.models.predictor import Conditional, Predictor
from lmtool.settings import SearchSettings
from lmtool.settings.keywords import SampleKeywords
from lmtool.text.vocabulary import Vocabulary

__all__ = ["Given", "TrainedConditional", "Writer"]


class TrainedConditional(Trained, Conditional, Worded, Protocol):
    """What training gives and model files hold."""

    def _parts(self) -> Iterator[str]: ...


@dataclass(frozen=True, slots=True, repr=False)
class Given(Predicting, Shown):
    """What a model writes about one source: scored, sampled and asked like a language model."""

    predictor: Predictor
    source: str  # or its name

    @property
    def _predictor(self) -> Predictor:
        return self.predictor

    def _parts(self) -> Iterator[str]:
        yield quoted(self.source)
        yield counted(self.vocabulary.n_tokens, "output")


class Writer(WordVectors):
    """A trained model that writes about sources."""

    __slots__ = ()
    kind: ClassVar[str]

    @property
    def _model(self) -> TrainedConditional:
        raise NotImplementedError

    @property
    def _worded(self) -> Worded:
        return self._model

    def _sources(self, given: Iterable[Any]) -> Iterator[Any]:
        """Lines, or clips that hold vectors. Raises InputError."""
        raise NotImplementedError

    def _parts(self) -> Iterator[str]:
        return self._model._parts()

    @property
    def vocabulary(self) -> Vocabulary:
        """The tokens that are written, their ids and counts."""
        return self._model.vocabulary

    @property
    def settings(self) -> Any:
        """What connects to what."""
        return self._model.settings

    @property
    def provenance(self) -> dict[str, Any]:
        """Where the model comes from: recipe, texts, training curve, versions."""
        return self._model.provenance

    def given(self, source: Any) -> Given:
        """What it writes about one source, to be asked as a language model is. InputError."""
        (one,) = self._sources([source])
        name, what = (one, one) if isinstance(one, str) else (one.text, one.source)
        if not name.strip():
            raise InputError(f"{option('given')}: the source is empty; give at least one word")
        return Given(self._model.given([self._model.source(what)]), name)

    def score(self, text: str, *, given: Any) -> SentenceScore:
        """P(text | source) as a product of conditionals. Raises InputError."""
        return self.given(given).score(text)

    def score_lines(
        self,
        lines: Iterable[str],
        *,
        given: Iterable[Any],
        threads: int = 1,
        ahead: Ahead = AHEAD,
    ) -> Iterator[SentenceScore]:
        """The same line by line, with a source for each; where one is blank there are no words."""
        threads, ahead = arguments.paced(threads, ahead)
        pairs = zip(self._sources(given), arguments.lines(lines), strict=True)
        return score_given(self._model, together(pairs), threads, ahead)

    def sample(
        self,
        *,
        given: Any,
        n: int = 1,
        prompt: str = "",
        seed: int | None = None,
        **options: Unpack[SampleKeywords],
    ) -> Listing[Sample]:
        """n texts about a source, drawn word by word; options are fields of SampleSettings."""
        return self.given(given).sample(n=n, prompt=prompt, seed=seed, **options)

    def next(self, text: str = "", k: int = 10, *, given: Any) -> Listing[NextWord]:
        """The k most probable tokens after text, which is about a source."""
        return self.given(given).next(text, k)

    def save(self, path: PathLike, overwrite: bool = False) -> None:
        """Writes one model file, whole or not at all. Raises ModelFileError."""
        model_file.save(self._model, arguments.path(path, "path"), overwrite)

    def info(self) -> dict[str, Any]:
        """The model card: settings, parameters with shapes, vocabulary, provenance."""
        vocabulary = self.vocabulary
        facts = {
            "n_tokens": vocabulary.n_tokens,
            "vocabulary_digest": vocabulary.digest,
            "reading": reading(self._model),
        }
        return card(self._model, facts)

    def _written(
        self, given: Iterable[Any], threads: int, ahead: Ahead, options: Any
    ) -> Iterator[Translation]:
        settings = arguments.options(SearchSettings, options)
        threads, ahead = arguments.paced(threads, ahead)
        return translate_lines(self._model, self._sources(given), settings, threads, ahead)

    def _measured(self, records: Iterable[Any], threads: int, options: Any) -> TextEvaluation:
        settings = arguments.options(SearchSettings, options)
        threads = arguments.whole(threads, "threads", 1)
        return evaluate_written(self._model, records, settings, threads)


def together(pairs: Iterator[tuple[Any, str]]) -> Iterator[tuple[Any, str]]:
    """The pairs of sources and lines. Raises InputError where there are more of one."""
    try:
        yield from pairs
    except ValueError:
        message = "each line needs a source, and each source a line"
        raise InputError(f"{option('given')}: {message}; one of them ended first") from None
