"""Near words, analogies: by vectors made by hand, whose answers are known."""

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lmtool.api import Captioner, Classifier, Model, Tagger, Translator
from lmtool.data.readers.wordtests import Question
from lmtool.errors import ConfigError, InputError, ModelFileError, OptionError
from lmtool.inference.embeddings import Embeddings
from lmtool.inference.neighbours import METRICS, analogy, neighbours, worked_out
from lmtool.inference.vectors import AnalogyResult, SimilarityResult, analogies, spearman
from lmtool.settings import TextSettings
from lmtool.text.vocabulary import Vocabulary
from tests.conftest import tiny
from tests.vectors import ROYAL, model, royal


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("cosmul", [False, True])
def test_king_less_man_and_woman_is_queen(metric: str, cosmul: bool) -> None:
    if cosmul and metric != "cosine":
        with pytest.raises(ConfigError, match="contradict each other"):
            analogy(royal(), "man", "king", "woman", metric=metric, cosmul=True)
        return
    result = analogy(royal(), "man", "king", "woman", metric=metric, cosmul=cosmul)
    assert result.neighbours[0].word == "queen"
    assert result.metric == ("cosmul" if cosmul else metric)
    words = [one.word for one in result.neighbours]
    assert set(words) == set(ROYAL) - {"man", "king", "woman", "<EOS>", "<UNK>"}
    assert [one.word for one in result.left_out] == ["man", "king", "woman"]


def test_distances_are_0_where_the_sum_is_the_word() -> None:
    for metric in ("euclidean", "manhattan"):
        assert analogy(royal(), "man", "king", "woman", metric=metric).neighbours[0].value == 0


def test_the_cosine_is_that_of_unit_vectors() -> None:
    def unit(word: str) -> Any:
        return np.array(ROYAL[word]) / np.linalg.norm(ROYAL[word])

    target = unit("king") - unit("man") + unit("woman")
    wanted = unit("queen") @ target / np.linalg.norm(target)
    first = analogy(royal(), "man", "king", "woman", k=1).neighbours[0]
    assert first.value == pytest.approx(wanted, abs=1e-7)


def test_3cosmul_by_its_definition() -> None:
    def s(a: str, b: str) -> float:
        x, y = np.array(ROYAL[a]), np.array(ROYAL[b])
        return float(x @ y / np.linalg.norm(x) / np.linalg.norm(y) + 1) / 2

    first = analogy(royal(), "man", "king", "woman", k=1, cosmul=True).neighbours[0]
    wanted = s("queen", "king") * s("queen", "woman") / (s("queen", "man") + 0.001)
    assert first.value == pytest.approx(wanted, rel=1e-6)


def test_the_arithmetic_adds_up() -> None:
    known = royal()
    result = analogy(known, "man", "king", "woman", k=2)
    done = worked_out(known, result)
    b, a, c, total = map(np.array, done.vectors)
    assert np.allclose(b - a + c, total)
    for row in done.rows:
        near = row.cosines[0] - row.cosines[1] + row.cosines[2]
        assert row.value == pytest.approx(near / done.lengths[3], abs=1e-6)
    assert [row.left_out for row in done.rows] == [False, False, True, True, True]


def test_neighbours_nearest_first_without_the_word_and_without_specials() -> None:
    result = neighbours(royal(), "man", metric="euclidean")
    words = [one.word for one in result.neighbours]
    distances = [math.dist(ROYAL["man"], ROYAL[word]) for word in words]
    assert [one.value for one in result.neighbours] == pytest.approx(distances)
    assert distances == sorted(distances)
    assert set(words) == set(ROYAL) - {"man", "<EOS>", "<UNK>"}
    assert len(neighbours(royal(), "man", k=2).neighbours) == 2


def test_of_equals_the_more_frequent_word_comes_first_wherever_it_stands() -> None:
    n = 9_000  # more than one block of rows
    rng = np.random.default_rng(1)
    vectors = rng.normal(size=(n, 7)).astype(np.float32)
    for copy in (5, 8_191, 8_193, 8_999):
        vectors[copy] = vectors[3]
    known = Embeddings(tuple(f"w{i}" for i in range(n)), vectors)
    for metric in METRICS:
        near = neighbours(known, "w3", 4, metric).neighbours
        assert [one.word for one in near] == ["w5", "w8191", "w8193", "w8999"]
        assert len({one.value for one in near}) == 1


def test_a_vector_of_0_is_near_to_nothing() -> None:
    known = Embeddings(("a", "b", "c"), np.array([[0, 0], [1, 0], [-1, 0]], np.float32))
    assert {one.value for one in neighbours(known, "a").neighbours} == {0.0}
    assert [one.word for one in neighbours(known, "b").neighbours] == ["a", "c"]


def test_the_largest_numbers_overflow_nowhere() -> None:
    most = float(np.finfo(np.float32).max)
    known = Embeddings(("a", "b"), np.array([[most, most], [-most, most]], np.float32))
    for metric in METRICS:
        assert math.isfinite(neighbours(known, "a", metric=metric).neighbours[0].value)


def test_an_unknown_word_comes_with_the_nearest_spellings() -> None:
    with pytest.raises(InputError, match=r"'kings': no such word .*: 'king'"):
        neighbours(royal(), "kings")
    with pytest.raises(InputError, match=r"'KINGS': no such word .*: 'king'"):
        neighbours(royal(), "KINGS")
    with pytest.raises(InputError, match="the model reads it as '<UNK>'"):
        analogy(royal(), "man", "king", "x" * 100_000)


def test_case_is_folded_as_the_model_folds_it() -> None:
    folded = Vocabulary.build(["Todd met Pete"], TextSettings(lower=True))
    lm = Model(tiny(folded, "rnn"))
    assert lm.neighbours("TODD").words == ("TODD",)
    assert lm.neighbours("TODD").left_out[0].word == "todd"
    kept = Model(tiny(Vocabulary.build(["Todd met Pete"], TextSettings()), "rnn"))
    with pytest.raises(InputError, match="'Todd'"):
        kept.neighbours("TODD")


def test_a_word_of_several_tokens_has_no_vector() -> None:
    split = Vocabulary.build(["day! good"], TextSettings(tokens="split"))
    lm = Model(tiny(split, "rnn"))
    assert lm.neighbours("day").left_out[0].word == "day"
    with pytest.raises(InputError, match=r"'day!': the model reads it as 'day' '!'; ask for"):
        lm.neighbours("day!")


def test_of_a_model(vocabulary: Vocabulary) -> None:
    lm = model(royal())
    assert lm.analogy("man", "king", "woman", k=1).neighbours[0].word == "queen"
    assert lm.neighbours("king").matrix == "target"
    assert lm.embeddings_of("target").words == lm.vocabulary.tokens
    with pytest.raises(OptionError, match="matrix: must be one of target, not 'source'"):
        lm.neighbours("king", matrix="source")
    for bad in ({"k": 0}, {"metric": "dice"}):
        with pytest.raises(OptionError):
            lm.neighbours("king", **bad)
    with pytest.raises(InputError, match="word: a str is wanted"):
        lm.neighbours(3)  # type: ignore[arg-type]


def test_results_show_themselves() -> None:
    result = neighbours(royal(), "man", 1)
    assert repr(result) == "Nearest('man', woman 0.6)"
    record = result.to_dict()
    assert record["question"] == "man" and record["metric"] == "cosine"
    assert record["neighbours"] == [{"word": "woman", "value": pytest.approx(0.6)}]
    assert "<td>woman</td>" in result._repr_html_()


def test_networks_side_by_side_are_all_asked(vocabulary: Vocabulary) -> None:
    lm = Model(tiny(vocabulary, "gru", members=2))
    joined = lm.embeddings.vectors
    near = neighbours(Embeddings(lm.embeddings.words, joined), "Todd")
    assert [one.word for one in lm.neighbours("Todd").neighbours] == [
        one.word for one in near.neighbours
    ]


def test_every_face_of_a_model_that_knows_words_has_them() -> None:
    for face in (Captioner, Classifier, Model, Tagger, Translator):
        assert {"neighbours", "analogy", "embeddings"} <= set(dir(face))


def test_a_model_without_words() -> None:
    counted = replace(tiny(Vocabulary.build(["a b"], TextSettings()), "rnn"))
    object.__setattr__(counted, "networks", ())
    with pytest.raises(ConfigError, match="word vectors: the model has none"):
        Model(counted).neighbours("a")


def asked(path: Path, text: str, **options: Any) -> AnalogyResult:
    path.write_text(text, encoding="utf-8")
    return model(royal()).analogies(path, **options)


def test_analogies_by_section(tmp_path: Path) -> None:
    text = (
        "man king woman queen\n: royal\nman king woman queen\nking man queen apple\n\n"
        ": fruit\nman king woman pear\n"
    )
    for options in ({}, {"metric": "euclidean"}, {"metric": "manhattan"}, {"cosmul": True}):
        result = asked(tmp_path / "q", text, **options)
        sections = [(x.section, x.n_right, x.n, x.n_questions) for x in result.sections]
        assert sections == [("", 1, 1, 1), ("royal", 1, 2, 2), ("fruit", 0, 0, 1)]
        assert [x.accuracy for x in result.sections] == [1, 0.5, None]
        assert (result.n_right, result.n, result.n_questions) == (2, 3, 4)
        assert result.accuracy == pytest.approx(2 / 3) and result.coverage == 0.75
        assert result.baselines == {"one_hot": {"accuracy": 1 / 3}}  # queen, apple, orange


def test_analogies_are_those_of_analogy_and_blocks_do_not_matter(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    words = ("<EOS>", "<UNK>", *(f"w{i}" for i in range(40)))
    known = Embeddings(words, rng.normal(size=(42, 5)).astype(np.float32))
    rows = [rng.choice(words[2:], 3, replace=False) for _ in range(300)]
    best = [analogy(known, a, b, c, 1).neighbours[0].word for a, b, c in rows]
    questions = [
        Question("", (*row, word if i % 3 else row[0]))
        for i, (row, word) in enumerate(zip(rows, best, strict=True))
    ]
    assert analogies(known, questions).n_right == 200


def test_the_words_of_a_question_are_no_answers(tmp_path: Path) -> None:
    assert asked(tmp_path / "q", "man king woman king\n").n_right == 0
    assert asked(tmp_path / "q", "man king woman man\n").n == 1


def test_questions_are_folded_as_the_model_folds(tmp_path: Path) -> None:
    (tmp_path / "q").write_text("TODD Met todd PETE\n")
    for lower, n in ((True, 1), (False, 0)):
        vocabulary = Vocabulary.build(["Todd met Pete"], TextSettings(lower=lower))
        result = Model(tiny(vocabulary, "rnn")).analogies(tmp_path / "q")
        assert result.n == n and (result.accuracy is None) == (not n)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "no question in it"),
        (": a section\n\n", "no question in it"),
        ("man king woman queen\nman king\n", ":2: 2 words where a question has four"),
        ("man king woman queen apple\n", ":1: 5 words"),
        ("man king wo\0man queen\n", "looks binary"),
    ],
)
def test_bad_questions(text: str, says: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=says):
        asked(tmp_path / "q", text)


def rated(path: Path, text: str) -> SimilarityResult:
    path.write_text(text, encoding="utf-8")
    return model(royal()).similarity(path)


@pytest.mark.parametrize("separator", ["\t", ",", ";", " ", ", "])
@pytest.mark.parametrize("header", ["", "Word 1{0}Word 2{0}Human (mean)\n", "# a note\n"])
def test_similarity(separator: str, header: str, tmp_path: Path) -> None:
    if separator == " ":
        header = header.replace("Word 1", "Word1").replace("Word 2", "Word2")
        header = header.replace(" (mean)", "")
    rows = [("apple", "orange", "9.5"), ("man", "woman", "5"), ("man", "pear", "3"),
            ("man", "apple", "1e-1")]  # fmt: skip
    text = header.format(separator) + "".join(f"{separator.join(row)}\n" for row in rows)
    result = rated(tmp_path / "p", text)
    assert (result.n, result.n_pairs, result.coverage) == (3, 4, 0.75)
    assert result.spearman == pytest.approx(1)
    assert result.baselines == {"one_hot": {"spearman": None}}


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "no pair in it"),
        ("a\tb\tc\n", "no pair in it"),
        ("man\tking\t1\nman\tking\n", ":2: 'man.*king' is not two words and a number"),
        ("man\tking\t1\nman\tking\tnan\n", ":2: "),
        ("man\tking\t1\nman\tking\t1e999\n", ":2: "),
        ("man\tking\t1\nman\tking\t" + "9" * 5000 + "\n", ":2: "),
        ("man\tking\t1\n\tking\t3\n", ":2: "),
    ],
)
def test_bad_ratings(text: str, says: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=says):
        rated(tmp_path / "p", text)


def test_spearman() -> None:
    assert spearman([1, 2, 3], [10, 100, 1000]) == pytest.approx(1)
    assert spearman([1, 2, 3], [3, 2, 1]) == pytest.approx(-1)
    assert spearman([1, 2, 2, 3], [1, 2, 3, 4]) == pytest.approx(3 / math.sqrt(10))  # 4.5 / 4.5 * 5
    x, y = [86, 97, 99, 100, 101, 103, 106, 110, 112, 113], [2, 20, 28, 27, 50, 29, 7, 17, 6, 12]
    d = sum((np.argsort(np.argsort(x)) - np.argsort(np.argsort(y))) ** 2)
    assert spearman(x, y) == pytest.approx(1 - 6 * d / 990)  # without ties
    assert spearman([], []) is spearman([1], [2]) is spearman([1, 1], [1, 2]) is None


def test_word2vec_gives_every_bit_back(tmp_path: Path, vocabulary: Vocabulary) -> None:
    lm = Model(tiny(vocabulary, "gru", members=2))
    (path,) = lm.save_vectors(tmp_path / "v.vec")
    header, *lines = path.read_text().splitlines()
    assert header == f"{vocabulary.n_tokens} 12"
    assert tuple(line.split(" ")[0] for line in lines) == vocabulary.tokens
    read = np.array([line.split(" ")[1:] for line in lines], np.float32)
    assert np.array_equal(read, lm.embeddings.vectors)
    with pytest.raises(ModelFileError, match="exists already"):
        lm.save_vectors(path)
    assert lm.save_vectors(path, overwrite=True) == (path,)


def test_arrays_and_their_words(tmp_path: Path) -> None:
    letters = Model(tiny(Vocabulary.build(["a b"], TextSettings(tokens="char")), "rnn"))
    array, words = letters.save_vectors(tmp_path / "v.npy")
    assert np.array_equal(np.load(array), letters.embeddings.vectors)
    assert words.name == "v.words" and words.read_text().split("\n")[:-1] == [
        *letters.vocabulary.tokens
    ]
    array.unlink()
    with pytest.raises(ModelFileError, match=r"v\.words"):
        letters.save_vectors(tmp_path / "v.npy")
    assert not array.exists()
    with pytest.raises(InputError, match="token ' ': has a blank"):
        letters.save_vectors(tmp_path / "v.vec")
    assert not (tmp_path / "v.vec").exists()
