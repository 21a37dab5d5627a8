"""Tables with a header: what comes back, and every refusal with its line."""

import csv
import io
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lmtool.errors import InputError
from lmtool.text.tables import read_table

cells = st.text(st.sampled_from('ab,"\t\né '), max_size=6)


@given(st.integers(1, 4).flatmap(lambda n: st.lists(st.lists(cells, min_size=n, max_size=n))))
@pytest.mark.parametrize("delimiter", [",", "\t"])
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


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "t.csv:1: no header"),
        ("\n1,2\n", "t.csv:1: no header"),
        ("a\rb\n1,2\n", "t.csv:1: not a row of a table"),
        ("a,a\n1,2\n", "t.csv:1: two columns are named 'a'"),
        ("a,b\n1,2\n1,2,3\n", "t.csv:3: 3 columns where the header names 2"),
        ("a,b\n1\n", "t.csv:2: 1 columns where the header names 2"),
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
