"""Readers of n-best lists: each format, and what is none."""

import gzip
from pathlib import Path

import pytest

from lmtool.data.readers.nbest import NBest, costs_of, read_nbest, referenced
from lmtool.errors import InputError
from tests.refused import refused

FILES = {
    "jsonl": '{"id": "u1", "hyps": ["a  b", "a"], "scores": [-1, -2.5], "ref": "a b", "x": [1]}\n\n'
    '{"hyps": [], "scores": []}\n'
    '{"wer_first": null, "wer": null, "weights": {}, "n": 2}\n',
    "translate": '{"source": "x", "text": "a", "hypotheses": [{"text": "a", "log10_p": -3.5,'
    ' "score": -1.5, "tokens": ["a"]}, {"text": "b", "log10_p": -4.5, "score": -2}]}\n'
    '{"source": "", "text": "", "hypotheses": []}\n',
    "moses": "0 ||| a b ||| lm= -1 -2 tm= 3 ||| -1.5 ||| 0-0\n0 ||| a ||| lm= 0 ||| -2\n"
    "2 |||  ||| lm= 0 ||| 0\n3 ||| &#124;&#124;&#124; x ||| lm= 0 ||| 1e-3\n",
    "kaldi": "s-01-1 a b\ns-01-2 a\nt-1\n",
    "srilm": "-10.5 -3 2 a b\n-11 -2.5 1 a\n\n-1 -2 0\n",
    "nbest1": "NBestList1.0\n(-10.5) a b\n(-11) a\nNBestList1.0\n( 3 ) c\n",
    "nbest2": "NBestList2.0\n(-10.5) <s> ( st: 0 et: 1 g: 0 a: -1 ) a ( st: 0 et: .2 g: -1 a: -2 )"
    " b ( st: 0.2 et: 1 g: -1 a: -3 ) </s> ( st: 2 et: 3 g: 0 a: 0 )\n",
}
FIRST = (("a b", "a"), (-10.5, -11.0))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A file of each."""
    for name, text in FILES.items():
        (tmp_path / name).write_text(text)
    return tmp_path


def read(path: Path, form: str | None = None) -> list[NBest]:
    """All lists."""
    return list(read_nbest(path, form).lists)


def test_json_lines(folder: Path) -> None:
    first, second = read(folder / "jsonl")
    assert first[:4] == ("u1", ("a b", "a"), (-1.0, -2.5), "a b")
    assert (second.id, second.texts, second.line) == ("3", (), 3)


def test_what_translate_prints(folder: Path) -> None:
    first, second = read(folder / "translate")
    assert first[:4] == ("1", ("a", "b"), (-1.5, -2.0), None)
    assert second.texts == () and second.scores is None


def test_moses(folder: Path) -> None:
    first, second, third = read(folder / "moses")
    assert first[:3] == ("0", ("a b", "a"), (-1.5, -2.0))
    assert second[:3] == ("2", ("",), (0.0,))
    assert third[:3] == ("3", ("||| x",), (0.001,))


def test_kaldi_with_and_without_costs(folder: Path) -> None:
    first, second = read(folder / "kaldi")
    assert first[:3] == ("s-01", ("a b", "a"), None)
    assert second[:3] == ("t", ("",), None)
    (folder / "costs").write_text("t-1 7\ns-01-2 12.5\ns-01-1 11\n")
    found = read_nbest(folder / "kaldi", costs=costs_of([folder / "costs"]))
    assert found.form == "kaldi"
    assert [one.scores for one in found.lists] == [(11.0, 12.5), (7.0,)]


@pytest.mark.parametrize("name", ["srilm", "nbest1", "nbest2"])
def test_srilm(name: str, folder: Path) -> None:
    first, *rest = read(folder / name)
    n = len(first.texts)
    assert (first.id, first.texts, first.scores) == (name, FIRST[0][:n], FIRST[1][:n])
    assert [one.id for one in rest] == [f"{name}-2"] * len(rest)
    assert [one.texts for one in rest] == {"srilm": [("",)], "nbest1": [("c",)]}.get(name, [])


def test_a_format_can_be_named_and_files_packed(folder: Path) -> None:
    (folder / "odd").write_text("7-1 3 2 a\n")
    assert read(folder / "odd", "kaldi")[0].texts == ("3 2 a",)
    (folder / "n.gz").write_bytes(gzip.compress(FILES["srilm"].encode()))
    assert [one.id for one in read(folder / "n.gz")] == ["n", "n-2"]


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("", "", "no list in it"),
        ("a b c\n", ":1", "no list of hypotheses"),
        ('{"hyps": ["a"], "scores": [NaN]}\n', ":1", "no finite number: 'nan'"),
        ('{"hyps": ["a"], "scores": [1e999]}\n', ":1", "no finite number"),
        ('{"hyps": ["a"], "scores": [true]}\n', ":1", "no finite number"),
        ('{"hyps": ["a"], "scores": [null]}\n', ":1", "no finite number"),
        ('{"hyps": ["a"], "scores": [1, 2]}\n', ":1", "1 hypotheses with 2 scores"),
        ('{"hyps": ["a"], "scores": 3}\n', ":1", "with no list of scores"),
        ('{"hyps": "a"}\n', ":1", "no list 'hyps'"),
        ('{"hyps": [3]}\n', ":1", "a hypothesis is no text but int"),
        ('{"hyps": ["a"], "ref": 3}\n', ":1", "the reference is no text"),
        ('{"hyps": ["a\\u0000"]}\n', ":1", "looks binary"),
        ('{"hypotheses": [{"score": 1}]}\n', ":1", "a hypothesis without a text"),
        ('{"hypotheses": [{"text": "a"}, {"text": "b", "score": 1}]}\n', ":1", "no finite"),
        ('{"hyps": ["a"]}\n[1]\n', ":2", "not an object"),
        ("0 ||| a ||| -1\n", ":1", "3 fields"),
        ("0 ||| a ||| x= 1 ||| nan\n", ":1", "no finite number"),
        ("0 ||| a ||| ||| 1\n1 ||| a ||| ||| 1\n0 ||| b ||| ||| 1\n", ":3", "list of '0' goes on"),
        ("u-1 a\nu b\n", ":2", "'u' does not end in -1"),
        ("-1 -2 1 a\nb\n", ":2", "no such line"),
        ("NBestList1.0\na b\n", ":2", "no such line"),
    ],
)
def test_what_is_none(text: str, line: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "n"
    path.write_text(text)
    with refused(InputError) as caught:
        read(path)
    said = str(caught.value)
    assert said.startswith(f"{path}{line}: ") and message in said and "\n" not in said


def test_references_beside_the_lists(folder: Path) -> None:
    lists, path = read(folder / "kaldi"), folder / "ref"
    path.write_text("t c\ns-01 a  b\nother x\n")
    assert [one.reference for one in referenced(lists, path, by_id=True)] == ["a b", "c"]
    path.write_text("a b\n\n")
    assert [one.reference for one in referenced(lists, path, by_id=False)] == ["a b", ""]
    path.write_text("a b\n")
    with pytest.raises(InputError, match="1 lines, but there are 2 lists"):
        list(referenced(lists, path, by_id=False))
    with pytest.raises(InputError, match="no reference for 's-01'"):
        list(referenced(lists, path, by_id=True))
    path.write_text("t c\nt d\n")
    with pytest.raises(InputError, match="ref:2: 't' has a reference already"):
        list(referenced(lists, path, by_id=True))


def test_costs_that_are_none(folder: Path) -> None:
    path = folder / "costs"
    for text, message in (
        ("s-01-1 1\ns-01-1 2\n", "costs:2: 's-01-1' has a cost already"),
        ("s-01-1 inf\n", "costs:1: a score is no finite number"),
        ("s-01-1\n", "costs:1: 1 fields"),
    ):
        path.write_text(text)
        with pytest.raises(InputError, match=message):
            costs_of([path])
    path.write_text("s-01-1 1\n")
    with pytest.raises(InputError, match="kaldi:2: 's-01-2' has no cost"):
        list(read_nbest(folder / "kaldi", costs=costs_of([path])).lists)
