"""The dialects of other programs, byte by byte, from scores made by hand."""

from dataclasses import replace
from pathlib import Path
from textwrap import indent

import pytest

from lmtool.cli.formats import FORMATS
from lmtool.errors import InputError
from lmtool.inference.score import SentenceScore
from lmtool.text.reader import Line
from tests.cli.handmade import (
    SentenceSurprisal,
    characters,
    sentence,
    surprisals,
    text,
    three,
    word,
)

FORMATS_PAGE = Path(__file__).parents[2] / "docs/formats.md"
END = word("<EOS>", -1.0)
SRILM_TOTAL = (
    "file -: 2 sentences, 4 words, 1 OOVs\n0 zeroprobs, logprob= -3.75 ppl= 5.62341 ppl1= 17.7828\n"
)
KENLM_TOTAL = (
    "Perplexity including OOVs:\t13.33521\n"
    "Perplexity excluding OOVs:\t5.623413\n"
    "OOVs:\t1\n"
    "Tokens:\t6\n"
)
RNNLM_TOTAL = "\ntest log probability: -3.750000\n\nPPL net: 5.623413\n"
THEANOLM_TOTAL = (
    "Number of sentences: 2\n"
    "Number of words: 8\n"
    "Number of tokens: 8\n"
    "Number of predicted probabilities: 6\n"
    "Number of excluded (OOV) words: 0\n"
    "Number of zero probabilities: 0\n"
    "Cross entropy (base e): 2.590408\n"
    "Perplexity: 13.33521\n"
)


@pytest.fixture
def scores() -> list[SentenceScore]:
    return three()


@pytest.fixture
def entropies() -> list[SentenceSurprisal]:
    """Falling, then rising."""
    return surprisals(three(), [[4.0, 2.5, 3.0], [], [4.0, 5.0, 1.0]])


def test_srilm(scores: list[SentenceScore]) -> None:
    assert (
        text("srilm", scores)
        == text("srilm", scores, "word")
        == (
            "Todd met\n"
            "\tp( Todd | <s> ) \t= [rnn] 0.1 [ -1 ]\n"
            "\tp( met | Todd ...) \t= [rnn] 0.562341 [ -0.25 ]\n"
            "\tp( </s> | met ...) \t= [rnn] 0.316228 [ -0.5 ]\n"
            "1 sentences, 2 words, 0 OOVs\n"
            "0 zeroprobs, logprob= -1.75 ppl= 3.83119 ppl1= 7.49894\n"
            "\n"
            "\n"
            "Zork met\n"
            "\tp( <unk> | <s> ) \t= [OOV] 0 [ -inf ]\n"
            "\tp( met | <unk> ...) \t= [rnn] 0.0316228 [ -1.5 ]\n"
            "\tp( </s> | met ...) \t= [rnn] 0.316228 [ -0.5 ]\n"
            "1 sentences, 2 words, 1 OOVs\n"
            "0 zeroprobs, logprob= -2 ppl= 10 ppl1= 100\n"
            "\n" + SRILM_TOTAL
        )
    )


def test_srilm_by_sentence_and_corpus(scores: list[SentenceScore]) -> None:
    assert text("srilm", scores, "sentence") == (
        "Todd met\n"
        "1 sentences, 2 words, 0 OOVs\n"
        "0 zeroprobs, logprob= -1.75 ppl= 3.83119 ppl1= 7.49894\n"
        "\n"
        "\n"
        "Zork met\n"
        "1 sentences, 2 words, 1 OOVs\n"
        "0 zeroprobs, logprob= -2 ppl= 10 ppl1= 100\n"
        "\n" + SRILM_TOTAL
    )
    assert text("srilm", scores, "corpus") == SRILM_TOTAL


def test_srilm_log_stands_in_field_ten_of_every_word_row() -> None:
    rows = [line.split() for line in text("srilm", three() + characters()).splitlines()]
    logs = [row[9] for row in rows if row[:1] == ["p("]]
    assert logs == ["-1", "-0.25", "-0.5", "-inf", "-1.5", "-0.5", "-inf", "-0.5", "-0.25"]


def test_srilm_of_characters_and_of_nothing() -> None:
    assert text("srilm", characters()) == (
        "T <space>\n"
        "\tp( <unk> | <s> ) \t= [OOV] 0 [ -inf ]\n"
        "\tp( <space> | <unk> ...) \t= [rnn] 0.316228 [ -0.5 ]\n"
        "\tp( </s> | <space> ...) \t= [rnn] 0.562341 [ -0.25 ]\n"
        "1 sentences, 2 words, 1 OOVs\n"
        "0 zeroprobs, logprob= -0.75 ppl= 2.37137 ppl1= 5.62341\n"
        "\n"
        "file -: 1 sentences, 2 words, 1 OOVs\n"
        "0 zeroprobs, logprob= -0.75 ppl= 2.37137 ppl1= 5.62341\n"
    )
    assert text("srilm", []) == "file -: 0 sentences, 0 words, 0 OOVs\n"


def test_srilm_without_known_words_has_no_ppl1(scores: list[SentenceScore]) -> None:
    only = sentence("Zork", *scores[2].words[::2])
    assert text("srilm", [only], "corpus").endswith("ppl= 3.16228 ppl1= undefined\n")


def test_kenlm(scores: list[SentenceScore]) -> None:
    assert (
        text("kenlm", scores)
        == text("kenlm", scores, "word")
        == (
            "Todd=3 2 -1\tmet=4 3 -0.25\t</s>=2 4 -0.5\tTotal: -1.75 OOV: 0\n"
            "\n"
            "Zork=0 2 -3\tmet=4 3 -1.5\t</s>=2 4 -0.5\tTotal: -5 OOV: 1\n" + KENLM_TOTAL
        )
    )


def test_kenlm_by_sentence_and_corpus(scores: list[SentenceScore]) -> None:
    lines = "Total: -1.75 OOV: 0\n\nTotal: -5 OOV: 1\n"
    assert text("kenlm", scores, "sentence") == lines + KENLM_TOTAL
    assert text("kenlm", scores, "corpus") == KENLM_TOTAL


def test_kenlm_of_characters_and_of_nothing() -> None:
    first = text("kenlm", characters()).splitlines()[0]
    assert first == "T=0 2 -1\t<space>=5 3 -0.5\t</s>=2 4 -0.25\tTotal: -1.75 OOV: 1"
    assert text("kenlm", []) == "OOVs:\t0\nTokens:\t0\n"


def test_rnnlm(scores: list[SentenceScore]) -> None:
    assert (
        text("rnnlm", scores)
        == text("rnnlm", scores, "word")
        == (
            "Index   P(NET)          Word\n"
            "----------------------------------\n"
            "2\t0.1000000000\tTodd\n"
            "3\t0.5623413252\tmet\n"
            "0\t0.3162277660\t</s>\n"
            "\n"
            "-1\t0\t\tOOV\n"
            "3\t0.0316227766\tmet\n"
            "0\t0.3162277660\t</s>\n" + RNNLM_TOTAL
        )
    )


def test_rnnlm_by_sentence_and_corpus(scores: list[SentenceScore]) -> None:
    assert text("rnnlm", scores, "sentence") == "-1.750000\n\n-7.000000\n"
    assert text("rnnlm", scores, "corpus") == RNNLM_TOTAL


def test_rnnlm_of_characters_and_of_nothing() -> None:
    assert text("rnnlm", characters()).splitlines()[2:5] == [
        "-1\t0\t\tOOV",
        "4\t0.3162277660\t<space>",
        "0\t0.5623413252\t</s>",
    ]
    assert text("rnnlm", [], "corpus") == "\ntest log probability: 0.000000\n"


def test_theanolm(scores: list[SentenceScore]) -> None:
    assert (
        text("theanolm", scores)
        == text("theanolm", scores, "word")
        == (
            "# Sentence 1\n"
            "log(p(Todd | <s>)) = -2.302585  [Todd:shortlist]\n"
            "log(p(met | <s> Todd)) = -0.5756463  [met:shortlist]\n"
            "log(p(</s> | <s> Todd met)) = -1.151293  [</s>:shortlist]\n"
            "Sentence perplexity: 3.831187\n"
            "\n"
            "\n"
            "# Sentence 3\n"
            "log(p(Zork | <s>)) = -6.907755  [Zork:OOV]\n"
            "log(p(met | <s> Zork)) = -3.453878  [met:shortlist]\n"
            "log(p(</s> | <s> Zork met)) = -1.151293  [</s>:shortlist]\n"
            "Sentence perplexity: 46.41589\n"
            "\n" + THEANOLM_TOTAL
        )
    )


def test_theanolm_by_sentence_and_corpus(scores: list[SentenceScore]) -> None:
    assert text("theanolm", scores, "sentence") == "-4.029524\n\n-11.51293\n"
    assert text("theanolm", scores, "corpus") == THEANOLM_TOTAL


def test_theanolm_shows_three_words_of_history() -> None:
    doubled = sentence("T T ", *characters()[0].words[:2] * 2)
    rows = text("theanolm", [doubled]).splitlines()
    assert rows[3] == "log(p(T | <s> T <space>)) = -2.302585  [T:OOV]"
    assert rows[4] == "log(p(</s> | ... T <space> T)) = -1.151293  [</s>:shortlist]"


def test_theanolm_of_nothing() -> None:
    assert text("theanolm", []).splitlines()[-1] == "Number of zero probabilities: 0"


def test_lmzoo() -> None:
    assert text("lmzoo", three() + characters()) == (
        "sentence_id\ttoken_id\ttoken\tsurprisal\n"
        "1\t1\tTodd\t3.321928\n"
        "1\t2\tmet\t0.830482\n"
        "1\t3\t<eos>\t1.660964\n"
        "3\t1\tZork\t9.965784\n"
        "3\t2\tmet\t4.982892\n"
        "3\t3\t<eos>\t1.660964\n"
        "4\t1\tT\t3.321928\n"
        "4\t2\t<space>\t1.660964\n"
        "4\t3\t<eos>\t0.830482\n"
    )
    assert text("lmzoo", [], "word") == "sentence_id\ttoken_id\ttoken\tsurprisal\n"


def test_complexity(entropies: list[SentenceSurprisal]) -> None:
    assert (
        text("complexity", entropies)
        == text("complexity", entropies, "word")
        == (
            "word sentid sentpos wlen surp entropy entred\n"
            "Todd 0 0 4 3.321928 4 0\n"
            "met 0 1 3 0.830482 2.5 1.5\n"
            "<unk> 2 0 5 9.965784 4 0\n"
            "met 2 1 3 4.982892 5 0\n"
        )
    )


def test_complexity_by_sentence_and_corpus(entropies: list[SentenceSurprisal]) -> None:
    assert text("complexity", entropies, "sentence") == ("Todd met:1.343175\n\nZork met:3.837642\n")
    assert text("complexity", entropies, "corpus") == (
        f"{'=' * 89}\n| End of testing | test loss  2.59 | test ppl    13.34\n{'=' * 89}\n"
    )


def test_complexity_of_characters_and_of_nothing() -> None:
    rows = text("complexity", surprisals(characters(), [[2.0, 1.0, 0.5]])).splitlines()
    assert rows[1:] == ["<unk> 0 0 5 3.321928 2 0", "<space> 0 1 1 1.660964 1 1"]
    assert text("complexity", []) == "word sentid sentpos wlen surp entropy entred\n"
    assert text("complexity", [], "corpus") == ""


def test_kaldi(scores: list[SentenceScore]) -> None:
    known, _, unknown = scores
    utterances = [
        replace(known, text="utt-1  Todd met"),
        replace(unknown, text="utt-2\tZork met"),
        sentence("utt-3 ", known.words[-1]),
    ]
    assert text("kaldi", utterances) == "utt-1\t4.02952\nutt-2\t11.5129\nutt-3\t1.15129\n"
    assert text("kaldi", [], "sentence") == ""


def test_kaldi_wants_an_id_on_every_line() -> None:
    reads = FORMATS["kaldi"].reads
    assert reads(Line("utt-1 Todd", 1, "text")) == "utt-1 Todd"
    with pytest.raises(InputError, match=r"^text:2: no utterance id"):
        reads(Line(" \t", 2, "text"))


@pytest.mark.parametrize(
    ("name", "level"),
    [
        *((name, None) for name in ("tsv", "srilm", "kenlm", "rnnlm", "theanolm", "lmzoo")),
        ("csv", "word"),
        ("rnnlm", "sentence"),
        ("theanolm", "sentence"),
    ],
)
def test_the_documentation_shows_it(
    name: str, level: str | None, scores: list[SentenceScore]
) -> None:
    assert indented(text(name, scores, level)) in FORMATS_PAGE.read_text(encoding="utf-8")


@pytest.mark.parametrize("level", [None, "sentence", "corpus"])
def test_the_documentation_shows_complexity(
    level: str | None, entropies: list[SentenceSurprisal]
) -> None:
    page = FORMATS_PAGE.read_text(encoding="utf-8")
    assert indented(text("complexity", entropies, level)) in page


def indented(output: str) -> str:
    """As a block of code in Markdown."""
    return indent(output, "    ")


def test_a_line_end_within_a_line_is_no_end_of_sentence_to_ppl_from_log() -> None:
    marked = sentence("a </s> b", *(word(w, -1.0, "<UNK>") for w in ("a", "</s>")), END)
    rows = [line.split() for line in text("srilm", [marked]).splitlines()]
    assert [row[1] for row in rows if row[:1] == ["p("]] == ["<unk>", "<unk>", "</s>"]
