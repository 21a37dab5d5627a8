"""``lmtool evaluate``: how good is a model? What the file holds decides what is measured."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lmtool.cli.adapting import refuse_tune, tuned
from lmtool.cli.inputs import once, text_of
from lmtool.cli.label_report import report
from lmtool.cli.options import MODEL, Json, ModelPath, Threads, choice, flag, said, settings, takes
from lmtool.cli.render import json_line, pairs, say
from lmtool.cli.speech import Lm, helped, speech_report
from lmtool.settings import CONTEXTS, AdaptSettings, HearSettings, TranscribeSettings, declared

if TYPE_CHECKING:
    from lmtool.api import Captioner, Classifier, Model, Recogniser, Tagger, Translator
    from lmtool.inference.evaluate import Evaluation

__all__ = ["run"]

BOTH = "both"
FILE = "file"  # the text's name


@dataclass(frozen=True, slots=True)
class Job:
    """What is asked for."""

    files: Sequence[str]
    threads: int
    as_json: bool
    given: Mapping[str, Any]  # other options of the command line, by name

    def columns(self, *names: str) -> dict[str, Any]:
        """Options of these names; None where they are left out."""
        return {name: self.given.get(name) for name in names}


@takes(AdaptSettings, HearSettings)
def run(
    called: typer.Context,
    files: Annotated[
        list[str],
        typer.Argument(
            metavar="FILE|-...",
            help="Texts, one sentence a line, labelled texts, or pairs as in training.",
        ),
    ],
    context: Annotated[
        str | None,
        typer.Option(
            metavar="|".join((*CONTEXTS, BOTH)),
            help="Of language models: each line afresh, or the state carried over.",
            show_default="both; sentence with --json; document where the model follows the text",
        ),
    ] = None,
    text: Annotated[
        str | None,
        typer.Option(
            "--text",
            metavar="COLUMN",
            help="Of classifiers and taggers: the column or key of the text or of the words.",
            show_default="by its usual names; the first one",
        ),
    ] = None,
    label: Annotated[
        str | None,
        typer.Option(
            metavar="COLUMN",
            help="Of classifiers: the column or key of the label.",
            show_default="by its usual names",
        ),
    ] = None,
    tags: Annotated[
        str | None,
        typer.Option(
            metavar="COLUMN",
            help="Of taggers: the column or key of the tags.",
            show_default="the last one",
        ),
    ] = None,
    source: Annotated[
        str | None,
        typer.Option(
            metavar="COLUMN",
            help="Of translators: the column or key of the text, where one file holds both.",
            show_default="by its usual names; the first one",
        ),
    ] = None,
    target: Annotated[
        str | None,
        typer.Option(
            metavar="COLUMN",
            help="Of translators: the column or key of the translation.",
            show_default="by its usual names; the second one",
        ),
    ] = None,
    lm: Lm = None,
    tune: Annotated[
        str | None,
        typer.Option(
            metavar="FILE",
            help="Choose the numbers of --adapt and --cache, or of --lm, by this text or manifest,"
            " which is no test.",
        ),
    ] = None,
    threads: Threads = None,
    model: ModelPath = MODEL,
    as_json: Json = False,
    **values: Any,
) -> None:
    """Measure a model on texts that it was not trained on.

    A language model: perplexity, with and without <EOS>, with and without unknown words.
    "document" is the convention of published Penn Treebank results. The signature at the end says
    what the numbers depend on: compare only numbers whose signatures agree.

    A classifier, on texts with labels: accuracy beside that of the most frequent label, F1, mean
    absolute error of labels that are numbers, calibration, and who is taken for whom.

    A tagger, on words with tags: precision, recall and F1 of the phrases as conlleval counts and
    prints them, and F1 of those that are spelled without a mistake; of plain tags of the words.

    A translator or a captioner, on files as in training, test.de test.en or vectors.npy texts.tsv:
    BLEU of the best texts that lmtool translate and lmtool caption find, in lower case where the
    model writes no other, and the perplexity of those that are known.

    A recogniser, on recordings whose texts are known: the error rate of words and of letters, the
    most frequent confusions, each speaker; with a language model as lmtool transcribe takes it.
    """
    if context is not None:
        choice("--context", context, (*CONTEXTS, BOTH))
    once(files)

    from lmtool import api
    from lmtool.workers import n_cores

    named: dict[str, Any] = {"context": context, "text": text, "label": label, "tags": tags}
    named |= {"source": source, "target": target, "lm": lm, "tune": tune}
    given = {name: value for name, value in named.items() if value is not None}
    job = Job(files, threads or n_cores(), as_json, given | said(called, values))
    loaded = api.load_for("evaluate", model)
    measure, options = KINDS[loaded.kind]
    for name in job.given:
        if name not in options:
            takers = " or ".join(known for known, (_, taken) in KINDS.items() if name in taken)
            message = f"{model} is a {loaded.kind}; only a {takers} takes this option"
            raise typer.BadParameter(message, param_hint=flag(name))
    measure(loaded, job)


def of_language(lm: "Model", job: Job) -> None:
    """Perplexities."""
    adaptation = settings(AdaptSettings, dict(job.given))
    tune = job.given.get("tune")
    refuse_tune(tune, adaptation)
    usual = CONTEXTS[1] if adaptation.active else CONTEXTS[0] if job.as_json else BOTH
    context, adapting = job.given.get("context") or usual, tuned(lm, tune, adaptation)
    contexts = CONTEXTS if context == BOTH else (context,)
    texts = [(file, text_of(file)) for file in job.files]
    records = [
        {FILE: file} | ordered(result)
        for file, text in texts
        for result in lm.evaluations(text, contexts, threads=job.threads, **adapting)
    ]
    if job.as_json:
        say("\n".join(map(json_line, records)))
    else:
        say(pairs(side_by_side([*map(by_part, records)], len(job.files) > 1)))


def by_part(record: dict[str, Any]) -> dict[str, Any]:
    """The record with a name for each number of a mixture's parts, before the signature."""
    last = {"signature": record.pop("signature")}
    record.pop("adaptation", None)  # the signature says it
    for part in record.pop("parts", ()):
        name = part["name"]
        last = {f"weight {name}": part["weight"], f"perplexity {name}": part["perplexity"]} | last
    return record | last


def of_labels(classifier: "Classifier", job: Job) -> None:
    """Accuracies and confusions."""
    options: Any = {**job.columns("text", "label"), "threads": job.threads}
    files = job.files if classifier.reads != "vector" else with_labels(job.files)
    results = [(name_of(file), classifier.evaluate(file, **options)) for file in files]
    if job.as_json:
        say("\n".join(json_line({FILE: file} | result.to_dict()) for file, result in results))
        return
    for part in report(results):
        say(part)


def with_labels(files: Sequence[str]) -> list[Any]:
    """Files, an array of vectors together with the labels that follow it."""
    from lmtool.data.readers.vectors import grouped

    return [vectors if labels is None else (vectors, labels) for vectors, labels in grouped(files)]


def name_of(files: str | tuple[str, str]) -> str:
    """The name of the first."""
    return files if isinstance(files, str) else files[0]


def of_tags(tagger: "Tagger", job: Job) -> None:
    """conlleval's block, and the strict F1."""
    from lmtool.inference.phrases import block

    options: Any = {**job.columns("text", "tags"), "threads": job.threads}
    for file in job.files:
        result = tagger.evaluate(file, **options)
        if job.as_json:
            say(json_line({FILE: file} | result.to_dict()))
            continue
        heading = f"{file}\n" * (len(job.files) > 1)
        strict = "" if result.strict_f1 is None else f"strict FB1: {result.strict_f1:z6.2f}"
        say(f"{heading}{block(result)}{strict}".rstrip("\n"))


def of_writing(writer: "Translator | Captioner", job: Job) -> None:
    """BLEU and perplexity; files that belong together are one result."""
    groups = writer.files(job.files)
    options: Any = {"threads": job.threads}
    if writer.kind == "translator":
        named = job.columns("source", "target")
        options |= {f"{name}_column": column for name, column in named.items()}
    records = [
        {FILE: str(files[0])} | writer.evaluate([*files], **options).to_dict() for files in groups
    ]
    if job.as_json:
        say("\n".join(map(json_line, records)))
    else:
        say(pairs(side_by_side(records, len(groups) > 1)))


def of_speech(recogniser: "Recogniser", job: Job) -> None:
    """Word error rates, confusions, speakers."""
    wanted = settings(TranscribeSettings, dict(job.given))
    lm, wanted = helped(recogniser, job.given.get("lm"), job.given.get("tune"), wanted, job.threads)
    options: Any = asdict(wanted) | {"lm": lm, "threads": job.threads}
    for index, file in enumerate(job.files):
        result = recogniser.evaluate(file, **options)
        if job.as_json:
            say(json_line({FILE: file} | result.to_dict()))
            continue
        heading = f"{file}\n" * (len(job.files) > 1)
        say("\n" * bool(index) + heading + speech_report(result))


RUNNING = ("context", "tune", *declared(AdaptSettings))
SPEECH = ("lm", "tune", *declared(HearSettings))
# kind -> what measures it, and the options that it takes
KINDS: dict[str, tuple[Callable[[Any, Job], None], tuple[str, ...]]] = {
    "language model": (of_language, RUNNING),
    "classifier": (of_labels, ("text", "label")),
    "tagger": (of_tags, ("text", "tags")),
    "translator": (of_writing, ("source", "target")),
    "captioner": (of_writing, ()),
    "recogniser": (of_speech, SPEECH),
    "frame classifier": (of_labels, ("label",)),
    "vector classifier": (of_labels, ("label",)),
}


def ordered(result: "Evaluation") -> dict[str, Any]:
    """Names and values, the signature last."""
    values = result.to_dict()
    values["signature"] = values.pop("signature")
    return values


def side_by_side(records: list[dict[str, Any]], several: bool) -> list[tuple[Any, ...]]:
    """Each name with its value in every record; the file's name where there are several."""
    names = [name for name in records[0] if several or name != FILE]
    return [(name, *(record[name] for record in records)) for name in names]
