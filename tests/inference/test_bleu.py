"""BLEU: the lecture's arithmetic, numbers that sacrebleu 2.6.0 gave, and sacrebleu where it is."""

import random
import sys
import time
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

import lmtool
from lmtool.display import Listing
from lmtool.errors import ConfigError, InputError, OptionError
from lmtool.inference import bootstrap as resampling
from lmtool.inference.bleu import Bleu, corpus_bleu, ngrams, signature, statistics
from lmtool.inference.bleu_compare import judged, resampled

ABSENT = "compared with sacrebleu only where it is installed"
DOG = "The dog the dog hiding under the bed"
ONE, TWO = "The dog is hiding under the bed", "There is a dog hiding under the bed"


class Case(NamedTuple):
    """Texts, and what sacrebleu says of them."""

    hypotheses: list[str]
    references: list[list[str]]
    cumulative: tuple[float, ...]  # max_ngram_order 1 to 4
    precisions: tuple[float, ...]
    penalty: float
    words: tuple[int, int]
    sentences: tuple[float, ...]  # effective_order


CASES = {
    "the lecture": Case(
        [DOG], [[ONE, TWO]], (75.0, 73.1925, 64.4616, 57.2125), (75.0, 71.4286, 50.0, 40.0),
        1.0, (8, 8), (57.2125,),
    ),
    "no four in common": Case(
        [DOG], [["There is a dog under the bed"]], (50.0, 37.7964, 28.7685, 22.0896),
        (50.0, 28.5714, 16.6667, 10.0), 1.0, (8, 7), (22.0896,),
    ),
    "two zeros": Case(
        ["a b c d e f"], [["a x b y c d"]], (66.6667, 36.5148, 25.5436, 19.3049),
        (66.6667, 20.0, 12.5, 8.3333), 1.0, (6, 6), (19.3049,),
    ),
    "too short": Case(
        ["The dog is hiding"], [[ONE]], (47.2367,) * 4, (100.0,) * 4, 0.472367, (4, 7), (47.2367,),
    ),
    "a corpus": Case(
        ["the cat sat on the mat", "Pete met Todd near the bakery", "", "a b"],
        [
            ["the cat is on the mat", "there is a cat on the mat"],
            ["Pete met Todd at the bakery", "Todd was met by Pete"],
            ["gone", "all gone"],
            ["a b c", "b a"],
        ],
        (79.8054, 68.7635, 47.9231, 30.3989), (85.7143, 63.6364, 25.0, 8.3333), 0.931063, (14, 15),
        (37.9918, 37.9918, 0.0, 100.0),
    ),
    "nothing": Case(["x y z w"], [["a b c d"]], (0.0,) * 4, (0.0,) * 4, 1.0, (4, 4), (0.0,)),
    "ties to the shorter": Case(
        ["a b c d e f"], [["a b c d e f g h", "a b c d"]], (100.0,) * 4, (100.0,) * 4,
        1.0, (6, 4), (100.0,),
    ),
    "a blank reference": Case(
        ["a b c d e"], [["", "a b c d x"]], (80.0, 77.4597, 73.6806, 66.874),
        (80.0, 75.0, 66.6667, 50.0), 1.0, (5, 5), (66.874,),
    ),
    "blanks of all kinds": Case(
        ["a\u00a0b c\u3000d  e\x0bf"], [["a b c d e g"]], (83.3333, 81.6497, 79.3701, 75.9836),
        (83.3333, 80.0, 75.0, 66.6667), 1.0, (6, 6), (75.9836,),
    ),
}  # fmt: skip
cases = pytest.mark.parametrize("case", CASES.values(), ids=CASES)


def scores(result: Bleu) -> tuple[float, ...]:
    return result.bleu_1, result.bleu_2, result.bleu_3, result.bleu_4


@cases
def test_it_is_what_sacrebleu_gave(case: Case) -> None:
    result = lmtool.bleu(case.hypotheses, case.references)
    assert scores(result) == pytest.approx(case.cumulative, abs=1e-4)
    assert result.bleu == result.bleu_4
    assert result.precisions == pytest.approx(case.precisions, abs=1e-4)
    assert result.brevity_penalty == pytest.approx(case.penalty, abs=1e-6)
    assert (result.n_hypothesis, result.n_reference) == case.words
    assert result.length_ratio == pytest.approx(case.words[0] / case.words[1])
    each = lmtool.sentence_bleu(case.hypotheses, case.references)
    assert [one.bleu for one in each] == pytest.approx(case.sentences, abs=1e-4)


def texts(rng: random.Random, n: int) -> list[str]:
    """Texts of up to 20 words, so few that n-grams come again."""
    return [" ".join(rng.choices("abcdefG", k=rng.choice((0, 2, 5, 20)))) for _ in range(n)]


@pytest.mark.parametrize("seed", range(40))
def test_it_equals_sacrebleu(seed: int) -> None:
    sacrebleu = pytest.importorskip("sacrebleu", reason=ABSENT)
    rng, lower = random.Random(seed), bool(seed % 2)
    n, some = rng.randint(1, 6), rng.randint(1, 4)
    hypotheses, streams = texts(rng, n), [texts(rng, n) for _ in range(some)]
    references = [list(row) for row in zip(*streams, strict=True)]
    own = lmtool.bleu(hypotheses, references, lower=lower)
    for order, score in enumerate(scores(own), 1):
        metric = sacrebleu.BLEU(lowercase=lower, tokenize="none", max_ngram_order=order)
        theirs = metric.corpus_score(hypotheses, streams)
        assert score == pytest.approx(theirs.score, abs=0.01)
    assert own.precisions == pytest.approx(theirs.precisions)
    assert (own.matched, own.counted) == (tuple(theirs.counts), tuple(theirs.totals))
    assert (own.n_hypothesis, own.n_reference) == (theirs.sys_len, theirs.ref_len)
    assert own.brevity_penalty == pytest.approx(theirs.bp)
    one = sacrebleu.BLEU(lowercase=lower, tokenize="none", effective_order=True)
    each = lmtool.sentence_bleu(hypotheses, references, lower=lower)
    for result, text, known in zip(each, hypotheses, references, strict=True):
        assert result.bleu == pytest.approx(one.sentence_score(text, known).score, abs=0.01)


def test_what_the_extra_brings_is_sacrebleus() -> None:
    sacrebleu = pytest.importorskip("sacrebleu", reason=ABSENT)
    hypotheses = ["The dog, it's hiding.", "U.S. prices rose 3.5%"]
    streams = [["The dog is hiding.", "U.S. prices rose by 3.5 %"], ["It's the dog!", "they rose"]]
    references = [list(row) for row in zip(*streams, strict=True)]
    own = lmtool.bleu(hypotheses, references, tokenize="13a", chrf=True)
    assert own.bleu == pytest.approx(sacrebleu.BLEU().corpus_score(hypotheses, streams).score)
    metric = sacrebleu.CHRF()
    assert own.chrf == pytest.approx(metric.corpus_score(hypotheses, streams).score)
    assert own.chrf_signature == f"chrF2|{metric.get_signature()}"
    assert "|tok:13a|" in own.signature
    lower = lmtool.bleu(hypotheses, [*references[:1], ["u.s. prices"]], chrf=True, lower=True)
    assert lower.chrf_signature is not None and "nrefs:var|case:lc" in lower.chrf_signature


@pytest.mark.parametrize("options", [{"tokenize": "13a"}, {"chrf": True}])
def test_without_the_extra_it_says_how_to_get_it(
    options: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [name for name in sys.modules if name.startswith("sacrebleu.")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "sacrebleu", None)
    with pytest.raises(ConfigError, match=r"needs sacrebleu.*pip install 'lmtool\[mt\]'"):
        lmtool.bleu(["a"], ["a"], **options)


def test_statistics_are_added() -> None:
    pairs = [(DOG, [ONE, TWO]), ("a b c", ["a b"]), ("", ["a"])]
    split = [(text.split(), [one.split() for one in some]) for text, some in pairs]
    total = np.sum([statistics(*one) for one in split], axis=0)
    assert total.dtype == np.int64
    together = corpus_bleu([text for text, _ in pairs], [some for _, some in pairs])
    assert Bleu.of(total, together.signature) == together
    assert together.n_sentences == 3


def test_clipped_counts_by_hand() -> None:
    """A count is cut at the largest in any one reference, not at their sum."""
    words = [text.split() for text in ("the the the the a a", "the the b", "the c a")]
    found = {one.words: one for one in ngrams(words[0], words[1:], 1)}
    assert list(found) == [("the",), ("a",)]
    the = found["the",]
    assert (the.count, the.references, the.clipped) == (4, (2, 1), 2)
    assert found["a",].clipped == 1
    assert Bleu.of(statistics(words[0], words[1:])).matched == (3, 1, 0, 0)


@pytest.mark.parametrize("seed", range(5))
def test_the_sums_are_those_of_the_ngrams(seed: int) -> None:
    rng = random.Random(seed)
    for _ in range(10):
        own, *others = (text.split() for text in texts(rng, 4))
        result = Bleu.of(statistics(own, others))
        for n in range(1, 5):
            found = ngrams(own, others, n)
            assert sum(one.count for one in found) == result.counted[n - 1]
            assert sum(one.clipped for one in found) == result.matched[n - 1]


def test_signatures_say_what_matters() -> None:
    version = f"version:lmtool-{lmtool.__version__}"
    assert signature(1) == f"nrefs:1|case:mixed|tok:none|smooth:exp|{version}"
    both = lmtool.bleu(["a", "b"], [["a", "b"], ["b"]], lower=True)
    assert both.signature == f"nrefs:var|case:lc|tok:none|smooth:exp|{version}"
    (one,) = lmtool.sentence_bleu(["a"], ["a"])
    assert one.signature == f"nrefs:1|case:mixed|eff:yes|tok:none|smooth:exp|{version}"


def test_case_and_files(tmp_path: Path) -> None:
    for name, text in (("hyp", "A B\nc d\n"), ("ref0", "a b\nc e\n"), ("ref1", "A B\nx\n")):
        (tmp_path / name).write_text(text)
    hyp, *references = (tmp_path / name for name in ("hyp", "ref0", "ref1"))
    assert lmtool.bleu(["The Dog"], ["the dog"]).bleu_1 == 0
    assert lmtool.bleu(["The Dog"], ["the dog"], lower=True).bleu_1 == 100
    assert lmtool.bleu(str(hyp), str(references[0])).matched == (1, 0, 0, 0)
    assert lmtool.bleu(hyp, references).matched == (3, 1, 0, 0)
    assert lmtool.bleu(hyp, references[0], versus=references[0]).b.bleu_2 == 100


def test_results_show_themselves() -> None:
    result = lmtool.bleu([DOG], [[ONE, TWO]])
    assert repr(result).startswith(
        "Bleu(bleu=57.212, brevity_penalty=1, length_ratio=1, 1 sentence"
    )
    assert result.to_dict()["bleu_4"] == result.bleu
    assert isinstance(lmtool.sentence_bleu([DOG], [ONE]), Listing)
    both = lmtool.bleu([DOG], [[ONE, TWO]], versus=[ONE])
    assert both.to_dict()["b"]["bleu"] == pytest.approx(100)
    assert "<table>" in both._repr_html_()


@pytest.mark.parametrize(
    ("hypotheses", "references", "message"),
    [
        ([], [], "no hypotheses"),
        (["a"], ["a", "b"], "hypotheses: 1, but references for 2"),
        (["a", "b"], ["a", []], r"references\[1\]: no reference"),
        (["a"], [[1]], r"references\[0\]\[0\]: a str is wanted"),
        (["a"], [1], r"references\[0\]: a str or a list of str is wanted"),
        (["a"], 1, "references: a path or a list is wanted"),
        (["a"], "a reference", "there is no such file"),
        ("a hypothesis", ["a"], "there is no such file"),
        ([None], ["a"], r"source\[0\]: a str is wanted"),
    ],
)
def test_what_is_refused(hypotheses: Any, references: Any, message: str) -> None:
    for call in (lmtool.bleu, lmtool.sentence_bleu):
        with pytest.raises(InputError, match=message):
            call(hypotheses, references)


def test_files_of_references_have_as_many_lines(tmp_path: Path) -> None:
    for name, text in (("a", "x\n"), ("b", "x\ny\n")):
        (tmp_path / name).write_text(text)
    with pytest.raises(InputError, match=r"1 line in .*a, 2 in .*b: each hypothesis needs"):
        lmtool.bleu(["x"], [tmp_path / "a", tmp_path / "b"])


@pytest.mark.parametrize("options", [{"tokenize": "intl"}, {"resamples": 0}, {"smooth": "floor"}])
def test_wrong_options(options: Any) -> None:
    with pytest.raises(OptionError):
        lmtool.bleu(["a"], ["a"], **options)


def noisy(rng: random.Random, lines: list[str], share: float) -> list[str]:
    """The lines, some of their words another one."""
    return [" ".join("x" if rng.random() < share else w for w in line.split()) for line in lines]


def test_the_better_one_is_found() -> None:
    rng = random.Random(1)
    known = [" ".join(rng.choices("abcdefgh", k=12)) for _ in range(60)]
    worse, better = noisy(rng, known, 0.4), noisy(rng, known, 0.1)
    result = lmtool.bleu(worse, known, versus=better, resamples=500)
    assert result.low is not None and result.high is not None and result.p is not None
    assert 0 < result.low < result.difference < result.high
    assert result.difference == pytest.approx(result.b.bleu - result.a.bleu)
    assert result.p == pytest.approx(2 / 501) and result.b_better == 1
    turned = lmtool.bleu(better, known, versus=worse, resamples=500)
    assert (turned.low, turned.high) == pytest.approx((-result.high, -result.low))
    assert (turned.p, turned.b_better) == (result.p, 0)


def test_equals_and_seeds() -> None:
    rng = random.Random(2)
    known = [" ".join(rng.choices("abcd", k=9)) for _ in range(30)]
    one, two = noisy(rng, known, 0.3), noisy(rng, known, 0.3)
    same = lmtool.bleu(one, known, versus=one, resamples=50)
    assert (same.difference, same.low, same.high, same.p, same.b_better) == (0, 0, 0, 1, 0.5)
    first, again, other = (
        lmtool.bleu(one, known, versus=two, seed=seed, resamples=99) for seed in (1, 1, 2)
    )
    assert first == again and (first.low, first.high) != (other.low, other.high)
    single = lmtool.bleu(["a"], ["a"], versus=["b"])
    assert (single.low, single.high, single.p, single.b_better) == (None, None, None, None)


def test_a_resample_is_a_corpus(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each difference is that of the corpus whose lines were drawn."""
    rng = random.Random(3)
    known = [" ".join(rng.choices("abcd", k=9)) for _ in range(7)]
    sides = [noisy(rng, known, share) for share in (0.1, 0.3)]
    tables = [
        np.array([statistics(a.split(), [b.split()]) for a, b in zip(one, known, strict=True)])
        for one in sides
    ]
    monkeypatch.setattr(resampling, "DRAWS", 21)  # three resamples at a time
    drawn = resampled(np.concatenate(tables, axis=1), 5, np.random.default_rng(1))
    places = np.concatenate(list(resampling.draws(7, 5, np.random.default_rng(1))))
    expected = [
        [lmtool.bleu([one[i] for i in some], [known[i] for i in some]).bleu for one in sides]
        for some in places
    ]
    assert drawn == pytest.approx([b - a for a, b in expected])


def test_p_is_honest_where_nothing_differs() -> None:
    """Two noises alike: p is below 0.1 in about a tenth of 100 pairs."""
    rng, low = random.Random(4), 0
    for _ in range(100):
        known = [" ".join(rng.choices("abcdefgh", k=8)) for _ in range(40)]
        one, two = noisy(rng, known, 0.3), noisy(rng, known, 0.3)
        result = lmtool.bleu(one, known, versus=two, resamples=200)
        low += bool(result.p is not None and result.p < 0.1)
    assert 2 <= low <= 25


def test_p_and_the_interval_agree() -> None:
    drawn = np.arange(-9.0, 991.0)  # nine below 0, a tie
    low, _, p, better = judged(drawn)
    assert (low > 0, better) == (True, 0.9905) and p == pytest.approx(2 * 10.5 / 1001)
    assert judged(-drawn)[2:] == pytest.approx((p, 1 - better))


def test_a_thousand_sentences_take_no_time() -> None:
    rng = random.Random(5)
    known = [" ".join(f"w{rng.randrange(2000)}" for _ in range(12)) for _ in range(1000)]
    hypotheses = noisy(rng, known, 0.3)
    began = time.process_time()
    lmtool.bleu(hypotheses, known)
    assert time.process_time() - began < 1


def test_long_lines_take_no_time() -> None:
    """Nothing is quadratic in the words of a line, not even where all of them come again."""
    rng = random.Random(6)
    text = " ".join(f"w{i} w{i}" for i in rng.choices(range(8_000), k=20_000))
    began = time.process_time()
    assert lmtool.bleu([text], [[text, text]]).bleu == pytest.approx(100)
    assert time.process_time() - began < 3
