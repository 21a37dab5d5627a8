"""The score of a sentence is its own: neighbours, place, threads and the way in change no bit."""

import itertools
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from threadpoolctl import threadpool_limits

from lmtool import __file__ as package
from lmtool import model_file
from lmtool.api import Model
from lmtool.cli.formats import FORMATS, Job
from lmtool.errors import InputError
from lmtool.inference.score import (
    SentenceScore,
    WordScore,
    score,
    score_lines,
    score_utterances,
)
from lmtool.inference.surprisal import WordSurprisal, surprisal_lines
from lmtool.models.language_model import LanguageModel, initialise
from lmtool.nn.cells import CELLS
from lmtool.settings import ModelSettings, SurprisalSettings, TextSettings
from lmtool.text.vocabulary import Vocabulary

TEXT = ("Todd met Pete", "the cat saw the dog", "Pete was calm")
WORDS = ("Todd", "met", "Pete", "the", "cat", "was", "Zork", "naïve", "<unk>")
BLANK = ("", " ", "\t")
MANY = " ".join(map(str, range(400)))  # words, so that BLAS finds work for threads
EVERYTHING = SurprisalSettings(top=3)

cached: dict[tuple[ModelSettings, str, int], LanguageModel] = {}


@st.composite
def models(draw: st.DrawFn) -> LanguageModel:
    """Random weights in a random network over words or characters."""
    tokens = draw(st.sampled_from(["word", "char"]))
    network = ModelSettings(
        cell=draw(st.sampled_from(sorted(CELLS))),
        layers=draw(st.integers(1, 2)),
        hidden=draw(st.sampled_from([3, 17, 40])),
        embed=draw(st.sampled_from([3, 8])),
        softmax=draw(st.sampled_from(["full", "classes"])),
        tie=draw(st.booleans()),
        members=draw(st.sampled_from([1, 2])),
    )
    key = (network, tokens, draw(st.integers(0, 2)))
    if key not in cached:
        cached[key] = random_model(*key)
    return cached[key]


def random_model(
    network: ModelSettings, tokens: str, seed: int, text: Sequence[str] = (*TEXT, MANY)
) -> LanguageModel:
    """Weights large enough that every probability is its own."""
    vocabulary = Vocabulary.build(text, TextSettings(tokens=tokens))
    rng = np.random.default_rng(seed)
    parameters = initialise(network, vocabulary.counts, rng)
    parameters.flat += rng.normal(0, 0.3, parameters.flat.size).astype(np.float32)
    return LanguageModel(network, vocabulary, parameters, {})


sentences = st.lists(st.sampled_from(WORDS), min_size=1, max_size=90).map(" ".join)
lines = st.lists(st.one_of(sentences, st.sampled_from(BLANK)), max_size=6)


def printed(scores: list[SentenceScore]) -> list[str]:
    """The rows of TSV, without the header."""
    job = Job(level=None, ranked=False, source="-", token_id=lambda token: 0)
    return list(FORMATS["tsv"].lines(scores, job))[1:]


@settings(max_examples=60)
@given(models(), sentences, lines, lines)
def test_neighbours_and_place_change_nothing(
    model: LanguageModel, sentence: str, before: list[str], after: list[str]
) -> None:
    alone = score(model, sentence)
    among = list(score_lines(model, [*before, sentence, *after]))[len(before)]
    assert among == alone  # every bit
    assert printed([among]) == printed([alone])


@settings(max_examples=30)
@given(models(), lines)
def test_threads_change_nothing(model: LanguageModel, text: list[str]) -> None:
    one, *others = (list(score_lines(model, text, threads)) for threads in (1, 2, 3))
    assert all(other == one for other in others)
    assert all(printed(other) == printed(one) for other in others)


@settings(max_examples=60)
@given(models(), lines, st.data())
def test_any_blocks_files_and_threads_give_the_same_bits(
    model: LanguageModel, text: list[str], data: st.DataObject
) -> None:
    text = data.draw(st.permutations(text * 2))
    scores: list[SentenceScore] = []
    words: list[tuple[WordSurprisal, ...]] = []
    for file in cut(text, data):
        pace = data.draw(st.integers(1, 3)), data.draw(st.sampled_from([1, 2, 5, 1024]))
        scores += score_lines(model, file, *pace)
        words += [line.words for line in surprisal_lines(model, file, EVERYTHING, *pace)]
    assert scores == [next(score_lines(model, [line])) for line in text]
    assert words == [next(surprisal_lines(model, [line], EVERYTHING)).words for line in text]


def cut(text: list[str], data: st.DataObject) -> list[list[str]]:
    """Neighbouring lines as files."""
    n = data.draw(st.integers(0, len(text)))
    return [text[:n], text[n:]]


def test_classes_of_a_large_vocabulary_keep_rows_apart() -> None:
    words = [f"w{n}" for n in range(2500)]
    network = ModelSettings("lstm", hidden=17, embed=8, softmax="classes", tie=False, members=2)
    model = random_model(network, "word", 0, words)
    rng = np.random.default_rng(0)
    text = [" ".join(rng.choice(words, n)) for n in (1, 3, 30, 70, 2, 9, 1, 40)]
    alone = [score(model, line) for line in text]
    assert list(score_lines(model, text)) == alone
    assert list(score_lines(model, text[::-1], 2, 3)) == alone[::-1]
    assert [sum(map(is_in_a_class, one.words)) for one in alone] != [0] * len(text)


def is_in_a_class(word: WordScore) -> bool:
    """Whether it stands beyond the head."""
    return word.token != "<EOS>" and int(word.token[1:]) > 2000


def test_the_way_one_by_one_gives_the_same_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    model = random_model(ModelSettings("gru", hidden=40, embed=8, tie=False), "word", 0)
    text = ["Todd met Pete", "", MANY, "the cat"]
    in_blocks = list(score_lines(model, text))
    monkeypatch.setattr("lmtool.nn.rowwise.tile", lambda K, dtype: None)
    assert (model.block, Model(model).info()["reading"]) == (1, "one by one")
    for one, other in zip(score_lines(model, text, 2), in_blocks, strict=True):
        assert one.log10_p == pytest.approx(other.log10_p, rel=1e-5)
    assert list(score_lines(model, text[::-1])) == list(score_lines(model, text))[::-1]


def test_lines_are_answered_as_they_come_or_a_window_later() -> None:
    model = random_model(ModelSettings("rnn", hidden=3, embed=3, tie=False), "word", 0)
    asked: list[int] = []

    def text() -> Iterator[str]:
        for n in range(20):
            asked.append(n)
            yield "Todd" if n % 3 else ""
        raise InputError("the rest cannot be read")

    scores = score_lines(model, text(), ahead=1)
    assert [len(asked) for _ in zip(scores, range(5), strict=False)] == [1, 2, 3, 4, 5]
    asked.clear()
    scores = score_lines(model, text(), ahead=8)
    assert next(scores).words == () and len(asked) == 8
    rest: list[SentenceScore] = []
    with pytest.raises(InputError):
        rest.extend(scores)
    assert len(rest) == 19


@pytest.mark.parametrize("threads", [1, 3])
def test_no_answer_waits_for_a_line_that_is_not_at_hand(threads: int) -> None:
    model = random_model(ModelSettings("rnn", hidden=3, embed=3, tie=False), "word", 0)
    ends, asked = (0, 3, 4, 50), [-1]  # the lines that came last, each time

    def text() -> Iterator[str]:
        for n in range(51):
            asked[0] = n
            yield "Todd met" if n % 3 else ""

    scores = score_lines(model, text(), threads, ahead=lambda: asked[0] not in ends)
    for n, _ in enumerate(scores):
        assert asked[0] == min(end for end in ends if end >= n)
    assert asked[0] == 50


@settings(max_examples=30)
@given(models(), lines)
def test_the_threads_of_blas_change_nothing(model: LanguageModel, text: list[str]) -> None:
    by_limit = []
    for limit in (1, 2, 4):
        with threadpool_limits(limit, user_api="blas"):
            by_limit.append(list(score_lines(model, text)))
    assert by_limit[0] == by_limit[1] == by_limit[2]


def test_the_threads_of_blas_change_nothing_where_there_is_work_for_them() -> None:
    network = ModelSettings(cell="gru", embed=256, hidden=512, tie=False)
    model = random_model(network, "word", 0)
    by_limit = []
    for limit in (1, 2, 4):
        with threadpool_limits(limit, user_api="blas"):
            by_limit.append(list(score_lines(model, [MANY, "Todd met Pete", MANY])))
    assert by_limit[0] == by_limit[1] == by_limit[2]
    assert by_limit[0][0] == by_limit[0][2]


@settings(max_examples=30)
@given(models(), lines, st.integers(1, 3))
def test_blank_lines_keep_their_place(model: LanguageModel, text: list[str], threads: int) -> None:
    results = list(score_lines(model, text, threads))
    assert [result.text for result in results] == text
    blank = [not model.vocabulary.split(line) for line in text]
    assert [not result.words for result in results] == blank
    cells = [row.split("\t") for row in printed(results)]
    assert [row[1:] == ["", "", "", "0", "0"] for row in cells] == blank


@settings(max_examples=30)
@given(models(), st.lists(sentences, max_size=4), st.integers(1, 3))
def test_an_utterance_id_changes_nothing(
    model: LanguageModel, text: list[str], threads: int
) -> None:
    named = [f"utt-{index}\t{line}" for index, line in enumerate(text)]
    results = list(score_utterances(model, [*named, "alone"], threads))
    assert [result.words for result in results[:-1]] == [score(model, line).words for line in text]
    assert [result.text for result in results] == [*named, "alone"]
    assert len(results[-1].words) == 1


@pytest.fixture(scope="module", params=["word", "char"])
def path(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model file."""
    path = tmp_path_factory.mktemp("invariance") / f"{request.param}.safetensors"
    network = ModelSettings(cell="lstm", embed=8, hidden=40, tie=False)
    model_file.save(random_model(network, request.param, 0), path)
    return path


def command(*arguments: object, stdin: str = "", threads: int = 1) -> list[str]:
    """The lines that ``lmtool score`` prints, in a process with its own number of threads."""
    done = subprocess.run(
        [sys.executable, "-m", "lmtool", "score", *map(str, arguments)],
        input=stdin.encode(),
        capture_output=True,
        env={
            **os.environ,
            "PYTHONPATH": str(Path(package).parents[1]),
            "OPENBLAS_NUM_THREADS": str(threads),
        },
        check=True,
    )
    return done.stdout.decode().splitlines()


@pytest.mark.parametrize("level", ["word", "sentence"])
def test_the_way_in_changes_nothing(path: Path, tmp_path: Path, level: str) -> None:
    text = ["Todd met Pete", "", "Zork saw the naïve cat " * 30, "Todd met Pete"]
    file = tmp_path / "text.txt"
    file.write_text("\n".join(text), encoding="utf-8")
    options = ("-m", path, "--format", "jsonl", "--level", level)  # all digits
    from_file = command(*options, "-f", file)
    assert from_file == command(*options, stdin="\n".join(text) + "\n", threads=2)
    assert from_file == command(*options, "-f", "-", stdin="\r\n".join(text), threads=4)
    spoken = [line for line in text if line]
    assert command(*options, *spoken) == [from_file[index] for index in (0, 2, 3)]
    assert command(*options, *reversed(spoken)) == [from_file[index] for index in (3, 2, 0)]


def test_tsv_prints_a_sentence_the_same_wherever_it_stands(path: Path) -> None:
    text = ["Todd met Pete", "the cat was calm", ""]
    rows = set()
    for order in itertools.permutations(text):
        shown = command("-m", path, "--format", "tsv", stdin="\n".join(order) + "\n")[1:]
        rows.add(shown[order.index("Todd met Pete")])
        assert shown[order.index("")] == "\t\t\t\t0\t0"
    assert len(rows) == 1
