"""Measures of phrases: worked by hand, and beside a slow count by conlleval's own rules."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lmtool.errors import InputError
from lmtool.inference.phrases import (
    block,
    evaluate_phrases,
    phrases,
    single_words,
    strict_phrases,
)

# there: (Todd Miller PER) (Oslo LOC) | (Mary PER) | (Maruti 800 CAR) (Pete PER)
# given: (Todd Miller PER) nothing    | (Mary PER) | (Maruti CAR) (800 Pete PER), and one LOC
WANTED = ["B-PER I-PER O B-LOC", "B-PER O O", "O B-CAR I-CAR B-PER"]
GIVEN = ["B-PER I-PER O O", "B-PER O B-LOC", "O B-CAR B-PER I-PER"]
GOLDEN = """\
processed 11 tokens with 5 phrases; found: 5 phrases; correct: 2.
accuracy:  63.64%; precision:  40.00%; recall:  40.00%; FB1:  40.00
              CAR: precision:   0.00%; recall:   0.00%; FB1:   0.00  1
              LOC: precision:   0.00%; recall:   0.00%; FB1:   0.00  1
              PER: precision:  66.67%; recall:  66.67%; FB1:  66.67  3
"""

Pairs = list[tuple[list[str], list[str]]]
names = st.sampled_from(["O", "B-A", "I-A", "B-B", "I-B", "B-a-b", "I-a-b"])
sentences = st.lists(
    st.lists(st.tuples(names, names), min_size=1, max_size=9).map(
        lambda pairs: ([a for a, _ in pairs], [b for _, b in pairs])
    ),
    min_size=1,
    max_size=6,
)


def pairs(wanted: Sequence[str] = WANTED, given: Sequence[str] = GIVEN) -> Pairs:
    return [(a.split(), b.split()) for a, b in zip(wanted, given, strict=True)]


def test_the_block() -> None:
    assert block(evaluate_phrases(pairs())) == GOLDEN


def test_counts() -> None:
    found = evaluate_phrases(pairs())
    assert (found.n_sentences, found.n_tokens) == (3, 11)
    assert (found.n_phrases, found.n_found, found.n_correct) == (5, 5, 2)
    assert found.accuracy == pytest.approx(100 * 7 / 11)
    assert found.strict_f1 == found.f1 == pytest.approx(40)
    person = found.per_type[-1]
    assert (person.type, person.n, person.n_found, person.n_correct) == ("PER", 3, 3, 2)
    assert found.to_dict() == asdict(found) | {
        "per_type": [one.to_dict() for one in found.per_type]
    }
    assert repr(person).startswith("PhraseResult('PER', precision=66.667")


def test_nothing_found_and_nothing_there() -> None:
    nothing = evaluate_phrases(pairs(["O O"], ["O O"]))
    assert block(nothing) == (
        "processed 2 tokens with 0 phrases; found: 0 phrases; correct: 0.\n"
        "accuracy: 100.00%; precision:   0.00%; recall:   0.00%; FB1:   0.00\n"
    )
    assert nothing.strict_f1 == 0
    missed = evaluate_phrases(pairs(["B-A O"], ["O O"]))
    assert (missed.precision, missed.recall, missed.f1) == (0, 0, 0)
    with pytest.raises(InputError, match="there is no tagged text"):
        evaluate_phrases([])
    with pytest.raises(ValueError, match="zip"):
        evaluate_phrases([(["O"], ["O", "O"])])


def test_strict_measure_counts_no_phrase_without_a_beginning() -> None:
    found = evaluate_phrases(pairs(["B-A I-A O B-B"], ["I-A I-A O B-B"]))
    assert found.f1 == 100
    assert found.strict_f1 == pytest.approx(200 / 3)


def test_plain_tags() -> None:
    found = evaluate_phrases(pairs(["1 0 0 1"], ["1 1 0 0"]), single_words)
    assert (found.precision, found.recall, found.accuracy, found.n_phrases) == (50, 50, 50, 2)
    assert found.strict_f1 is None
    parts = evaluate_phrases(pairs(["DT NN VB"], ["DT NN NN"]), single_words)
    assert parts.f1 == parts.accuracy == pytest.approx(200 / 3)
    assert [(one.type, one.n, one.n_found) for one in parts.per_type] == [
        ("DT", 1, 1), ("NN", 1, 2), ("VB", 1, 0),
    ]  # fmt: skip


# --- a slow twin: the counters of conlleval, by the rules that its functions follow -----------

STARTS = {("B", "B"), ("I", "B"), ("O", "B"), ("O", "I"), ("E", "E"), ("E", "I"), ("O", "E")}
ENDS = {("B", "B"), ("B", "O"), ("I", "B"), ("I", "O"), ("E", "E"), ("E", "I"), ("E", "O")}


def cut(name: str) -> tuple[str, str]:
    """B-a-b -> (B, a-b)"""
    letter, _, kind = name.partition("-")
    return letter, kind


def starts(before: tuple[str, str], now: tuple[str, str]) -> bool:
    return (before[0], now[0]) in STARTS or (now[0] != "O" and before[1] != now[1])


def ends(before: tuple[str, str], now: tuple[str, str]) -> bool:
    return (before[0], now[0]) in ENDS or (before[0] != "O" and before[1] != now[1])


def twin(pairs: Pairs) -> str:
    """Word by word, a sentence's end being a word outside, with a flag for the open phrase."""
    n, found, correct = Counter[str](), Counter[str](), Counter[str]()
    n_tokens = n_right = 0
    outside = ("O", "")
    before_a, before_b, both = outside, outside, False
    for wanted, said in pairs:
        for x, y in [*zip(wanted, said, strict=True), ("O", "O")]:
            a, b = cut(x), cut(y)
            if both:
                end_a, end_b = ends(before_a, a), ends(before_b, b)
                if end_a and end_b and before_a[1] == before_b[1]:
                    both = False
                    correct[before_a[1]] += 1
                elif end_a != end_b or a[1] != b[1]:
                    both = False
            start_a, start_b = starts(before_a, a), starts(before_b, b)
            if start_a and start_b and a[1] == b[1]:
                both = True
            n[a[1]] += start_a
            found[b[1]] += start_b
            before_a, before_b = a, b
        n_tokens += len(wanted)
        n_right += sum(x == y for x, y in zip(wanted, said, strict=True))
    return twin_block(n_tokens, n_right, +n, +found, correct)


def shares(n: int, found: int, correct: int) -> str:
    precision = 100 * correct / found if found else 0
    recall = 100 * correct / n if n else 0
    f1 = 2 * precision * recall / (precision + recall) if precision + recall else 0
    return f"precision: {precision:6.2f}%; recall: {recall:6.2f}%; FB1: {f1:6.2f}"


def twin_block(
    n_tokens: int, n_right: int, n: Counter[str], found: Counter[str], correct: Counter[str]
) -> str:
    sums = (n.total(), found.total(), correct.total())
    text = f"processed {n_tokens} tokens with {sums[0]} phrases; found: {sums[1]} phrases; "
    text += f"correct: {sums[2]}.\naccuracy: {100 * n_right / n_tokens:6.2f}%; {shares(*sums)}\n"
    for kind in sorted({*n, *found}):
        text += f"{kind:>17}: {shares(n[kind], found[kind], correct[kind])}  {found[kind]}\n"
    return text


def test_the_twin_prints_the_golden_block() -> None:
    assert twin(pairs()) == GOLDEN


@given(sentences)
def test_blocks_are_those_of_the_twin(pairs: Pairs) -> None:
    assert block(evaluate_phrases(pairs)) == twin(pairs)


@given(sentences)
def test_strict_phrases_are_never_more(pairs: Pairs) -> None:
    for tags, _ in pairs:
        assert set(strict_phrases(tags)) <= set(phrases(tags))


def test_seqeval_agrees() -> None:
    metrics = pytest.importorskip("seqeval.metrics", reason="seqeval is not installed")
    wanted, given = map(list, zip(*pairs(), strict=True))
    assert evaluate_phrases(pairs()).f1 == pytest.approx(100 * metrics.f1_score(wanted, given))
