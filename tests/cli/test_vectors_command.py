"""``lmtool neighbours``, ``analogy``, ``vectors``: of a model whose vectors are made by hand."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.vectors import model as with_vectors
from tests.vectors import royal

Run = Callable[..., Any]


@pytest.fixture
def words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The model in a file."""
    monkeypatch.chdir(tmp_path)
    path = Path("words.safetensors")
    with_vectors(royal()).save(path)
    return path


def objects(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def test_neighbours(words: Path, run: Run) -> None:
    result = run("neighbours", "-m", words, "man", "apple", "-k", 2)
    assert result.code == 0 and result.err == ""
    header, *rows = [line.split("\t") for line in result.out.splitlines()]
    assert header == ["question", "word", "value"]
    assert [row[0] for row in rows] == ["man", "man", "apple", "apple"]
    assert rows[0][1:] == ["woman", "0.6"] and rows[2][1] == "orange"


def test_analogy(words: Path, run: Run) -> None:
    for more in ([], ["--cosmul"], ["--metric", "euclidean"], ["--metric", "manhattan"]):
        result = run("analogy", "-m", words, "man", "king", "woman", "-k", 1, *more)
        assert result.code == 0
        assert result.out.splitlines()[1].startswith("man king woman\tqueen\t")


def test_json(words: Path, run: Run) -> None:
    (one,) = objects(run("analogy", "-m", words, "man", "king", "woman", "-k", 1, "--json").out)
    assert one["question"] == "man king woman" and one["neighbours"][0]["word"] == "queen"
    assert (one["metric"], one["matrix"]) == ("cosine", "target")
    near = objects(run("neighbours", "-m", words, "--json", "-k", 3, "man", "king").out)
    assert [(x["question"], len(x["neighbours"])) for x in near] == [("man", 3), ("king", 3)]


def test_the_arithmetic(words: Path, run: Run) -> None:
    call = ("analogy", "-m", words, "man", "king", "woman", "-k", 1, "--explain")
    lines = run(*call, "--metric", "euclidean").out.splitlines()
    assert lines[0].split() == ["1", "2", "3", "length"]
    assert lines[1].split() == ["king", "1.0000", "1.5000", "0.5000", "1.8708"]
    assert lines[2].split()[:3] == ["-", "man", "1.0000"]
    assert lines[4].split() == ["=", "sum", "1.0000", "1.5000", "-0.5000", "1.8708"]
    assert lines[6].split() == ["cos", "king", "cos", "man", "cos", "woman", "euclidean"]
    assert lines[7].split()[0] == "queen" and lines[7].split()[-1] == "0.0000"
    assert sum("(in the question)" in line for line in lines) == 3
    assert run(*call, "--cosmul").out.splitlines()[-1].startswith("s = (cos + 1) / 2")
    (one,) = objects(run(*call, "--metric", "euclidean", "--json").out)
    assert one["vectors"]["sum"] == [1.0, 1.5, -0.5]
    assert [row["left_out"] for row in one["rows"]] == [False, True, True, True]
    assert set(one["rows"][0]["cosines"]) == {"a", "b", "c"}


def test_counting_is_no_training(run: Run, tmp_path: Path) -> None:
    (tmp_path / "t.txt").write_text("Todd met Pete\nPete met Todd\n" * 10)
    result = run("train", "--writes", "vectors", tmp_path / "t.txt", "-m", tmp_path / "v.st")
    lines = [x for x in result.err.splitlines() if not x.startswith("compiling")]
    assert [x.split()[0] for x in lines[:2]] == ["corpus", "model"] and "counted" in lines[1]
    assert any(x.startswith("done      in 0:0") for x in lines)
    assert not [x for x in lines if x.startswith(("training", "epoch", "speed"))]


def test_files_and_standard_input(words: Path, run: Run, tmp_path: Path) -> None:
    questions = tmp_path / "questions.txt"
    questions.write_text("man king woman\n\nking man queen\n")
    rows = run("analogy", "-m", words, "-f", questions, "-k", 1).out.splitlines()
    assert rows[0] == "line\tquestion\tword\tvalue"
    assert [row.split("\t")[:3] for row in rows[1:]] == [
        ["1", "man king woman", "queen"],
        ["3", "king man queen", "woman"],
    ]
    lines = objects(run("analogy", "-m", words, "--json", stdin=questions.read_text()).out)
    assert [line["line"] for line in lines] == [1, 2, 3] and lines[1]["question"] == ""
    done = run("analogy", "-m", words, "--json", "--explain", "-f", questions)
    assert [line.get("line") for line in objects(done.out)] == [1, 2, 3]
    assert run("analogy", "-m", words, "--explain", "-f", questions).out.count("= sum") == 2
    near = run("neighbours", "-m", words, "-", "-k", 1, stdin="man\nking\n").out.splitlines()
    assert [row.split("\t")[0] for row in near[1:]] == ["1", "2"]


def test_an_unknown_word_is_one_line(words: Path, run: Run, tmp_path: Path) -> None:
    result = run("neighbours", "-m", words, "kingg")
    assert result.code == 1 and result.out == "" and result.err.count("\n") == 1
    assert "'kingg': no such word in the vocabulary; spelled like it: 'king'" in result.err
    questions = tmp_path / "q"
    questions.write_text("man king woman\nman king vrouw\n")
    result = run("analogy", "-m", words, "-f", questions)
    assert result.code == 1 and f"{questions}:2: 'vrouw': no such word" in result.err
    ugly = run("neighbours", "-m", words, "\x1b[2Jking")
    assert ugly.code == 1 and "\x1b" not in ugly.err


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("man king", ":1: 2 words; a question is 3 words a line"),
        ("man king woman queen", ":1: 4 words"),
        ("man\0king woman", "looks binary"),
    ],
)
def test_bad_lines(words: Path, run: Run, tmp_path: Path, line: str, says: str) -> None:
    path = tmp_path / "q.txt"
    path.write_text(f"{line}\n")
    result = run("analogy", "-m", words, "-f", path)
    assert result.code == 1 and says in result.err and result.err.count("\n") == 1


def test_wrong_usage(words: Path, run: Run, corpus: Path) -> None:
    assert run("analogy", "-m", words, "man", "king").code == 2
    assert run("analogy", "-m", words, "man", "king", "woman", "-f", corpus).code == 2
    assert run("neighbours", "-m", words, "man", "-").code == 2
    assert run("neighbours", "-m", words, "-", "-f", "-").code == 2
    both = run("analogy", "-m", words, "man", "king", "woman", "--cosmul", "--metric", "manhattan")
    assert both.code == 1 and "--cosmul and --metric manhattan contradict" in both.err
    for more in (["--metric", "dice"], ["--matrix", "source"], ["-k", 0]):
        assert run("neighbours", "-m", words, "man", *more).code == 2


def test_a_translator_has_two_matrices(run: Run, tmp_path: Path) -> None:
    (tmp_path / "a").write_text("der Hund\ndie Katze\n" * 10)
    (tmp_path / "b").write_text("the dog\nthe cat\n" * 10)
    path = tmp_path / "m.safetensors"
    small = ("--steps", 3, "--hidden", 4, "--embed", 4, "--members", 2, "--quiet")
    sides = (tmp_path / "a", tmp_path / "b")
    told = ("--reads", "text", "--tokens", "word", "-m", path)
    assert run("train", *sides, "--valid", sides[0], "--valid", sides[1], *told, *small).code == 0
    result = run("neighbours", "-m", path, "Hund", "--json")
    assert "matrix    source: words that are read about (--matrix)" in result.err
    assert objects(result.out)[0]["matrix"] == "source"
    assert run("neighbours", "-m", path, "dog").code == 1
    result = run("neighbours", "-m", path, "dog", "--matrix", "target", "--json")
    assert objects(result.out)[0]["matrix"] == "target" and "target: words that are" in result.err


def test_labels_and_what_reads_no_words(run: Run, tmp_path: Path) -> None:
    (tmp_path / "l.tsv").write_text("good\ta fine film\nbad\ta dull film\n" * 10)
    path = tmp_path / "c.safetensors"
    small = ("--steps", 3, "--hidden", 4, "--members", 1, "--quiet")
    assert run("train", "--writes", "label", tmp_path / "l.tsv", "-m", path, *small).code == 0
    assert objects(run("neighbours", "-m", path, "FILM", "--json").out)[0]["matrix"] == "source"
    frames = [{"label": "ab"[i % 2], "vector": [i % 2, 1.0]} for i in range(20)]
    (tmp_path / "v.jsonl").write_text("\n".join(map(json.dumps, frames)))
    path = tmp_path / "v.safetensors"
    kind = ("--reads", "vector", "--writes", "label")
    assert run("train", *kind, tmp_path / "v.jsonl", "-m", path, *small).code == 0
    clips = [{"text": "ab"[i % 2], "frames": [[i % 2, 1.0]] * 3} for i in range(20)]
    (tmp_path / "f.jsonl").write_text("\n".join(map(json.dumps, clips)))
    heard = tmp_path / "f.safetensors"
    assert run("train", "--reads", "frames", tmp_path / "f.jsonl", "-m", heard, *small).code == 0
    for command in (("neighbours", "-m", path, "film"), ("vectors", "-m", heard)):
        result = run(*command)
        assert result.code == 1 and "word vectors: the model has none" in result.err


def test_vectors_as_text(words: Path, run: Run, tmp_path: Path) -> None:
    result = run("vectors", "-m", words)
    lines = result.out.splitlines()
    assert lines[0] == "8 3" and lines[3] == "man 1 0 0.5" and result.err == ""
    done = run("vectors", "-m", words, "-o", "w.vec")
    assert done.code == 0 and done.out == "" and "vectors   w.vec" in done.err
    assert Path("w.vec").read_text() == result.out
    again = run("vectors", "-m", words, "-o", "w.vec")
    assert again.code == 1 and "--overwrite or another --output" in again.err
    assert run("vectors", "-m", words, "-o", "w.vec", "--overwrite").code == 0
    assert run("vectors", "-m", words, "-o", "w.npy").code == 0
    assert Path("w.words").read_text().split() == [*royal().words]


def test_how_good_they_are(words: Path, run: Run) -> None:
    Path("q").write_text(": royal\nman king woman queen\nman king woman pear\n")
    Path("p").write_text("man,woman,5\napple,orange,9\nman,apple,1\nman,pear,2\n")
    result = run("vectors", "-m", words, "--analogies", "q", "--similarity", "p")
    assert result.code == 0
    rows = [line.split() for line in result.out.splitlines()]
    assert rows[1] == ["royal", "100.00", "%", "1", "1", "2"]
    assert rows[2] == ["total", "100.00", "%", "1", "1", "2"]
    assert "coverage 50.00 %: all words are known in 1 of 2 questions" in result.out
    assert "Spearman 1.0000 (cosine)" in result.out
    assert "coverage 75.00 %: all words are known in 3 of 4 pairs" in result.out
    assert result.out.count("equally far apart") == 2
    both = objects(
        run("vectors", "-m", words, "--analogies", "q", "--similarity", "p", "--json").out
    )
    assert both[0]["file"] == "q" and both[0]["accuracy"] == 1 and both[0]["coverage"] == 0.5
    assert both[1]["spearman"] == pytest.approx(1) and both[1]["n"] == 3
    piped = run("vectors", "-m", words, "--analogies", "-", "--json", stdin=Path("q").read_text())
    assert objects(piped.out)[0]["n_questions"] == 2


def test_wrong_usage_of_vectors(words: Path, run: Run) -> None:
    Path("q").write_text("")
    empty = run("vectors", "-m", words, "--analogies", "q")
    assert empty.code == 1 and "q: no question in it" in empty.err and empty.err.count("\n") == 1
    Path("q").write_text("man king wo")
    cut = run("vectors", "-m", words, "--analogies", "q")
    assert cut.code == 1 and cut.out == "" and "q:1: 3 words where" in cut.err
    for more in (
        ["-o", "x", "--analogies", "q"],
        ["--overwrite", "--similarity", "q"],
        ["--json"],
        ["--analogies", "-", "--similarity", "-"],
    ):
        assert run("vectors", "-m", words, *more).code == 2
    assert not Path("x").exists()
