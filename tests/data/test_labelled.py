"""Labelled texts: each format's records, what decides the format, every refusal with its line."""

import gzip
import io
import json
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lmtool.data.readers import lines as shared
from lmtool.data.readers.labelled import LabelledFile, Record, describe, read_labelled
from lmtool.errors import InputError
from lmtool.text import reader
from lmtool.text.labels import Labels, check_label
from tests.refused import refused

TAB, TABLE, FASTTEXT, JSON = "label <TAB> text", "a table", "__label__NAME", "JSON lines"


def opened(folder: Path, content: str | bytes, name: str = "t.tsv", **columns: str) -> LabelledFile:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return read_labelled(path, **columns)


def values(records: list[Record]) -> list[tuple[tuple[str, ...], str, int]]:
    return [(record.labels, record.text, record.line) for record in records]


ONE, TWO = (("5",), "Todd met Pete"), (("1",), "Pete saw the cat")


@pytest.mark.parametrize(
    ("name", "content", "form", "lines"),
    [
        ("t.tsv", "5\tTodd met Pete\n1\tPete saw the cat\n", TAB, (1, 2)),
        ("t", "\n 5 \t Todd met Pete\r\n \t\n1\tPete saw the cat", TAB, (2, 4)),
        ("t.txt", "__label__5 Todd met Pete\n\n__label__1 Pete saw the cat\n", FASTTEXT, (1, 3)),
        ("t", "Todd met Pete __label__5\n__label__1\tPete saw the cat", FASTTEXT, (1, 2)),
        ("t.csv", "label,text\n5,Todd met Pete\n1,Pete saw the cat\n", TABLE, (2, 3)),
        ("t.txt", '"Text";"Label"\n"Todd met Pete";5\nPete saw the cat;1\n', TABLE, (2, 3)),
        ("t.tsv", "id\tstars\treview\n7\t5\tTodd met Pete\n8\t1\tPete saw the cat", TABLE, (2, 3)),
        ("t.csv", ",note,text,label\n0,x,Todd met Pete,5\n1,,Pete saw the cat,1", TABLE, (2, 3)),
        ("t.csv", 'stars,review\n\n"5","Todd\nmet Pete"\n1,Pete saw the cat', TABLE, (3, 5)),
        ("t.csv", "\nscore,text,label\n0,Todd met Pete,5\n0,Pete saw the cat,1", TABLE, (3, 4)),
        (
            "t",
            '{"label": 5, "text": "Todd met Pete", "p": NaN}\n\n{"text": "Pete\\nsaw the cat", '
            '"label": ["1", 1]}',
            JSON,
            (1, 3),
        ),
    ],
)
@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_formats(
    tmp_path: Path,
    name: str,
    content: str,
    form: str,
    lines: tuple[int, int],
    pack: type[bytes],
) -> None:
    raw = pack(content.encode())
    file = opened(tmp_path, raw, f"{name}.gz" if raw != content.encode() else name)
    assert file.form.startswith(form)
    assert values(list(file.records)) == [(*ONE, lines[0]), (*TWO, lines[1])]


@pytest.mark.parametrize(
    ("content", "labels"),
    [
        ("__label__a __label__b both __label__a", ("a", "b")),
        ('{"label": ["a", "b"], "text": "both"}', ("a", "b")),
        ("a,b\tboth", ("a,b",)),
        ("very good \tboth", ("very good",)),
        ('{"label": true, "text": "both"}', ("true",)),
        (
            '{"label": [1.50, 1234567890123456789], "text": "both"}',
            ("1.50", "1234567890123456789"),
        ),
    ],
)
def test_labels_of_a_line(tmp_path: Path, content: str, labels: tuple[str, ...]) -> None:
    (record,) = opened(tmp_path, content).records
    assert (record.labels, record.text) == (labels, "both")


def test_columns_by_name(tmp_path: Path) -> None:
    table = "a\tb\tlabel\nx\ty\tz\n"
    named = opened(tmp_path, table, text="b", label="a")
    assert values(list(named.records)) == [(("x",), "y", 2)]
    assert values(list(opened(tmp_path, table, text="b").records)) == [(("z",), "y", 2)]
    keys = opened(tmp_path, '{"s": 1, "t": "x"}', text="t", label="s")
    assert values(list(keys.records)) == [(("1",), "x", 1)]


@pytest.mark.parametrize(
    "header",
    ["label\ttext of a review", "Text\tSentence", "label\ttext\tmood", "stars,text", "label"],
)
def test_a_header_is_not_guessed(tmp_path: Path, header: str) -> None:
    file = opened(tmp_path, f"{header}\n1\tx\n", "t.txt")
    assert file.form == (TAB if header != "stars,text" else "a table (stars, text)")


def test_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    raw = io.BytesIO(b"text,label\nTodd,1\n")
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BufferedReader(raw)))
    file = read_labelled("-")
    assert [*file.records] == [Record(("1",), "Todd", 2, "standard input")]


BAD = [
    ("5 Todd", ":1: no TAB in it; a line is: label <TAB> text"),
    ("5\tTodd\nPete", ":2: no TAB in it; a line is: label <TAB> text"),
    ("5\tTodd\n\tPete", ":2: a label is empty; a line is: label <TAB> text"),
    ("5\tTodd\n\n1\t \n", ":3: the text is empty; a line is: label <TAB> text"),
    ("5\tTodd\tPete", r":1: more than two columns \(name two of them .*text and label"),
    ("5\tTodd\n__label__1 Pete", ":2: looks like __label__NAME text, unlike the lines before"),
    ('5\tTodd\n{"label": 1, "text": "x"}', ':2: looks like {"label": "NAME"'),
    ("__label__5 Todd\n1\tPete", ":2: looks like label <TAB> text, unlike the lines before it"),
    ("__label__5 Todd\nPete", ":2: looks like label <TAB> text"),
    ("__label__5", ":1: the text is empty; a line is: __label__NAME text"),
    ("__label__ Todd", ":1: a label is empty; a line is: __label__NAME text"),
    ('{"label": 1, "text": "x"}\n__label__1 x', ":2: looks like __label__NAME text"),
    ("x" * 201 + "\tTodd", ":1: a label has 201 characters, at most 200 are allowed"),
    ("a\x07b\tTodd", r":1: the label 'a\\x07b' has .* control characters"),
    ("", ": no text in it"),
    ("\n \r\n", ": no text in it"),
    ('{"label": 1', ":1: not JSON .*; a line is: {"),
    ('{"label": 1, "text": "x"} 2', ":1: not JSON"),
    ('{"label": 1}', ":1: no key 'text'"),
    ('{"stars": 1, "text": "x"}', r":1: no key 'label' \(name another one with label\)"),
    ('{"label": null, "text": "x"}', ":1: a label is neither text nor number: null"),
    ('{"label": NaN, "text": "x"}', ":1: a label is neither text nor number: nan"),
    ('{"label": [1, -Infinity], "text": "x"}', ":1: a label is neither text nor number: -inf"),
    ('{"label": {"a": 1}, "text": "x"}', ":1: a label is neither text nor number: dict"),
    ('{"label": [["a"]], "text": "x"}', ":1: a label is neither text nor number: list"),
    ('{"label": [], "text": "x"}', ":1: no label; a line is: {"),
    ('{"label": "", "text": "x"}', ":1: a label is empty"),
    ('{"label": "\\ud800", "text": "x"}', ":1: the label .* control characters"),
    ('{"label": "a\\nb", "text": "x"}', ":1: the label .* control characters"),
    ('{"label": 1, "text": ["x"]}', ":1: 'text' is no text"),
    ('{"label": 1, "text": null}', ":1: 'text' is no text"),
    ('{"label": 1, "text": "\\n"}', ":1: the text is empty"),
    ('{"label": 1, "text": "a\\u0000b"}', r":1: looks binary \(a NUL character\)"),
    ('{"label": 1, "text": "a\\udc80b"}', ":1: half a character, U\\+DC80"),
    ('{"label": ' + "[" * 100_000 + "]" * 100_000, ":1: not JSON .nested too deep"),
    ('{"label": ' + "9" * 5000 + ', "text": "x"}', ":1: a label has 5,000 characters"),
    ("label\ttext\n5\tTodd\n\tPete", ":3: a label is empty; a line is: one row"),
    ("label\ttext\n5\tTodd\n1\t", ":3: the text is empty; a line is: one row"),
    ("label\ttext\n5\tTodd\n1", ":3: 1 column where the header names 2"),
    ('label\ttext\n5\t"Todd\n', ":2: not a row of a table"),
    ("a\tcaf\xe9".encode("latin1"), ":1: not UTF-8"),
    (gzip.compress(b"a\tb\n" * 99, mtime=0)[:-9], ": not a whole gzip file"),
]


@pytest.mark.parametrize(("content", "message"), BAD, ids=range(len(BAD)))
def test_refused(tmp_path: Path, content: str | bytes, message: str) -> None:
    with refused(InputError, match=rf"t\.tsv{message}") as told:
        list(opened(tmp_path, content).records)
    assert "\n" not in str(told.value) and len(str(told.value)) < 1000


@pytest.mark.parametrize(
    ("header", "columns", "message"),
    [
        ("a,b", {}, "which column is the text.* there are: a, b; name it with text"),
        ("text,b", {}, "which column is the label.* there are: text, b; name it with label"),
        ("text,stars,score", {}, "which column is the label"),
        ("text,label", {"text": "words"}, "no column named 'words'; there are: text, label"),
        ("text,label", {"label": "text"}, "text and label are the same column"),
        ("text", {}, "which column is the label"),
        ("label,label,text", {}, "two columns are named 'label'"),
    ],
)
def test_headers_refused(
    tmp_path: Path, header: str, columns: dict[str, str], message: str
) -> None:
    with pytest.raises(InputError, match=rf"t\.csv:1: {message}"):
        opened(tmp_path, f"{header}\nx,y\n", "t.csv", **columns)


names = st.text(max_size=9).filter(lambda name: not check_label(name))
texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\n\0"), min_size=1)


@given(st.lists(st.tuples(names, texts.filter(lambda text: text.strip())), min_size=1))
def test_json_comes_back(
    tmp_path_factory: pytest.TempPathFactory, pairs: list[tuple[str, str]]
) -> None:
    lines = [json.dumps({"text": text, "label": name}) for name, text in pairs]
    file = opened(tmp_path_factory.mktemp("json"), "\n".join(lines))
    expected = [((name,), text.strip(), i) for i, (name, text) in enumerate(pairs, start=1)]
    assert values(list(file.records)) == expected


def test_records_stream(tmp_path: Path) -> None:
    file = opened(tmp_path, b"5\tTodd met Pete\n" * 40_000)
    tracemalloc.start()
    assert sum(1 for _ in file.records) == 40_000
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1 << 20


def test_long_lines_are_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shared, "LONGEST_JSON", 1 << 10)
    monkeypatch.setattr(reader, "LONGEST_LINE", 1 << 17)
    line = '{"label": 1, "text": "x", "n": [' + "1," * (1 << 10) + "1]}"
    with pytest.raises(InputError, match=r":1: longer than 0 Mi characters"):
        list(opened(tmp_path, line).records)
    with pytest.raises(InputError, match=r":2: a line is longer than 0 MiB"):
        list(opened(tmp_path, gzip.compress(b"1\tx\n" + b"1" * (1 << 20)), "bomb").records)


def test_description(tmp_path: Path) -> None:
    records = list(opened(tmp_path, "5\tTodd\n1\tPete\n3\tboth\n").records)
    file = LabelledFile("reviews.tsv", TAB, iter(records))
    made = Labels.build(records)
    said = "reviews.tsv: 1,204 examples, label <TAB> text, 3 labels (1 .. 5)"
    assert describe(file, 1204, made) == said
    several = Labels.from_counts({"a": 1, "b": 2}, several=True)
    said = "reviews.tsv: 1 example, label <TAB> text, 2 labels (a, b), several a text"
    assert describe(file, 1, several) == said


def test_a_label_of_another_file_only(tmp_path: Path) -> None:
    made = Labels.build(opened(tmp_path, "a\tTodd\nb\tPete\n").records)
    with pytest.raises(InputError, match=r"valid\.tsv:2: the label 'c' is in no training text"):
        for record in opened(tmp_path, "a\tTodd\nc\tPete\n", "valid.tsv").records:
            made.targets(record)
