"""The library's face: train, load and Model, which mirror the commands."""

import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from lmtool import model_file
from lmtool._version import __version__
from lmtool.errors import ConfigError
from lmtool.inference.evaluate import Evaluation, evaluate
from lmtool.inference.next import NextWord, next_words
from lmtool.inference.sample import Sample, sample
from lmtool.inference.score import SentenceScore, score, score_lines, score_utterances
from lmtool.models.language_model import LanguageModel, initialise
from lmtool.settings import ModelSettings, SampleSettings, TextSettings, TrainSettings
from lmtool.text.reader import read_lines
from lmtool.text.vocabulary import UNK_ID, Vocabulary
from lmtool.training.repeat import command, inputs_and_output, settled

if TYPE_CHECKING:
    from lmtool.text.corpus import Corpus
    from lmtool.training.events import Event, Planned
    from lmtool.training.forecast import Forecast

    Prepared = tuple[Vocabulary, Corpus, Corpus]

__all__ = ["Model", "load", "plan", "train"]

PathLike = str | Path
Paths = PathLike | Sequence[PathLike]


@dataclass(frozen=True, slots=True)
class Model:
    """A trained language model."""

    language_model: LanguageModel

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

    def score(self, text: str) -> SentenceScore:
        """P(text) as a product of conditionals; log10, and bits a word. Raises InputError."""
        return score(self.language_model, text)

    def score_lines(self, lines: Iterable[str]) -> Iterator[SentenceScore]:
        """One score a line, each on its own; a blank line gives a score without words."""
        return score_lines(self.language_model, lines)

    def score_utterances(self, lines: Iterable[str]) -> Iterator[SentenceScore]:
        """One score a line ``utt-id w1 w2 ...``, the id left out. Raises InputError."""
        return score_utterances(self.language_model, lines)

    def sample(
        self, *, n: int = 1, prompt: str = "", seed: int | None = None, **options: Any
    ) -> Iterator[Sample]:
        """n texts drawn word by word until <EOS>; options are fields of SampleSettings."""
        settings = settings_from(SampleSettings, options)
        drawn = int(np.random.SeedSequence().generate_state(1)[0]) if seed is None else seed
        rng = np.random.default_rng(drawn)
        draws = (sample(self.language_model, rng, settings, prompt, drawn) for _ in range(n))
        return iter(draws)

    def next(self, text: str = "", k: int = 10) -> list[NextWord]:
        """The k most probable tokens after text, most probable first."""
        return next_words(self.language_model, text, k)

    def evaluate(self, source: PathLike | Iterable[str], context: str = "sentence") -> Evaluation:
        """Perplexities of a file's or of given lines, in sentence or document context."""
        if isinstance(source, str | Path):
            source = (line.text for line in read_lines(source))
        return evaluate(self.language_model, source, context)

    def save(self, path: PathLike, overwrite: bool = False) -> None:
        """Writes one model file, whole or not at all. Raises ModelFileError."""
        model_file.save(self.language_model, path, overwrite)

    def info(self) -> dict[str, Any]:
        """The model card: settings, parameters with shapes, vocabulary, provenance."""
        arrays = [
            {"name": name, "shape": list(array.shape), "n": array.size}
            for name, array in self.language_model.parameters.items()
        ]
        return {
            "text": asdict(self.vocabulary.settings),
            "network": asdict(self.settings),
            "n_tokens": self.vocabulary.n_tokens,
            "vocabulary_digest": self.vocabulary.digest,
            "n_parameters": self.language_model.parameters.flat.size,
            "parameters": arrays,
            **self.provenance,
        }


def load(path: PathLike) -> Model:
    """The model in a file, verified before use. Raises ModelFileError."""
    return Model(model_file.load(path))


def train(
    corpus: Paths,
    *,
    model: PathLike | None = None,
    valid: Paths | None = None,
    text: TextSettings | None = None,
    network: ModelSettings | None = None,
    recipe: TrainSettings | None = None,
    overwrite: bool = False,
    on_event: "Callable[[Event], None] | None" = None,
    **options: Any,
) -> Model:
    """Builds the vocabulary, trains, and writes ``model`` where a path is given.

    ``options`` are fields of TextSettings, ModelSettings and TrainSettings. Raises InputError,
    ConfigError, TrainingError, and ModelFileError at once where ``model`` exists.
    """
    start = time.monotonic()
    emit = on_event or (lambda event: None)
    text, network, recipe = merge(options, text, network, recipe)
    if model is not None:
        model_file.check_target(model, overwrite)
    words = inputs_and_output(as_list(corpus), as_list(valid), model)
    with prepared(corpus, valid, text) as parts:
        trained = fit(parts, network, recipe, emit, start, words, model)
    if model is not None:
        model_file.save(trained, model, overwrite)
    return Model(trained)


def plan(
    corpus: Paths,
    *,
    valid: Paths | None = None,
    text: TextSettings | None = None,
    network: ModelSettings | None = None,
    recipe: TrainSettings | None = None,
    **options: Any,
) -> "Forecast":
    """What ``train`` would do, from a few steps of it; nothing is written. Raises as ``train``."""
    from lmtool.training.forecast import forecast

    text, network, recipe = merge(options, text, network, recipe)
    words = inputs_and_output(as_list(corpus), as_list(valid), None)
    with prepared(corpus, valid, text) as parts:
        fresh, recipe = start_of(parts, network, recipe)
        line = command(words, text, fresh.settings, recipe)
        return forecast(fresh, parts[1].ids, parts[2].ids, recipe, line)


@contextmanager
def prepared(corpus: Paths, valid: Paths | None, text: TextSettings) -> "Iterator[Prepared]":
    """Vocabulary, training and validation ids, kept on disk for as long as they are used."""
    from lmtool.text.corpus import prepare

    with tempfile.TemporaryDirectory(prefix="lmtool-") as folder:
        yield prepare(as_list(corpus), as_list(valid) or None, text, Path(folder))


def start_of(
    parts: "Prepared", network: ModelSettings, recipe: TrainSettings
) -> tuple[LanguageModel, TrainSettings]:
    """The model before its first step, and the recipe without None."""
    from lmtool.training import clock
    from lmtool.training.plan import n_cores
    from lmtool.training.plan import plan as fitting

    vocabulary, train_corpus, _ = parts
    speed = clock.speed(recipe.threads or n_cores()) if recipe.seconds else 0.0
    network, recipe = fitting(network, recipe, len(train_corpus.ids), vocabulary.n_tokens, speed)
    rng = np.random.default_rng(recipe.seed)
    return LanguageModel(network, vocabulary, initialise(network, vocabulary.counts, rng)), recipe


def fit(
    parts: "Prepared",
    network: ModelSettings,
    recipe: TrainSettings,
    emit: "Callable[[Event], None]",
    start: float,
    words: list[str],
    model: PathLike | None,
) -> LanguageModel:
    """Plans, trains, and notes where the model comes from."""
    from lmtool.training.events import Finished, Note, Validated
    from lmtool.training.loop import train as run

    vocabulary, train_corpus, valid_corpus = parts
    fresh, recipe = start_of(parts, network, recipe)
    events: list[Event] = []

    def listen(event: "Event") -> None:
        if isinstance(event, Finished):
            same = settled(recipe, event.steps)
            line = command(words, vocabulary.settings, fresh.settings, same)
            event = replace(event, model=None if model is None else str(model), command=line)
        if isinstance(event, Finished | Validated):
            events.append(event)
        emit(event)

    listen(describe(parts, fresh, recipe, words))
    if train_corpus.fingerprint == valid_corpus.fingerprint:
        listen(Note("validation is on the text trained on: give more lines, or --valid FILE"))
    trained = run(fresh, train_corpus.ids, valid_corpus.ids, recipe, listen, start)
    return replace(trained, provenance=provenance(parts, recipe, events))


def describe(
    parts: "Prepared", fresh: LanguageModel, recipe: TrainSettings, words: list[str]
) -> "Planned":
    """The choices, for whoever listens."""
    from lmtool.training.events import Planned

    vocabulary, train_corpus, valid_corpus = parts
    return Planned(
        network=fresh.settings,
        recipe=recipe,
        n_lines=train_corpus.n_lines,
        n_train_tokens=len(train_corpus.ids),
        n_valid_tokens=len(valid_corpus.ids),
        n_tokens=vocabulary.n_tokens,
        n_oov=int(vocabulary.counts[UNK_ID]),
        n_parameters=fresh.parameters.flat.size,
        command=command(words, vocabulary.settings, fresh.settings, recipe),
    )


def provenance(parts: "Prepared", recipe: TrainSettings, events: "list[Event]") -> dict[str, Any]:
    """What a model file says about its origin; plain JSON values."""
    from lmtool.training.events import Finished, Validated

    _, train_corpus, valid_corpus = parts
    finish = next(event for event in events if isinstance(event, Finished))
    return {
        "recipe": asdict(settled(recipe, finish.steps)),
        "command": finish.command,
        "corpus": {
            name: {
                "fingerprint": corpus.fingerprint,
                "n_lines": corpus.n_lines,
                "n_words": corpus.n_words,
                "n_oov": corpus.n_oov,
            }
            for name, corpus in (("train", train_corpus), ("valid", valid_corpus))
        },
        "curve": [asdict(event) for event in events if isinstance(event, Validated)],
        "result": asdict(finish),
        "versions": {"lmtool": __version__, "numpy": np.__version__},
    }


def merge(
    options: dict[str, Any],
    text: TextSettings | None,
    network: ModelSettings | None,
    recipe: TrainSettings | None,
) -> tuple[TextSettings, ModelSettings, TrainSettings]:
    """Settings with keyword options laid over them; raises ConfigError for an unknown name."""
    known = [
        {f.name for f in fields(kind)} for kind in (TextSettings, ModelSettings, TrainSettings)
    ]
    unknown = set(options) - set().union(*known)
    if unknown:
        raise ConfigError(f"unknown option {sorted(unknown)[0]!r}: see lmtool.settings")
    chosen = [{k: v for k, v in options.items() if k in names} for names in known]
    return (
        replace(text or TextSettings(), **chosen[0]),
        replace(network or ModelSettings(), **chosen[1]),
        replace(recipe or TrainSettings(), **chosen[2]),
    )


def settings_from(kind: type[SampleSettings], options: dict[str, Any]) -> SampleSettings:
    """Settings from keyword options; raises ConfigError for an unknown name."""
    unknown = set(options) - {f.name for f in fields(kind)}
    if unknown:
        raise ConfigError(f"unknown option {sorted(unknown)[0]!r}: see lmtool.SampleSettings")
    return kind(**options)


def as_list(paths: Paths | None) -> list[PathLike]:
    """One path or several, as a list."""
    if paths is None:
        return []
    return [paths] if isinstance(paths, str | Path) else list(paths)
