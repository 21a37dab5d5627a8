"""``--part I/N``: ``cat`` of the parts is what one run prints, byte for byte, of each command."""

import gzip
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from lmtool.cli.formats import FORMATS
from lmtool.cli.looks import FORMATS as TRANSLATIONS
from lmtool.model_file import save
from lmtool.models.language_model import LanguageModel
from tests.cli.conftest import Run
from tests.cli.test_tag_command import tagger
from tests.standin import Loads, loads, stars
from tests.writers import Loads as Writers
from tests.writers import captions, translations, writers

__all__ = ["loads", "tagger", "writers"]

LINES = "Todd met Pete\r\n\nthé sea was calm\nZork\n\nPete saw the sea\nTodd"
TABLE = 'item,text\n1,Todd met Pete\n2,"the\nsea, calm"\n\n3,\n4,Zork met\n5,"a ""b""\n\nc"\n6,a\n'
WORDS = "s\tword\trt\na\tTodd\t1\na\tmet\t2\n\na\tPete\t3\nb\tthe\t4\nb\tsea\t5\nc\tPete\t6\n"
PAIRS = "good\tbad\tkind\nTodd met Pete\tmet Todd Pete\ta\n\nthe sea\tsea the\tb\nPete\tZork\ta\n"
GERMAN = "der Hund\n\nHund sah die Katze\ndie Katze\n\nHund"


@pytest.fixture(scope="session")
def model(lstm: LanguageModel, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Random weights: nothing needs to be learnt here."""
    path = tmp_path_factory.mktemp("parts") / "m"
    save(lstm, path)
    return path


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder to stand in."""
    monkeypatch.chdir(tmp_path)
    texts = {"a": LINES, "b": "Pete\n", "c": "", "t.csv": TABLE, "w.tsv": WORDS, "p.tsv": PAIRS}
    texts |= {"good": "Todd met\nPete\nthe sea\n", "bad": "met Todd and more\nZork\nsea\n"}
    for name, text in (texts | {"de": GERMAN}).items():
        Path(name).write_bytes(text.encode())


def check(run: Run, *command: object, most: Sequence[int] = (1, 3, 8)) -> None:
    """What one run prints is what the parts do."""
    one = run(*command)
    assert one.code == 0 and one.out, one.err
    for n in most:
        found = [run(*command, "--part", f"{i}/{n}") for i in range(1, n + 1)]
        assert {result.code for result in found} == {0}
        assert "".join(result.out for result in found) == one.out


CUT = [
    (form, level)
    for form, dialect in FORMATS.items()
    for level in dialect.levels
    if level not in dialect.summed and form != "kaldi"
]
SUMMED = [(form, level) for form, dialect in FORMATS.items() for level in dialect.summed]


@pytest.mark.parametrize(("form", "level"), CUT)
def test_score(model: Path, run: Run, form: str, level: str) -> None:
    files = ("-f", "a", "-f", "c", "-f", "b")
    check(run, "score", "-m", model, *files, "--format", form, "--level", level, most=(1, 3, 9))


@pytest.mark.parametrize(("form", "level"), SUMMED)
def test_sums_are_refused(model: Path, run: Run, form: str, level: str) -> None:
    options = ("-f", "a", "--format", form, "--level", level)
    result = run("score", "-m", model, *options, "--part", "1/2")
    assert (result.code, result.out) == (2, "") and "contradict each other" in result.err


@pytest.mark.parametrize(
    "options",
    [
        ("score", "-f", "t.csv", "--text", "text", "--format", "csv"),
        ("score", "-f", "t.csv", "-f", "t.csv", "--text", "text", "--level", "word"),
        ("surprisal", "-f", "a", "-f", "b"),
        ("surprisal", "-f", "a", "--format", "table"),
        ("surprisal", "-f", "a", "--json"),
        ("surprisal", "-f", "t.csv", "--text", "text", "--keep", "item", "--format", "csv"),
        ("surprisal", "-f", "w.tsv", "--text", "word", "--group", "s"),
        ("pairs", "p.tsv", "--items", "--by", "kind"),
        ("pairs", "good", "bad", "--items", "--json"),
    ],
    ids=" ".join,
)
def test_rows(model: Path, run: Run, options: tuple[str, ...]) -> None:
    check(run, *options, "-m", model)


def test_kaldi(model: Path, run: Run) -> None:
    Path("k").write_text("a Todd met\nb Pete\nc the sea\n")
    check(run, "score", "-m", model, "-f", "k", "--format", "kaldi")


@pytest.mark.parametrize("form", ["words", "conll", "spans", "jsonl"])
def test_tag(tagger: Path, run: Run, form: str) -> None:
    check(run, "tag", "-m", tagger, "-f", "a", "--format", form)


@pytest.mark.parametrize(
    "options",
    [
        ("-f", "a"),
        ("-f", "a", "--format", "table", "-k", "2"),
        ("-f", "a", "--format", "fasttext"),
        ("-f", "a", "-f", "b", "--columns", "text,label"),
        ("-f", "t.csv", "--text", "text", "--format", "csv"),
        ("-f", "t.csv", "--text", "text", "--json"),
    ],
    ids=" ".join,
)
def test_classify(loads: Loads, run: Run, options: tuple[str, ...]) -> None:
    loads("stars", stars())
    check(run, "classify", "-m", "stars", *options)


@pytest.mark.parametrize("form", TRANSLATIONS)
def test_translate(writers: Writers, run: Run, form: str) -> None:
    writers("de-en", translations())
    several = () if form in ("text", "pharaoh") else ("-n", 2)
    files = ("-f", "de", "-f", "de")
    check(run, "translate", "-m", "de-en", *files, "--format", form, *several, most=(1, 2, 7))


def test_caption(writers: Writers, run: Run) -> None:
    writers("eyes", captions())
    rows = np.arange(21, dtype=np.float32).reshape(7, 3)
    np.save("a.npy", rows)
    np.save("b.npy", np.asfortranarray(rows[:2]))
    Path("v.jsonl").write_text(
        "".join(json.dumps({"vector": row.tolist()}) + "\n\n" for row in rows)
    )
    files = ("-f", "a.npy", "-f", "v.jsonl", "-f", "b.npy")
    check(run, "caption", "-m", "eyes", *files, "--format", "moses")
    check(run, "caption", "-m", "eyes", "-f", "a.npy", "-v", most=(7,))


@pytest.mark.parametrize(
    ("command", "code", "message"),
    [
        (("score", "--part", "1/2", "Todd"), 2, "parts are of files: give -f FILE"),
        (("score", "--part", "3/2", "-f", "a"), 2, "'3/2' is no part: write 1/8, 2/8 up to 8/8"),
        (("score", "--part", "1/2"), 1, "standard input cannot be read in parts"),
        (("score", "--part", "1/2", "-f", "a.gz"), 1, "a.gz: is packed with gzip"),
        (("score", "--part", "1/2", "-f", "none"), 1, "none: cannot be read"),
        (("score", "--part", "1/2", "-f", "a.gz", "--text", "x"), 1, "a.gz: is packed with gzip"),
        (("surprisal", "--part", "1/2", "-f", "a", "--html", "x"), 2, "--part and --html"),
        (("surprisal", "--part", "1/2", "-f", "a", "--format", "heat"), 2, "--format heat"),
        (
            ("surprisal", "--part", "1/2", "-f", "a", "--context", "document"),
            2,
            "--part and --context document contradict each other: that is one for all lines",
        ),
        (("pairs", "--part", "1/2", "p.tsv"), 2, "--part and accuracies, without --items,"),
        (("pairs", "--part", "1/2", "p.tsv", "--items", "--format", "table"), 2, "--format table"),
    ],
)
def test_what_has_no_parts_is_refused(
    model: Path, run: Run, command: tuple[str, ...], code: int, message: str
) -> None:
    Path("a.gz").write_bytes(gzip.compress(LINES.encode()))
    result = run(*command, "-m", model)
    assert (result.code, result.out) == (code, "")
    assert message in " ".join(result.err.split()) and not Path("x").exists()


def test_numbers_in_errors_are_those_of_the_whole_file(model: Path, run: Run) -> None:
    Path("broken").write_bytes(b"Todd met Pete\n" * 50 + b"\xff\n")
    result = run("score", "-m", model, "-f", "broken", "--part", "3/3")
    assert result.code == 1 and "broken:51: not UTF-8" in result.err
    assert run("score", "-m", model, "-f", "broken", "--part", "1/3").code == 0
