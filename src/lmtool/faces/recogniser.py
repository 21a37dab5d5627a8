"""The face of a recogniser: what its commands do, as methods."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, ClassVar, Unpack

from lmtool import arguments, model_file
from lmtool.arguments import PathLike
from lmtool.display import Shown
from lmtool.errors import ConfigError, option
from lmtool.faces.card import card
from lmtool.faces.language_model import Model
from lmtool.faces.recordings import Hearing, OnError, Take, one, opened, takes
from lmtool.inference.fusion import Language
from lmtool.inference.reading import AHEAD, Ahead, reading
from lmtool.inference.recogniser import Recogniser as Trained
from lmtool.inference.speech import SpeechEvaluation, Tuning, evaluated, transcribed, tune
from lmtool.inference.transcribe import Progress, Transcription
from lmtool.settings import TranscribeSettings
from lmtool.settings.keywords import TranscribeKeywords
from lmtool.text.vocabulary import Vocabulary

__all__ = ["Recogniser"]


@dataclass(frozen=True, slots=True, repr=False)
class Recogniser(Shown):
    """A trained recogniser: it reads recordings, or frames, and writes what is said."""

    kind: ClassVar[str] = "recogniser"

    recogniser: Trained

    def _parts(self) -> Iterator[str]:
        return self.recogniser._parts()

    @property
    def _hearing(self) -> Hearing:
        return Hearing(self.recogniser.filterbank, self.recogniser.width)

    @property
    def vocabulary(self) -> Vocabulary:
        """The tokens that are written, their ids and counts."""
        return self.recogniser.vocabulary

    @property
    def settings(self) -> Any:
        """What connects to what."""
        return self.recogniser.settings

    @property
    def provenance(self) -> dict[str, Any]:
        """Where the model comes from: recipe, speech, training curve, versions."""
        return self.recogniser.provenance

    def transcribe(
        self, source: Any, *, lm: Model | None = None, **options: Unpack[TranscribeKeywords]
    ) -> Transcription:
        """What is said in a file of sound or of frames, or in an array (T, F) of frames.

        ``lm`` is a language model that helps; options are fields of TranscribeSettings. Raises
        InputError, ConfigError.
        """
        return next(self.transcribe_files([one(self._hearing, source)], lm=lm, **options))

    def transcribe_files(
        self,
        sources: Iterable[Any],
        *,
        lm: Model | None = None,
        threads: int = 1,
        ahead: Ahead = AHEAD,
        on_error: OnError | None = None,
        sights: bool = False,
        progress: Progress | None = None,
        **options: Unpack[TranscribeKeywords],
    ) -> Iterator[Transcription]:
        """The same of several, each on its own; what ``takes`` gives is taken, too.

        Of one that cannot be read ``on_error`` is told, and nothing is said in it; without, it
        raises InputError. ``sights`` keeps what a picture shows. Long recordings are read and
        written down in pieces; of each ``progress`` is told the name and the second reached.
        """
        threads, ahead = arguments.paced(threads, ahead)
        settings, language = self._search(lm, options)
        found = arguments.items(sources, "sources", "a list of files", "[path] for one")
        named = (one(self._hearing, x, f"sources[{n}]") for n, x in enumerate(found))
        given = self.recogniser, opened(named, on_error), settings, language
        return transcribed(*given, threads, ahead, sights, progress)

    def takes(self, path: PathLike, labelled: bool = False) -> Iterator[Take]:
        """The recordings that a manifest names, not read yet; those of any file of recordings.

        With ``labelled`` what is said must be known. Raises InputError.
        """
        return takes(self._hearing, arguments.path(path, "path"), labelled)

    def evaluate(
        self,
        source: PathLike,
        *,
        lm: Model | None = None,
        threads: int = 1,
        **options: Unpack[TranscribeKeywords],
    ) -> SpeechEvaluation:
        """How often it is right on the recordings of a manifest. Raises InputError."""
        heard = self.takes(source, labelled=True)
        return evaluated(self.transcribe_files(heard, lm=lm, threads=threads, **options))

    def tune(
        self,
        source: PathLike,
        lm: Model,
        *,
        threads: int = 1,
        **options: Unpack[TranscribeKeywords],
    ) -> Tuning:
        """The weights of a language model that suit a manifest. Raises InputError."""
        threads = arguments.whole(threads, "threads", 1)
        settings, language = self._search(lm, options)
        assert language is not None
        found = opened(self.takes(source, labelled=True))
        recordings = [one._replace(pieces=[*one.pieces]) for one in found]
        return tune(self.recogniser, recordings, settings, language, threads)[1]

    def save(self, path: PathLike, overwrite: bool = False) -> None:
        """Writes one model file, whole or not at all. Raises ModelFileError."""
        model_file.save(self.recogniser, arguments.path(path, "path"), overwrite)

    def info(self) -> dict[str, Any]:
        """The model card: settings, frames, tokens, parameters with shapes, provenance."""
        bank = self.recogniser.filterbank
        heard = f"frames of {self.recogniser.width:,} numbers" if bank is None else str(bank)
        facts = {"frames": heard, "tokens": self.vocabulary.n_tokens - 1}
        return card(self.recogniser, facts | {"reading": reading(self.recogniser)})

    def _search(self, lm: Model | None, options: Any) -> tuple[TranscribeSettings, Language | None]:
        """How to look for texts. Raises ConfigError."""
        settings = arguments.options(TranscribeSettings, options)
        if lm is None and settings.lexicon:
            raise ConfigError(f"{option('lexicon')} is the words of a language model: give one")
        return settings, None if lm is None else Language(lm._predictor)
