"""What is no list of lines, no text, no number is refused at once, whoever is given it."""

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import lmtool
from lmtool.api import Model, compare
from lmtool.errors import ConfigError, InputError
from lmtool.models.language_model import LanguageModel
from tests.conftest import tiny

Call = Callable[[Model, Any], Any]

LINES: dict[str, Call] = {  # what takes lines and no path
    "score_lines": lambda lm, x: lm.score_lines(x),
    "score_lines, threads": lambda lm, x: lm.score_lines(x, threads=2),
    "surprisal_lines": lambda lm, x: lm.surprisal_lines(x),
    "score_utterances": lambda lm, x: lm.score_utterances(x),
    "score_pairs": lambda lm, x: lm.score_pairs(x),
    "pairs": lambda lm, x: lm.pairs(x),
    "train": lambda lm, x: lmtool.train(sentences=x, steps=1),
    "plan": lambda lm, x: lmtool.plan(sentences=x, steps=1),
    "resume": lambda lm, x: lmtool.resume("m", sentences=x),
}
SOURCES: dict[str, Call] = {  # what takes a path or lines
    "evaluate": lambda lm, x: lm.evaluate(x),
    "evaluations": lambda lm, x: lm.evaluations(x),
    "compare": lambda lm, x: compare(lm, lm, x),
}
PATHS: dict[str, Call] = {  # what takes a path or several
    "train": lambda lm, x: lmtool.train(x, steps=1),
    "train, valid": lambda lm, x: lmtool.train(__file__, valid=x, steps=1),
    "plan": lambda lm, x: lmtool.plan(x, steps=1),
    "resume": lambda lm, x: lmtool.resume("m", corpus=x),
}
TEXTS: dict[str, Call] = {
    "score": lambda lm, x: lm.score(x),
    "surprisal": lambda lm, x: lm.surprisal(x),
    "next": lambda lm, x: lm.next(x),
    "sample": lambda lm, x: lm.sample(prompt=x),
    "samples": lambda lm, x: lm.samples(prompt=x),
}
NUMBERS: dict[str, Call] = {
    "sample, n": lambda lm, x: lm.sample(n=x),
    "samples, n": lambda lm, x: lm.samples(n=x),
    "sample, seed": lambda lm, x: lm.sample(seed=x),
    "next": lambda lm, x: lm.next("Todd", k=x),
    "score_lines": lambda lm, x: lm.score_lines([], threads=x),
    "surprisal_lines": lambda lm, x: lm.surprisal_lines([], threads=x),
    "score_utterances": lambda lm, x: lm.score_utterances([], threads=x),
    "score_pairs": lambda lm, x: lm.score_pairs([], threads=x),
    "evaluate": lambda lm, x: lm.evaluate(["Todd"], threads=x),
}
FILES: dict[str, Call] = {
    "load": lambda lm, x: lmtool.load(x),
    "save": lambda lm, x: lm.save(x),
    "train": lambda lm, x: lmtool.train(__file__, model=x, steps=1),
    "resume": lambda lm, x: lmtool.resume(x),
    "compare": lambda lm, x: compare(lm, x, ["Todd"]),
}


@pytest.fixture(scope="module")
def lm(lstm: LanguageModel) -> Model:
    return Model(lstm)


def each(calls: dict[str, Call]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("call", [pytest.param(f, id=name) for name, f in calls.items()])


@each(LINES)
@pytest.mark.parametrize("given", ["Todd met Pete", b"Todd met Pete", None, 3, Path("corpus.txt")])
def test_one_text_is_no_list_of_lines(call: Call, given: Any, lm: Model) -> None:
    if call in (LINES["train"], LINES["plan"], LINES["resume"]) and given is None:
        pytest.skip("the default")
    with pytest.raises(InputError, match=r"^(lines|pairs|sentences): .* is wanted, not .*; "):
        call(lm, given)  # before the first line is asked for


@each(LINES | SOURCES)
@pytest.mark.parametrize("wrong", [None, 3, b"Todd", 0.5])
def test_an_item_is_refused_with_its_index(call: Call, wrong: Any, lm: Model) -> None:
    if call is LINES["resume"]:
        pytest.skip("asks for its run first")
    pairs = call in (LINES["score_pairs"], LINES["pairs"])
    good: Any = ("Todd", "Pete") if pairs else "Todd met Pete"
    with pytest.raises(InputError, match=r"^\w+\[2\]: .* is wanted, not "):
        list(call(lm, [good, good, wrong]))


NO_PAIRS = ["ab", ("Todd",), ("a", "b", ("c",), 1, 2), ("Todd", 3), {"a", "b"}]


@pytest.mark.parametrize("pair", NO_PAIRS)
def test_what_is_no_pair(pair: Any, lm: Model) -> None:
    with pytest.raises(InputError, match=r"^pairs\[0\]"):
        lm.pairs([pair])


@each(SOURCES)
def test_a_str_is_a_path(call: Call, lm: Model, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"Todd met Pete: there is no such file; .*\[text\]"):
        call(lm, "Todd met Pete")
    with pytest.raises(InputError, match=r"Todd: cannot be read"):
        call(lm, "Todd")
    (tmp_path / "a file").write_text("Todd met Pete\n")
    assert call(lm, str(tmp_path / "a file")) == call(lm, ["Todd met Pete"])
    for wrong in (b"Todd", None, 3):
        with pytest.raises(InputError, match="source: "):
            call(lm, wrong)


@each(PATHS)
def test_sentences_are_no_paths(call: Call, lm: Model) -> None:
    for given in ("Todd met Pete", ["Todd met Pete", "Pete met Todd"]):
        with pytest.raises(InputError, match=r"Todd met Pete: there is no such file; .*="):
            call(lm, given)
    for wrong in (3, b"Todd", [3]):
        with pytest.raises(InputError, match=r"(corpus|valid)(\[0\])?: a path .*is wanted, not "):
            call(lm, wrong)


def test_either_a_corpus_or_sentences() -> None:
    for call in (lmtool.train, lmtool.plan):
        given: Any
        for given in ({}, {"corpus": "x", "sentences": ["Todd"]}):
            with pytest.raises(ConfigError, match=r"give either corpus=.* or sentences="):
                call(**given)
    with pytest.raises(ConfigError, match=r"give either corpus=.* or sentences="):
        lmtool.resume("m", corpus="x", sentences=["Todd"])


@each(TEXTS)
@pytest.mark.parametrize("wrong", [None, 3, b"Todd", ["Todd"]])
def test_a_text_is_a_str(call: Call, wrong: Any, lm: Model) -> None:
    with pytest.raises(InputError, match=r"^(text|prompt): a str is wanted, not "):
        call(lm, wrong)


@each(NUMBERS)
@pytest.mark.parametrize("wrong", ["3", 2.5, -1])
def test_a_number_is_whole(call: Call, wrong: Any, lm: Model) -> None:
    with pytest.raises(ConfigError, match=r"^\w+: must be (a whole number|at least)"):
        call(lm, wrong)


@each(FILES)
@pytest.mark.parametrize("wrong", [3, b"m", ["m"]])
def test_a_file_is_a_path(call: Call, wrong: Any, lm: Model) -> None:
    with pytest.raises(InputError, match=r"^(path|model): a path is wanted, not "):
        call(lm, wrong)


@pytest.mark.parametrize("tokens", ["word", "char"])
def test_an_open_file_is_its_lines(tokens: str, tmp_path: Path) -> None:
    path = tmp_path / "text"
    path.write_bytes(b"Todd met Pete\r\n\nPete met Todd\n")
    lm = lmtool.train(path, tokens=tokens, steps=1, hidden=4)
    with open(path, encoding="utf-8", newline="") as file:
        assert lm.evaluate(file) == lm.evaluate(path)
    assert lm.evaluate(io.StringIO("Todd met Pete\nPete met Todd")) == lm.evaluate(path)


def test_samples_are_a_list_or_drawn_one_by_one(vocabulary: Any) -> None:
    lm = Model(tiny(vocabulary, "gru"))
    drawn = lm.sample(n=4, seed=3)
    assert isinstance(drawn, list) and len(drawn) == 4
    lazy = lm.samples(n=10**12, seed=3)
    assert [next(lazy) for _ in range(4)] == drawn
