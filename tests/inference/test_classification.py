"""Labels of texts: what is said of one, of lines, and how often it is right."""

import math

import pytest

from lmtool.data.readers.labelled import Record
from lmtool.errors import InputError, ModelFileError, OptionError
from lmtool.inference.classification import classify, classify_lines, evaluate_labelled
from lmtool.inference.measures import decided
from tests.standin import Classifier, stars, topics


def records(*pairs: tuple[str, str]) -> list[Record]:
    """("1", "bad") -> a record of line 1."""
    return [
        Record(tuple(labels.split()), text, line, "t.tsv")
        for line, (labels, text) in enumerate(pairs, 1)
    ]


def test_one_text() -> None:
    found = classify(stars(), "bad Zork")
    total = math.exp(2) + 1 + math.exp(-2)
    assert (found.text, found.label) == ("bad Zork", "1")
    assert found.p == pytest.approx(math.exp(2) / total)
    assert [one.label for one in found.labels] == ["1", "3", "5"]
    assert sum(one.p for one in found.labels) == pytest.approx(1)
    assert found.to_dict()["labels"][2] == {"label": "5", "p": pytest.approx(math.exp(-2) / total)}
    assert [one.label for one in classify(stars(), "bad", k=2).labels] == ["1", "3"]
    assert classify(stars(), "bad", k=99) == classify(stars(), "bad")


def test_ties_go_to_the_first() -> None:
    assert [one.label for one in classify(stars(), "Zork").labels] == ["1", "3", "5"]


def test_temperature_is_the_models() -> None:
    cold, hot = (classify(stars(t), "good").p for t in (0.5, 5.0))
    assert cold and hot and cold > 0.98 and hot < 0.6


@pytest.mark.parametrize("threads", [1, 3])
def test_lines(threads: int) -> None:
    lines = ["bad", "", "good", " \t", "fine"] * 5
    found = list(classify_lines(stars(), lines, threads=threads))
    assert [one.label for one in found] == ["1", None, "5", None, "3"] * 5
    assert found[1].to_dict() == {"text": "", "label": None, "p": None, "labels": []}
    alone = [classify(stars(), line) for line in lines]
    assert found == alone


def test_several_labels() -> None:
    both = classify(topics(), "boat market")
    assert (both.label, [one.label for one in both.labels]) == ("sea", ["sea", "town"])
    assert both.p == pytest.approx(1 / (1 + math.exp(-4)))
    none = classify(topics(), "the wood")
    assert (none.label, none.p, len(none.labels)) == (None, None, 2)
    given = {text: classify(topics(), text).given for text in ("boat market", "the boat", "wood")}
    assert [[one.label for one in found] for found in given.values()] == [
        ["sea", "town"],
        ["sea"],
        [],
    ]
    unsure = classify(stars(), "Zork")
    assert unsure.given == unsure.labels[:1] and classify(stars(), "").given == ()


@pytest.mark.parametrize("k", [0, -1, 1.5])
def test_k_is_checked_at_once(k: int) -> None:
    with pytest.raises(OptionError, match="k"):
        classify_lines(stars(), [], k)


def test_evaluation_by_hand() -> None:
    """Right: bad, good, good; 3 and 1 are taken for 5, and a word that nobody knows for 1."""
    texts = records(
        ("1", "bad"), ("5", "good"), ("5", "good"), ("3", "good"), ("1", "good"), ("3", "Zork")
    )
    found = evaluate_labelled(stars(), texts)
    assert found.n == 6
    assert found.accuracy == pytest.approx(50)
    assert found.majority == pytest.approx(100 / 3)
    assert found.confusion == ((1, 0, 1), (1, 0, 1), (0, 0, 2))
    assert found.mae == pytest.approx((2 + 4 + 2) / 6)
    f1s = [2 * 1 / (2 + 2), 0.0, 2 * 2 / (4 + 2)]
    assert [one.f1 for one in found.per_class] == pytest.approx([100 * f1 for f1 in f1s])
    assert found.macro_f1 == pytest.approx(100 * sum(f1s) / 3)
    assert (found.micro_f1, found.labels) == (None, ("1", "3", "5"))
    assert [(one.label, one.n, one.n_predicted) for one in found.per_class] == [
        ("1", 2, 2),
        ("3", 2, 0),
        ("5", 2, 4),
    ]
    sure = math.exp(2) / (math.exp(2) + 1 + math.exp(-2))  # of five, 3 of them right; then 1/3
    assert found.ece == pytest.approx(100 * (abs(5 * sure - 3) + 1 / 3) / 6)
    expected = 5 * sure + 3 * math.exp(-2) * sure + math.exp(-4) * sure  # of "good"
    off = [abs(6 - expected - 1), *[5 - expected] * 2, expected - 3, expected - 1, 0]
    assert found.mae_expected == pytest.approx(sum(off) / 6)
    nats = -math.log(sure * sure**2 * (sure * math.exp(-2)) * (sure * math.exp(-4)) / 3) / 6
    assert found.nats == pytest.approx(nats)


def test_calibration_is_undone_for_comparison() -> None:
    texts = records(("1", "bad"), ("5", "good"), ("5", "good"), ("3", "good fine"))
    cold, plain = (evaluate_labelled(stars(t), texts) for t in (3.0, 1.0))
    assert (plain.temperature, cold.temperature) == (1.0, 3.0)
    assert plain.ece == pytest.approx(plain.ece_uncalibrated)
    assert cold.ece_uncalibrated == pytest.approx(plain.ece)
    assert cold.ece != pytest.approx(plain.ece)
    assert cold.accuracy == plain.accuracy


def test_evaluation_of_several_labels() -> None:
    texts = records(("sea", "boat"), ("sea town", "boat market"), ("town", "the wood"))
    found = evaluate_labelled(topics(), texts)
    given = decided(topics().log_probabilities([topics().source(one.text) for one in texts]), True)
    assert given.tolist() == [[1, 0], [1, 1], [0, 0]]
    assert found.accuracy == pytest.approx(200 / 3)
    assert found.micro_f1 == pytest.approx(100 * 6 / 7)
    assert found.macro_f1 == pytest.approx(50 * (1 + 2 / 3))
    assert found.confusion is None and found.majority is None and found.mae is None
    assert found.to_dict()["confusion"] is None


def test_the_same_for_any_number_of_threads() -> None:
    texts = records(*[("1", "bad"), ("5", "good fine"), ("3", "fine")] * 9)
    assert evaluate_labelled(stars(), texts, 1) == evaluate_labelled(stars(), iter(texts), 4)


def test_what_is_shown_and_printed() -> None:
    texts = records(("1", "bad"), ("5", "good"))
    found = evaluate_labelled(stars(), texts)
    plain = found.to_dict()
    assert plain["confusion"] == [[1, 0, 0], [0, 0, 0], [0, 0, 1]]
    assert plain["per_class"][0]["label"] == "1" and plain["labels"] == ["1", "3", "5"]
    assert repr(found).startswith("LabelEvaluation(accuracy=100, macro_f1=66.667, mae=0, ")
    assert "<table>" in found._repr_html_()
    assert repr(classify(stars(), "bad")) == "Classification('bad', label='1', p=0.86681)"


@pytest.mark.parametrize("threads", [1, 3])
def test_unknown_labels_and_no_texts(threads: int) -> None:
    with pytest.raises(InputError, match=r"t\.tsv:2: the label '4' is in no training text"):
        evaluate_labelled(stars(), records(("1", "bad"), ("4", "good")), threads)
    with pytest.raises(InputError, match="there is no labelled text"):
        evaluate_labelled(stars(), [], threads)


def test_overflow_is_an_error() -> None:
    broken = Classifier(topics().labels, {"bad": (math.nan, 0.0)})
    with pytest.raises(ModelFileError, match="numbers overflow"):
        classify(broken, "bad")
