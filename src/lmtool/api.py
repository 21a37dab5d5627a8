"""The library's face: train, load and Model, which mirror the commands."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from typing import TYPE_CHECKING, Any, TypeVar, Unpack

import numpy as np

from lmtool import arguments, model_file
from lmtool.arguments import PathLike, Paths
from lmtool.display import Listing, Shown
from lmtool.errors import OptionError
from lmtool.inference.compare import Comparison
from lmtool.inference.compare import compare as compare_models
from lmtool.inference.embeddings import Embeddings, embeddings
from lmtool.inference.evaluate import Evaluation, evaluations
from lmtool.inference.next import NextWord, next_words
from lmtool.inference.pairs import GroupResult, Pair, PairScore, accuracies, score_pairs
from lmtool.inference.reading import AHEAD, reading
from lmtool.inference.sample import Sample, sample
from lmtool.inference.score import SentenceScore, score, score_lines, score_utterances
from lmtool.inference.surprisal import SentenceSurprisal, surprisal, surprisal_lines
from lmtool.interactive import attended
from lmtool.models.language_model import LanguageModel
from lmtool.settings import (
    CHECKPOINT_EVERY,
    CONTEXTS,
    CompareSettings,
    ModelSettings,
    SampleSettings,
    SurprisalSettings,
    TextSettings,
    TrainSettings,
    in_seconds,
)
from lmtool.settings.keywords import (
    CompareKeywords,
    SampleKeywords,
    SurprisalKeywords,
    TrainingKeywords,
)
from lmtool.text.vocabulary import Vocabulary

if TYPE_CHECKING:
    from lmtool.text.corpus import Corpus
    from lmtool.training.events import Event
    from lmtool.training.forecast import Forecast

    Prepared = tuple[Vocabulary, Corpus, Corpus]

__all__ = ["Model", "accuracies", "compare", "load", "plan", "resume", "train"]

Options = TypeVar("Options", SampleSettings, SurprisalSettings, CompareSettings)


@dataclass(frozen=True, slots=True, repr=False)
class Model(Shown):
    """A trained language model."""

    language_model: LanguageModel

    def _parts(self) -> Iterator[str]:
        return self.language_model._parts()

    @property
    def vocabulary(self) -> Vocabulary:
        """Tokens, ids and counts."""
        return self.language_model.vocabulary

    @property
    def settings(self) -> ModelSettings:
        """What connects to what."""
        return self.language_model.settings

    @property
    def provenance(self) -> dict[str, Any]:
        """Where the model comes from: recipe, corpus, training curve, versions."""
        return self.language_model.provenance

    @property
    def embeddings(self) -> Embeddings:
        """The words' vectors (V, E), ``embeddings[word]`` being one; of several networks joined."""
        return embeddings(self.language_model)

    def score(self, text: str) -> SentenceScore:
        """P(text) as a product of conditionals; log10, and bits a word. Raises InputError."""
        return score(self.language_model, arguments.text(text))

    def score_lines(
        self, lines: Iterable[str], *, threads: int = 1, ahead: int = AHEAD
    ) -> Iterator[SentenceScore]:
        """One score a line, each on its own; a blank line gives a score without words.

        Up to ``ahead`` lines are asked for before the first is answered: lines of like length are
        computed together, to the same bits as alone. 1 answers each line as it comes.
        """
        threads, ahead = paced(threads, ahead)
        return score_lines(self.language_model, arguments.lines(lines), threads, ahead)

    def surprisal(self, text: str, **options: Unpack[SurprisalKeywords]) -> SentenceSurprisal:
        """Each word's surprisal, entropies, rank, frequency; options of SurprisalSettings.

        Logarithms are to base 2 unless ``base`` is "e" or "10". Raises InputError, ConfigError.
        """
        settings = settings_from(SurprisalSettings, options)
        return surprisal(self.language_model, arguments.text(text), settings)

    def surprisal_lines(
        self,
        lines: Iterable[str],
        *,
        threads: int = 1,
        ahead: int = AHEAD,
        **options: Unpack[SurprisalKeywords],
    ) -> Iterator[SentenceSurprisal]:
        """The same line by line; a blank line gives a result without words."""
        settings = settings_from(SurprisalSettings, options)
        threads, ahead = paced(threads, ahead)
        given = arguments.lines(lines)
        return surprisal_lines(self.language_model, given, settings, threads, ahead)

    def score_utterances(
        self, lines: Iterable[str], *, threads: int = 1, ahead: int = AHEAD
    ) -> Iterator[SentenceScore]:
        """One score a line ``utt-id w1 w2 ...``, the id left out. Raises InputError."""
        threads, ahead = paced(threads, ahead)
        return score_utterances(self.language_model, arguments.lines(lines), threads, ahead)

    def sample(
        self,
        *,
        n: int = 1,
        prompt: str = "",
        seed: int | None = None,
        **options: Unpack[SampleKeywords],
    ) -> Listing[Sample]:
        """n texts drawn word by word until <EOS>; options are fields of SampleSettings."""
        return Listing(self.samples(n=n, prompt=prompt, seed=seed, **options))

    def samples(
        self,
        *,
        n: int = 1,
        prompt: str = "",
        seed: int | None = None,
        **options: Unpack[SampleKeywords],
    ) -> Iterator[Sample]:
        """The same, each drawn when it is asked for."""
        settings = settings_from(SampleSettings, options)
        n, prompt = arguments.whole(n, "n", 0), arguments.text(prompt, "prompt")
        drawn = int(np.random.SeedSequence().generate_state(1)[0]) if seed is None else seed
        drawn = arguments.whole(drawn, "seed", 0)
        rng = np.random.default_rng(drawn)
        return (sample(self.language_model, rng, settings, prompt, drawn) for _ in range(n))

    def next(self, text: str = "", k: int = 10) -> Listing[NextWord]:
        """The k most probable tokens after text, most probable first."""
        k = arguments.whole(k, "k", 1)
        return next_words(self.language_model, arguments.text(text), k)

    def score_pairs(
        self,
        pairs: Iterable[Pair],
        *,
        per_word: bool = False,
        threads: int = 1,
        ahead: int = AHEAD,
    ) -> Iterator[PairScore]:
        """Minimal pairs, (good, bad) or more of a ``Pair``: which sentence is more probable."""
        threads, ahead = paced(threads, ahead)
        return score_pairs(self.language_model, arguments.pairs(pairs), per_word, threads, ahead)

    def pairs(self, pairs: Iterable[Pair], *, per_word: bool = False) -> Listing[GroupResult]:
        """The accuracy of each group of minimal pairs, with a 95 % interval."""
        return accuracies(self.score_pairs(pairs, per_word=per_word))

    def evaluate(
        self, source: PathLike | Iterable[str], context: str = "sentence", *, threads: int = 1
    ) -> Evaluation:
        """Perplexities of a file's or of given lines, in sentence or document context."""
        return self.evaluations(source, (context,), threads=threads)[0]

    def evaluations(
        self,
        source: PathLike | Iterable[str],
        contexts: Sequence[str] = CONTEXTS,
        *,
        threads: int = 1,
    ) -> Listing[Evaluation]:
        """The same in several contexts, the text read once."""
        threads = arguments.whole(threads, "threads", 1)
        return evaluations(self.language_model, arguments.source(source), contexts, threads)

    def save(self, path: PathLike, overwrite: bool = False) -> None:
        """Writes one model file, whole or not at all. Raises ModelFileError."""
        model_file.save(self.language_model, arguments.path(path, "path"), overwrite)

    def info(self) -> dict[str, Any]:
        """The model card: settings, parameters with shapes, vocabulary, provenance."""
        arrays = [
            {"name": name, "shape": list(array.shape), "n": array.size}
            for name, array in self.language_model.parameters.items()
        ]
        card = {
            "text": asdict(self.vocabulary.settings),
            "network": asdict(self.settings),
            "n_tokens": self.vocabulary.n_tokens,
            "vocabulary_digest": self.vocabulary.digest,
            "n_parameters": self.language_model.parameters.flat.size,
            "parameters": arrays,
            "reading": reading(self.language_model),
        }
        return card | self.provenance | card  # nothing that a file claims hides what it holds


def paced(threads: int, ahead: int) -> tuple[int, int]:
    """Both, if they are whole numbers from 1 on."""
    return arguments.whole(threads, "threads", 1), arguments.whole(ahead, "ahead", 1)


def load(path: PathLike) -> Model:
    """The model in a file, verified before use. Raises ModelFileError."""
    return Model(model_file.load(arguments.path(path, "path")))


def train(
    corpus: Paths | None = None,
    *,
    sentences: Iterable[str] | None = None,
    model: PathLike | None = None,
    valid: Paths | None = None,
    text: TextSettings | None = None,
    network: ModelSettings | None = None,
    recipe: TrainSettings | None = None,
    overwrite: bool = False,
    on_event: "Callable[[Event], None] | None" = None,
    checkpoint_every: float = CHECKPOINT_EVERY,
    stop: Callable[[], int] | None = None,
    **options: Unpack[TrainingKeywords],
) -> Model:
    """Builds the vocabulary from files or sentences, trains, writes ``model`` if a path is given.

    ``options`` are fields of TextSettings, ModelSettings and TrainSettings. Beside the model the
    run is saved every so many seconds, for ``resume``; ``stop`` is asked after each step and gives
    the number of the signal that ends the run, by default that of Ctrl-C. Raises InputError,
    ConfigError, TrainingError, InterruptionError, and ModelFileError at once where ``model``
    exists.
    """
    from lmtool.training import launch

    text, network, recipe = merge(options, text, network, recipe)
    files, given = arguments.texts(corpus, sentences)
    path = arguments.optional(model, "model")
    job = launch.Job(files, arguments.valid_of(valid), path, text, network, recipe)
    with attended(on_event, stop, model is not None) as (emit, ends):
        goes_on = arguments.continues(model, given) if stop is None else None
        keeping = launch.Keeping(checkpoint_every, ends, goes_on)
        return Model(launch.train(job, overwrite, emit, keeping, given))


def resume(
    model: PathLike,
    *,
    corpus: Paths | None = None,
    sentences: Iterable[str] | None = None,
    valid: Paths | None = None,
    on_event: "Callable[[Event], None] | None" = None,
    checkpoint_every: float = CHECKPOINT_EVERY,
    stop: Callable[[], int] | None = None,
    **options: Unpack[TrainingKeywords],
) -> Model:
    """Goes on with the interrupted run of ``model``, to the same bits as if it had never stopped.

    ``corpus`` and ``valid`` are needed only where the files have moved, ``sentences`` where the run
    learns from them; ``options`` must be those that it began with. Raises as ``train``, and
    ModelFileError where there is nothing to resume or something has changed.
    """
    from lmtool.training import launch

    files, lines = arguments.texts(corpus, sentences, needed=False)
    given = launch.Given(files, arguments.valid_of(valid), in_fields(options), lines)
    with attended(on_event, stop, True) as (emit, ends):
        goes_on = arguments.continues(model, lines) if stop is None else None
        keeping = launch.Keeping(checkpoint_every, ends, goes_on)
        return Model(launch.resume(arguments.path(model, "model"), given, emit, keeping))


def compare(
    a: PathLike | Model,
    b: PathLike | Model,
    source: PathLike | Iterable[str],
    *,
    speller: PathLike | Model | None = None,
    **options: Unpack[CompareKeywords],
) -> Comparison:
    """Two models on a text, with a 95 % interval; options are fields of CompareSettings.

    Raises ConfigError where the comparison would mean nothing, InputError, ModelFileError.
    """
    first, second = opened(a).language_model, opened(b).language_model
    lines = arguments.source(source)
    spelling = None if speller is None else opened(speller).language_model
    names = name_of(a, "A"), name_of(b, "B")
    settings = settings_from(CompareSettings, options)
    return compare_models(first, second, lines, settings, names=names, speller=spelling)


def name_of(model: PathLike | Model, otherwise: str) -> str:
    """The file's name, where there is one."""
    return otherwise if isinstance(model, Model) else str(model)


def opened(model: PathLike | Model) -> Model:
    """A model, loaded if need be."""
    return model if isinstance(model, Model) else load(model)


def plan(
    corpus: Paths | None = None,
    *,
    sentences: Iterable[str] | None = None,
    valid: Paths | None = None,
    text: TextSettings | None = None,
    network: ModelSettings | None = None,
    recipe: TrainSettings | None = None,
    **options: Unpack[TrainingKeywords],
) -> "Forecast":
    """What ``train`` would do, from a few steps of it; nothing is written. Raises as ``train``."""
    from lmtool.training import launch

    text, network, recipe = merge(options, text, network, recipe)
    files, given = arguments.texts(corpus, sentences)
    job = launch.Job(files, arguments.valid_of(valid), None, text, network, recipe)
    return launch.plan(job, given)


def in_fields(options: Mapping[str, Any]) -> dict[str, Any]:
    """The options under the names of settings: ``time="10m"`` -> ``seconds=600.0``."""
    plain = dict(options)
    time = plain.pop("time", None)
    if time is not None:
        plain["seconds"] = in_seconds(time) if isinstance(time, str) else time
    return plain


def merge(
    options: Mapping[str, Any],
    text: TextSettings | None,
    network: ModelSettings | None,
    recipe: TrainSettings | None,
) -> tuple[TextSettings, ModelSettings, TrainSettings]:
    """Settings with keyword options laid over them; raises OptionError for an unknown name."""
    options = in_fields(options)
    known = [
        {f.name for f in fields(kind)} for kind in (TextSettings, ModelSettings, TrainSettings)
    ]
    unknown = set(options) - set().union(*known)
    if unknown:
        raise OptionError(f"unknown option {sorted(unknown)[0]!r}: see lmtool.settings")
    chosen = [{k: v for k, v in options.items() if k in names} for names in known]
    return (
        replace(text or TextSettings(), **chosen[0]),
        replace(network or ModelSettings(), **chosen[1]),
        replace(recipe or TrainSettings(), **chosen[2]),
    )


def settings_from(kind: type[Options], options: Mapping[str, Any]) -> Options:
    """Settings from keyword options; raises OptionError for an unknown name."""
    unknown = set(options) - {f.name for f in fields(kind)}
    if unknown:
        raise OptionError(f"unknown option {sorted(unknown)[0]!r}: see lmtool.{kind.__name__}")
    return kind(**options)
