"""Objects at a prompt and in a notebook: one short line, and tables that are nothing but text."""

import dataclasses
import importlib
import pkgutil
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Any

import numpy as np
import pytest

from lmtool import inference
from lmtool.api import Model, bleu, compare, gradcheck, rescore, train
from lmtool.data.readers.labelled import Record
from lmtool.data.readers.wordtests import Question, Rated
from lmtool.data.spoken import Stacking
from lmtool.data.standard import Framing, Standardisation
from lmtool.display import CELL, LIMIT, ROWS, Listing, Shown, Tabular
from lmtool.faces import Captioner, Translator
from lmtool.faces.recogniser import Recogniser
from lmtool.faces.vectors import ForeignVectors
from lmtool.inference.bleu import ngrams
from lmtool.inference.classification import classify_lines, evaluate_labelled
from lmtool.inference.classify import (
    Classifier,
    FrameClassifier,
    FrameParts,
    Parts,
    VectorClassifier,
)
from lmtool.inference.conditional import Parts as PairParts
from lmtool.inference.conditional import VectorParts
from lmtool.inference.embeddings import Embeddings
from lmtool.inference.phrases import evaluate_phrases
from lmtool.inference.recogniser import Parts as HearingParts
from lmtool.inference.recogniser import Recogniser as HearingModel
from lmtool.inference.score import WordScore
from lmtool.inference.speech import Tuning, evaluated
from lmtool.inference.tag import Parts as TagParts
from lmtool.inference.tag import Tagger
from lmtool.inference.tagging import tag_lines
from lmtool.inference.transcribe import Said
from lmtool.inference.vectors import analogies, similarity
from lmtool.kinds import KINDS
from lmtool.models import classifier, recogniser, tagger
from lmtool.models.kneser_ney import count
from lmtool.models.language_model import LanguageModel, initialise
from lmtool.nn.parameters import Parameters
from lmtool.pages.report import report
from lmtool.pages.subject import subject
from lmtool.settings import (
    ClassifierSettings,
    ModelSettings,
    RecogniserSettings,
    TaggerSettings,
    TextSettings,
)
from lmtool.settings.conditional import CaptionerSettings, TranslatorSettings
from lmtool.text import tags as learnt
from lmtool.text.labels import Labels, check_label
from lmtool.text.letters import Letters
from lmtool.text.ngrams import Ngrams
from lmtool.text.schemes import IOB2
from lmtool.text.vocabulary import EOS, UNK, Vocabulary

V = 10_002
SCRIPT = "<script>alert(1)</script>"
HOSTILE = (SCRIPT, "a&b", "\"'", "\x1b[2J\u202e", "\U0001f422" * 50, "x" * 9999)
TEXT = " ".join((*HOSTILE, "word7"))


@pytest.fixture(scope="module", params=[1, 3])
def large(request: pytest.FixtureRequest) -> Model:
    """A model over as many words as the Penn Treebank has, some of them hostile."""
    words = (*HOSTILE, *(f"word{i}" for i in range(V - 2 - len(HOSTILE))))
    vocabulary = Vocabulary((EOS, UNK, *words), np.ones(V, np.int64), TextSettings())
    settings = ModelSettings(embed=4, hidden=4, members=request.param)
    parameters = initialise(settings, vocabulary.counts, np.random.default_rng(1))
    return Model(LanguageModel(settings, vocabulary, parameters))


def labeller(vocabulary: Vocabulary) -> Classifier:
    """A classifier over the same words, its labels hostile, too."""
    names = [name for name in HOSTILE if not check_label(name)]
    labels = Labels.from_counts(dict.fromkeys(names, 1), several=True)
    ngrams = Ngrams(vocabulary.n_tokens, (np.array([7], np.int64),))
    parts = Parts(vocabulary, labels, ngrams)
    settings = ClassifierSettings(embed=4, hidden=4, ngrams=2, labelling="sigmoid")
    return Classifier(settings, parts, Parameters(classifier.shapes(settings, parts.sizes())))


def tagger_of(vocabulary: Vocabulary) -> Tagger:
    """A tagger of the same words, all of them names of a hostile type."""
    names = [f"B-{name}" for name in HOSTILE if not learnt.check_tag(f"B-{name}")]
    tags = learnt.Tags.from_counts(dict.fromkeys(names, 1), IOB2)
    own = TagParts(vocabulary, Letters.build({"word": 9}), tags)
    settings = TaggerSettings(embed=4, hidden=4)
    network = Parameters(tagger.shapes(settings, own.sizes()))
    network["output.bias"][1] = 9
    return Tagger(settings, own, network)


def writers_of(vocabulary: Vocabulary) -> list[Any]:
    """A translator and a captioner that write the same words."""
    small: Any = {"embed": 4, "hidden": 4, "members": 1}
    given = (
        (KINDS["text", "text"], TranslatorSettings(**small), PairParts(vocabulary, vocabulary)),
        (KINDS["vector", "text"], CaptionerSettings(**small), VectorParts(three(), vocabulary)),
    )
    return [
        kind.build(settings, parts, Parameters(kind.shapes(settings, parts)), {})
        for kind, settings, parts in given
    ]


def three() -> Standardisation:
    """Of three numbers."""
    return Standardisation.of([np.eye(2, 3)])


def shown(lm: Model) -> Iterator[Any]:
    """One object at least of each class that shows itself."""
    model = lm.language_model
    yield from (lm, model, model.networks[0], lm.vocabulary, model.parameters, lm.embeddings)
    labelling = labeller(lm.vocabulary)
    yield from (labelling, labelling.labels, labelling.parts.ngrams)
    for labelled in classify_lines(labelling, [TEXT, "", "word1"]):
        yield from (labelled, *labelled.labels)
    for kind in (FrameClassifier, VectorClassifier):
        framed = FrameParts(Framing.of([np.eye(2, 3)], False, False), labelling.labels)
        settings = ClassifierSettings(embed=4, hidden=4, ngrams=0, labelling="sigmoid")
        shapes = classifier.shapes(settings, framed.sizes())
        yield kind(settings, framed, Parameters(shapes))
    name = labelling.labels.names[0]
    measured = evaluate_labelled(labelling, [Record((name,), TEXT, 1, "texts")])
    yield from (measured, *measured.per_class)
    tags = [f"B-{name}" for name in HOSTILE if not learnt.check_tag(f"B-{name}")]
    phrases = evaluate_phrases([([*tags, "B", "O"], [*tags, "O", "B"])])
    yield from (learnt.Tags.from_counts(dict.fromkeys(tags, 1), IOB2), phrases, *phrases.per_type)
    tagging = tagger_of(lm.vocabulary)
    yield from (tagging, tagging.parts.letters)
    for tagged in tag_lines(tagging, [TEXT, "", "word1"]):
        yield from (tagged, *tagged.spans)
    yield from of_speech(lm)
    yield from (writing := writers_of(lm.vocabulary))
    yield from (translator := Translator(writing[0]), Captioner(writing[1]), translator.given(TEXT))
    yield translator.evaluate([(TEXT, TEXT)], max_length=2)
    for written in translator.translate_lines([TEXT, "", "word1"], n=2, max_length=2):
        yield from (written, *written.hypotheses)
    for score in lm.score_lines([TEXT, "", "word1"]):
        yield from (score, *score.words)
    for sentence in lm.surprisal_lines([TEXT, "", "word1"], top=2):
        yield from (sentence, *sentence.words)
    yield from lm.sample(n=2, prompt=TEXT, max_words=200)
    yield from lm.next(TEXT, k=V)[:300]
    yield from lm.evaluations([TEXT])
    pairs: Any = [(TEXT, "word2", (HOSTILE[-1],)), ("word1", TEXT, (HOSTILE[0],))]
    yield from lm.score_pairs(pairs)
    yield from lm.pairs(pairs)
    result = compare(lm, lm, [TEXT, "word1"], resamples=9)
    yield from (result, result.a)
    yield from of_words(lm)
    traced = lm.trace(TEXT, back=2, step=2)
    yield from (traced, *traced.steps, *traced.steps[1].products)
    assert traced.back is not None
    yield from (traced.back, *traced.back.terms)
    checked = gradcheck(lm, TEXT, entries=2)
    yield from (checked, *checked.parameters)
    measured_text = bleu([TEXT, "word1"], [TEXT, TEXT], versus=["", TEXT], resamples=9)
    yield from (measured_text, measured_text.a, *ngrams(TEXT.split(), [TEXT.split()], 2))
    made = train(sentences=["a b c"] * 9, writes="vectors", steps=1)
    yield from (made, made.embedding, report(subject("made", made)))
    yield ForeignVectors(Embeddings(("a",), np.ones((1, 2), np.float32)))


def of_speech(lm: Model) -> Iterator[Any]:
    """A recogniser that writes the words, what it hears, how wrong that is, what would help."""
    parts = HearingParts(None, 4, Stacking(1), lm.vocabulary)
    settings = RecogniserSettings(hidden=4, embed=4)
    shapes = recogniser.shapes(settings, parts.sizes())
    hearing = Recogniser(HearingModel(settings, parts, Parameters(shapes)))
    frames = [np.random.default_rng(n).normal(size=(9, 4)) for n in range(2)]
    yield from (hearing, hearing.recogniser)
    for heard in hearing.transcribe_files(frames, n=2):
        yield from (heard, *heard.hypotheses)
        yield Said(TEXT, 0.0, 1.0, 0.5)
        known = dataclasses.replace(heard, reference="word1", speaker=TEXT)
        measured = evaluated([known])
        yield from (measured, *measured.speakers)
    yield Tuning(0.5, 1.0, 3.0, 6.0, 100)


def of_words(lm: Model) -> Iterator[Any]:
    """What is said of vectors, and of lists of hypotheses."""
    found, questions = lm.neighbours("word1", k=3), ("word1", "word2", "word3", HOSTILE[1])
    known = lm.embeddings_of(None)
    asked = analogies(known, [Question(HOSTILE[0], questions)])
    rated = [Rated(("word1", word), float(n)) for n, word in enumerate(questions[1:])]
    yield from (found, *found.neighbours, asked, *asked.sections, similarity(known, rated))
    lists: Any = [{"hyps": [TEXT, "word1"], "scores": [-1.0, -2.0], "ref": "word1"}] * 2
    chosen = rescore(lists, lm)
    yield from (chosen, chosen.weights, chosen.chosen, chosen.difference, *chosen.lists)
    yield from (*chosen.lists[0].hypotheses, count(np.arange(V, dtype=np.int32), lm.vocabulary, 2))


def classes() -> set[type]:
    """The dataclasses that the rooms of inference make public, but for training's judges."""
    names = [room.name for room in pkgutil.iter_modules(inference.__path__)]
    rooms = [importlib.import_module(f"{inference.__name__}.{name}") for name in names]
    named = (getattr(room, name) for room in rooms for name in room.__all__)
    found = {thing for thing in named if isinstance(thing, type)}
    known = {kind for kind in found if isinstance(kind, type) and dataclasses.is_dataclass(kind)}
    return {kind for kind in known if not hasattr(kind, "judge")}


def test_every_object_is_one_short_line(large: Model) -> None:
    seen = set()
    for thing in shown(large):
        line = repr(thing)
        assert len(line) <= LIMIT and line.isprintable(), line
        assert re.match(rf"{type(thing).__name__}\([^=]", line) and line.endswith(")"), line
        seen.add(type(thing))
    assert classes() | {Model, LanguageModel, Vocabulary} <= seen
    names = {kind.__name__ for base in (Shown, Tabular) for kind in base.__subclasses__()}
    assert names - {Tabular.__name__, "Conditional"} <= {kind.__name__ for kind in seen}


def test_what_the_lines_say(large: Model, lstm: LanguageModel) -> None:
    K = len(large.language_model.networks)
    start = f"Model({f'mean of {K}: ' if K > 1 else ''}lstm 1 x 4, 10,002 outputs, "
    assert re.fullmatch(re.escape(start) + r"[\d,]+ parameters\)", repr(large))
    score = Model(lstm).score("Todd met Anne")
    assert re.fullmatch(
        r"SentenceScore\('Todd met Anne', log10_p=-[\d.]+, perplexity=[\d.]+, 3 words, 1 OOV\)",
        repr(score),
    )
    assert repr(score.words[2]).endswith(", oov)")
    assert repr(Model(lstm).evaluate(["Todd"])).startswith("Evaluation(perplexity=")
    labelling = labeller(large.vocabulary)
    assert repr(labelling).startswith("Classifier(lstm 1 x 4, 4 labels (")
    assert repr(labelling.parts.ngrams) == "Ngrams(10,002 words, 1 of 2)"
    digest = large.vocabulary.digest
    assert repr(large.vocabulary) == f"Vocabulary(10,002 tokens, word, digest={digest!r})"


class Tags(HTMLParser):
    """The elements and the text of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        assert not attrs

    def handle_data(self, data: str) -> None:
        self.text += data


def tables(lm: Model) -> Iterator[str]:
    for thing in shown(lm):
        if isinstance(thing, Tabular):
            yield thing._repr_html_()
    yield lm.next(TEXT, k=300)._repr_html_()
    yield lm.sample(prompt=TEXT)._repr_html_()
    yield lm.evaluations([TEXT])._repr_html_()
    yield lm.pairs([(TEXT, "word2", (HOSTILE[0],))])._repr_html_()  # type: ignore[list-item]


def test_a_vocabulary_cannot_write_html(large: Model) -> None:
    pages = [Tags(page) for page in tables(large)]
    assert {tag for page in pages for tag in page.tags} == {"div", "table", "tr", "th", "td"}
    assert any(HOSTILE[0] in page.text for page in pages)


def test_a_table_has_a_row_a_word_and_an_end(lstm: LanguageModel) -> None:
    lm = Model(lstm)
    page = lm.score("Todd met <b>")._repr_html_()
    assert page.count("<tr>") == 1 + 4 and "&lt;b&gt;" in page and "surprisal_bits" in page
    long = lm.score("Todd " * 1000)._repr_html_()
    assert long.count("<tr>") == 1 + ROWS and f"{1001 - ROWS} more" in long
    row = WordScore("w" * 10_000, UNK, True, -1.0, 1.0, 0.1)
    assert len(Listing([row])._repr_html_()) < CELL + 400
    assert lm.sample(n=0)._repr_html_() == ""
