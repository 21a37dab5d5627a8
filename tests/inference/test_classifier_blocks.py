"""What is said of a text is its own: neighbours, blocks, threads and the way in change no bit."""

import io
import json
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from threadpoolctl import threadpool_limits

from lmtool import model_file
from lmtool.cli.app import main
from lmtool.data.ragged import Ragged
from lmtool.data.readers.labelled import Record
from lmtool.errors import InputError, ModelFileError
from lmtool.faces.classifier import Classifier as Face
from lmtool.inference import reading
from lmtool.inference.classification import (
    Classification,
    classify,
    classify_lines,
    evaluate_labelled,
)
from lmtool.inference.classify import Classifier, Parts
from lmtool.models.classifier import shapes
from lmtool.models.members import all_shapes
from lmtool.nn.cells import CELLS
from lmtool.nn.parameters import Parameters
from lmtool.nn.pool import POOLS
from lmtool.settings import TextSettings
from lmtool.settings.classifier import NO_CELL, ClassifierSettings
from lmtool.text.labels import Labels
from lmtool.text.ngrams import Ngrams
from lmtool.text.vocabulary import Vocabulary

WORDS = ("good", "bad", "the", "ending", "Zork", "naïve")
TEXT = ("the good ending", "bad", "the bad ending good")
BLANK = ("", " ", "\t")

cached: dict[ClassifierSettings, Classifier] = {}


def random_model(network: ClassifierSettings) -> Classifier:
    """Random weights, large enough that every probability is its own."""
    vocabulary, several = Vocabulary.build(TEXT, TextSettings()), network.labelling == "sigmoid"
    labels = Labels.from_counts({"1": 3, "3": 4, "5": 9}, several)
    wide = None
    if network.ngrams:
        words = np.array(vocabulary.encode(" ".join(TEXT * 2)), np.int32)
        wide = Ngrams.build(words, np.array([0, len(words)]), vocabulary.n_tokens, network.ngrams)
    parts = Parts(vocabulary, labels, wide, 1.3)
    parameters = Parameters(all_shapes(shapes(network, parts.sizes()), network.members))
    parameters.flat[:] = np.random.default_rng(0).normal(0, 0.5, parameters.flat.size)
    return Classifier(network, parts, parameters, {"recipe": {}})


@st.composite
def models(draw: st.DrawFn) -> Classifier:
    """A random network."""
    network = ClassifierSettings(
        cell=draw(st.sampled_from([*CELLS, NO_CELL])),
        layers=draw(st.integers(1, 2)),
        both=draw(st.booleans()),
        embed=8,
        hidden=draw(st.sampled_from([3, 40])),
        pool=draw(st.sampled_from(sorted(POOLS))),
        ngrams=draw(st.sampled_from([0, 2])),
        members=draw(st.sampled_from([1, 2])),
        labelling=draw(st.sampled_from(["full", "sigmoid"])),
    )
    if network not in cached:
        cached[network] = random_model(network)
    return cached[network]


sentences = st.lists(st.sampled_from(WORDS), min_size=1, max_size=70).map(" ".join)
lines = st.lists(st.one_of(sentences, st.sampled_from(BLANK)), max_size=8)
PLAIN = ClassifierSettings(cell="lstm", embed=8, hidden=40, ngrams=2)


@settings(max_examples=80)
@given(models(), lines, st.data())
def test_any_blocks_and_threads_give_the_same_bits(
    model: Classifier, text: list[str], data: st.DataObject
) -> None:
    text = data.draw(st.permutations(text * 3))
    pace = data.draw(st.integers(1, 3)), data.draw(st.sampled_from([1, 2, 7, 1024]))
    alone = {line: classify(model, line) for line in text}
    assert list(classify_lines(model, text, None, *pace)) == [alone[line] for line in text]
    with threadpool_limits(data.draw(st.sampled_from([1, 2, 4])), user_api="blas"):
        assert list(classify_lines(model, text, 2)) == [classify(model, line, 2) for line in text]


@settings(max_examples=20)
@given(models(), st.lists(sentences, min_size=2, max_size=8), st.integers(1, 3))
def test_evaluation_knows_no_threads_and_no_order(
    model: Classifier, text: list[str], threads: int
) -> None:
    records = [Record(("1" if n % 2 else "5",), line, n, "t") for n, line in enumerate(text)]
    found = evaluate_labelled(model, records, threads)
    assert found == evaluate_labelled(model, iter(records))
    backwards = evaluate_labelled(model, records[::-1])
    assert (backwards.confusion, backwards.accuracy) == (found.confusion, found.accuracy)
    assert backwards.nats == pytest.approx(found.nats)


def test_long_and_short_texts_in_one_window(monkeypatch: pytest.MonkeyPatch) -> None:
    """Blocks that hold few long texts, and many short ones."""
    monkeypatch.setattr(reading, "STEPS", 200)
    model, sizes = random_model(PLAIN), list[int]()
    batch = Parts.batch

    def noted(self: Parts, sources: Ragged) -> object:
        sizes.append(len(sources))
        return batch(self, sources)

    monkeypatch.setattr(Parts, "batch", noted)
    text = ["good " * n for n in (1, 300, 2, 90, 1, 80, 1, 1, 1, 70, 5)]
    together = list(classify_lines(model, text))
    in_one_go = [1, 2, 2, 6] if model.block > 1 else [1] * len(text)
    assert sizes == in_one_go
    assert together == [classify(model, line) for line in text]


def test_the_way_one_by_one_gives_the_same_labels(monkeypatch: pytest.MonkeyPatch) -> None:
    model, text = random_model(PLAIN), ["the good ending", "", "Zork " * 300, "bad"]
    in_blocks = list(classify_lines(model, text))
    monkeypatch.setattr("lmtool.nn.rowwise.tile", lambda K, dtype: None)
    assert (model.block, Face(model).info()["reading"]) == (1, "one by one")
    found = list(classify_lines(model, text, threads=2))
    assert [one.label for one in found] == [one.label for one in in_blocks]
    for one, other in zip(found, in_blocks, strict=True):
        assert (one.p or 0.0) == pytest.approx(other.p or 0.0, rel=1e-5)
    assert list(classify_lines(model, text[::-1])) == found[::-1]


def test_how_it_reads_is_in_the_card() -> None:
    model = random_model(PLAIN)
    wanted = f"blocks of {model.block}" if model.block > 1 else "one by one"
    assert Face(model).info()["reading"] == wanted


def test_lines_are_answered_as_they_come_or_a_window_later() -> None:
    model, asked = random_model(PLAIN), list[int]()

    def text() -> Iterator[str]:
        for n in range(20):
            asked.append(n)
            yield "good" if n % 3 else ""
        raise InputError("the rest cannot be read")

    answers = Face(model).classify_lines(text(), ahead=1)
    assert [len(asked) for _ in zip(answers, range(5), strict=False)] == [1, 2, 3, 4, 5]
    asked.clear()
    answers = classify_lines(model, text(), ahead=8)
    assert next(answers).label is None and len(asked) == 8
    rest: list[Classification] = []
    with pytest.raises(InputError):
        rest.extend(answers)
    assert len(rest) == 19


def test_numbers_that_overflow_are_the_text_s_own() -> None:
    model = random_model(PLAIN)
    model.parameters["source.embedding.weight"][model.source("bad")[0]] = np.inf
    answers = classify_lines(model, ["good", "the ending", "bad", "good"])
    assert [next(answers).label for _ in range(2)] == [
        classify(model, line).label for line in ("good", "the ending")
    ]
    with pytest.raises(ModelFileError, match="overflow"):
        next(answers)


def test_argument_file_and_pipe_say_the_same(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    path, file = tmp_path / "m", tmp_path / "text.txt"
    model_file.save(random_model(PLAIN), path)
    text = ["the good ending", "", "Zork bad " * 40, "the good ending", "naïve"]
    file.write_text("\n".join(text), encoding="utf-8")

    def said(*arguments: object) -> list[dict[str, object]]:
        assert main(["classify", "-m", str(path), "--json", *map(str, arguments)]) == 0
        return [json.loads(line) for line in capsys.readouterr().out.splitlines()]

    found = said("-f", file, "--threads", 2)
    assert found == said("-f", file, "--threads", 1)
    assert [said(line)[0] for line in text if line] == [one for one in found if one["text"]]
    assert found[0] == found[3]
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(file.read_bytes())))
    assert found == said("-")
    with file.open(encoding="utf-8") as redirected:
        monkeypatch.setattr(sys, "stdin", redirected)
        assert found == said()
