"""The phrase book and the pictures: repeated, counted, and more than the nearest example tells."""

import math
import re
import subprocess
import sys
from collections import Counter, defaultdict
from collections.abc import Sequence
from itertools import chain
from pathlib import Path

import numpy as np
import pytest

from lmtool.data.readers.captions import read_captions
from lmtool.data.readers.parallel import read_parallel

EXAMPLES = Path(__file__).parents[1] / "examples"
BOOK, PICTURES = EXAMPLES / "translation", EXAMPLES / "captions"
LANGUAGES = ("hi", "mr", "en")


def cells(folder: Path, name: str) -> list[int]:
    """The numbers of a row of the README's table."""
    readme = (folder / "README.md").read_text("utf-8")
    line = next(line for line in readme.splitlines() if line.startswith(f"| `{name}`"))
    return [int(re.sub(r"\D", "", cell)) for cell in line.split("|")[2:-1]]


def stated(folder: Path) -> list[float]:
    """The BLEUs in a README, in order."""
    readme = (folder / "README.md").read_text("utf-8")
    return [float(figure) for figure in re.findall(r"BLEU (\d+\.\d)", readme)]


def runs(words: Sequence[str], n: int) -> Counter[tuple[str, ...]]:
    """The runs of n words."""
    return Counter(tuple(words[i : i + n]) for i in range(len(words) - n + 1))


def bleu(texts: Sequence[str], references: Sequence[Sequence[str]]) -> float:
    """BLEU-4 of a corpus, the nearest length of a text's references."""
    right, total, length, wanted = Counter[int](), Counter[int](), 0, 0
    for text, own in zip(texts, references, strict=True):
        words, others = text.split(), [other.split() for other in own]
        length += len(words)
        wanted += min((abs(len(other) - len(words)), len(other)) for other in others)[1]
        for n in range(1, 5):
            found, allowed = runs(words, n), Counter[tuple[str, ...]]()
            for other in others:
                allowed |= runs(other, n)
            right[n] += (found & allowed).total()
            total[n] += found.total()
    mean = sum(math.log(right[n] / total[n]) for n in range(1, 5)) / 4
    return 100 * math.exp(mean + min(0, 1 - wanted / length))


def test_what_bleu_is() -> None:
    # 4/5 3/4 2/3 1/2 of the runs are right, and the text is as long as its nearest reference
    references = [["the cat sat down today", "a cat"]]
    assert bleu(["the cat sat down here"], references) == pytest.approx(100 * 0.2**0.25)
    assert bleu(["the cat sat down"], [["the cat sat down today"]]) == pytest.approx(
        77.88, abs=0.01
    )


def lines(name: str) -> list[str]:
    """Of the phrase book."""
    return (BOOK / name).read_text("utf-8").splitlines()


def test_the_phrase_book_is_repeated_and_counted(tmp_path: Path) -> None:
    script = BOOK / "make_phrase_book.py"
    subprocess.run([sys.executable, "-B", script, "--folder", tmp_path], check=True)
    for name in (f"phrases{end}.{language}" for end in ("", "_valid") for language in LANGUAGES):
        assert (tmp_path / name).read_bytes() == (BOOK / name).read_bytes()
        words = list(chain.from_iterable(line.split() for line in lines(name)))
        assert cells(BOOK, name) == [len(lines(name)), len(words), len(set(words))]


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_phrase_is_in_the_book_twice(language: str) -> None:
    both = [*lines(f"phrases.{language}"), *lines(f"phrases_valid.{language}")]
    assert len(set(both)) == len(both) == 3900
    known, used = (" ".join(lines(f"phrases{end}.{language}")).split() for end in ("", "_valid"))
    assert len({*used} - {*known}) < 5


def by_the_nearest(source: str) -> float:
    """BLEU of the English beside the training phrase that shares the largest part of its words."""
    train, valid = (
        list(read_parallel([BOOK / f"phrases{end}.{source}", BOOK / f"phrases{end}.en"]).records)
        for end in ("", "_valid")
    )
    words = {word: i for i, word in enumerate({w: 0 for p in train for w in p.source.split()})}
    counts = np.zeros((len(train), len(words)), np.int64)
    for row, pair in enumerate(train):
        np.add.at(counts[row], [words[word] for word in pair.source.split()], 1)
    given = []
    for pair in valid:
        bag = Counter(pair.source.split())
        own = {words[word]: n for word, n in bag.items() if word in words}
        shared = np.minimum(counts[:, [*own]], [*own.values()]).sum(1)
        given.append(train[int(np.argmax(shared / (bag.total() + counts.sum(1))))].target)
    return bleu(given, [[pair.target] for pair in valid])


def test_how_far_the_nearest_phrase_is() -> None:
    found = [by_the_nearest(source) for source in ("hi", "mr")]
    assert found == pytest.approx(stated(BOOK)[:2], abs=0.05)
    assert max(found) < 40


def captions(end: str) -> tuple[np.ndarray, list[list[str]]]:
    """Vectors and the captions of each."""
    file = read_captions(PICTURES / f"pictures{end}.npy", PICTURES / f"captions{end}.tsv")
    texts = defaultdict[int, list[str]](list)
    for one in file.records:
        texts[one.row].append(one.text)
    assert "ids dropped" in file.form
    return np.asarray(file.vectors), [texts[row] for row in range(len(file.vectors))]


def test_the_pictures_are_repeated_and_counted(tmp_path: Path) -> None:
    script = PICTURES / "make_pictures.py"
    subprocess.run([sys.executable, script, "--folder", tmp_path], check=True)
    again = sorted(path.name for path in tmp_path.iterdir())
    assert len(again) == 10
    for name in again:
        assert (tmp_path / name).read_bytes() == (PICTURES / name).read_bytes()
    assert sum((PICTURES / name).stat().st_size for name in again if ".npy" in name) < 1 << 20
    for end in ("", "_valid"):
        vectors, texts = captions(end)
        words = list(chain.from_iterable(text.split() for own in texts for text in own))
        counts = [len(vectors), sum(map(len, texts)), len(words), len(set(words))]
        assert cells(PICTURES, f"captions{end}.tsv") == counts


def test_how_far_the_nearest_picture_is() -> None:
    (known, train), (wanted, valid) = captions(""), captions("_valid")
    distances = (wanted**2).sum(1)[:, None] + (known**2).sum(1) - 2 * wanted @ known.T
    found = bleu([train[row][0] for row in distances.argmin(1)], valid)
    other = bleu([own[0] for own in valid], [own[1:] for own in valid])
    assert [found, other] == pytest.approx(stated(PICTURES)[:2], abs=0.05)
    assert found < 40 < 60 < other
