"""A sentence's printed score is its own, whoever stands beside it and however it comes."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lmtool import model_file
from lmtool.cli.formats import FORMATS, Job
from lmtool.inference.score import score, score_lines
from lmtool.inference.surprisal import surprisal_lines
from lmtool.models.language_model import LanguageModel
from lmtool.text.vocabulary import Vocabulary
from tests.conftest import tiny

words = st.sampled_from(["Todd", "met", "Pete", "the", "cat", "Zork", "é", "<unk>"])
lines = st.lists(words, max_size=12).map(" ".join)
texts = st.lists(lines, min_size=1, max_size=12)


@pytest.fixture(scope="module", params=["lstm", "gru", "rnn"])
def wide(request: pytest.FixtureRequest, vocabulary: Vocabulary) -> LanguageModel:
    """Wide enough for a BLAS to split its products."""
    return tiny(vocabulary, request.param, embed=96, hidden=160)


def printed(results: Any) -> list[str]:
    """The rows of TSV, header left out."""
    job = Job("sentence", False, "-", lambda token: 2)
    return list(FORMATS["tsv"].write(results, job))[1:]


@given(text=texts, data=st.data())
@settings(max_examples=25)
def test_neighbours_place_and_threads(wide: LanguageModel, text: list[str], data: Any) -> None:
    alone = {line: score(wide, line) for line in set(text) if line}
    order = data.draw(st.permutations(text))
    threads = data.draw(st.integers(1, 3))
    results = list(score_lines(wide, order, threads))
    assert [result.text for result in results] == order
    for line, result in zip(order, results, strict=True):
        assert result == alone[line] if line else result.words == ()
    assert printed(results) == [row for line in order for row in printed(score_lines(wide, [line]))]


@given(text=texts)
@settings(max_examples=10)
def test_surprisals_are_the_scores_whoever_stands_beside(
    wide: LanguageModel, text: list[str]
) -> None:
    for line, found in zip(text, surprisal_lines(wide, text, threads=2), strict=True):
        assert bool(found.words) == bool(line)
        if line:
            assert found.log10_p == pytest.approx(score(wide, line).log10_p, rel=1e-12)


def test_argument_file_and_stdin_with_any_number_of_threads(
    wide: LanguageModel, tmp_path: Path
) -> None:
    """Whole processes, whose BLAS is told to use one thread or four."""
    model_file.save(wide, tmp_path / "m", overwrite=True)
    text = ["Todd met Pete", "", "the cat met Zork", "Todd met Pete"]
    (tmp_path / "text").write_text("".join(f"{line}\n" for line in text))
    shown = set()
    for blas, options, given_text in (
        ("1", ["-f", "text"], ""),
        ("4", ["-f", "text", "--threads", "3"], ""),
        ("4", ["-f", "-"], (tmp_path / "text").read_text()),
    ):
        done = subprocess.run(
            [sys.executable, "-m", "lmtool", "score", "-m", "m", "--format", "jsonl", *options],
            cwd=tmp_path, input=given_text, capture_output=True, text=True, check=True,
            env={**os.environ, "OPENBLAS_NUM_THREADS": blas, "PYTHONPATH": source()},
        )  # fmt: skip
        shown.add(done.stdout)
    assert len(shown) == 1
    rows = shown.pop().splitlines()
    assert rows[0] == rows[3] and '"words": []' in rows[1]
    done = subprocess.run(
        [sys.executable, "-m", "lmtool", "score", "-m", "m", "--format", "jsonl", text[2]],
        cwd=tmp_path, capture_output=True, text=True, check=True,
        env={**os.environ, "PYTHONPATH": source()},
    )  # fmt: skip
    assert done.stdout.splitlines() == [rows[2]]


def source() -> str:
    """Where lmtool is imported from."""
    import lmtool

    return str(Path(lmtool.__file__).parents[1])


def test_a_sentence_of_5000_words(wide: LanguageModel) -> None:
    result = score(wide, "Todd met " * 2500)
    assert result.p == 0 and result.log10_p < -1000
    (row,) = printed([result])
    _, log10_p, p, *_ = row.split("\t")
    assert float(log10_p) < -1000 and int(p.split("e")[1]) == int(result.log10_p // 1)
