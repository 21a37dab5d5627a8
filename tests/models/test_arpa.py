"""ARPA files: there and back, other programs' habits, KenLM's numbers, and what is no such file."""

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lmtool.errors import InputError
from lmtool.inference.score import score
from lmtool.models.arpa import arpa, read_arpa
from lmtool.models.kneser_ney import count
from lmtool.models.ngram import NgramModel, far_from_one
from lmtool.settings import TextSettings
from lmtool.text.vocabulary import EOS, UNK, Vocabulary
from tests.models.test_ngram import OTHER, TOY, counted_in, ids_of, p
from tests.refused import refused

MADE_UP = """# made up
\\data\\
ngram 1=5
ngram 2=2

\\1-grams:
-0.5	</s>
-99	<s>	-0.2
-1.1	<unk>
-0.7	todd	-0.3
-0.6	met

\\2-grams:
-0.2	<s> todd
-0.1	todd met

\\end\\
"""


def read(text: str, folder: Path) -> NgramModel:
    """The model in a text."""
    path = folder / "a.arpa"
    path.write_bytes(text.encode())
    return read_arpa(path)


def test_reads(tmp_path: Path) -> None:
    for text in (MADE_UP, MADE_UP.replace("\n", "\r\n"), MADE_UP.replace("<unk>", "<UNK>")):
        model = read(text, tmp_path)
        assert model.vocabulary.tokens == (EOS, UNK, "todd", "met")
        assert p(model, "<s>", "todd") == pytest.approx(10**-0.2)
        assert p(model, "<s>", "met") == pytest.approx(10**-0.8)
        assert p(model, "met", EOS) == pytest.approx(10**-0.5)
        assert score(model, "todd met").log10_p == pytest.approx(-0.8)
    assert far_from_one(model) > 0.1


def test_writes_what_it_reads(tmp_path: Path) -> None:
    model = read(MADE_UP, tmp_path)
    again = read("".join(arpa(model)), tmp_path)
    assert again.vocabulary.digest == model.vocabulary.digest
    for one, two in zip(model.orders, again.orders, strict=True):
        np.testing.assert_array_equal(one.keys, two.keys)
        np.testing.assert_allclose(one.logp, two.logp, rtol=1e-6)
        np.testing.assert_allclose(one.backoff, two.backoff, rtol=1e-6)


@given(
    st.lists(st.text("abc ", min_size=1).filter(str.strip), min_size=1, max_size=5),
    st.integers(1, 4),
)
def test_there_and_back(lines: list[str], order: int) -> None:
    import tempfile

    model = counted_in(lines, order)
    with tempfile.TemporaryDirectory() as folder:
        again = read("".join(arpa(model)), Path(folder))
    for line in lines:
        assert score(again, line).log10_p == pytest.approx(score(model, line).log10_p, abs=1e-5)


def test_as_others_write_it() -> None:
    text = "".join(arpa(counted_in(TOY, 3)))
    assert text.startswith(
        "\\data\\\nngram 1=5\nngram 2=7\nngram 3=7\n\n\\1-grams:\n-99\t<s>\t-0.3"
    )
    assert "\n-0.377120" in text and "\t<s> a\t-0.30103\n" in text
    assert "\ta </s>\n" in text and "\t</s>\n" in text
    assert text.endswith("\n\n\\end\\\n")


def test_blanks_that_are_tokens() -> None:
    lines, settings = ["a b", "b a"], TextSettings(tokens="char")
    vocabulary = Vocabulary.build(lines, settings)
    assert "\ta <space> b\n" in "".join(arpa(count(ids_of(vocabulary, lines), vocabulary, 3)))


@pytest.mark.parametrize("line", ["a <s> b", "a <space> b"])
def test_words_that_would_be_read_as_something_else(line: str) -> None:
    with pytest.raises(InputError, match="cannot be a word of an ARPA file"):
        "".join(arpa(counted_in([line], 2)))


WRONG = {
    "more promised": ("1=5", "1=6", 12, "6 1-grams promised, 5 found"),
    "fewer promised": ("1=5", "1=4", 11, "more 1-grams than the 4 promised"),
    "a bomb": ("2=2", "2=1000000000000", 16, "1,000,000,000,000 2-grams promised, 2 found"),
    "a larger bomb": ("2=2", f"2={10**30}", 4, "expected"),
    "blanks": ("1=5", "1 = 5", 3, "expected"),
    "an order left out": ("ngram 2=2", "ngram 3=2", 4, "expected"),
    "cut": ("\\end\\\n", "", 16, "cut short"),
    "cut sooner": (MADE_UP[MADE_UP.index("\\2-grams") :], "", 12, "cut short"),
    "above 1": ("-0.7", "0.2", 10, "above 0"),
    "no number": ("-0.7", "nan", 10, "no number"),
    "infinite": ("-0.7", "-inf", 10, "no number"),
    "a word for a number": ("-0.7", "todd", 10, "no number"),
    "an infinite backoff": ("-0.3", "inf", 10, "no number"),
    "a backoff too many": ("todd met", "todd met\t-0.1", 15, "backoff"),
    "an unknown word": ("todd met", "todd zork", 15, "'zork'"),
    "two tabs": ("-0.6\tmet", "-0.6\t\tmet", 11, "expected"),
    "a wide blank": ("met", "m\u00a0et", 11, "white space"),
    "a missing word": ("todd met", "met", 15, "2 words expected"),
    "twice": ("todd met", "<s> todd", 15, "twice"),
    "a word twice": ("\tmet", "\ttodd", 11, "twice"),
    "a special twice": ("\tmet", "\t<UNK>", 11, "twice"),
    "no <unk>": ("-1.1\t<unk>", "-1.1\tsaw", 12, "no <unk>"),
    "no <s>": ("<s>\t-0.2", "saw", 12, "no <s>"),
    "<s> at the end": ("todd met", "todd <s>", 15, "first"),
    "</s> at the start": ("todd met", "</s> met", 15, "last"),
    "another kind of file": ("\\data\\", "iARPA", 2, "no whole ARPA file"),
    "another section": ("\\2-grams:", "\\3-grams:", 13, "expected"),
    "a section too many": ("\\end\\", "\\3-grams:", 17, "expected"),
}


@pytest.mark.parametrize("how", WRONG)
def test_what_is_wrong(how: str, tmp_path: Path) -> None:
    old, new, line, message = WRONG[how]
    assert old in MADE_UP
    with refused(InputError) as error:
        read(MADE_UP.replace(old, new, 1) if old != "met" else MADE_UP.replace(old, new), tmp_path)
    assert message in str(error.value)
    assert f"a.arpa:{line}: " in str(error.value)
    assert "\n" not in str(error.value)


def test_a_prefix_that_is_missing(tmp_path: Path) -> None:
    longer = MADE_UP.replace("ngram 2=2", "ngram 2=2\nngram 3=1").replace(
        "\\end\\", "\\3-grams:\n-0.1\tmet todd met\n\n\\end\\"
    )
    with pytest.raises(
        InputError, match=r"a.arpa:19: no whole ARPA file: its first 2 words are not among"
    ):
        read(longer, tmp_path)


def test_nothing_in_it(tmp_path: Path) -> None:
    for text in ("", "\\data\\\n\n\\end\\\n", "\n" * 5):
        with pytest.raises(InputError, match=r"a\.arpa:\d"):
            read(text, tmp_path)


@given(st.data())
def test_any_change_is_read_or_refused(data: Any) -> None:
    """What is damaged anywhere is a model all the same, or one line that says so."""
    import tempfile

    text = "".join(arpa(counted_in(TOY + OTHER, 3)))
    start = data.draw(st.integers(0, len(text)))
    length, new = (
        data.draw(st.integers(0, 9)),
        data.draw(st.text("0123459-.=\\\t\n <>sab", max_size=5)),
    )
    with tempfile.TemporaryDirectory() as folder:
        try:
            model = read(text[:start] + new + text[start + length :], Path(folder))
        except InputError as error:
            assert "\n" not in str(error)
        else:
            assert math.isfinite(score(model, "a b").log10_p)


def test_kenlm_agrees(tmp_path: Path) -> None:
    kenlm = pytest.importorskip("kenlm", reason="KenLM is not installed: pip install kenlm")
    lines = [*TOY, *OTHER, "a c b", "c c a"] * 2
    model, path = counted_in(lines, 4, 0, 0, 1), tmp_path / "toy.arpa"
    path.write_text("".join(arpa(model)))
    theirs = kenlm.Model(str(path))
    for line in [*lines, "b b c", "zork a", "a zork b zork"]:
        ours = score(model, line)
        each = [logp for logp, *_ in theirs.full_scores(line)]
        assert [word.log10_p for word in ours.words] == pytest.approx(each, abs=1e-5)
