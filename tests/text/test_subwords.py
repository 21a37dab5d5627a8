"""Byte-pair pieces: merges against naive recounting, round trips, refusals, other libraries."""

import io
import random
from collections import Counter
from itertools import groupby, pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lmtool.errors import ConfigError
from lmtool.settings import TextSettings
from lmtool.text.subwords import LEAST, LONGEST, MARK, Merges, cutter, join, learn, parse, spelled
from lmtool.text.vocabulary import EOS, UNK, UNK_ID, Vocabulary

ESCAPE = "\N{HALFWIDTH WHITE CIRCLE}"
SUBWORD = TextSettings(tokens="subword")
letters = st.text(st.sampled_from(["a", "b", "c", "क", "्", MARK, ESCAPE, "0"]), min_size=1)
counts = st.dictionaries(letters, st.integers(1, 9), max_size=12)


def naive(counts: dict[str, int], n_pieces: int, least: int) -> Merges:
    """Merges by counting anew each time."""
    words = {(MARK, *word): n for word, n in counts.items()}
    pieces, merges = {piece for word in words for piece in word}, []
    while len(pieces) <= n_pieces:
        pairs: Counter[tuple[str, str]] = Counter()
        for word, n in words.items():
            for pair in pairwise(word):
                pairs[pair] += n
        best = min(((-n, pair) for pair, n in pairs.items() if pair not in merges), default=None)
        if best is None or -best[0] < least:
            break
        merges.append(best[1])
        pieces.add("".join(best[1]))
        words = {merged(word, best[1]): n for word, n in words.items()}
    return tuple(merges)


def merged(word: tuple[str, ...], pair: tuple[str, str]) -> tuple[str, ...]:
    done: list[str] = []
    rest = [*word]
    while rest:
        if tuple(rest[:2]) == pair:
            done.append("".join(pair))
            del rest[:2]
        else:
            done.append(rest.pop(0))
    return tuple(done)


plain = st.dictionaries(st.text("abc", min_size=1, max_size=7), st.integers(1, 9))


@given(plain, st.integers(4, 30))
def test_merges_are_those_of_counting_anew(counts: dict[str, int], n_pieces: int) -> None:
    assert learn(counts, n_pieces, 1)[1] == naive(counts, n_pieces, LEAST)


@given(counts, st.integers(1, 40), st.integers(1, 4), letters)
def test_every_word_comes_back(
    counts: dict[str, int], n_pieces: int, min_count: int, strange: str
) -> None:
    pieces, merges = learn(counts, n_pieces, min_count)
    cut = cutter(pieces, merges)
    for word in [*counts, strange, strange * (LONGEST + 3)]:
        assert join([*cut(word), *cut(word)]) == f"{word} {word}"
    assert len(pieces) <= n_pieces + 1
    assert len(set(pieces)) == len(pieces)


@given(counts)
def test_the_order_of_words_does_not_matter(counts: dict[str, int]) -> None:
    assert learn(counts, 30, 1) == learn(dict(reversed(counts.items())), 30, 1)


def test_ties_go_by_code_points() -> None:
    assert learn({"xy": 2, "ab": 2}, 6, 1)[1] == (("a", "b"), ("x", "y"))


def test_a_merge_is_seen_twice() -> None:
    assert learn({"ab": 1, "cd": 1}, 100, 1)[1] == ()
    assert learn({"ab": 2, "cd": 2}, 100, 3)[1] == ()
    assert learn({"ab": 3, "cd": 2}, 100, 3) == (
        [MARK, "a", "b", "ab", f"{MARK}ab"],
        (("a", "b"), (MARK, "ab")),
    )


def test_all_characters_are_known_and_others_are_not() -> None:
    vocabulary = Vocabulary.build(["lower lower low", "x"], SUBWORD)
    assert set("lowerx" + MARK) <= set(vocabulary.tokens)
    assert vocabulary.split("wolx lower") == [MARK, "w", "o", "l", "x", f"{MARK}lower"]
    assert UNK_ID not in vocabulary.encode("wolx lower")
    assert vocabulary.split("lo日本w") == [MARK, "lo", "日本", "w"]
    assert vocabulary.encode("lo日本w").count(UNK_ID) == 1
    assert vocabulary.decode(vocabulary.encode("lo日本w 日")) == f"lo{UNK}w {UNK}"
    assert vocabulary.decode(vocabulary.encode("low <unk> low")) == f"low {UNK} low"


def test_counts_are_those_of_the_pieces() -> None:
    vocabulary = Vocabulary.build(["abab ab ab", "q ab </s>"], SUBWORD)
    seen = Counter(token for line in ("abab ab ab", "q ab") for token in vocabulary.split(line))
    assert vocabulary.counts.tolist() == [2, 0, *(seen[token] for token in vocabulary.tokens[2:])]
    again = vocabulary.recounted({"abab": 1, "日": 2}, 3)
    assert again.counts[:2].tolist() == [3, 2]
    assert again.digest == vocabulary.digest


def test_a_special_is_never_a_piece() -> None:
    vocabulary = Vocabulary.build(["x<unk> " * 9, "y<unk>z " * 9], SUBWORD)
    assert "<unk>" not in vocabulary.tokens
    assert vocabulary.decode(vocabulary.encode("x<unk>")) == "x<unk>"


def test_the_digest_changes_with_merges() -> None:
    tokens, counts = (EOS, UNK, MARK, "a", "b", "c", "ab", "bc", "abc"), np.zeros(9, np.int64)
    first = (("a", "b"), ("b", "c"), ("ab", "c"))
    others = [first, (("a", "b"), ("b", "c"), ("a", "bc")), (("b", "c"), ("a", "b"), ("ab", "c"))]
    assert len({Vocabulary(tokens, counts, SUBWORD, merges).digest for merges in others}) == 3


@pytest.mark.parametrize(
    "merges",
    [
        (),
        (("a", "b"), ("a", "b")),
        (("a", "c"),),
        (("ab", "a"), ("a", "b")),
        (("a", "b"), ("ab", "a")),
        (("a", MARK),),
        (("a", "b"), ("", "ab")),
    ],
)
def test_hostile_merges_are_refused(merges: Merges) -> None:
    tokens = (EOS, UNK, MARK, "a", "b", "ab")
    Vocabulary(tokens, np.zeros(6, np.int64), SUBWORD, (("a", "b"),))
    with pytest.raises(ConfigError, match="merges do not make its tokens"):
        Vocabulary(tokens, np.zeros(6, np.int64), SUBWORD, merges)


def test_words_have_no_merges() -> None:
    with pytest.raises(ConfigError, match="needs no merges"):
        Vocabulary((EOS, UNK, "a"), np.zeros(3, np.int64), TextSettings(), (("a", "b"),))


@given(st.lists(st.tuples(letters, letters)).map(tuple))
def test_merges_as_text(merges: Merges) -> None:
    assert parse(spelled(merges)) == merges


@pytest.mark.parametrize("text", ["a", "a b c", "a b\n", "\na b"])
def test_damaged_text_of_merges(text: str) -> None:
    with pytest.raises(ValueError, match="merges are damaged"):
        parse(text)


def corpus() -> dict[str, int]:
    """Words without a letter twice in a row, their counts without ties."""
    rng, words = random.Random(4), set[str]()
    while len(words) < 600:
        letters = rng.choices("abdegiklmnorstu", k=rng.randrange(2, 9))
        words.add("".join(letter for letter, _ in groupby(letters)))
    return {word: rng.randrange(10**6, 10**7) for word in sorted(words)}


def test_merges_are_those_of_subword_nmt() -> None:
    bpe = pytest.importorskip("subword_nmt.learn_bpe", reason="compared with subword-nmt")
    counts, out = corpus(), io.StringIO()
    _, merges = learn(counts, 100, 1)
    n = len(merges)  # it marks ends of words, so it reads them from the other end
    given = io.StringIO("".join(f"{word[::-1]}{MARK} {n}\n" for word, n in counts.items()))
    bpe.learn_bpe(given, out, n, is_dict=True)
    theirs = [line.split(" ") for line in out.getvalue().splitlines()[1:]]
    mirrored = [(b.replace("</w>", "")[::-1], a[::-1]) for a, b in theirs]
    assert merges == tuple(mirrored)


def test_pieces_are_those_of_sentencepiece() -> None:
    spm = pytest.importorskip("sentencepiece", reason="compared with sentencepiece")
    counts, model = {word: n // 10**5 for word, n in corpus().items()}, io.BytesIO()
    lines = [word for word, n in counts.items() for _ in range(n)]
    spm.SentencePieceTrainer.train(
        sentence_iterator=iter(lines), model_writer=model, model_type="bpe", vocab_size=120,
        character_coverage=1.0, normalization_rule_name="identity", minloglevel=2,
        split_by_unicode_script=False, split_by_number=False,
    )  # fmt: skip
    theirs = spm.SentencePieceProcessor(model_proto=model.getvalue())
    known = {theirs.id_to_piece(i) for i in range(3, theirs.get_piece_size())}
    pieces, merges = learn(counts, len(known) - 1, 1)
    assert len(known & set(pieces)) >= 0.95 * len(known)  # ties go another way
    cut = cutter(pieces, merges)
    same = sum(cut(word) == theirs.encode(word, out_type=str) for word in counts)
    assert same >= 0.9 * len(counts)
