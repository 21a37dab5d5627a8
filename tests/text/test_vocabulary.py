"""Tokenizers and vocabulary: ids, specials, round trips, refusals."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lmtool.errors import ConfigError
from lmtool.settings import TextSettings
from lmtool.text.tokenizers import TOKENIZERS
from lmtool.text.vocabulary import EOS, EOS_ID, UNK, UNK_ID, Vocabulary, split_line
from tests.refused import refused

WORD = TextSettings()
CHAR = TextSettings(tokens="char")
SPELLINGS = ["<EOS>", "<eos>", "</s>", "<UNK>", "<unk>"]

words = st.sampled_from(["a", "A", "b", "B", "Todd", "todd", "ÉTÉ", "été", "日本", *SPELLINGS])
gaps = st.sampled_from([" ", "  ", "\t", "\r", "\u2028", "\xa0"])
lines = st.lists(st.tuples(words, gaps)).map(lambda pairs: "".join(map("".join, pairs)))
texts = st.lists(lines | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\n")))
settings = st.builds(
    TextSettings,
    tokens=st.sampled_from(["char", "word"]),
    lower=st.booleans(),
    vocab_size=st.integers(1, 12),
    min_count=st.integers(1, 3),
)


def naive_tokens(line: str, settings: TextSettings) -> list[str]:
    """Each token as the vocabulary may know it, None-like UNK for specials; no <EOS>."""
    tokens = line.split() if settings.tokens == "word" else list(line)
    if tokens and tokens[-1] in ("<EOS>", "<eos>", "</s>"):
        tokens = tokens[:-1]
    tokens = [token.lower() if settings.lower else token for token in tokens]
    return [UNK if token in SPELLINGS else token for token in tokens]


@given(texts, settings)
def test_counts_and_order_follow_the_definition(text: list[str], settings: TextSettings) -> None:
    vocabulary = Vocabulary.build(text, settings)
    tokens = [naive_tokens(line, settings) for line in text]
    counts = Counter(token for line in tokens for token in line)
    enough = {t: n for t, n in counts.items() if t != UNK and n >= settings.min_count}
    kept = sorted(enough, key=lambda t: (-enough[t], t))[: settings.vocab_size]
    assert vocabulary.tokens == (EOS, UNK, *kept)
    assert vocabulary.counts[EOS_ID] == sum(map(bool, tokens))
    assert vocabulary.counts[2:].tolist() == [counts[token] for token in kept]
    assert vocabulary.counts[1:].sum() == counts.total()


@given(texts, settings, lines)
def test_encode_gives_each_token_its_id(text: list[str], settings: TextSettings, line: str) -> None:
    vocabulary = Vocabulary.build(text, settings)
    known = vocabulary.tokens[2:]
    expected = [
        vocabulary.tokens.index(token) if token in known else UNK_ID
        for token in naive_tokens(line, settings)
    ]
    assert vocabulary.encode(line) == expected
    assert len(vocabulary.split(line)) == len(expected)
    assert all(0 <= id_ < vocabulary.n_tokens for id_ in expected)


@given(texts, settings)
def test_known_text_comes_back(text: list[str], settings: TextSettings) -> None:
    everything = replace(settings, vocab_size=10_000, min_count=1, lower=False)
    vocabulary = Vocabulary.build(text, everything)
    for line in text:
        plain = vocabulary.tokenizer.join(naive_tokens(line, everything))
        assert vocabulary.decode(vocabulary.encode(line)) == plain


@given(texts, settings)
def test_id_inverts_tokens(text: list[str], settings: TextSettings) -> None:
    vocabulary = Vocabulary.build(text, settings)
    assert [vocabulary.id(token) for token in vocabulary.tokens] == list(range(len(vocabulary)))


@pytest.mark.parametrize("name", TOKENIZERS)
def test_tokenizers_join_with_their_separator(name: str) -> None:
    tokenizer = TOKENIZERS[name]
    assert tokenizer.name == name
    assert tokenizer.split("") == []
    words = tokenizer.separator.join(["x", "y"])
    assert tokenizer.split(words) == ["x", "y"]
    vocabulary = Vocabulary.build([words], TextSettings(tokens=name))
    assert tokenizer.join(vocabulary.split(words)) == words
    assert vocabulary.split("") == []


@pytest.mark.parametrize(
    ("line", "tokens"),
    [
        ("Todd met </s>", ["Todd", "met"]),
        ("Todd met <EOS>", ["Todd", "met"]),
        ("</s>", []),
        ("a </s> b", ["a", "</s>", "b"]),
        ("a </s> </s>", ["a", "</s>"]),
        (" \t ", []),
    ],
)
def test_a_closing_eos_is_dropped(line: str, tokens: list[str]) -> None:
    assert split_line(TOKENIZERS["word"], line) == tokens


def test_specials_inside_a_line_are_unknown() -> None:
    vocabulary = Vocabulary.build(["a <EOS> </s> <UNK> <unk> a"], WORD)
    assert vocabulary.tokens == (EOS, UNK, "a")
    assert vocabulary.counts.tolist() == [1, 4, 2]
    assert vocabulary.encode("a <EOS> <unk> </s>") == [2, UNK_ID, UNK_ID]


def test_characters_know_no_specials() -> None:
    vocabulary = Vocabulary.build(["<EOS>", "</s>"], CHAR)
    assert vocabulary.counts[UNK_ID] == 0
    assert vocabulary.decode(vocabulary.encode("</s>")) == "</s>"


def test_lower_case_keeps_one_id_for_each_token() -> None:
    vocabulary = Vocabulary.build(["İ I"], replace(CHAR, lower=True))
    assert vocabulary.split("İI") == ["İ", "I"]
    assert vocabulary.decode(vocabulary.encode("İI")) == "i̇i"


def test_a_lone_surrogate_is_unknown() -> None:
    assert Vocabulary.build(["a"], WORD).encode("a \udcff") == [2, UNK_ID]


def test_digest_names_tokens_order_and_settings() -> None:
    vocabulary = Vocabulary.build(["a a b"], WORD)
    again = Vocabulary.build(["a b", "a a"], WORD)
    assert vocabulary.digest == again.digest
    assert len(vocabulary.digest) == 12
    others = [
        Vocabulary.build(["a b b"], WORD),
        Vocabulary.build(["a a c"], WORD),
        replace(vocabulary, settings=replace(WORD, lower=True)),
        replace(vocabulary, settings=CHAR),
    ]
    assert len({vocabulary.digest, *(other.digest for other in others)}) == 5


@pytest.mark.parametrize(
    ("tokens", "message"),
    [
        ((), "must begin"),
        ((UNK, EOS), "must begin"),
        (("a", "b"), "must begin"),
        ((EOS, UNK, "a", "b", "a"), "'a' occurs twice"),
        ((EOS, UNK, EOS), "occurs twice"),
        ((EOS, UNK, ""), "token 2, '', is not a word"),
        ((EOS, UNK, "a", "b c"), "token 3, 'b c', is not a word"),
        ((EOS, UNK, "a\n"), r"token 2, 'a\\n'"),
        ((EOS, UNK, "</s>"), "is not a word"),
        ((EOS, UNK, "<unk>"), "is not a word"),
        ((EOS, UNK, "\udcff"), "is not a word"),
    ],
)
def test_hostile_tokens_are_refused(tokens: tuple[str, ...], message: str) -> None:
    with refused(ConfigError, match=message) as caught:
        Vocabulary(tokens, np.zeros(len(tokens), np.int64), WORD)
    assert "\n" not in str(caught.value)


def test_a_line_end_is_no_character() -> None:
    with pytest.raises(ConfigError, match="is not a char"):
        Vocabulary((EOS, UNK, "\n"), np.zeros(3, np.int64), CHAR)


@pytest.mark.parametrize(
    "counts", [np.zeros(2, np.int64), np.zeros((3, 1), np.int64), np.zeros(3), np.array([1, 1, -1])]
)
def test_hostile_counts_are_refused(counts: np.ndarray) -> None:
    with pytest.raises(ConfigError, match="3 counts needed"):
        Vocabulary((EOS, UNK, "a"), counts, WORD)
