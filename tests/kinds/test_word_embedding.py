"""Word vectors: what is drawn, learnt, counted, refused; and models that begin with them."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import lmtool
from lmtool import faces
from lmtool.data.windows import Running, Windows, keep
from lmtool.errors import ConfigError, InterruptionError, ModelFileError, OptionError
from lmtool.models.cooccurrence import cooccurrences, count_vectors, information

EXAMPLES = Path(__file__).parents[2] / "examples/vectors"
TEXT = "a b c d\nc b a\n" * 8
SMALL: dict[str, Any] = {"writes": "vectors", "embed": 4, "batch": 8, "samples": 6}
IDS = np.array([2, 3, 4, 0, 4, 1, 2, 0], np.int32)  # a b c | c <UNK> a
COUNTS = np.array([2, 1, 2, 1, 2], np.int64)


@pytest.fixture(scope="module")
def text(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("vectors") / "text"
    path.write_text(TEXT)
    return path


def test_windows_end_with_lines_and_skip_the_unknown() -> None:
    data = Windows(Running(IDS, COUNTS, 2, 0.0), 100, 5, "skipgram", 1)
    pairs = set()
    for step in range(20):
        one = data.batch(step)
        assert one.inputs is not None and one.drawn is not None
        assert one.inputs.shape == (1, 5) and one.targets.shape == (4, 5)
        assert one.n == np.count_nonzero(one.targets >= 0) and one.drawn.min() >= 2
        for centre, around in zip(one.inputs[0], one.targets.T, strict=True):
            pairs |= {(int(centre), int(x)) for x in around if x >= 0}
    assert pairs == {(2, 3), (2, 4), (3, 2), (3, 4), (4, 2), (4, 3)}
    again = Windows(Running(IDS, COUNTS, 2, 0.0), 100, 5, "cbow", 1).batch(3)
    assert again.targets.shape == (1, 5) and again.inputs is not None
    assert np.array_equal(again.inputs, data.batch(3).targets)


def test_frequent_words_are_read_less_often() -> None:
    counts = np.array([9, 9, 9_000, 10])
    shares = keep(Running(IDS, counts, 2, 1e-3))
    assert shares[:2].tolist() == [0, 0] and shares[3] == 1
    assert shares[2] == pytest.approx((1e-3 * 9010 / 9000) ** 0.5 + 1e-3 * 9010 / 9000)


def test_cooccurrences_and_information() -> None:
    keys, n = cooccurrences(IDS, np.array([0, 0, 1, 1, 0.5]), 2)
    found = {(int(k) // 5, int(k) % 5): float(x) for k, x in zip(keys, n, strict=True)}
    near, far = 1.0, 0.5
    assert found[2, 3] == found[3, 2] == near
    assert found[2, 4] == found[4, 2] == 0.5 * far + 0.5 * near  # b between, <UNK> left out
    assert found[3, 4] == 0.5 * near and len(found) == 6
    m = information((keys, n), 5)
    totals = np.bincount(keys // 5, n, 5)
    wanted = np.log(found[2, 3] / totals[2] / (totals[3] ** 0.75 / (totals**0.75).sum()))
    row = dict(zip(m.columns[m.offsets[2] : m.offsets[3]].tolist(), m.values, strict=False))
    assert row[3] == pytest.approx(wanted, rel=1e-6)


def test_count_vectors_do_not_follow_threads() -> None:
    rng = np.random.default_rng(0)
    ids = rng.integers(2, 30, 600).astype(np.int32)
    ids[::9] = 0
    shares = np.ones(30)
    one, two = (count_vectors(ids, shares, 3, 5, 1, threads) for threads in (1, 2))
    assert one.tobytes() == two.tobytes() and one.shape == (30, 5)
    assert not one[:2].any() and np.isfinite(one).all()


@pytest.mark.parametrize("output", ["skipgram", "cbow"])
def test_the_same_bits_with_any_threads(output: str, text: Path) -> None:
    asked = SMALL | {"output": output, "steps": 4, "shards": 2}
    one, two = (lmtool.train(text, threads=threads, **asked) for threads in (1, 2))
    flat = [faces.trained(model).parameters.flat for model in (one, two)]
    assert flat[0].tobytes() == flat[1].tobytes() and flat[0].any()


def test_resumed(text: Path, tmp_path: Path) -> None:
    model, left = tmp_path / "m.st", [False, False, True, False]
    whole = lmtool.train(text, steps=6, **SMALL)
    with pytest.raises(InterruptionError):
        lmtool.train(text, steps=6, model=model, stop=lambda: 2 * left.pop(0), **SMALL)
    resumed = lmtool.resume(model)
    ends = [faces.trained(one).parameters.flat.tobytes() for one in (whole, resumed)]
    assert ends[0] == ends[1]
    assert lmtool.load(model).info()["kind"] == "word embedding"


def test_refused(text: Path, tmp_path: Path) -> None:
    model = tmp_path / "m.st"
    lmtool.train(text, model=model, steps=1, **SMALL)
    with pytest.raises(ModelFileError, match=r"word embedding \(neighbours, analogy, vectors\)"):
        faces.load_for("score", model)
    with pytest.raises(OptionError, match="does not take it"):
        lmtool.train(text, hidden=4, **SMALL)


def test_a_queen_is_to_a_woman_as_a_king_is_to_a_man() -> None:
    counted = lmtool.train(EXAMPLES / "kingdom.txt", writes="vectors", output="counts", embed=20)
    assert counted.analogy("man", "king", "woman", 1).neighbours[0].word == "queen"
    assert counted.analogy("king", "prince", "queen", 1).neighbours[0].word == "princess"
    learnt = lmtool.train(EXAMPLES / "kingdom.txt", writes="vectors", embed=20, epochs=25)
    assert learnt.analogy("man", "king", "woman", 1).neighbours[0].word == "queen"


def test_the_table_of_features() -> None:
    known = lmtool.load_vectors(EXAMPLES / "four_features.vec")
    assert known.analogy("man", "king", "woman", 1).neighbours[0].word == "queen"
    assert known.neighbours("apple", 1).neighbours[0].word == "orange"
    with pytest.raises(OptionError, match="matrix"):
        known.neighbours("apple", matrix="source")


VECTORS = "3 4\na 1 2 3 4\nB 5 6 7 8\nzebra 0 0 0 1\n"
Files = Callable[[Path], tuple[Any, dict[str, Any]]]


def put(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


KINDS: dict[str, Files] = {
    "language model": lambda to: (put(to / "t", TEXT), {"cell": "rnn"}),
    "tagger": lambda to: (put(to / "t", "a/X b/Y c/X\n" * 9), {"writes": "tags"}),
    "classifier": lambda to: (put(to / "t", "x\ta b\ny\tb c\n" * 9), {"writes": "label"}),
    "translator": lambda to: (put(to / "t.tsv", "a b\tb a\nb c\tc b\n" * 9), {"reads": "text"}),
}


@pytest.mark.parametrize("kind", KINDS)
def test_begins_with_vectors(kind: str, tmp_path: Path) -> None:
    corpus, asked = KINDS[kind](tmp_path)
    own: dict[str, Any] = {
        "vectors": str(put(tmp_path / "v.vec", VECTORS)),
        "steps": 3,
        "hidden": 4,
    }
    if kind == "translator":
        own["tokens"] = "word"
    model = lmtool.train(corpus, freeze=True, **own, **asked)
    for matrix in model.embeddings.matrices:
        known = model.embeddings_of(matrix)
        assert known["a"].reshape(-1, 4).tolist()[0] == [1, 2, 3, 4]
        assert known["b"].reshape(-1, 4).tolist()[0] == [5, 6, 7, 8]
        assert known["c"].any()
    moved = lmtool.train(corpus, **own, **asked).embeddings["a"].reshape(-1, 4)[0]
    assert moved.tolist() != [1, 2, 3, 4] and np.allclose(moved, [1, 2, 3, 4], atol=0.3)


def test_vectors_that_do_not_fit(text: Path, tmp_path: Path) -> None:
    vectors = str(put(tmp_path / "v.vec", VECTORS))
    with pytest.raises(ConfigError, match=r"have 4 numbers; give that"):
        lmtool.train(text, vectors=vectors, embed=3, steps=1)
    with pytest.raises(ConfigError, match="has no vectors of words"):
        lmtool.train(text, vectors=vectors, members=0, ngram=2)
    with pytest.raises(OptionError, match="nothing to freeze"):
        lmtool.train(text, freeze=True, steps=1)


def test_counted_vectors_stand_beside(tmp_path: Path) -> None:
    known = lmtool.load_vectors(EXAMPLES / "four_features.vec")
    questions = put(tmp_path / "q", "man king woman queen\n")
    pairs = put(tmp_path / "p", "man\twoman\t5\nking\tqueen\t4\napple\tman\t1\n")
    text = put(tmp_path / "c", "man king apple\nwoman queen orange\nking queen man\napple orange\n")
    beside = known.counted(text)
    assert beside.words == known.embeddings.words and beside.vectors.shape == (6, 4)
    found = known.analogies(questions, beside=beside)
    assert found.baselines["counts"]["accuracy"] in (0, 1) and found.accuracy == 1
    assert beside.vectors.any() and np.isfinite(beside.vectors).all()
    agreed = known.similarity(pairs, beside=beside).baselines["counts"]["spearman"]
    assert agreed is not None and -1 <= agreed <= 1
