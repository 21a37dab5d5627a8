"""Tagged texts: each form's sentences, what decides the form, every refusal with its line."""

import gzip
import io
import json
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lmtool.data.readers import columns, tagged
from lmtool.data.readers import lines as shared
from lmtool.data.readers.columns import TaggedFile, describe, read_tagged
from lmtool.data.readers.tagged import Tagged
from lmtool.errors import InputError
from lmtool.text.schemes import detect
from lmtool.text.tags import check_tag
from tests.refused import refused

MET, SAW = (("Todd", "met", "Pete"), ("B-PER", "O", "B-PER")), (("Mary", "ran"), ("B-PER", "O"))
PLACES = "columns (word 1, tag 2)"


def opened(folder: Path, content: str | bytes, **given: str) -> TaggedFile:
    path = folder / "t.conll"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return read_tagged(path, **given)


def values(file: TaggedFile) -> list[tuple[tuple[str, ...], tuple[str, ...], int]]:
    return [(record.words, record.tags, record.line) for record in file.records]


@pytest.mark.parametrize(
    ("content", "form", "lines"),
    [
        ("Todd B-PER\nmet O\nPete B-PER\n\nMary B-PER\nran O\n", PLACES, (1, 5)),
        ("Todd\tB-PER\nmet\tO\nPete\tB-PER\n\n\n\nMary\tB-PER\nran\tO", PLACES, (1, 7)),
        ("\r\nTodd  B-PER \r\nmet O\r\nPete\t B-PER\r\n \t\r\nMary B-PER\r\nran O\r\n", 2, (2, 6)),
        (
            "-DOCSTART- -X- O\n\nTodd N B-PER\nmet V O\nPete N B-PER\n-DOCSTART- O\nMary N B-PER\n"
            "ran V O\n\n-DOCSTART- -X- O\n",
            "columns (word 1, tag 3)",
            (3, 7),
        ),
        ("Todd/B-PER met/O Pete/B-PER\n\nMary/B-PER ran/O", "word/TAG word/TAG", (1, 3)),
        ("Todd|B-PER met|O Pete|B-PER\nMary|B-PER  ran|O ", "word|TAG word|TAG", (1, 2)),
        ("Todd|N|B-PER met|V|O Pete|N|B-PER\nMary|N|B-PER ran|V|O", "word|TAG word|TAG", (1, 2)),
        (
            '{"tokens": ["Todd", "met", "Pete"], "tags": ["B-PER", "O", "B-PER"], "p": NaN}\n\n'
            '{"tags": ["B-PER", "O"], "words": ["Mary", "ran"]}\n',
            "JSON lines (tokens, tags)",
            (1, 3),
        ),
    ],
)
@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_forms(
    tmp_path: Path, content: str, form: str | int, lines: tuple[int, int], pack: type[bytes]
) -> None:
    file = opened(tmp_path, pack(content.encode()))
    assert file.form == (PLACES if form == 2 else form)
    assert values(file) == [(*MET, lines[0]), (*SAW, lines[1])]


CONLLU = """# newdoc
# text = Vámonos ya
1-2	Vámonos	_	_	_	_	_	_	_	_
1	Vamos	ir	VERB	V	_	0	root	_	_
2	nos	yo	PRON	P	_	1	obj	_	_
2.1	x	x	X	X	_	_	_	_	_
3	#	ya	ADV	A	_	1	advmod	_	_

# text = No
1	No	no	INTJ	I	_	0	root	_	_
"""


def test_conllu(tmp_path: Path) -> None:
    file = opened(tmp_path, CONLLU)
    assert file.form == "CoNLL-U (word 2, tag 4)"
    found = values(file)
    assert found == [
        (("Vamos", "nos", "#"), ("VERB", "PRON", "ADV"), 4),
        (("No",), ("INTJ",), 10),
    ]
    other = opened(tmp_path, CONLLU, text="3", tags="5")
    assert (other.form, values(other)[1][:2]) == ("CoNLL-U (word 3, tag 5)", (("no",), ("I",)))
    plain = opened(tmp_path, "# NN\nTodd NNP\n")  # no comment where there are no ten columns
    assert values(plain) == [(("#", "Todd"), ("NN", "NNP"), 1)]


def test_names_in_brackets(tmp_path: Path) -> None:
    text = "He said nothing .\n<Mohan Sharma> was driving a <Maruti 800>\n\n3 < 4 > 2 <Todd>\n"
    file = opened(tmp_path, text)
    assert file.form == "words, <those of interest> in < >"
    words = ("Mohan Sharma", "was", "driving", "a", "Maruti 800")
    assert values(file) == [
        (("He", "said", "nothing", "."), ("0", "0", "0", "0"), 1),
        (words, ("1", "0", "0", "0", "1"), 2),
        (("3", "<", "4", ">", "2", "Todd"), ("0", "0", "0", "0", "0", "1"), 4),
    ]


@pytest.mark.parametrize(
    ("content", "form", "first"),
    [
        ("<unk> O\n<s> B-X\n", PLACES, ("<unk>", "<s>")),
        ("<Todd> met <Pete> .\n<Anna> saw <Mary> .\n", "words, <", ("Todd", "met", "Pete", ".")),
        ("<Maruti 800>", "words, <", ("Maruti 800",)),
        ("1/2 CD\n", PLACES, ("1/2",)),
        ("a/b/c/X /Y/Z", "word/TAG", ("a/b/c", "/Y")),
        ("||| |X", PLACES, ("|||",)),
        ("a|b|X c|Y|Z ||||Z", "word|TAG", ("a", "c", "||")),
        ("{ O\n} O\n", PLACES, ("{", "}")),
        ("Mohan 1\nwas 0\n", PLACES, ("Mohan", "was")),
        ("Mohan/1 was/0\n", "word/TAG", ("Mohan", "was")),
        ("New York\tB-LOC\n", PLACES, ("New York",)),
        ("10\u00a0000 CD\n", PLACES, ("10\u00a0000",)),
        ("a\u2028b\tX\n", PLACES, ("a b",)),
        (
            '{"tokens": ["a\\n b", 3, true], "tags": [0, 1.50, false]}',
            "JSON",
            ("a  b", "3", "true"),
        ),
    ],
)
def test_what_a_file_is_taken_for(
    tmp_path: Path, content: str, form: str, first: tuple[str, ...]
) -> None:
    file = opened(tmp_path, content)
    assert file.form.startswith(form)
    assert next(file.records).words == first


def test_chosen_columns_and_keys(tmp_path: Path) -> None:
    table = "1 Todd NNP B-PER\n2 met VBD O\n"
    file = opened(tmp_path, table, text="2", tags="3")
    assert file.form == "columns (word 2, tag 3)"
    assert values(file) == [(("Todd", "met"), ("NNP", "VBD"), 1)]
    slashed = opened(tmp_path, "a/b c/d\n", text="1")  # numbers ask for columns
    assert values(slashed) == [(("a/b",), ("c/d",), 1)]
    keys = opened(tmp_path, '{"ws": ["x"], "ner": ["O"]}', text="ws", tags="ner")
    assert keys.form == "JSON lines (ws, ner)"
    assert values(keys) == [(("x",), ("O",), 1)]


def test_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    raw = io.BytesIO(b"Todd B-PER\nmet O\n")
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BufferedReader(raw)))
    records = [*read_tagged("-").records]
    assert records == [Tagged(("Todd", "met"), ("B-PER", "O"), 1, "standard input")]


BAD = [
    ("", ": no text in it; at least one tagged sentence"),
    (" \n\t\r\n", ": no text in it"),
    ("Todd\nmet\n", ":1: one column, which cannot be both .*; a line is: word ... tag"),
    ("Todd O\nmet\n", ":2: fewer columns than the 2 of the first word; a line is: word ... tag"),
    ("Todd met Pete\nPete saw the cat\n", ":2: more columns than the 3 of the first word"),
    ("Todd\tO\n\nmet O\n", ":3: fewer columns than the 2 of the first word"),
    ("Todd\tO\n\tO\n", ":2: a word is empty"),
    ("Todd\tO\nmet\t\n", ":2: a tag is empty"),
    ("Todd\tO\nmet\ta b\n", ":2: the tag 'a b' has white space or control characters in it"),
    ("Todd\tO\nmet\tA\x07\n", r":2: the tag 'A\\x07' has white space or control"),
    ("Todd O\nmet " + "x" * 201, ":2: a tag has 201 characters, at most 200 are allowed"),
    ("Todd/N met/V\nPete\n", ":2: 'Pete' is not a word and a tag with / between"),
    ("Todd/N met/V\n/N\n", ":2: '/N' is not a word and a tag"),
    ("Todd/N met/V\nPete/\n", ":2: 'Pete/' is not a word and a tag"),
    ("Todd/N met/V Pete\n", ":1: 'Pete' is not a word and a tag with / between; a line is: word/T"),
    ("a|N|O b|V|O\nc|O\n", r":2: 'c\|O' is not 3 parts with \| between"),
    ("Todd/N met/V\n" + '{"tokens": []}', ":2: .* is not a word and a tag"),
    ("<Todd> met\n<Mohan Sharma was", ":2: the bracket in '<Mohan' needs its other one"),
    ("<Todd> met <Mohan Sharma>, they", ":1: the bracket in '<Mohan' needs its other one, and bl"),
    ("<Todd> < Pete> a", ":1: the bracket in 'Pete>' needs"),
    ("<Todd> met <<Pete> Miller>", ":1: the bracket in '<<Pete>' needs"),
    ("<Todd> met\nPete\tO\n", ":2: a TAB in it, unlike the lines before it; a line is: words, <th"),
    ('<Todd> met\n{"tokens": ["a"]}\n', ":2: looks like JSON, unlike the lines before it"),
    ('{"tokens": ["a"]', ":1: not JSON .*; a line is: {"),
    ('{"tokens": ["a"], "tags": ["O"]}\nTodd O', ":2: not JSON"),
    ('{"tokens": ["a"], "tags": ["O"]}\n["a"]', ":2: not an object"),
    ("{\n", ":1: not JSON"),
    ('{"tokens": ["a"]}', r":1: no key 'tags' \(name another one with tags\)"),
    ('{"tags": ["O"]}', r":1: no key 'tokens' \(name another one with text\)"),
    ('{"tokens": "a b", "tags": ["O", "O"]}', ":1: 'tokens' is no list"),
    ('{"tokens": ["a"], "tags": "O"}', ":1: 'tags' is no list"),
    ('{"tokens": ["a", "b"], "tags": ["O"]}', ":1: 2 words, but 1 tag; a line is: {"),
    ('{"tokens": [], "tags": []}', ":1: no word in it"),
    ('{"tokens": ["a", " "], "tags": ["O", "O"]}', ":1: a word is empty"),
    ('{"tokens": [null], "tags": ["O"]}', ":1: a word is neither text nor number: null"),
    ('{"tokens": ["a"], "tags": [NaN]}', ":1: a tag is neither text nor number: nan"),
    ('{"tokens": ["a"], "tags": [["O"]]}', ":1: a tag is neither text nor number: list"),
    ('{"tokens": ["a\\u0000"], "tags": ["O"]}', r":1: looks binary \(a NUL character\)"),
    ('{"tokens": ["a\\ud800"], "tags": ["O"]}', ":1: half a character, U\\+D800"),
    ('{"tokens": ["a"], "tags": ["\\ud800"]}', ":1: the tag .* control characters"),
    ('{"tokens": ' + "[" * 100_000, ":1: not JSON .nested too deep"),
    ("caf\xe9 O".encode("latin1"), ":1: not UTF-8"),
    (b"Todd O\nmet\0 O\n", ":2: looks binary"),
    (gzip.compress(b"a O\n" * 99, mtime=0)[:-9], ": not a whole gzip file"),
]


@pytest.mark.parametrize(("content", "message"), BAD, ids=range(len(BAD)))
def test_refused(tmp_path: Path, content: str | bytes, message: str) -> None:
    with refused(InputError, match=rf"t\.conll{message}") as told:
        list(opened(tmp_path, content).records)
    assert "\n" not in str(told.value) and len(str(told.value)) < 1000


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"tags": "3"}, ":1: no column '3'; columns are named by their numbers, 1 to 2"),
        ({"tags": "0"}, ":1: no column '0'"),
        ({"text": "-1"}, ":1: no column '-1'"),
        ({"text": "word"}, ":1: no column 'word'"),
        ({"text": "9" * 5000}, ":1: no column '9{30}'"),
        ({"text": "2"}, ":1: text and tags are the same column; name two"),
        ({"tags": "1"}, ":1: text and tags are the same column"),
    ],
)
def test_columns_refused(tmp_path: Path, given: dict[str, str], message: str) -> None:
    with pytest.raises(InputError, match=rf"t\.conll{message}"):
        opened(tmp_path, "Todd O\n", **given)


visible = st.characters(exclude_categories=["Cs", "Zs", "Zl", "Zp", "Cc"])
words = st.text(visible, min_size=1)
marks = st.text(visible, min_size=1, max_size=6).filter(lambda name: not check_tag(name))
pairs = st.lists(st.lists(st.tuples(words, marks), min_size=1, max_size=4), min_size=1, max_size=4)


@given(pairs)
def test_columns_and_json_come_back(
    tmp_path_factory: pytest.TempPathFactory, sentences: list[list[tuple[str, str]]]
) -> None:
    folder = tmp_path_factory.mktemp("tagged")
    rows = "\n\n".join("\n".join(f"{w}\t{t}" for w, t in pairs) for pairs in sentences)
    wanted = [tuple(zip(*pairs, strict=True)) for pairs in sentences]
    lines = [json.dumps({"tokens": w, "tags": t}) for w, t in wanted]
    for content in (rows, "\n".join(lines)):
        found = opened(folder, content).records
        assert [(record.words, record.tags) for record in found] == wanted


def test_a_sentence_of_a_hundred_thousand_words(tmp_path: Path) -> None:
    n = 100_000
    for content in ("Todd O\n" * n, "Todd/O " * n):
        (record,) = opened(tmp_path, content).records
        assert (len(record.words), len(record.tags)) == (n, n)


def test_records_stream(tmp_path: Path) -> None:
    file = opened(tmp_path, b"Todd B-PER\nmet O\n\n" * 20_000)
    tracemalloc.start()
    assert sum(1 for _ in file.records) == 20_000
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1 << 20


def test_what_is_long_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shared, "LONGEST_JSON", 1 << 10)
    monkeypatch.setattr(tagged, "LONGEST_LINE", 1 << 10)
    monkeypatch.setattr(columns, "LONGEST", 10)
    for content in ('{"tokens": [' + "1," * 999 + "1]}", "a/b " * 999, "<a> " * 999):
        with pytest.raises(InputError, match=r":1: longer than 0 Mi characters; a line is"):
            list(opened(tmp_path, content).records)
    with pytest.raises(InputError, match=r":11: a sentence of more than 10 words; a line is"):
        list(opened(tmp_path, "Todd O\n" * 20).records)
    with pytest.raises(InputError, match=r":2: more columns than the 2 of"):
        list(opened(tmp_path, "Todd O\n" + "a " * (1 << 20)).records)


def test_long_first_lines_are_not_cut_into_columns(tmp_path: Path) -> None:
    for content in ("Todd " * (1 << 22), "Todd\t" * (1 << 22), "<a> " * (1 << 22) + "b"):
        (tmp_path / "t.conll").write_text(content)
        tracemalloc.start()
        with pytest.raises(InputError, match=r":1: (more columns|longer than)"):
            list(read_tagged(tmp_path / "t.conll").records)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < 8 * len(content)


def test_description(tmp_path: Path) -> None:
    file = opened(tmp_path, "Todd NNP I-PER\nmet VBD O\n")
    found = detect(record.tags for record in file.records)
    said = describe(file._replace(path="eng.train"), 14041, found)
    assert said == "eng.train: 14,041 sentences, columns (word 1, tag 3), tags IOB1, 1 type"
