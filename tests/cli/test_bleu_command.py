"""lmtool bleu from the outside."""

import gzip
import json
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import lmtool
from tests.cli.conftest import Run

DOG = "The dog the dog hiding under the bed"
FILES = {
    "one": "The dog is hiding under the bed\nPete met Todd near the sea\na b\n",
    "two": "There is a dog hiding under the bed\nTodd met Pete at the sea\nb a\n",
    "hyp": f"{DOG}\nPete met Todd at the sea\n\n",
    "other": "The dog is hiding\nPete saw Todd near the sea\na b\n",
    "dog": f"{DOG}\n",
    "dog1": "The dog is hiding under the bed\n",
    "dog2": "There is a dog hiding under the bed\n",
    "short": "a\n",
    "empty": "",
}
SIGNATURE = f"nrefs:2|case:mixed|tok:none|smooth:exp|version:lmtool-{lmtool.__version__}"


@pytest.fixture(autouse=True)
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder to be in."""
    for name, text in FILES.items():
        (tmp_path / name).write_text(text)
    (tmp_path / "one.gz").write_bytes(gzip.compress(FILES["one"].encode()))
    (tmp_path / "binary").write_bytes(b"a\0b\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_number_its_parts_and_its_signature(run: Run) -> None:
    result = run("bleu", "dog1", "dog2", "-f", "dog")
    assert (result.code, result.err) == (0, "")
    first, _, heads, *rows, _, last = result.out.splitlines()
    assert first == (
        "BLEU = 57.21, 75.0/71.4/50.0/40.0 (BP=1.000, ratio=1.000, hyp_len=8, ref_len=8)"
    )
    assert heads.split() == ["n", "matched", "counted", "precision", "BLEU-n"]
    assert rows[1].split() == ["2", "5", "7", "71.43", "73.19"]
    assert last == SIGNATURE


def test_standard_input_files_and_gzip_are_alike(run: Run) -> None:
    named = run("bleu", "one", "two", "-f", "hyp")
    assert named.code == 0
    assert run("bleu", "one", "two", stdin=FILES["hyp"]) == named
    assert run("bleu", "one.gz", "two", "-f", "-", stdin=FILES["hyp"].encode()) == named
    assert run("bleu", "-", "two", "-f", "hyp", stdin=FILES["one"]) == named
    assert run("bleu", "two", "one", "-f", "hyp", stdin="") == named


def test_json_is_that_of_python(run: Run) -> None:
    value = json.loads(run("bleu", "one", "two", "-f", "hyp", "--json", "--lower").out)
    own = lmtool.bleu("hyp", [Path("one"), Path("two")], lower=True).to_dict()
    assert value == {"file": "hyp"} | json.loads(json.dumps(own))
    fields = ("bleu", "bleu_1", "bleu_2", "bleu_3", "bleu_4", "signature", "length_ratio")
    assert all(name in value for name in fields) and "|case:lc|" in value["signature"]


def test_a_result_for_each_file(run: Run) -> None:
    shown = run("bleu", "one", "-f", "hyp", "-f", "other").out
    alone = [run("bleu", "one", "-f", name).out for name in ("hyp", "other")]
    assert shown == f"hyp\n{alone[0]}\nother\n{alone[1]}"
    lines = run("bleu", "one", "-f", "hyp", "-f", "other", "--json").out.splitlines()
    assert [json.loads(line)["file"] for line in lines] == ["hyp", "other"]


def test_a_score_a_line(run: Run) -> None:
    result = run("bleu", "one", "two", "-f", "hyp", "--sentence")
    own = lmtool.sentence_bleu("hyp", [Path("one"), Path("two")])
    assert result.out == "".join(f"{one.bleu:.2f}\n" for one in own)
    assert result.err == SIGNATURE.replace("|tok", "|eff:yes|tok") + "\n"
    assert result.out.splitlines()[2] == "0.00"  # of the blank line
    lines = run("bleu", "one", "two", "-f", "hyp", "--sentence", "--json").out.splitlines()
    values = [json.loads(line) for line in lines]
    assert [(one["line"], one["text"]) for one in values[:1]] == [(1, DOG)]
    assert [one["bleu"] for one in values] == [one.bleu for one in own]


def test_it_is_worked_out(run: Run) -> None:
    """The arithmetic of the lecture, lower-cased."""
    out = run("bleu", "dog1", "dog2", "-f", "dog", "--explain", "--lower").out
    rows = [line.split() for line in out.splitlines()]
    assert ["the", "3", "2", "1", "2"] in rows and ["dog", "the", "1", "0", "0", "0"] in rows
    assert ["hiding", "under", "the", "bed", "1", "1", "1", "1"] in rows
    for line in (
        "p_1 = 6 / 8 = 0.7500",
        "p_4 = 2 / 5 = 0.4000",
        "BP = 1.0000   (8 words, 8 in the closest reference)",
        "BLEU-2 = 1.0000 x (0.7500 x 0.7143)^(1/2) = 73.19 %",
        "BLEU-4 = 1.0000 x (0.7500 x 0.7143 x 0.5000 x 0.4000)^(1/4) = 57.21 %",
    ):
        assert line in out.splitlines()
    assert out.endswith(run("bleu", "dog1", "dog2", "-f", "dog", "--lower").out)


def test_smoothing_and_shortness_are_worked_out(run: Run) -> None:
    out = run("bleu", "-", "--explain", "-f", "dog", stdin="There is a dog under the bed\n").out
    assert "p_4 = 0 / 5, smoothed 1 / (2 x 5) = 0.1000" in out
    out = run("bleu", "dog1", "--explain", stdin="The dog\n").out
    assert "BP = exp(1 - 7 / 2) = 0.0821   (2 words, 7 in the closest reference)" in out
    assert "p_3: no 3-gram" in out and "BLEU-4 = BLEU-2" in out
    out = run("bleu", "dog1", "--explain", stdin="\n").out
    assert "p_1: no 1-gram" in out and "BLEU-1 = 0.0000 x 0.0000 = 0.00 %" in out


def test_each_sentence_is_worked_out(run: Run) -> None:
    out = run("bleu", "one", "two", "-f", "hyp", "--explain").out
    assert [line for line in out.splitlines() if line.startswith("sentence")] == [
        "sentence 1", "sentence 2", "sentence 3",
    ]  # fmt: skip
    lines = run("bleu", "one", "two", "-f", "hyp", "--explain", "--json").out.splitlines()
    *each, last = map(json.loads, lines)
    assert each[0]["references"][0] == "The dog is hiding under the bed"
    assert {"words": ["dog"], "count": 2, "references": [1, 1], "clipped": 1} in each[0]["ngrams"]
    assert last == json.loads(run("bleu", "one", "two", "-f", "hyp", "--json").out)


def test_two_translations(run: Run) -> None:
    options = ("bleu", "one", "-f", "hyp", "--versus", "other", "--resamples", 200)
    out = run(*options).out
    assert out.startswith("                 A hyp  B other\nbleu")
    assert "resamples of 3 sentences (seed 1)" in out and "95 % interval" in out
    value = json.loads(run(*options, "--json", "--seed", 7).out)
    own = lmtool.bleu("hyp", "one", versus="other", resamples=200, seed=7).to_dict()
    assert value == {"file": "hyp", "versus": "other"} | json.loads(json.dumps(own))
    assert run(*options) == run(*options)
    alone = run("bleu", "dog1", "-f", "dog", "--versus", "dog2").out
    assert "one sentence has no interval" in alone


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("one", "short", "-f", "hyp"), 1, "short: 1 line, but hyp has 3; each hypothesis"),
        (("one", "-f", "short"), 1, "one: 3 lines, but short has 1; each hypothesis"),
        (("one", "-f", "hyp", "--versus", "short"), 1, "short: 1 line, but hyp has 3"),
        (("one", "-f", "hyp", "-f", "short"), 1, "one: 3 lines, but short has 1"),
        (("one",), 1, "standard input: no hypotheses in it"),
        (("empty", "-f", "empty"), 1, "empty: no hypotheses in it"),
        (("empty", "-f", "hyp"), 1, "empty: 0 lines, but hyp has 3"),
        (("one", "-f", "none"), 1, "none: cannot be read"),
        (("none", "-f", "hyp"), 1, "none: cannot be read"),
        (("binary", "-f", "hyp"), 1, "binary:1: looks binary"),
        ((), 2, "REF..."),
        (("one", "-f", "hyp", "--sentence", "--explain"), 2, "contradict each other"),
        (("one", "-f", "hyp", "--sentence", "--versus", "one"), 2, "contradict each other"),
        (("one", "-f", "hyp", "--sentence", "--chrf"), 2, "contradict each other"),
        (("one", "-f", "hyp", "--seed", "2"), 2, "needs --versus HYP"),
        (("one", "-f", "hyp", "--tokenize", "intl"), 2, "--tokenize"),
        (("-", "-f", "-"), 2, "standard input can be read once only"),
        (("one", "-f", "hyp", "--versus", "-", "-f", "-"), 2, "read once only"),
    ],
)
def test_mistakes_are_one_line(arguments: Any, code: int, message: str, run: Run) -> None:
    result = run("bleu", *arguments)
    assert (result.code, result.out) == (code, "")
    assert message in result.err and result.err.count("\n") == 1


@pytest.mark.parametrize("options", [("--tokenize", "13a"), ("--chrf",), ("--explain", "--chrf")])
def test_a_missing_extra_is_named_before_anything_is_printed(
    options: tuple[str, ...], run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [name for name in sys.modules if name.startswith("sacrebleu.")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "sacrebleu", None)
    result = run("bleu", "one", "-f", "hyp", *options)
    assert (result.code, result.out) == (1, "") and result.err.count("\n") == 1
    assert "pip install 'lmtool[mt]'" in result.err and options[-2:][0] in result.err + "--explain"


def test_chrf_stands_beside(run: Run) -> None:
    pytest.importorskip("sacrebleu", reason="chrF is sacrebleu's")
    out = run("bleu", "one", "-f", "hyp", "--chrf").out
    assert "chrF2 = " in out and "chrF2|nrefs:1|" in out
    both = run("bleu", "one", "-f", "hyp", "--chrf", "--versus", "one", "--resamples", 9).out
    assert "\nchrf" in both
    value = json.loads(run("bleu", "one", "-f", "one", "--chrf", "--json").out)
    assert value["chrf"] == pytest.approx(100)


def test_nobody_waits_for_a_person(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    person = SimpleNamespace(stdin=SimpleNamespace(isatty=lambda: True))
    monkeypatch.setattr(sys.modules["lmtool.cli.bleu"], "sys", person)
    result = run("bleu", "one")
    assert result.code == 2 and "lmtool bleu REF < HYP" in result.err


def test_control_characters_stay_on_paper(run: Run, files: Path) -> None:
    (files / "bad").write_text("a \x1b[2J b\n")
    out = run("bleu", "bad", "-f", "bad", "--explain").out
    assert "\x1b" not in out and "\\x1b[2J" in out
