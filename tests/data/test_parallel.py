"""Pairs of texts: two files or one, what decides the form, every refusal with its line."""

import gzip
import io
import tracemalloc
from pathlib import Path
from typing import Any

import pytest

from lmtool.data.readers.parallel import Pair, ParallelFile, describe, paired, read_parallel
from lmtool.errors import InputError, OptionError, option
from tests.refused import refused

ONE, TWO = ("Todd hat Pete getroffen", "Todd met Pete"), ("Pete sah die Katze", "Pete saw the cat")


def written(folder: Path, *contents: str | bytes, names: str = "t.de t.en") -> list[Path]:
    """Files of these contents."""
    paths = [folder / name for name in names.split()]
    for path, content in zip(paths, contents, strict=False):
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    return paths[: len(contents)]


def opened(folder: Path, content: str, name: str = "t", **options: Any) -> ParallelFile:
    """One file."""
    return read_parallel(written(folder, content, names=name), **options)


def texts(file: ParallelFile) -> list[tuple[str, str]]:
    """Without their lines."""
    return [(pair.source, pair.target) for pair in file.records]


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_two_files(tmp_path: Path, pack: type[bytes]) -> None:
    sources, targets = zip(ONE, TWO, strict=True)
    raw = ["\n \n".join(sources).encode(), "\r\n\r\n".join(targets).encode() + b"\r\n"]
    paths = written(tmp_path, *map(pack, raw))
    file = read_parallel(paths)
    records = list(file.records)
    assert records == [Pair(*ONE, 1, str(paths[0])), Pair(*TWO, 3, str(paths[0]))]
    assert describe(file, 2) == f"{paths[0]} and {paths[1]}: 2 pairs, two files"


@pytest.mark.parametrize(
    ("name", "content", "form"),
    [
        ("t.tsv", "{0[0]}\t{0[1]}\n\n{1[0]} \t {1[1]}", "source <TAB> target"),
        (
            "t.txt",
            "{0[0]}\t{0[1]}\tby Todd\n{1[0]}\t{1[1]}\tby Pete\t2",
            "source <TAB> target, other columns ignored",
        ),
        ("t.tsv", "source\ttarget\n{0[0]}\t{0[1]}\n{1[0]}\t{1[1]}\n", "a table (source, target)"),
        ("t", "Target,id,Source\n{0[1]},1,{0[0]}\n{1[1]},2,{1[0]}", "a table (Source, Target)"),
        ("t.csv", 'de,en,n\n{0[0]},"{0[1]}",1\n{1[0]},{1[1]},2', "a table (de, en)"),
        (
            "t.jsonl",
            '{{"target": "{0[1]}", "n": NaN, "source": "{0[0]}"}}\n'
            '{{"source": "{1[0]}", "target": "\\n{1[1]}"}}',
            "JSON lines (source, target)",
        ),
    ],
)
def test_one_file(tmp_path: Path, name: str, content: str, form: str) -> None:
    file = opened(tmp_path, content.format(ONE, TWO), name)
    assert file.form == form
    assert texts(file) == [ONE, TWO]


def test_columns_by_name(tmp_path: Path) -> None:
    table = "id\ten\tde\n1\tdog\tHund\n"
    assert texts(opened(tmp_path, table, source="de", target="en")) == [("Hund", "dog")]
    keys = opened(tmp_path, '{"a": "Hund", "b": "dog"}', source="a", target="b")
    assert texts(keys) == [("Hund", "dog")]
    assert keys.form == "JSON lines (a, b)"


def test_pairs_that_lack_a_side_are_counted(tmp_path: Path) -> None:
    paths = written(tmp_path, "a\n\n\n \nb b b\nc\n", "A\n\nB\nC\n\u00c4\n\n")
    file = read_parallel(paths, longest=2)
    assert texts(file) == [("a", "A")]
    said = "two files, 4 left out (1 too long, 2 without a source, 1 without a target)"
    assert describe(file, 1).endswith(f": 1 pair, {said}")
    assert len(list(read_parallel(paths).records)) == 2


def test_a_text_without_blanks_can_be_too_long(tmp_path: Path) -> None:
    rows = "a\tb\n" + "a" * 300 + "\tb\n" + "\u0915 " * 10_000 + "\tb\n"
    for longest, n in ((10, 1), (15, 2), (9_999, 2), (10_000, 3), (None, 3)):
        file = read_parallel(written(tmp_path, rows), longest=longest)
        assert len(list(file.records)) == n
        assert file.left_out.total() == 3 - n


@pytest.mark.parametrize(
    ("sources", "targets", "message"),
    [
        ("a\nb\nc\n", "A\nB\n", "de has 3 lines, but .*en 2; line n of one must be"),
        ("a\n", "A\nB\nC\nD\n", "de has 1 line, but .*en 4; "),
        ("", "A\n", "de has 0 lines, but .*en 1; "),
        ("", "", "no pair of texts in it; one is needed"),
        (
            "a\n \n",
            "\nA\n",
            "no pair of texts in it, 2 left out .1 without a source, 1 without a t",
        ),
        ("a\nb\0\n", "A\nB\n", r"de:2: looks binary"),
        ("a\nb\n", b"A\ncaf\xe9\n", r"en:2: not UTF-8"),
    ],
)
def test_two_files_refused(
    tmp_path: Path, sources: str, targets: str | bytes, message: str
) -> None:
    with refused(InputError, match=message) as told:
        list(read_parallel(written(tmp_path, sources, targets)).records)
    assert "\n" not in str(told.value)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", ": no text in it"),
        ("a\tb\nc\n", ":2: no TAB in it; a line is: source <TAB> target"),
        ('{"source": "a"}', r":1: no key 'target' \(name another one with target\)"),
        ('{"source": "a", "target": null}', ":1: 'target' is no text"),
        ('{"source": "a", "target": "b"}\na\tb', ":2: not JSON"),
        ('{"source": "a\\udc80", "target": "b"}', ":1: half a character"),
        ('{"translation": {"de": "a", "en": "b"}}', ":1: no key 'source'"),
        ("source\ttarget\na\n", ":2: 1 column where the header names 2"),
        ("source\ttarget\n", ": no pair of texts in it"),
    ],
)
def test_one_file_refused(tmp_path: Path, content: str, message: str) -> None:
    with refused(InputError, match=rf"t{message}") as told:
        list(opened(tmp_path, content).records)
    assert "\n" not in str(told.value)


@pytest.mark.parametrize(
    ("header", "options", "message"),
    [
        ("de,en", {"source": "fr"}, "no column named 'fr'; there are: de, en"),
        ("de,en", {"source": "en"}, "source and target are the same column"),
        ("de", {}, "one column, which cannot be both texts"),
    ],
)
def test_headers_refused(
    tmp_path: Path, header: str, options: dict[str, str], message: str
) -> None:
    with pytest.raises(InputError, match=rf"t\.csv:1: {message}"):
        opened(tmp_path, f"{header}\nx,y\n", "t.csv", **options)


def test_standard_input(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def given(text: bytes) -> None:
        raw = io.BytesIO(text)
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BufferedReader(raw)))

    given(b"a\tA\n")
    assert [*read_parallel("-").records] == [Pair("a", "A", 1, "standard input")]
    given(b"a\n")
    (path,) = written(tmp_path, "A\n")
    assert texts(read_parallel(["-", path])) == [("a", "A")]
    with pytest.raises(InputError, match="standard input cannot be both files"):
        list(read_parallel(["-", "-"]).records)


def test_files_two_by_two(tmp_path: Path) -> None:
    plain, tabs = written(tmp_path, "a\n", "a\tb\n", names="a.de pairs.txt")
    assert paired(["a.de", "a.en", "b.tsv.gz", "c.de", "c.en"]) == [
        ("a.de", "a.en"),
        ("b.tsv.gz",),
        ("c.de", "c.en"),
    ]
    assert paired([tabs]) == [(tabs,)]
    assert paired(["-"]) == [("-",)]
    assert paired([]) == []
    with pytest.raises(OptionError, match=r"a\.de has no file of translations after it; name both"):
        paired([plain])
    with refused(OptionError) as told:
        paired(["b.tsv", plain], "valid")
    said = told.value.spelled(lambda name, value: f"--{name}" + (f" {value}" if value else ""))
    assert said.startswith("--valid takes val.de and val.en: --valid val.de --valid val.en; ")
    assert option("valid") in told.value.args[0]


def test_pairs_stream(tmp_path: Path) -> None:
    paths = written(tmp_path, b"Todd met Pete\n" * 40_000, b"Pete met Todd\n" * 40_001)
    tracemalloc.start()
    with pytest.raises(InputError, match=r"40,000 lines, but .* 40,001"):
        for _ in read_parallel(paths).records:
            pass
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2 << 20
