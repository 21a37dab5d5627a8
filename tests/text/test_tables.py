"""Tables with a header: what comes back, and every refusal with its line."""

import csv
import gzip
import io
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lmtool.errors import InputError
from lmtool.text.tables import looks_like_table, read_table

cells = st.text(st.sampled_from('ab,;"\t\né '), max_size=6)


@given(st.integers(2, 4).flatmap(lambda n: st.lists(st.lists(cells, min_size=n, max_size=n))))
@pytest.mark.parametrize("delimiter", [",", "\t", ";"])
def test_what_csv_writes_comes_back(
    tmp_path_factory: pytest.TempPathFactory, delimiter: str, rows: list[list[str]]
) -> None:
    rows = [row for row in rows if any(row)]  # a row of nothing is a blank line
    path = tmp_path_factory.mktemp("table") / ("t.tsv" if delimiter == "\t" else "t.csv")
    names = [f"c{k}" for k in range(len(rows[0]) if rows else 2)]
    buffer = io.StringIO(newline="")
    csv.writer(buffer, delimiter=delimiter, lineterminator="\n").writerows([names, *rows])
    path.write_text(buffer.getvalue(), encoding="utf-8", newline="")
    table = read_table(path)
    records = list(table.records)
    assert table.columns == names
    assert [record.values for record in records] == rows
    number = 2
    for record in records:
        assert record.number == number
        number += 1 + sum(value.count("\n") for value in record.values)


def test_blank_lines_do_not_count_as_rows(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes(b"\xef\xbb\xbfa,b\r\n\r\n1,2\r\n")
    table = read_table(path)
    assert (table.columns, [*table.records]) == (["a", "b"], [(["1", "2"], 3)])
    assert table.column("b") == 1


def test_one_column(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text('text\nTodd met Pete\n"Yes, he did; so what"\n', encoding="utf-8")
    records = [record.values for record in read_table(path).records]
    assert records == [["Todd met Pete"], ["Yes, he did; so what"]]


@pytest.mark.parametrize(
    ("name", "header", "columns"),
    [
        ("t.csv", "item;text", ["item", "text"]),
        ("t.csv", "item;text;a,b", ["item", "text", "a,b"]),
        ("t.csv", "item;text,label", ["item;text", "label"]),
        ("t.csv", '"a;b;c",d', ["a;b;c", "d"]),
        ("t.csv", '"a ""b"",c";d', ['a "b",c', "d"]),
        ("t.csv", "item\ttext;a;b", ["item", "text;a;b"]),
        ("t.tsv", "item;text", ["item;text"]),
        ("t.TSV.gz", "item;text", ["item;text"]),
        ("t", "item,text", ["item", "text"]),
        ("t", "\ufeffitem;text", ["item", "text"]),
        ("t.csv", ",text,label", ["", "text", "label"]),  # as pandas writes its index
    ],
)
def test_the_header_shows_the_separator(
    tmp_path: Path, name: str, header: str, columns: list[str]
) -> None:
    path = tmp_path / name
    raw = f"{header}\r\n".encode()
    path.write_bytes(gzip.compress(raw) if name.endswith(".gz") else raw)
    assert read_table(path).columns == columns


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "t.csv:1: no header"),
        ("sep=;\na;b\n1;2\n", "t.csv:1: no header"),
        ("a,b,,,\n1,2,,,\n", "t.csv:1: 3 columns have no name, the first of them is column 3;"),
        ("a;b;;\n1;2;;\n", "t.csv:1: 2 columns have no name, the first of them is column 3;"),
        ("," * 9999, "t.csv:1: 10000 columns have no name, the first of them is column 1;"),
        ("\n1,2\n", "t.csv:1: no header"),
        ("a\rb\n1,2\n", "t.csv:1: not a row of a table"),
        ("a,a\n1,2\n", "t.csv:1: two columns are named 'a'"),
        ("a,b\n1,2\n1,2,3\n", "t.csv:3: 3 columns where the header names 2"),
        ("a,b\n1\n", "t.csv:2: 1 column where the header names 2"),
        ('a,b\n1,2\n"1,2\n', "t.csv:3: not a row of a table"),
        ('a,b\n"1"x,2\n', "t.csv:2: not a row of a table"),
        ("a,b\n1," + "x" * 200_000 + "\n", "t.csv:2: not a row of a table"),
    ],
)
def test_refusals_name_the_line(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "t.csv"
    path.write_text(text)
    with pytest.raises(InputError, match=message):
        list(read_table(path).records)


def test_an_unknown_column(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("item,text\n")
    with pytest.raises(InputError, match="no column named 'words'; there are: item, text"):
        read_table(path).column("words")


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("x.csv", ""),
        ("x.TSV.gz", "Todd met Pete"),
        ("folder/x.csv.gz", ""),
        ("x.txt", "item,text"),
        ("-", "item;text;note"),
        ("x", "sentence\tlabel"),
        ("x", "sentence good,sentence_bad"),
        ("x", '"item","text"'),
        ("x", "Satz_Nr;Wörter"),
    ],
)
def test_what_looks_like_a_table(name: str, line: str) -> None:
    assert looks_like_table(name, line)
    assert looks_like_table(name, f"{line}\r\n")


@pytest.mark.parametrize(
    "line",
    [
        "",
        "text",
        "Todd met Pete",
        "Yes, text him",
        "Yes , text him",
        "hello,world",
        "ok;then",
        "the\tDT",
        "Todd\tNNP\tB-PER",
        "1\ttext",
        "text,text",
        "Well,the text is what it is.",
        "Is it good,or is it bad?",
        "text,a line that goes on for much longer than any name of a column",
        "-DOCSTART- -X- O O",
        "\uff0ctext",
        "text," * 100_000,
    ],
)
def test_what_does_not_look_like_a_table(line: str) -> None:
    assert not looks_like_table("corpus.txt", line)


def test_no_line_of_a_corpus_looks_like_a_table() -> None:
    stories = Path(__file__).parents[2] / "examples"
    lines = [
        line for path in stories.rglob("*.txt") for line in path.read_text("utf-8").split("\n")
    ]
    assert len(lines) > 1000
    assert not [line for line in lines if looks_like_table("corpus.txt", line)]
