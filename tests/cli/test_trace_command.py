"""``lmtool trace`` from the outside: steps, products, gradients, and what users get wrong."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lmtool import model_file
from tests.conftest import tiny

Run = Callable[..., Any]


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory, vocabulary: Any) -> list[Path]:
    """A simple network and one with gates."""
    folder = tmp_path_factory.mktemp("models")
    paths = [folder / "rnn.safetensors", folder / "lstm.safetensors"]
    for path in paths:
        model_file.save(tiny(vocabulary, path.stem, hidden=4, embed=3, tie=False), path)
    return paths


def test_a_step_with_its_products(run: Run, models: list[Path]) -> None:
    out = run("trace", "Todd met Zork", "--step", 2, "-m", models[0]).out
    assert out.startswith("rnn tanh, 1 layer, V 9, E 3, H 4, not tied; a_0 = 0")
    assert "Zork as <UNK>" in out
    assert re.search(
        r"^\[a_1 x_2\] W_a +1 x 7 \. 7 x 4 = 1 x 4 .* = a_1 W_aa \+ x_2 W_ax", out, re.M
    )
    assert re.search(r"^x_2 = one-hot E +1 x 9 \. 9 x 3 = 1 x 3 .*\(difference 0\)$", out, re.M)
    assert "step 2" in out and "step 1" not in out


def test_all_steps_are_explained_where_none_is_named(run: Run, models: list[Path]) -> None:
    out = run("trace", "Todd met Pete", "-m", models[1]).out
    assert [f"step {t}" in out for t in (1, 4, 5)] == [True, True, False]
    assert "c_4 = f_4 * c_3 + i_4 * g_4" in out


def test_the_sum_of_a_gradient(run: Run, models: list[Path]) -> None:
    out = run("trace", "Todd met Pete", "--back", 3, "-m", models[0]).out
    assert "dL_3/dW_a = sum over k of dL_3/dp_3 . dp_3/da_3 . da_3/da_k . da_k/dW_a" in out
    assert "equal to BPTT: largest difference" in out and "NOT" not in out
    assert "1 x 9 . 9 x 4 . 4 x 4 = 1 x 4; 7 x 1 . 1 x 4 = 7 x 4" in out
    shares = [float(x) for x in re.findall(r"(-?[\d.]+) %  ", out)]
    assert len(shares) == 3 and sum(shares) == pytest.approx(100, abs=0.2)


def test_models_side_by_side_are_each_alone(run: Run, models: list[Path]) -> None:
    asked = ["trace", "Todd met Pete", "--back", 3]
    both = run(*asked, "-m", models[0], "-m", models[1])
    assert [line[0] for line in both.out.splitlines()[-2:]] == ["A", "B"]
    assert both.out.splitlines()[0].split()[-4:] == ["B", "|da_3/da_k|", "B", "share"]
    records = run(*asked, "-m", models[0], "-m", models[1], "--json").out.splitlines()
    alone = [run(*asked, "-m", path, "--json").out.strip() for path in models]
    assert records == alone


def test_json(run: Run, models: list[Path]) -> None:
    found = json.loads(run("trace", "Todd met", "--back", 2, "-m", models[1], "--json").out)
    assert (found["n_steps"], found["cell"], found["sizes"]["V"]) == (3, "lstm", 9)
    assert found["back"]["terms"][0]["kept"] == 1 and set(found["steps"][0]["state"]) == {"a", "c"}
    score = json.loads(run("score", "Todd met", "-m", models[1], "--json").out)
    assert [step["p"] for step in found["steps"]] == [word["p"] for word in score["words"]]


def test_a_long_line_says_what_is_shown(run: Run, models: list[Path]) -> None:
    out = run("trace", "Todd " * 10_000, "--step", 9_000, "-m", models[0]).out
    assert "steps 8,989 to 9,000 of 10,001; --step T shows another one, --all all of them" in out
    assert len(out.splitlines()) < 50


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["Todd met", "--back", 9], 1, "--back 9: the sentence has 3 steps, <EOS> among them"),
        (["Todd met", "--step", 0], 2, "--step: must be at least 1"),
        (["  "], 1, "nothing to trace: the sentence is empty"),
        (["Todd", "--member", 2], 1, "--member 2: the model has 1"),
        ([], 2, "Missing argument"),
    ],
)
def test_bad_input_is_one_line(
    run: Run, models: list[Path], arguments: list[Any], code: int, message: str
) -> None:
    result = run("trace", *arguments, "-m", models[0])
    assert result.code == code and message in result.err
    assert len(result.err.splitlines()) == 1 and not result.out


def test_other_tokens_cannot_stand_side_by_side(
    run: Run, models: list[Path], corpus: Path, tmp_path: Path
) -> None:
    letters = tmp_path / "letters.safetensors"
    options = ["--tokens", "char", "--steps", 1, "--hidden", 4, "--quiet"]
    assert run("train", corpus, *options, "-m", letters).code == 0
    result = run("trace", "Todd", "--back", 1, "-m", models[0], "-m", letters)
    assert result.code == 0  # <EOS> is the first input of both
    result = run("trace", "Todd", "--back", 2, "-m", models[0], "-m", letters)
    assert result.code == 1 and "read the sentence in other tokens" in result.err


def test_n_grams_alone_have_no_steps(run: Run, corpus: Path, tmp_path: Path) -> None:
    counted = tmp_path / "counted.safetensors"
    assert run("train", corpus, "--ngram", 2, "--members", 0, "-m", counted, "--quiet").code == 0
    for name in ("trace", "gradcheck"):
        result = run(name, "Todd met", "-m", counted)
        assert result.code == 1 and "the model has no network of its own" in result.err


def test_another_kind_is_told_what_fits(run: Run, tmp_path: Path) -> None:
    texts, model = tmp_path / "t.tsv", tmp_path / "c.safetensors"
    texts.write_text("good\tone two\nbad\ttwo three\n" * 9)
    options = ["--writes", "label", "--steps", 1, "--hidden", 4, "--quiet"]
    assert run("train", texts, *options, "-m", model).code == 0
    result = run("trace", "one two", "-m", model)
    assert result.code == 1
    assert "is a classifier (classify, evaluate), not a language model" in result.err
    assert run("gradcheck", "one two", "-m", model, "--entries", 4).code == 0
    assert "no other source" in run("gradcheck", "one", "--given", "x", "-m", model).err
