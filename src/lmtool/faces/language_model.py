"""The face of a language model: what its commands do, as methods."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Unpack

from lmtool import arguments, model_file
from lmtool.arguments import PathLike
from lmtool.display import Listing, Shown
from lmtool.errors import ConfigError, ModelFileError, option
from lmtool.faces.card import card
from lmtool.faces.predicting import Predicting
from lmtool.faces.worded import WordVectors
from lmtool.inference.reading import AHEAD, Ahead, reading
from lmtool.models.language_model import LanguageModel
from lmtool.settings import CONTEXTS

if TYPE_CHECKING:
    from lmtool.inference.embeddings import Worded
    from lmtool.inference.evaluate import Evaluation
    from lmtool.inference.surprisal import SentenceSurprisal
    from lmtool.inference.trace import Trace
    from lmtool.models.predictor import Predictor
    from lmtool.settings import ModelSettings
    from lmtool.settings.keywords import AdaptedSurprisalKeywords, AdaptKeywords, TraceKeywords


__all__ = ["Model"]


@dataclass(frozen=True, slots=True, repr=False)
class Model(Predicting, WordVectors, Shown):
    """A trained language model."""

    kind: ClassVar[str] = "language model"

    language_model: LanguageModel

    @property
    def _predictor(self) -> Predictor:
        return self.language_model

    @property
    def _worded(self) -> Worded:
        return self.language_model

    def _parts(self) -> Iterator[str]:
        return self.language_model._parts()

    @property
    def settings(self) -> ModelSettings:
        """What connects to what."""
        return self.language_model.settings

    @property
    def provenance(self) -> dict[str, Any]:
        """Where the model comes from: recipe, corpus, training curve, versions."""
        return self.language_model.provenance

    def evaluate(
        self,
        source: PathLike | Iterable[str],
        context: str = "sentence",
        *,
        threads: int = 1,
        **adaptation: Unpack[AdaptKeywords],
    ) -> Evaluation:
        """Perplexities of a file's or of given lines, in sentence or document context.

        Options are fields of AdaptSettings. Raises InputError, ConfigError.
        """
        return self.evaluations(source, (context,), threads=threads, **adaptation)[0]

    def evaluations(
        self,
        source: PathLike | Iterable[str],
        contexts: Sequence[str] = CONTEXTS,
        *,
        threads: int = 1,
        **adaptation: Unpack[AdaptKeywords],
    ) -> Listing[Evaluation]:
        """The same in several contexts, the text read once."""
        from lmtool.inference.evaluate import evaluations
        from lmtool.settings import AdaptSettings

        threads = arguments.whole(threads, "threads", 1)
        settings, lines = arguments.options(AdaptSettings, adaptation), arguments.source(source)
        return evaluations(self.language_model, lines, contexts, threads, settings)

    def tune(
        self, source: PathLike | Iterable[str], **adaptation: Unpack[AdaptKeywords]
    ) -> dict[str, Any]:
        """Options for ``evaluate`` and ``surprisal_lines``, their constants chosen by a text.

        Raises InputError, ConfigError.
        """
        from lmtool.inference.adapting import tune
        from lmtool.settings import AdaptSettings

        settings, lines = arguments.options(AdaptSettings, adaptation), arguments.source(source)
        return asdict(tune(self.language_model, lines, settings))

    def surprisal_lines(
        self,
        lines: Iterable[str],
        *,
        threads: int = 1,
        ahead: Ahead = AHEAD,
        **options: Unpack[AdaptedSurprisalKeywords],
    ) -> Iterator[SentenceSurprisal]:
        """Each word's surprisal, line by line; options of SurprisalSettings and AdaptSettings."""
        from lmtool.inference.surprisal import surprisal_lines
        from lmtool.models.adaptation import adapted, in_documents
        from lmtool.settings import AdaptSettings, SurprisalSettings

        own, others = arguments.apart(AdaptSettings, options)
        settings = arguments.options(SurprisalSettings, others)
        threads, ahead = arguments.paced(threads, ahead)
        in_documents(own, settings.context)
        model = adapted(self.language_model, own)
        return surprisal_lines(model, arguments.lines(lines), settings, threads, ahead)

    def trace(self, text: str, **options: Unpack[TraceKeywords]) -> Trace:
        """A sentence step by step, with every product; ``back=t`` adds the gradient of L_t.

        Options are fields of TraceSettings. Raises InputError, ConfigError.
        """
        from lmtool.inference.trace import trace
        from lmtool.settings import TraceSettings

        settings = arguments.options(TraceSettings, options)
        return trace(self.language_model, arguments.text(text), settings)

    def save(self, path: PathLike, overwrite: bool = False) -> None:
        """Writes one model file, whole or not at all. Raises ModelFileError."""
        model_file.save(self.language_model, arguments.path(path, "path"), overwrite)

    def arpa(self) -> Iterator[str]:
        """The n-gram model as an ARPA file has it, in parts. Raises ConfigError without one."""
        from lmtool.models.arpa import arpa

        ngram = self.language_model.ngram
        if ngram is None:
            ways = f"train it with {option('ngram', 5)}"
            raise ConfigError(f"the model holds no n-grams to write as ARPA; {ways}")
        return arpa(ngram)

    def export(self, *, arpa: PathLike, overwrite: bool = False) -> None:
        """Writes the n-gram model as an ARPA file, whole or not at all.

        Raises ConfigError, ModelFileError, and InputError for a token that ARPA cannot spell.
        """
        from lmtool.files import write_atomically

        path = Path(arguments.path(arpa, "arpa"))
        text = self.arpa()
        model_file.check_target(path, overwrite, "arpa")
        try:
            write_atomically(path, "".join(text).encode())
        except OSError as error:
            message = f"cannot be written ({error.strerror or error})"
            raise ModelFileError(f"{path}: {message}") from None

    def info(self) -> dict[str, Any]:
        """The model card: settings, parameters with shapes, vocabulary, provenance."""
        vocabulary = self.vocabulary
        own = {
            "digest": self.language_model.digest,
            "n_tokens": vocabulary.n_tokens,
            "vocabulary_digest": vocabulary.digest,
            "reading": reading(self.language_model),
        }
        if mixed := self.language_model.parts:
            own["parts"] = [{"name": part.name, "weight": part.weight} for part in mixed]
        return card(self.language_model, own)
