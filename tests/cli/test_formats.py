"""The dialects of ``score``, byte by byte, from scores made by hand."""

import json
import math
from types import SimpleNamespace

import pytest

from lmtool.cli.formats import FORMATS, Job
from lmtool.inference.score import SentenceScore, WordScore

IDS = {"<EOS>": 0, "<UNK>": 1, "Todd": 2, "met": 3}


def word(text: str, log10_p: float, token: str | None = None) -> WordScore:
    """A word with its probability; unknown where the token is <UNK>."""
    return WordScore(
        word=text,
        token=token or text,
        oov=token == "<UNK>",
        log10_p=log10_p,
        surprisal_bits=-log10_p / math.log10(2),
        p=10**log10_p,
    )


def sentence(text: str, *words: WordScore) -> SentenceScore:
    """A sentence of words, the last being <EOS>."""
    log10_p = sum(part.log10_p for part in words)
    return SentenceScore(
        text=text,
        log10_p=log10_p,
        p=10**log10_p,
        perplexity=10 ** (-log10_p / len(words)) if words else math.nan,
        n_words=max(0, len(words) - 1),
        n_oov=sum(part.oov for part in words),
        words=words,
    )


@pytest.fixture
def scores() -> list[SentenceScore]:
    """A known sentence, a blank line, and a sentence with an unknown word."""
    return [
        sentence("Todd met", word("Todd", -1.0), word("met", -0.25), word("<EOS>", -0.5)),
        sentence(""),
        sentence("Zork met", word("Zork", -3.0, "<UNK>"), word("met", -1.5), word("<EOS>", -0.5)),
    ]


def job(level: str | None = None, ranked: bool = False) -> Job:
    return Job(level=level, ranked=ranked, source="-", token_id=lambda token: IDS[token])


def text(name: str, scores: list[SentenceScore], level: str | None = None) -> str:
    return "\n".join(FORMATS[name].write(scores, job(level))) + "\n"


def test_srilm(scores: list[SentenceScore]) -> None:
    assert text("srilm", scores) == (
        "Todd met\n"
        "\tp( Todd | <s> ) \t= [rnn] 0.1 [ -1 ]\n"
        "\tp( met | Todd ...) \t= [rnn] 0.562341 [ -0.25 ]\n"
        "\tp( </s> | met ...) \t= [rnn] 0.316228 [ -0.5 ]\n"
        "1 sentences, 2 words, 0 OOVs\n"
        "0 zeroprobs, logprob= -1.75 ppl= 3.83119 ppl1= 7.49894\n"
        "\n"
        "\n"
        "Zork met\n"
        "\tp( Zork | <s> ) \t= [OOV] 0 [ -inf ]\n"
        "\tp( met | Zork ...) \t= [rnn] 0.0316228 [ -1.5 ]\n"
        "\tp( </s> | met ...) \t= [rnn] 0.316228 [ -0.5 ]\n"
        "1 sentences, 2 words, 1 OOVs\n"
        "0 zeroprobs, logprob= -2 ppl= 10 ppl1= 100\n"
        "\n"
        "file -: 2 sentences, 4 words, 1 OOVs\n"
        "0 zeroprobs, logprob= -3.75 ppl= 5.62341 ppl1= 17.7828\n"
    )


def test_srilm_log_stands_in_field_ten_of_every_word_row(scores: list[SentenceScore]) -> None:
    rows = [line.split() for line in text("srilm", scores).splitlines()]
    logs = [row[9] for row in rows if row[:1] == ["p("]]
    assert logs == ["-1", "-0.25", "-0.5", "-inf", "-1.5", "-0.5"]


def test_srilm_without_known_words_is_undefined() -> None:
    assert "ppl= undefined ppl1= undefined" in text("srilm", [])


def test_kenlm(scores: list[SentenceScore]) -> None:
    assert text("kenlm", scores) == (
        "Todd=3 2 -1\tmet=4 3 -0.25\t</s>=2 4 -0.5\tTotal: -1.75 OOV: 0\n"
        "\n"
        "Zork=0 2 -3\tmet=4 3 -1.5\t</s>=2 4 -0.5\tTotal: -5 OOV: 1\n"
        "Perplexity including OOVs:\t13.33521\n"
        "Perplexity excluding OOVs:\t5.623413\n"
        "OOVs:\t1\n"
        "Tokens:\t6\n"
    )


def test_kenlm_by_sentence(scores: list[SentenceScore]) -> None:
    assert text("kenlm", scores, "sentence").startswith("Total: -1.75 OOV: 0\n\nTotal: -5 OOV: 1\n")


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


def test_jsonl(scores: list[SentenceScore]) -> None:
    objects = [json.loads(line) for line in FORMATS["jsonl"].write(scores, job())]
    assert [value["text"] for value in objects] == ["Todd met", "", "Zork met"]
    assert objects[1]["words"] == []
    unknown = objects[2]["words"][0]
    assert (unknown["word"], unknown["token"], unknown["oov"]) == ("Zork", "<UNK>", True)
    assert "words" not in json.loads(next(FORMATS["jsonl"].write(scores, job("sentence"))))


def test_table_of_one_sentence_is_the_chain_rule(scores: list[SentenceScore]) -> None:
    assert next(FORMATS["table"].write(scores[:1], job(ranked=True))).splitlines() == [
        "P(word | words before)      p  log10 p  bits  product",
        "P(Todd)                   0.1  -1.0000  3.32      0.1",
        "P(met | Todd)           0.562  -0.2500  0.83   0.0562",
        "P(<EOS> | Todd met)     0.316  -0.5000  1.66   0.0178",
        "",
        "P = 0.0178   log10 P = -1.7500   perplexity = 3.83119   (2 words + <EOS>, 0 OOV)",
    ]


def test_table_marks_unknown_words(scores: list[SentenceScore]) -> None:
    table = next(FORMATS["table"].write(scores[2:], job(ranked=True)))
    assert "P(Zork as <UNK>)" in table
    assert table.rstrip().endswith("not in the vocabulary: Zork")


def test_table_of_several_ranks_them(scores: list[SentenceScore]) -> None:
    table = next(FORMATS["table"].write([scores[2], scores[0]], job(ranked=True)))
    rows = [line.split() for line in table.splitlines()[1:]]
    assert [row[:3] for row in rows] == [["1", "Todd", "met"], ["2", "Zork", "met"]]
    assert rows[1][-3:] == ["1.78e+03", ":", "1"]


def test_ranking_cuts_long_sentences() -> None:
    long = [sentence("very " * 1000 + end, word("very", -1.0)) for end in "ab"]
    assert max(map(len, next(FORMATS["table"].write(long, job(ranked=True))).splitlines())) < 140


def test_table_of_a_file_keeps_order_and_blank_lines(scores: list[SentenceScore]) -> None:
    lines = list(FORMATS["table"].write(scores, job()))
    assert [line.split()[-2:] for line in lines[1:]] == [["Todd", "met"], [], ["Zork", "met"]]


@pytest.mark.parametrize("name", ["table", "srilm", "kenlm", "tsv"])
def test_a_product_that_no_float_can_hold_is_never_zero(name: str) -> None:
    long = sentence("w" * 3, *[word("Todd", -100.0)] * 60, word("<EOS>", -1.0))
    shown = "\n".join(FORMATS[name].write([long], job(ranked=True)))
    assert "-6001" in shown
    assert name not in ("table", "tsv") or "1e-6001" in shown


def test_srilm_debug_0_is_the_file_alone(scores: list[SentenceScore]) -> None:
    assert text("srilm", scores, "corpus") == (
        "file -: 2 sentences, 4 words, 1 OOVs\n"
        "0 zeroprobs, logprob= -3.75 ppl= 5.62341 ppl1= 17.7828\n"
    )


def test_kenlm_summary(scores: list[SentenceScore]) -> None:
    lines = text("kenlm", scores, "corpus").splitlines()
    assert [line.split("\t")[0] for line in lines] == [
        "Perplexity including OOVs:", "Perplexity excluding OOVs:", "OOVs:", "Tokens:",
    ]  # fmt: skip


def test_csv_quotes_what_needs_it() -> None:
    odd = sentence('"a", b', word('"a",', -1.0), word("b", -1.0), word("<EOS>", -1.0))
    assert text("csv", [odd], "word").splitlines()[:2] == [
        "sentence,word,token,oov,log10_p,surprisal_bits,p",
        '1,"""a"",","""a"",",0,-1,3.32193,0.1',
    ]


def test_rnnlm(scores: list[SentenceScore]) -> None:
    assert text("rnnlm", scores) == (
        "Index   P(NET)          Word\n"
        "----------------------------------\n"
        "2\t0.1000000000\tTodd\n"
        "3\t0.5623413252\tmet\n"
        "0\t0.3162277660\t</s>\n"
        "-1\t0\t\tOOV\n"
        "3\t0.0316227766\tmet\n"
        "0\t0.3162277660\t</s>\n"
        "\n"
        "test log probability: -3.750000\n"
        "\n"
        "PPL net: 5.623413\n"
    )
    assert text("rnnlm", scores, "sentence") == "-1.750000\n\n-5.000000\n"
    assert text("rnnlm", scores, "corpus") == (
        "\ntest log probability: -3.750000\n\nPPL net: 5.623413\n"
    )


def test_theanolm(scores: list[SentenceScore]) -> None:
    assert text("theanolm", scores) == (
        "# Sentence 1\n"
        "log(p(Todd | <s>)) = -2.302585093  [Todd:shortlist]\n"
        "log(p(met | <s> Todd)) = -0.5756462732  [met:shortlist]\n"
        "log(p(</s> | <s> Todd met)) = -1.151292546  [</s>:shortlist]\n"
        "Sentence perplexity: 3.83118685\n"
        "\n"
        "# Sentence 2\n"
        "log(p(Zork | <s>)) = -6.907755279  [Zork:OOV]\n"
        "log(p(met | <s> Zork)) = -3.453877639  [met:shortlist]\n"
        "log(p(</s> | <s> Zork met)) = -1.151292546  [</s>:shortlist]\n"
        "Sentence perplexity: 46.41588834\n"
        "\n"
        "Number of sentences: 2\n"
        "Number of words: 8\n"
        "Number of tokens: 8\n"
        "Number of predicted probabilities: 6\n"
        "Number of excluded (OOV) words: 0\n"
        "Number of zero probabilities: 0\n"
        "Cross entropy (base e): 2.59040823\n"
        "Perplexity: 13.33521432\n"
    )
    assert text("theanolm", scores, "sentence") == "-4.029523913\n\n-11.51292546\n"
    assert text("theanolm", scores, "corpus").startswith("Number of sentences: 2\n")


def test_theanolm_shows_three_words_of_history() -> None:
    long = sentence("a b c d", *(word(name, -1.0) for name in ("a", "b", "c", "d", "<EOS>")))
    rows = [line.split(")) =")[0] for line in text("theanolm", [long]).splitlines()[1:6]]
    assert rows == [
        "log(p(a | <s>",
        "log(p(b | <s> a",
        "log(p(c | <s> a b",
        "log(p(d | ... a b c",
        "log(p(</s> | ... b c d",
    ]


def test_lmzoo(scores: list[SentenceScore]) -> None:
    assert text("lmzoo", scores) == (
        "sentence_id\ttoken_id\ttoken\tsurprisal\n"
        "1\t1\tTodd\t3.32193\n"
        "1\t2\tmet\t0.830482\n"
        "1\t3\t<eos>\t1.66096\n"
        "3\t1\tZork\t9.96578\n"
        "3\t2\tmet\t4.98289\n"
        "3\t3\t<eos>\t1.66096\n"
    )


def test_complexity() -> None:
    def surprising(text: str, surprisal: float, entropy: float) -> SimpleNamespace:
        return SimpleNamespace(
            word=text, length=len(text), surprisal_bits=surprisal, entropy_before=entropy
        )

    end = surprising("<EOS>", 1.0, 0.5)
    sentences = [
        SimpleNamespace(words=(surprising("Todd", 3.5, 4.0), surprising("met", 1.0, 4.5), end)),
        SimpleNamespace(words=()),
        SimpleNamespace(words=(surprising("Zork", 9.25, 4.0), surprising("met", 2.0, 3.0), end)),
    ]
    assert "\n".join(FORMATS["complexity"].write(sentences, job())) == (
        "word sentid sentpos wlen surp entropy entred\n"
        "Todd 0 0 4 3.5 4 0\n"
        "met 0 1 3 1 4.5 0\n"
        "Zork 2 0 4 9.25 4 0\n"
        "met 2 1 3 2 3 1"
    )


def test_kaldi(scores: list[SentenceScore]) -> None:
    pairs = [("utt-1", scores[0]), ("utt-2", scores[2])]
    assert list(FORMATS["kaldi"].write(pairs, job())) == ["utt-1 4.029524", "utt-2 11.51293"]


@pytest.mark.parametrize("name", [name for name in FORMATS if name != "table"])
def test_no_input_is_no_crash(name: str) -> None:
    for level in FORMATS[name].levels:
        list(FORMATS[name].write([], job(level)))


@pytest.mark.parametrize("name", ["srilm", "kenlm", "rnnlm", "theanolm", "lmzoo"])
def test_a_blank_character_is_a_word_of_its_own(name: str) -> None:
    spaced = sentence("a b", *(word(name, -1.0) for name in ("a", " ", "b", "<EOS>")))
    assert "<space>" in "\n".join(
        FORMATS[name].write([spaced], Job(None, False, "-", lambda token: 2))
    )


@pytest.mark.parametrize("name", ["tsv", "jsonl", "kenlm", "rnnlm", "theanolm", "srilm"])
def test_nothing_underflows(name: str) -> None:
    words = [word("Todd", -3.0) for _ in range(5000)]
    long = sentence("Todd " * 5000, *words, word("<EOS>", -1.0))
    assert long.p == 0
    line = text(name, [long], "sentence")
    assert "-15001" in line or "-34541" in line or "e-15001" in line
