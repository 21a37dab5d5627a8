"""The formats of our own, byte by byte, and what holds for all, from scores made by hand."""

import csv
import io
import json
import re
from dataclasses import replace

import pytest

from lmtool.cli.formats import FORMATS, LEVELS
from lmtool.inference.score import SentenceScore
from tests.cli.handmade import characters, job, long, sentence, surprisals, text, three, word

LINE_WISE = ("kenlm", "rnnlm", "theanolm", "complexity")  # at level sentence


@pytest.fixture
def scores() -> list[SentenceScore]:
    return three()


def test_tsv_by_sentence(scores: list[SentenceScore]) -> None:
    assert text("tsv", scores) == (
        "text\tlog10_p\tp\tperplexity\tn_words\tn_oov\n"
        "Todd met\t-1.75\t0.0177828\t3.83119\t2\t0\n"
        "\t\t\t\t0\t0\n"
        "Zork met\t-5\t1e-05\t46.4159\t2\t1\n"
    )


def test_tsv_by_word(scores: list[SentenceScore]) -> None:
    assert text("tsv", scores, "word") == (
        "sentence\tword\ttoken\toov\tlog10_p\tsurprisal_bits\tp\n"
        "1\tTodd\tTodd\t0\t-1\t3.32193\t0.1\n"
        "1\tmet\tmet\t0\t-0.25\t0.830482\t0.562341\n"
        "1\t<EOS>\t<EOS>\t0\t-0.5\t1.66096\t0.316228\n"
        "3\tZork\t<UNK>\t1\t-3\t9.96578\t0.001\n"
        "3\tmet\tmet\t0\t-1.5\t4.98289\t0.0316228\n"
        "3\t<EOS>\t<EOS>\t0\t-0.5\t1.66096\t0.316228\n"
    )


def test_tsv_survives_tabs_and_escape_sequences() -> None:
    odd = sentence("a\tb\x1b[2J", word("a", -1.0), word("b\x1b[2J", -1.0), word("<EOS>", -1.0))
    row = text("tsv", [odd]).splitlines()[1]
    assert row.split("\t")[0] == r"a\tb\x1b[2J"
    assert row.count("\t") == 5


def test_csv_by_sentence(scores: list[SentenceScore]) -> None:
    assert text("csv", scores) == (
        "text,log10_p,p,perplexity,n_words,n_oov\n"
        "Todd met,-1.75,0.0177828,3.83119,2,0\n"
        ",,,,0,0\n"
        "Zork met,-5,1e-05,46.4159,2,1\n"
    )


def test_csv_by_word(scores: list[SentenceScore]) -> None:
    assert text("csv", [*scores[1:], *characters()], "word") == (
        "sentence,word,token,oov,log10_p,surprisal_bits,p\n"
        "2,Zork,<UNK>,1,-3,9.96578,0.001\n"
        "2,met,met,0,-1.5,4.98289,0.0316228\n"
        "2,<EOS>,<EOS>,0,-0.5,1.66096,0.316228\n"
        "3,T,<UNK>,1,-1,3.32193,0.1\n"
        "3, , ,0,-0.5,1.66096,0.316228\n"
        "3,<EOS>,<EOS>,0,-0.25,0.830482,0.562341\n"
    )


def test_csv_quotes_what_a_reader_would_split() -> None:
    odd = sentence('a,"b"', word("a,", -1.0), word('"b"', -1.0), word("<EOS>", -1.0))
    rows = list(csv.reader(io.StringIO(text("csv", [odd], "word"))))
    assert [row[1] for row in rows] == ["word", "a,", '"b"', "<EOS>"]


def test_jsonl(scores: list[SentenceScore]) -> None:
    objects = [json.loads(line) for line in FORMATS["jsonl"].lines(scores, job())]
    assert [value["text"] for value in objects] == ["Todd met", "", "Zork met"]
    assert objects[1]["words"] == []
    unknown = objects[2]["words"][0]
    assert (unknown["word"], unknown["token"], unknown["oov"]) == ("Zork", "<UNK>", True)
    assert "words" not in json.loads(next(FORMATS["jsonl"].lines(scores, job("sentence"))))


def test_table_of_one_sentence_is_the_chain_rule(scores: list[SentenceScore]) -> None:
    assert text("table", scores[:1], ranked=True).splitlines() == [
        "P(word | words before)      p  log10 p  bits  product",
        "P(Todd)                   0.1  -1.0000  3.32      0.1",
        "P(met | Todd)           0.562  -0.2500  0.83   0.0562",
        "P(<EOS> | Todd met)     0.316  -0.5000  1.66   0.0178",
        "",
        "P = 0.0178   log10 P = -1.7500   perplexity = 3.83119   (2 words + <EOS>, 0 OOV)",
    ]


def test_table_marks_unknown_words(scores: list[SentenceScore]) -> None:
    table = text("table", scores[2:], ranked=True)
    assert "P(Zork as <UNK>)" in table
    assert table.rstrip().endswith("not in the vocabulary: Zork")


def test_table_of_several_ranks_them(scores: list[SentenceScore]) -> None:
    table = text("table", [scores[2], scores[0]], ranked=True)
    rows = [line.split() for line in table.splitlines()[1:]]
    assert [row[:3] for row in rows] == [["1", "Todd", "met"], ["2", "Zork", "met"]]
    assert rows[1][-3:] == ["1.78e+03", ":", "1"]
    assert table == text("table", [scores[2], scores[0]], "sentence", ranked=True)


def test_ranking_cuts_long_sentences() -> None:
    both = [sentence("very " * 1000 + end, word("very", -1.0)) for end in "ab"]
    assert max(map(len, text("table", both, ranked=True).splitlines())) < 140


def test_table_of_a_file_keeps_order_and_blank_lines(scores: list[SentenceScore]) -> None:
    lines = text("table", scores).splitlines()
    assert [line.split()[-2:] for line in lines[1:]] == [["Todd", "met"], [], ["Zork", "met"]]


def test_every_level_is_known_to_some_format() -> None:
    known = {level for form in FORMATS.values() for level in form.levels}
    assert known | {"token"} == set(LEVELS)  # what "word" writes, of smaller parts


@pytest.mark.parametrize("name", LINE_WISE)
def test_blank_lines_keep_their_place(name: str, scores: list[SentenceScore]) -> None:
    lines = text(name, [scores[1], scores[0], scores[1]], "sentence").splitlines()
    assert [bool(line) for line in lines[:3]] == [False, True, False]


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("level", LEVELS)
def test_empty_input_has_no_infinities(name: str, level: str) -> None:
    if level in FORMATS[name].levels:
        assert not re.search(r"inf|nan", text(name, [], level), re.IGNORECASE)


@pytest.mark.parametrize("name", ["table", "tsv", "csv", "srilm", "kenlm", "rnnlm"])
def test_a_sentence_of_5000_words(name: str) -> None:
    shown = text(name, long(), "sentence", ranked=True)
    assert "-6250.5" in shown
    assert name not in ("table", "tsv", "csv") or "3.16228e-6251" in shown or "3.16e-6251" in shown


@pytest.mark.parametrize("name", ["theanolm", "kaldi"])
def test_a_sentence_of_5000_words_in_nats(name: str) -> None:
    assert re.search(r"14392\.3|-14392\.31", text(name, long(), "sentence"))


def test_an_unlikely_word_of_a_long_sentence_is_never_zero() -> None:
    unlikely = [sentence("Todd", word("Todd", -400.25), word("<EOS>", -0.5))]
    for name in ("table", "tsv", "csv", "srilm", "rnnlm"):
        assert "e-401" in text(name, unlikely, "word")
    worse = [replace(unlikely[0], words=unlikely[0].words[:1] * 2)]  # 10^400 on average
    for name in ("srilm", "kenlm", "rnnlm", "theanolm"):
        assert "e+400" in text(name, worse, "corpus")
    assert "e+400" in text("complexity", surprisals(worse, [[1.0, 1.0]]), "corpus")
