"""The library's face: train, load and what they give, which mirrors the commands."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar, Unpack, overload

from lmtool import arguments, faces, model_file
from lmtool.errors import ConfigError, OptionError, option
from lmtool.faces import load_as, load_for
from lmtool.lazily import attributes
from lmtool.settings.shared import CHECKPOINT_EVERY, CONTEXTS

if TYPE_CHECKING:
    from lmtool.arguments import Lists, PathLike, Paths, References
    from lmtool.faces import (
        Captioner,
        Classifier,
        Model,
        Recogniser,
        Tagger,
        Translator,
        WordEmbedding,
    )
    from lmtool.inference.bleu import Bleu
    from lmtool.inference.bleu_compare import BleuComparison
    from lmtool.inference.compare import Comparison
    from lmtool.inference.gradients import GradientCheck
    from lmtool.inference.pairs import accuracies
    from lmtool.inference.rescore import Rescoring
    from lmtool.inference.weights import Weights
    from lmtool.inference.wer import Wer
    from lmtool.pages.report import Report
    from lmtool.settings import Pairing, TextSettings, TrainSettings
    from lmtool.settings.keywords import (
        BleuKeywords,
        CompareKeywords,
        GradientKeywords,
        RescoreKeywords,
        TrainingKeywords,
    )
    from lmtool.training.events import Event
    from lmtool.training.forecast import Forecast

    Settings: TypeAlias = tuple[TextSettings, Any, TrainSettings]
    Face = TypeVar("Face", Model, Classifier, Tagger, Translator, Captioner, Recogniser)


__all__ = ["Captioner", "Classifier", "Model", "Recogniser", "Tagger", "Translator"]
__all__ += ["WordEmbedding", "accuracies", "bleu", "compare", "gradcheck", "load", "load_as"]
__all__ += ["load_for", "load_vectors", "mix", "plan", "report", "rescore", "resume"]
__all__ += ["sentence_bleu", "train", "wer"]

HOMES = {**dict.fromkeys(faces.HOMES, "faces"), "accuracies": "inference.pairs"}

__getattr__ = attributes("lmtool", HOMES)


@overload
def load(path: PathLike) -> Any: ...
@overload
def load(path: PathLike, kind: type[Face]) -> Face: ...
def load(path: PathLike, kind: type[Face] | None = None) -> Any:
    """The model in a file, verified before use: a Model, a Classifier, a Tagger and so on.

    With ``kind``, one of these, a model of another kind is refused. Raises ModelFileError.
    """
    return faces.load(path) if kind is None else faces.load_as(path, kind)


def load_vectors(path: PathLike) -> Any:
    """What has vectors of words, to ask for neighbours and analogies: a model, or word2vec's text.

    FILE.npy belongs to FILE.words. Raises ModelFileError, InputError.
    """
    return faces.load_vectors(path)


def train(
    corpus: Paths | None = None,
    *,
    sentences: Iterable[str] | None = None,
    model: PathLike | None = None,
    valid: Paths | None = None,
    reads: str | None = None,
    writes: str | None = None,
    columns: Mapping[str, str] | None = None,
    text: TextSettings | None = None,
    network: Any = None,
    recipe: TrainSettings | None = None,
    init: PathLike | Model | None = None,
    overwrite: bool = False,
    on_event: Callable[[Event], None] | None = None,
    checkpoint_every: float = CHECKPOINT_EVERY,
    stop: Callable[[], int] | None = None,
    mpi: bool = False,
    **options: Unpack[TrainingKeywords],
) -> Any:
    """Builds the vocabulary from files or sentences, trains, writes ``model`` if a path is given.

    ``init`` is a finished model to go on with; vocabulary and network are then that model's.
    ``options`` are fields of TextSettings, ModelSettings and TrainSettings. Beside the model the
    run is saved every so many seconds, for ``resume``; ``stop`` is asked after each step and gives
    the number of the signal that ends the run, by default that of Ctrl-C. With ``mpi`` all
    processes that ``mpiexec`` has started call this together, train one model, and each gets it.
    Raises InputError, ConfigError, TrainingError, InterruptionError, and ModelFileError at once
    where ``model`` exists.
    """
    from lmtool.interactive import attended
    from lmtool.settings import pair_of, refuse_columns
    from lmtool.training import launch
    from lmtool.training.mpi import together

    pair = pair_of(reads, writes)
    refuse_columns(pair, columns or {})
    settings = merge(pair, options, text, network, recipe)
    files, given = arguments.texts(corpus, sentences)
    settings, known, named = begun(init, pair, options, settings)
    path, held = arguments.optional(model, "model"), arguments.valid_of(valid)
    kind = pair.reads, pair.writes
    request = launch.Request(files, held, path, *settings, *kind, dict(columns or {}), named)
    with together(mpi) as ranks, attended(on_event, stop, model is not None) as (emit, ends):
        in_memory = known is not None and named is None
        goes_on = arguments.continues(model, given, in_memory) if stop is None else None
        keeping = launch.Keeping(checkpoint_every, ends, goes_on)
        trained = launch.train(request, overwrite, emit, keeping, given, known, ranks)
        return faces.face_of(trained)


def resume(
    model: PathLike,
    *,
    corpus: Paths | None = None,
    sentences: Iterable[str] | None = None,
    valid: Paths | None = None,
    init: PathLike | Model | None = None,
    on_event: Callable[[Event], None] | None = None,
    checkpoint_every: float = CHECKPOINT_EVERY,
    stop: Callable[[], int] | None = None,
    mpi: bool = False,
    **options: Unpack[TrainingKeywords],
) -> Any:
    """Goes on with the interrupted run of ``model``, to the same bits as if it had never stopped.

    ``corpus``, ``valid`` and ``init`` are needed only where the files have moved, ``sentences``
    and a ``Model`` as ``init`` where the run began with them; ``options`` must be those that it
    began with; ``mpi`` is that of ``train``, with any number of processes. Raises as ``train``,
    and ModelFileError where there is nothing to resume or something has changed.
    """
    from lmtool.interactive import attended
    from lmtool.training import launch
    from lmtool.training.mpi import together

    files, lines = arguments.texts(corpus, sentences, needed=False)
    known, named = initial(init)
    given = launch.Given(files, arguments.valid_of(valid), in_fields(options), lines, known)
    with together(mpi) as ranks, attended(on_event, stop, True) as (emit, ends):
        in_memory = known is not None and named is None
        goes_on = arguments.continues(model, lines, in_memory) if stop is None else None
        keeping = launch.Keeping(checkpoint_every, ends, goes_on)
        path = arguments.path(model, "model")
        return faces.face_of(launch.resume(path, given, emit, keeping, ranks))


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
    from lmtool.inference.compare import compare as compare_models
    from lmtool.settings import CompareSettings

    first, second = opened(a).language_model, opened(b).language_model
    lines = arguments.source(source)
    spelling = None if speller is None else opened(speller).language_model
    names = name_of(a, "A"), name_of(b, "B")
    settings = arguments.options(CompareSettings, options)
    return compare_models(first, second, lines, settings, names=names, speller=spelling)


def mix(
    models: Sequence[PathLike | Model],
    *,
    valid: Paths,
    output: PathLike | None = None,
    context: str = CONTEXTS[0],
    overwrite: bool = False,
    threads: int = 1,
) -> Model:
    """A weighted mean of language models over the same tokens, written where ``output`` is given.

    The weights are found on ``valid``, a file or several, which no model has learnt; of a mixture
    its parts are mixed anew. ``provenance["mixed"]`` says what came of it. Raises InputError,
    ModelFileError, and ConfigError where the models predict different tokens.
    """
    from lmtool.faces import Model
    from lmtool.inference.mix import mix as mix_models

    if len(models) < 2:
        raise ConfigError("there is nothing to mix: give two models or more")
    if output is not None:
        model_file.check_target(arguments.path(output, "output"), overwrite, "output")
    loaded = [one if isinstance(one, Model) else load_for("mix", one) for one in models]
    names = [title(one, f"model {n}") for n, one in enumerate(models, 1)]
    lines = chain.from_iterable(map(arguments.source, arguments.valid_of(valid)))
    named = [(name, one.language_model) for name, one in zip(names, loaded, strict=True)]
    mixed = Model(mix_models(named, lines, context, arguments.whole(threads, "threads", 1)))
    if output is not None:
        mixed.save(output, overwrite)
    return mixed


def title(model: PathLike | Model, otherwise: str) -> str:
    """What a part of a mixture is called: its file's name without what all such names end in."""
    from lmtool.faces import Model

    return otherwise if isinstance(model, Model) else Path(model).name.removesuffix(".safetensors")


@overload
def bleu(
    hypotheses: PathLike | Iterable[str],
    references: References,
    *,
    versus: None = None,
    **options: Unpack[BleuKeywords],
) -> Bleu: ...
@overload
def bleu(
    hypotheses: PathLike | Iterable[str],
    references: References,
    *,
    versus: PathLike | Iterable[str],
    **options: Unpack[BleuKeywords],
) -> BleuComparison: ...
def bleu(
    hypotheses: PathLike | Iterable[str],
    references: References,
    *,
    versus: PathLike | Iterable[str] | None = None,
    **options: Unpack[BleuKeywords],
) -> Bleu | BleuComparison:
    """BLEU of texts, percentages; with ``versus``, other texts, a comparison of both.

    ``references`` are a file, several as a list of Path, or for each hypothesis a text or a list
    of them. Options are fields of BleuSettings. Raises InputError; ConfigError where sacrebleu is
    needed and absent.
    """
    from lmtool.inference.bleu import corpus_bleu
    from lmtool.inference.bleu_compare import compare_bleu
    from lmtool.settings import BleuSettings

    settings = arguments.options(BleuSettings, options)
    texts, known = arguments.source(hypotheses), arguments.references(references)
    if versus is None:
        return corpus_bleu(texts, known, settings)
    return compare_bleu(texts, arguments.source(versus), known, settings)


def sentence_bleu(
    hypotheses: PathLike | Iterable[str], references: References, **options: Unpack[BleuKeywords]
) -> list[Bleu]:
    """BLEU of each text by itself, of effective order. Takes and raises what ``bleu`` does."""
    from lmtool.inference.bleu import sentence_bleus
    from lmtool.settings import BleuSettings

    settings = arguments.options(BleuSettings, options)
    known = arguments.references(references)
    return sentence_bleus(arguments.source(hypotheses), known, settings)


def rescore(
    nbest: Lists,
    models: PathLike | Model | Sequence[PathLike | Model],
    *,
    tune: Lists | None = None,
    weights: Weights | Sequence[float] | None = None,
    references: PathLike | None = None,
    tune_references: PathLike | None = None,
    costs: Paths | None = None,
    form: str | None = None,
    threads: int = 1,
    **options: Unpack[RescoreKeywords],
) -> Rescoring:
    """Each list of hypotheses with the one first that its scores and the models find best.

    ``nbest`` and ``tune`` are files, several as a list of Path, or objects ``{"hyps": [...],
    "scores": [...], "ref": "..."}``. ``weights`` are given, as numbers those of the recogniser, of
    each model, of words and of unknown words; or found on ``tune``, lists with references; or all
    count alike. ``form`` names the format, ``costs`` files of a Kaldi archive; options are fields
    of RescoreSettings. Raises InputError, ConfigError, ModelFileError.
    """
    from lmtool.faces import Model
    from lmtool.inference.rescore import (
        rescore as rescore_lists,
    )
    from lmtool.inference.rescore import (
        scored_lists,
    )
    from lmtool.inference.rescore import (
        tune as tune_weights,
    )
    from lmtool.settings import RescoreSettings

    settings = arguments.options(RescoreSettings, options)
    threads = arguments.whole(threads, "threads", 1)
    if tune is not None and weights is not None:
        raise ConfigError(f"give {option('tune')} or {option('weights')}, not both")
    arguments.other_files(nbest, tune)
    lists, found = arguments.nbest(nbest, form, references, costs)
    settings = arguments.of_form(settings, found)
    dev = None if tune is None else arguments.nbest(tune, form, tune_references, costs)[0]
    several = [models] if isinstance(models, str | Path | Model) else list(models)
    known = [one if isinstance(one, Model) else load_for("rescore", one) for one in several]
    predictors = [one._predictor for one in known]
    given = arguments.weights(weights, len(known), settings)
    if dev is not None:
        given = tune_weights(scored_lists(dev, predictors, threads), settings)
    return rescore_lists(scored_lists(lists, predictors, threads), settings, given)


def wer(
    hypotheses: PathLike | Iterable[str],
    references: PathLike | Iterable[str],
    *,
    characters: bool = False,
) -> Wer:
    """The word error rate of texts, or with ``characters`` the CER; percentages.

    Both are a file or lines, a reference for each hypothesis. Raises InputError.
    """
    from lmtool.inference.wer import error_rate

    return error_rate(arguments.source(hypotheses), arguments.source(references), characters)


def gradcheck(
    model: PathLike | Any,
    text: str = "",
    *,
    given: Any = None,
    target: str = "",
    **options: Unpack[GradientKeywords],
) -> GradientCheck:
    """A model's analytic gradients against differences, on one example; for every kind.

    ``text`` is what it reads, or what it writes about ``given``, a text, an array or a clip;
    ``target`` holds tags between blanks or labels between commas, by default the first one for all.
    Options are fields of GradientSettings. Raises InputError, ConfigError, ModelFileError.
    """
    from lmtool.kinds.gradients import check_gradients
    from lmtool.settings import GradientSettings

    settings = arguments.options(GradientSettings, options)
    is_path = isinstance(model, str | Path)
    trained = model_file.load(arguments.path(model, "model")) if is_path else faces.trained(model)
    words, name = arguments.text(text), arguments.text(target, "target")
    kind, source = model_file.kind_of(trained), faces.source_of(trained, given)
    return check_gradients(kind, trained, words, source, name, settings)


def name_of(model: PathLike | Model, otherwise: str) -> str:
    """The file's name, where there is one."""
    from lmtool.faces import Model

    return otherwise if isinstance(model, Model) else str(model)


def opened(model: PathLike | Model) -> Model:
    """A language model, loaded if need be."""
    from lmtool.faces import Model

    return model if isinstance(model, Model) else load_for("compare", model)


def plan(
    corpus: Paths | None = None,
    *,
    sentences: Iterable[str] | None = None,
    valid: Paths | None = None,
    reads: str | None = None,
    writes: str | None = None,
    columns: Mapping[str, str] | None = None,
    text: TextSettings | None = None,
    network: Any = None,
    recipe: TrainSettings | None = None,
    init: PathLike | Model | None = None,
    **options: Unpack[TrainingKeywords],
) -> Forecast:
    """What ``train`` would do, from a few steps of it; nothing is written. Raises as ``train``."""
    from lmtool.settings import pair_of, refuse_columns
    from lmtool.training import launch

    pair = pair_of(reads, writes)
    refuse_columns(pair, columns or {})
    settings = merge(pair, options, text, network, recipe)
    files, given = arguments.texts(corpus, sentences)
    settings, known, named = begun(init, pair, options, settings)
    kind, held = (pair.reads, pair.writes), arguments.valid_of(valid)
    request = launch.Request(files, held, None, *settings, *kind, dict(columns or {}), named)
    return launch.plan(request, given, known)


def initial(init: PathLike | Model | None) -> tuple[Any, str | None]:
    """The model to begin with, and the name of its file, if it is in one. Raises ModelFileError."""
    from lmtool.faces import Model

    if init is None:
        return None, None
    if isinstance(init, Model):
        return init.language_model, None
    path = arguments.path(init, "init")
    return model_file.load(path, "init"), path


def begun(
    init: PathLike | Model | None, pair: Pairing, options: Mapping[str, Any], settings: Settings
) -> tuple[Settings, Any, str | None]:
    """Settings that agree with the model to begin with, and what ``initial`` gives."""
    from lmtool.kinds import KINDS
    from lmtool.training.initial import agreed

    model, name = initial(init)
    if model is None:
        return settings, None, None
    return agreed(KINDS[pair.reads, pair.writes], model, options, *settings), model, name


def in_fields(options: Mapping[str, Any]) -> dict[str, Any]:
    """The options under the names of settings: ``time="10m"`` -> ``seconds=600.0``."""
    from lmtool.settings import in_seconds

    plain = dict(options)
    time = plain.pop("time", None)
    if time is not None:
        plain["seconds"] = in_seconds(time) if isinstance(time, str) else time
    return plain


def merge(
    pair: Pairing, options: Mapping[str, Any], text: Any, network: Any, recipe: Any
) -> Settings:
    """Settings with keyword options laid over them; raises OptionError for an unknown name."""
    from lmtool.settings import TextSettings, TrainSettings, declared, refuse_foreign

    options = in_fields(options)
    refuse_foreign(pair, options)
    kinds = (TextSettings, pair.settings, TrainSettings)
    unknown = set(options) - set().union(*map(declared, kinds))
    if unknown:
        raise OptionError(f"unknown option {sorted(unknown)[0]!r}: see lmtool.settings")
    chosen = [{k: v for k, v in options.items() if k in declared(kind)} for kind in kinds]
    given = (text or pair.text, network or pair.settings(), recipe or TrainSettings())
    laid = [replace(own, **more) for own, more in zip(given, chosen, strict=True)]
    return laid[0], laid[1], laid[2]


def report(
    model: PathLike,
    files: Paths = (),
    text: Iterable[str] = (),
    *,
    threads: int = 1,
) -> Report:
    """What is to be said of a model, and its page: ``report(path).save("report.html")``.

    ``files`` are what ``evaluate`` takes: what the model is measured on; ``text`` are sentences to
    look into. Raises ModelFileError, InputError, ConfigError.
    """
    from lmtool.pages.report import report as report_of
    from lmtool.pages.subject import base, subject

    path = arguments.path(model, "model")
    measured, said = arguments.paths(files, "files"), arguments.lines(text, "text")
    threads = arguments.whole(threads, "threads", 1)
    return report_of(subject(base(path), load(path), measured, said, threads))
