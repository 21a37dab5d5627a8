"""Ladder 7: the example corpora, and the perplexities that their README promises."""

import math
import re
import subprocess
import sys
from collections import Counter, defaultdict
from itertools import chain
from pathlib import Path

import pytest

import lmtool

CORPORA = Path(__file__).parents[1] / "examples" / "corpora"
README = (CORPORA / "README.md").read_text(encoding="utf-8")
LABELS = CORPORA.parent / "labels"
REVIEWS = (LABELS / "README.md").read_text(encoding="utf-8")


def row(name: str) -> list[str]:
    """The corpus's cells in the README's table."""
    line = next(line for line in README.splitlines() if line.startswith(f"| `{name}"))
    return [cell.strip() for cell in line.split("|")[3:-1]]


@pytest.mark.parametrize("name", ["todd_and_pete", "place_names"])
def test_generators_repeat_the_files(name: str, tmp_path: Path) -> None:
    script, again = CORPORA / f"make_{name}.py", tmp_path / "again.txt"
    subprocess.run([sys.executable, script, "--out", again], check=True)
    assert again.read_bytes() == (CORPORA / f"{name}.txt").read_bytes()


@pytest.mark.parametrize(("name", "split"), [("todd_and_pete", str.split), ("place_names", list)])
def test_counts_in_the_readme(name: str, split: object) -> None:
    text = (CORPORA / f"{name}.txt").read_text(encoding="utf-8")
    tokens = [token for line in text.splitlines() for token in split(line)]  # type: ignore[operator]
    counts = (len(text.splitlines()), len(tokens), len(set(tokens)), len(text.encode()))
    assert [int(re.sub(r"\D", "", cell)) for cell in row(name)[:4]] == list(counts)


def test_pairs_are_in_the_words_of_their_corpus() -> None:
    folder = CORPORA.parent / "pairs"
    _, *rows = (folder / "todd_and_pete.tsv").read_text(encoding="utf-8").splitlines()
    known = set((CORPORA / "todd_and_pete.txt").read_text(encoding="utf-8").split())
    used = {word for row in rows for part in row.split("\t")[1:] for word in part.split()}
    assert used <= known
    assert f"{len(rows)} pairs" in (folder / "README.md").read_text(encoding="utf-8")


Reviews = list[tuple[str, str]]


def reviews(name: str) -> Reviews:
    """(stars, review)"""
    lines = (LABELS / f"{name}.tsv").read_text(encoding="utf-8").splitlines()
    return [(label, text) for label, text in (line.split("\t") for line in lines)]


def test_the_reviews_are_repeated_and_counted(tmp_path: Path) -> None:
    subprocess.run([sys.executable, LABELS / "make_reviews.py", "--folder", tmp_path], check=True)
    for name in ("reviews", "reviews_valid"):
        again, known = (folder / f"{name}.tsv" for folder in (tmp_path, LABELS))
        assert again.read_bytes() == known.read_bytes()
        pairs = reviews(name)
        words = list(chain.from_iterable(text.split() for _, text in pairs))
        ((_, most),) = Counter(label for label, _ in pairs).most_common(1)
        line = next(line for line in REVIEWS.splitlines() if line.startswith(f"| `{name}.tsv`"))
        cells = [re.sub(r"[^\d.]", "", cell) for cell in line.split("|")[2:-1]]
        counts = [len(pairs), len(words), len(set(words)), f"{100 * most / len(pairs):.1f}"]
        assert cells == list(map(str, counts))
    train, valid = ({text for _, text in reviews(name)} for name in ("reviews", "reviews_valid"))
    assert not train & valid


def runs(text: str, longest: int) -> set[str]:
    """The runs of words up to a length."""
    words = text.split()
    lengths = range(1, longest + 1)
    return {" ".join(words[i : i + n]) for n in lengths for i in range(len(words) - n + 1)}


def naive_bayes(train: Reviews, valid: Reviews, longest: int) -> float:
    """The share of labels that are right, each known run once a text, counts of one more."""
    counts: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for label, text in train:
        counts[label].update(runs(text, longest))
    n = Counter(label for label, _ in train)
    known = set().union(*counts.values())

    def logp(label: str, found: set[str]) -> float:
        total = counts[label].total() + len(known)
        return math.log(n[label]) + sum(math.log((counts[label][x] + 1) / total) for x in found)

    right = 0
    for label, text in valid:
        found = runs(text, longest) & known
        right += label == max(n, key=lambda one: logp(one, found))
    return right / len(valid)


def test_how_hard_the_reviews_are() -> None:
    train, valid = reviews("reviews"), reviews("reviews_valid")
    shares = [100 * naive_bayes(train, valid, longest) for longest in (1, 3)]
    assert 70 < shares[0] < shares[1] < 95
    stated = re.findall(r"(\d+\.\d) %", REVIEWS.split("Naive Bayes")[1].split("lmtool train")[0])
    assert [f"{share:.1f}" for share in shares] == stated


@pytest.mark.parametrize(("name", "kind"), [("todd_and_pete", "word"), ("place_names", "char")])
def test_expected_perplexities(name: str, kind: str) -> None:
    lm = lmtool.train(CORPORA / f"{name}.txt", tokens=kind)
    result = lm.provenance["result"]
    carried, by_line = re.findall(r"\d+\.\d+", row(name)[4])
    assert result["valid_perplexity"] == pytest.approx(float(carried), rel=0.03)
    assert result["valid_perplexity_sentence"] == pytest.approx(float(by_line), rel=0.03)
    if kind == "word":
        assert lm.score("Todd met Pete").log10_p > lm.score("Toad met Pit").log10_p + 5
        assert lm.score("Toad met Pit").n_oov == 0


def test_expected_accuracy_of_the_reviews() -> None:
    paths = (LABELS / "reviews.tsv", LABELS / "reviews_valid.tsv")
    classifier = lmtool.train(paths[0], valid=paths[1], writes="label", members=1, epochs=5)
    stated = re.findall(r"(\d+\.\d) %", REVIEWS.split("lmtool train")[1])
    result = classifier.evaluate(paths[1])
    assert result.accuracy == pytest.approx(float(stated[0]), abs=2)
    assert result.accuracy > 80 > 40 > result.majority
    text = "the kite from the market : we went with Anna . the paper was {} ."
    stars = [classifier.classify(text.format(word)).label for word in ("perfect", "awful")]
    assert stars == sorted(stars, reverse=True)
    assert stars[0] != stars[1]
