"""Corpora on disk against their naive encoding, the held-out lines, refusals."""

import errno
import hashlib
import io
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lmtool.errors import InputError
from lmtool.settings import TextSettings
from lmtool.text import numbering, reader, rows, transcript
from lmtool.text.corpus import Corpus, prepare
from lmtool.text.tokenizers import TOKENIZERS
from lmtool.text.vocabulary import EOS_ID, UNK_ID, Vocabulary, split_line

WORD = TextSettings()

words = st.sampled_from(["a", "A", "bb", "Bb", "été", "日本", "<unk>", "</s>", ".", "a!b", "bb."])
lines = st.lists(words, max_size=6).map(" ".join)
settings = st.builds(
    TextSettings,
    tokens=st.sampled_from(sorted(TOKENIZERS)),
    lower=st.booleans(),
    vocab_size=st.integers(1, 8),
)


def write(folder: Path, name: str, text: list[str]) -> Path:
    path = folder / name
    path.write_text("".join(f"{line}\n" for line in text), encoding="utf-8")
    return path


def assert_is(corpus: Corpus, text: list[str], vocabulary: Vocabulary) -> None:
    """The corpus is that of the text, by the definitions and nothing else."""
    text = [line for line in text if vocabulary.words(line)]
    encoded = [vocabulary.encode(line) for line in text]
    words = [vocabulary.words(line) for line in text]
    spelled = [vocabulary.tokenizer.separator.join(line) + "\n" for line in words]
    ids = [id_ for line in encoded for id_ in (*line, EOS_ID)]
    assert corpus.ids.tolist() == ids
    assert corpus.ids.dtype == np.int32
    assert corpus.n_lines == len(text)
    assert corpus.n_words == sum(map(len, words))
    pieces = (vocabulary.pieces(word) for line in words for word in line)
    assert corpus.n_oov == sum(UNK_ID in map(vocabulary.id, some) for some in pieces)
    assert corpus.n_characters == sum(map(len, spelled))
    assert corpus.n_bytes == sum(len(line.encode()) for line in spelled)
    raw = np.array(ids, np.int32).tobytes()
    assert corpus.fingerprint == hashlib.sha256(raw).hexdigest()[:16]


@given(st.lists(lines, max_size=60), st.lists(lines, max_size=9), settings, st.integers(1, 9))
def test_streams_are_the_naive_encoding(
    tmp_path_factory: pytest.TempPathFactory,
    text: list[str],
    valid_text: list[str],
    settings: TextSettings,
    chunk: int,
) -> None:
    text, valid_text = ["a known word", *text], ["a", *valid_text]
    folder = tmp_path_factory.mktemp("corpus")
    paths = [write(folder, "one.txt", text[:3]), write(folder, "two.txt", text[3:])]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(transcript, "CHUNK", chunk)
        patch.setattr(reader, "BLOCK", chunk)
        patch.setattr(rows, "AT_ONCE", chunk)
        vocabulary, train, valid = prepare(
            paths, [write(folder, "valid.txt", valid_text)], settings, folder
        )
    expected = Vocabulary.build(text, settings)
    assert vocabulary.tokens == expected.tokens
    assert vocabulary.counts.tolist() == expected.counts.tolist()
    assert_is(train, text, vocabulary)
    assert_is(valid, valid_text, vocabulary)


@pytest.mark.parametrize(
    ("n_lines", "held_out"),
    [
        (20, [19]),
        (39, [19]),
        (60, [19, 39, 59]),
        (839, [i for i in range(839) if i // 2 % 20 == 19]),
    ],
)
@pytest.mark.parametrize("chunk", [1, 7, 1000])
def test_held_out_lines(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, n_lines: int, held_out: list[int], chunk: int
) -> None:
    monkeypatch.setattr(transcript, "CHUNK", chunk)
    text = [f"line {i}" for i in range(n_lines)]
    spaced = [part for line in text for part in (line, "", " ")]
    vocabulary, train, valid = prepare([write(tmp_path, "c", spaced)], None, WORD, tmp_path)
    kept = [line for i, line in enumerate(text) if i not in held_out]
    assert vocabulary.tokens == Vocabulary.build(kept, WORD).tokens
    assert_is(train, kept, vocabulary)
    assert_is(valid, [text[i] for i in held_out], vocabulary)


@pytest.mark.parametrize(("n_lines", "n_valid"), [(200_000, 10_000), (200_001, 9_520)])
def test_at_most_10_000_lines_are_held_out(tmp_path: Path, n_lines: int, n_valid: int) -> None:
    _, train, valid = prepare([write(tmp_path, "c", ["a"] * n_lines)], None, WORD, tmp_path)
    assert (train.n_lines, valid.n_lines) == (n_lines - n_valid, n_valid)


@pytest.mark.parametrize("n_lines", [1, 2, 19])
def test_a_short_text_is_validated_on_itself(tmp_path: Path, n_lines: int) -> None:
    text = [f"line {i}" for i in range(n_lines)]
    vocabulary, train, valid = prepare([write(tmp_path, "c", text)], None, WORD, tmp_path)
    assert_is(train, text, vocabulary)
    assert_is(valid, text, vocabulary)


def test_files_are_not_run_together(tmp_path: Path) -> None:
    (tmp_path / "open").write_bytes(b"no end")
    paths = [tmp_path / "open", write(tmp_path, "two", ["next"])]
    vocabulary, train, _ = prepare(paths, paths, WORD, tmp_path)
    assert_is(train, ["no end", "next"], vocabulary)


def test_ids_are_a_read_only_map_and_nothing_else_stays(tmp_path: Path) -> None:
    folder = tmp_path / "ids"
    folder.mkdir()
    _, train, _ = prepare([write(tmp_path, "c", ["a b"] * 30)], None, WORD, folder)
    assert isinstance(train.ids, np.memmap)
    assert not train.ids.flags.writeable
    assert sorted(path.name for path in folder.iterdir()) == ["train.ids", "valid.ids"]


def test_standard_input(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"a b\nc\n")))
    vocabulary, train, valid = prepare(["-"], None, WORD, tmp_path)
    assert_is(train, ["a b", "c"], vocabulary)
    assert_is(valid, ["a b", "c"], vocabulary)


def test_standard_input_twice_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="once only"):
        prepare(["-"], ["-"], WORD, tmp_path)


@pytest.mark.parametrize("text", [[], ["", " "], ["</s>"]])
def test_a_corpus_without_words_is_refused(tmp_path: Path, text: list[str]) -> None:
    full, empty = write(tmp_path, "full", ["a"]), write(tmp_path, "empty", text)
    for paths, valid_paths in (([empty], None), ([full], [empty]), ([empty], [full])):
        with pytest.raises(InputError, match="empty: no text in it"):
            prepare(paths, valid_paths, WORD, tmp_path)


@pytest.mark.parametrize(
    ("line", "settings"), [("<unk> <unk>", WORD), ("a b", replace(WORD, min_count=3))]
)
def test_a_corpus_of_unknown_words_is_refused(
    tmp_path: Path, line: str, settings: TextSettings
) -> None:
    with pytest.raises(InputError, match=r"every word is unknown: .*; lower min_count"):
        prepare([write(tmp_path, "c", [line])], None, settings, tmp_path)


def test_a_full_disk_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("lmtool.text.corpus.transcribe", full)
    with pytest.raises(InputError, match="No space left on device; set TMPDIR"):
        prepare([write(tmp_path, "c", ["a"])], None, WORD, tmp_path)


ends = st.sampled_from(["\n", "\r\n", "\n\n", " </s>\n", "</s>\n", "\u3000\n", "\u2028", "\x85"])
odd = st.lists(
    words | ends | st.sampled_from([" ", "\t", "\xa0", "\r", "\ufeff", "\x1c"]), max_size=60
)


@given(odd, st.integers(1, 3), st.integers(1, 40))
def test_odd_texts_are_what_the_reader_gives_line_by_line(
    tmp_path_factory: pytest.TempPathFactory, text: list[str], threads: int, at_once: int
) -> None:
    folder = tmp_path_factory.mktemp("odd")
    (folder / "c").write_bytes("".join(["a\n", *text]).encode())
    read = [line.text for line in reader.read_lines(folder / "c")]
    split = [split_line(TOKENIZERS["word"], line) for line in read]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(numbering, "AT_ONCE", at_once)
        numbers = numbering.WordNumbering(threads)
        found = transcript.transcribe([folder / "c"], TOKENIZERS["word"], numbers, folder / "t")
        spellings = numbers.spellings()
        spelled = [spellings[n] for chunk in found.chunks() for n in chunk.tolist()]
    assert spelled == [token for line in split if line for token in (*line, "\n")]
