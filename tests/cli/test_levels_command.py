"""Words and tokens on the command line: training, levels, the note on unknown words."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from lmtool.cli.app import main
from tests.cli.conftest import Run

LINES = ["Todd met Pete.", "Pete (not Todd) met the cat!", "the cat saw Todd.", "don't, Todd!"]
SMALL = ["--steps", 30, "--hidden", 12, "--embed", 8, "--batch", 4, "--bptt", 6, "--threads", 1]
Trained = Callable[..., Path]


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    """trained(*options) -> a model of the lines."""
    folder = tmp_path_factory.mktemp("levels")
    (folder / "c.txt").write_text("".join(f"{line}\n" for line in LINES * 10))

    def train(*options: object) -> Path:
        path = folder / f"{'-'.join(map(str, options))}.st"
        if not path.exists():
            words = ["train", folder / "c.txt", "-m", path, *SMALL, *options, "--quiet"]
            assert main([str(word) for word in words]) == 0
        return path

    return train


def test_training_names_both_perplexities(trained: Trained, run: Run, tmp_path: Path) -> None:
    corpus = trained("--tokens", "split").with_name("c.txt")
    log = tmp_path / "log"
    result = run("train", corpus, "-m", tmp_path / "m", "--tokens", "split", *SMALL, "--log", log)
    assert result.code == 0
    (done,) = (line for line in result.err.splitlines() if line.startswith("done"))
    assert "perplexity per word" in done and ", per token " in done
    (*_, last) = map(json.loads, log.read_text().splitlines())
    assert last["valid_perplexity"] > last["valid_perplexity_per_token"]
    assert re.search(r" tokens \(\d+ words\) to train on", result.err)


@pytest.mark.parametrize("tokens", ["split", "subword"])
def test_evaluate_names_both_perplexities(tokens: str, trained: Trained, run: Run) -> None:
    path = trained("--tokens", tokens)
    result = run("evaluate", "-", "-m", path, "--json", stdin="Todd met Pete!\n")
    record = json.loads(result.out)
    assert record["level"] == "word" and record["n_words"] == 3
    assert record["perplexity"] == record["perplexity_per_word"] > record["perplexity_per_token"]
    shown = run("evaluate", "-", "-m", path, stdin="Todd\n").out
    assert "\nperplexity_per_word\t" in shown and "\nperplexity_per_token\t" in shown


def test_score_by_word_and_by_token(trained: Trained, run: Run) -> None:
    path = trained("--tokens", "split")
    words = run("score", "-m", path, "--level", "word", "--format", "tsv", "Pete met Todd!")
    assert [row.split("\t")[1] for row in words.out.splitlines()] == [
        "word", "Pete", "met", "Todd!", "<EOS>",
    ]  # fmt: skip
    tokens = run("score", "-m", path, "--level", "token", "--format", "tsv", "Pete met Todd!")
    assert [row.split("\t")[1] for row in tokens.out.splitlines()] == [
        "word", "Pete", "met", "Todd", "!", "<EOS>",
    ]  # fmt: skip
    record = json.loads(run("score", "-m", path, "Pete met Todd!", "--json").out)
    assert [word["token"] for word in record["words"]] == ["Pete", "met", "Todd !", "<EOS>"]
    assert (record["level"], record["n_words"], record["n_tokens"]) == ("word", 3, 4)
    by_token = json.loads(run("score", "-m", path, "Pete met!", "--json", "--level", "token").out)
    assert by_token["level"] == "token" and len(by_token["words"]) == 4


@pytest.mark.parametrize("form", ["srilm", "kenlm", "rnnlm", "theanolm", "lmzoo", "complexity"])
def test_dialects_take_tokens(form: str, trained: Trained, run: Run) -> None:
    path = trained("--tokens", "split")
    by_word = run("score", "-m", path, "--format", form, "--level", "word", "Todd met!")
    by_token = run("score", "-m", path, "--format", form, "--level", "token", "Todd met!")
    assert by_word.code == by_token.code == 0
    assert "met!" in by_word.out and "met!" not in by_token.out


def test_a_format_without_words_has_no_tokens(trained: Trained, run: Run) -> None:
    path = trained("--tokens", "split")
    result = run("score", "-m", path, "--format", "kaldi", "--level", "token", "u Todd")
    assert result.code == 2 and "levels of kaldi: sentence" in result.err


def test_levels_change_nothing_where_words_are_tokens(model: Path, run: Run) -> None:
    levels = ("word", "token")
    for form in ("table", "tsv", "jsonl", "srilm", "complexity"):
        given = ("score", "-m", model, "--format", form, "Todd met", "--level")
        said = [run(*given, level) for level in levels]
        assert said[0] == said[1] and said[0].code == 0
    said = [run("surprisal", "-m", model, "--level", x, "Todd met") for x in levels]
    assert said[0] == said[1] and "level" not in said[0].out


def test_surprisal_by_token(trained: Trained, run: Run, tmp_path: Path) -> None:
    path = trained("--tokens", "subword", "--vocab-size", 20)
    rows = run("surprisal", "-m", path, "Todd met", "--level", "token", "--columns", "word,level")
    assert rows.out.splitlines()[1].endswith("\ttoken")
    words = run("surprisal", "-m", path, "Todd met", "--columns", "word,level,token")
    assert [row.split("\t")[0] for row in words.out.splitlines()[1:]] == ["Todd", "met", "<EOS>"]
    (table := tmp_path / "t.csv").write_text("s,w\n1,Todd\n1,met Pete.\n2,cat\n")
    grouped = ("surprisal", "-m", path, "-f", table, "--text", "w", "--group", "s")
    values = [row.split("\t") for row in run(*grouped, "--columns", "w,length").out.splitlines()]
    assert values[1:] == [["Todd", "4"], ["met Pete.", "9"], ["cat", "3"]]
    assert run(*grouped, "--level", "token").code == 2


def test_samples_count_words(trained: Trained, run: Run) -> None:
    path = trained("--tokens", "subword", "--vocab-size", 20)
    drawn = run("sample", "-m", path, "--max-words", 3, "-n", 20, "--seed", 1)
    lengths = [len(line.removesuffix(" ...").split()) for line in drawn.out.splitlines()]
    assert max(lengths) == 3
    record = json.loads(run("sample", "-m", path, "--seed", 1, "--json").out)
    assert record["level"] == "token"


@pytest.mark.parametrize(
    ("options", "text", "advice"),
    [
        ([], "Todd saw Pete, the Cat, Todd, the cat,", "--tokens split it would know 3 of 4"),
        ([], "TODD, CAT, SAW, PETE? MET! NOT, THE?", "--tokens split --lower it would know"),
        ([], "The Cat Saw the cat saw THE CAT SAW", "with --lower it would know 6 of 6"),
        ([], "a b c d e f g h i j", "train it with --tokens subword"),
        (["--tokens", "split"], "a b c d e f g h i j", "train it with --tokens subword"),
        (["--tokens", "subword"], "日 本 語 日 本 語 日 本 語 日", "text with their characters"),
    ],
)
@pytest.mark.parametrize("command", ["score", "surprisal"])
def test_many_unknown_words_are_noted_once(
    command: str, options: list[str], text: str, advice: str, trained: Trained, run: Run
) -> None:
    result = run(command, "-f", "-", "-m", trained(*options), stdin=f"{text}\n{text}\n")
    (said,) = result.err.splitlines()
    assert said.startswith("note: ") and "unknown to the model (" in said
    assert advice in said


def test_few_unknown_words_are_not_noted(trained: Trained, run: Run) -> None:
    text = "Todd met Pete. the cat saw Todd. Zork met Pete.\n"
    assert run("score", "-m", trained(), "-f", "-", stdin=text).err == ""
    assert run("score", "-m", trained(), "Zork met Xerxes").err == ""


@pytest.mark.parametrize("tokens", ["split", "subword", "char"])
def test_classifiers_read_any_tokens(tokens: str, run: Run, tmp_path: Path) -> None:
    lines = [f"good\tWell, it's nice {n % 7}!\nbad\tNo, it isn't {n % 5}!\n" for n in range(60)]
    (path := tmp_path / "t.tsv").write_text("".join(lines))
    words = ["train", path, "--writes", "label", "--tokens", tokens, "-m", tmp_path / "m"]
    trained = run(*words, "--steps", 60, "--hidden", 8, "--embed", 8, "--threads", 1)
    assert trained.code == 0, trained.err
    answers = run("classify", "-m", tmp_path / "m", "Well, it's nice", "No, it isn't", "--json")
    assert [json.loads(line)["label"] for line in answers.out.splitlines()] == ["good", "bad"]


@pytest.mark.parametrize("tokens", ["split", "subword", "char"])
def test_taggers_read_words(tokens: str, run: Run, tmp_path: Path) -> None:
    (path := tmp_path / "t.txt").write_text("Todd B-PER\nmet O\n\n" * 9)
    result = run("train", path, "--writes", "tags", "--tokens", tokens, "-m", tmp_path / "m")
    assert (result.code, result.err.count("\n")) == (2, 1)
    assert f"--tokens {tokens}: words are tagged" in result.err
