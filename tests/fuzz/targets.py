"""What is attacked: seeds, how they are damaged, and what one case may do.

A case works or raises LmtoolError with one line; a command ends with 0, 1 or 2. Anything else is
a bug. ``TARGETS[name].case`` is what the other fuzzers call, too.
"""

import gzip
import io
import shutil
import sys
from collections.abc import Callable, Iterable
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import lmtool
from lmtool.cli.app import main as command_line
from lmtool.settings import TextSettings
from lmtool.text.corpus import prepare
from lmtool.text.reader import read_blocks, read_lines
from lmtool.text.tables import looks_like_table, read_table
from tests.audio.handmade import saved, tone
from tests.fuzz.clips import clips_case, clips_seeds
from tests.fuzz.conditional import (
    captions_case,
    captions_seeds,
    parallel_case,
    parallel_seeds,
)
from tests.fuzz.labelled import LINES, labelled_case, labelled_seeds, refused
from tests.fuzz.mutators import Rng, damaged_bytes, damaged_tensor_file, one_of
from tests.fuzz.sounds import manifests_case, manifests_seeds, sounds_case, sounds_seeds
from tests.fuzz.tagged import tagged_case, tagged_seeds
from tests.fuzz.wordvectors import wordvectors_case, wordvectors_seeds

__all__ = ["TARGETS", "Target"]

SMALL: dict[str, Any] = {"steps": 12, "hidden": 6, "embed": 4, "batch": 2, "bptt": 5, "threads": 1}
FOR_LABELS = {name: value for name, value in SMALL.items() if name != "bptt"}
COMMANDS = (
    ("info",),
    ("info", "--json"),
    ("score", "Todd met nobody", "Pete"),
    ("score", "Todd", "--format", "srilm"),
    ("score", "Todd, met", "--level", "token"),
    ("surprisal", "Todd met Pete", "--top", "3", "--spillover", "1"),
    ("surprisal", "Todd", "--no-frequency", "--json"),
    ("sample", "--seed", "1", "--max-words", "4", "--scores"),
    ("next", "Todd met"),
    ("evaluate", "-", "--threads", "1"),
    ("neighbours", "Todd"),
    ("analogy", "Todd", "met", "Pete", "--explain", "--cosmul"),
    ("vectors", "--similarity", "-"),
    ("vectors",),
)
SOUND = "spoken.wav"
OF_OTHERS = (
    ("classify", "Todd met nobody", "-k", "2"),
    ("classify", "Todd", "--json"),
    ("tag", "Todd met nobody", "--json"),
    ("tag", "-"),
    ("translate", "Todd met nobody", "-n", "2", "--json"),
    ("translate", "-", "--format", "pharaoh"),
    ("score", "Todd met", "--given", "Pete"),
    ("transcribe", SOUND, "--json"),
    ("transcribe", SOUND, "--beam", "4", "-n", "2"),
    ("transcribe", SOUND, "--times"),
)
TABLE = b'item,text,note\n1,Todd met Pete,"a, b"\n2,"Pete ""the cat"" Todd",\n\n3,x,"two\nlines"\n'
VALUES = (
    "0", "1", "2", "-1", "0.5", "1e-320", "1e308", "nan", "inf", "-inf", "1000000000", "9" * 30,
    "9" * 400, "9" * 5000, "", " ", "-", "--", "x", "\x1b[2J", "a\nb", "\udcff", "word", "char",
    "split", "subword", "lstm", "rnn", "relu", "classes", "sampled", "tsv", "jsonl", "heat",
    "table", "10s", "e", "/", "/dev/null",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Target:
    """Something that reads what strangers wrote."""

    seeds: Callable[[Path], list[bytes]]  # valid files, made in a folder
    damaged: Callable[[bytes, Rng], bytes]
    case: Callable[[bytes, Path], bool]  # whether it was accepted; raises for a bug


class Terminal(io.StringIO):
    """Standard output as a person has it."""

    @property
    def encoding(self) -> str:  # type: ignore[override]
        return "utf-8"

    def isatty(self) -> bool:
        return True


def commanded(words: list[str], stdin: bytes = b"", terminal: bool = False) -> int:
    """The exit code of a command; what it printed cannot command a terminal."""
    out, err = (Terminal() if terminal else io.StringIO()), io.StringIO()
    former, sys.stdin = sys.stdin, io.TextIOWrapper(io.BytesIO(stdin), encoding="utf-8")
    try:
        with redirect_stdout(out), redirect_stderr(err):
            code = command_line(words)
    except SystemExit as ended:
        code = int(ended.code or 0)
    finally:
        sys.stdin = former
    said = err.getvalue()
    assert code in (0, 1, 2), (words, code)
    assert "Traceback" not in said and "Warning" not in said, said
    assert code != 1 or said.splitlines()[-1].startswith("lmtool: error: "), said
    assert not set(out.getvalue() + said) & set("\x07\x1b\x9b\r\0") or terminal, (words, said)
    assert "\x1b[2J" not in out.getvalue() and "\x1b]" not in out.getvalue(), words
    return code


def model_seeds(folder: Path) -> list[bytes]:
    """One of each cell, words and characters, one with classes."""
    text = folder / "corpus.txt"
    text.write_text("\n".join(LINES))
    variants: list[dict[str, Any]] = [
        {},
        {"cell": "gru", "tie": False, "tokens": "char"},
        {"tokens": "subword", "vocab_size": 25},
        {"cell": "rnn", "activation": "relu", "layers": 2, "output": "classes", "lower": True},
    ]
    for number, options in enumerate(variants):
        lmtool.train(text, model=folder / f"seed{number}", overwrite=True, **SMALL, **options)
    options = FOR_LABELS | {"writes": "label", "overwrite": True}
    lmtool.train(labelled(folder), model=folder / "labels", tokens="subword", **options)
    options |= {"writes": "tags", "letters": 3, "filters": 4, "case": 2}
    lmtool.train(tagged(folder), model=folder / "tags", **options)
    clips = folder / "clips.jsonl"
    clips.write_bytes(clips_seeds(folder)[0])
    others = FOR_LABELS | {"writes": "label", "reads": "frames", "overwrite": True}
    lmtool.train(clips, model=folder / "frames", **others)
    written = FOR_LABELS | {"overwrite": True}
    lmtool.train(paired(folder), model=folder / "pairs", reads="text", **written)
    described = captioned(folder)
    lmtool.train(described, model=folder / "captions", reads="vector", **written)
    names = [f"seed{number}" for number in range(len(variants))]
    lmtool.train(spoken(folder), model=folder / "speech", reads="frames", **written)
    names += ["labels", "tags", "frames", "pairs", "captions", "speech"]
    return [(folder / name).read_bytes() for name in names]


def model_case(data: bytes, folder: Path) -> bool:
    """A model file, and where it is accepted one of the commands that read it."""
    path = folder / "m.st"
    path.write_bytes(data)
    if refused(lambda: lmtool.load(path)):
        return False
    number = len(data) + int.from_bytes(data[-24:], "little")
    words = (COMMANDS + OF_OTHERS)[number % (len(COMMANDS) + len(OF_OTHERS))]
    stdin = b"Todd met Pete\n\nthe dog\n"
    given = [str(folder / SOUND) if word == SOUND else word for word in words]
    if not (folder / SOUND).exists():
        saved(folder / SOUND, tone(0.3))
    commanded([*given, "-m", str(path)], stdin, terminal=number % 3 == 0)
    return True


def resume_seeds(folder: Path) -> list[bytes]:
    """Runs that were interrupted, one after a validation."""
    (folder / "corpus.txt").write_text("\n".join(LINES))
    return [
        interrupted(folder, 3, {}),
        interrupted(folder, 9, {"cell": "gru", "output": "sampled", "samples": 3}),
        interrupted(folder, 5, {"writes": "label"}, labelled(folder)),
        interrupted(folder, 5, {"writes": "tags"}, tagged(folder)),
        interrupted(folder, 5, {"reads": "text"}, paired(folder)),
        interrupted(folder, 17, {"writes": "label"}, labelled(folder)),  # in the second run
    ]


def paired(folder: Path) -> Path:
    """The same lines, each with its words in another order."""
    path = folder / "pairs.tsv"
    path.write_text("".join(f"{line}\t{' '.join(line.split()[::-1])}\n" for line in LINES))
    return path


def captioned(folder: Path) -> Path:
    """The same lines about vectors."""
    path = folder / "captions.jsonl"
    path.write_bytes(captions_seeds(folder)[-1])
    return path


def spoken(folder: Path) -> Path:
    """A recording that says one thing and another."""
    saved(folder / SOUND, tone(0.3))
    path = folder / "spoken.tsv"
    path.write_text("".join(f"{SOUND}\t{text}\n" for text in ("ab", "ba", "a b", "b") * 2))
    return path


def labelled(folder: Path) -> Path:
    """The same lines with two labels."""
    path = folder / "labelled.tsv"
    path.write_text("".join(f"{'ab'[n % 2]}\t{line}\n" for n, line in enumerate(LINES)))
    return path


def tagged(folder: Path) -> Path:
    """The same lines with a name in each."""
    path = folder / "tagged.txt"
    first = (line.split()[0] for line in LINES)
    rest = (" ".join(f"{word}/O" for word in line.split()[1:]) for line in LINES)
    path.write_text("".join(f"{a}/B-PER {b}\n" for a, b in zip(first, rest, strict=True)))
    return path


def interrupted(
    folder: Path, stop: int, options: dict[str, Any], text: Path | None = None
) -> bytes:
    """The resume file of a run that was stopped after so many steps."""
    calls = count()
    model, text = folder / "r.st", text or folder / "corpus.txt"
    kept: dict[str, Any] = {"overwrite": True, "stop": lambda: 2 * (next(calls) == stop)}
    small = FOR_LABELS if options.keys() & {"reads", "writes"} else SMALL
    refused(lambda: lmtool.train(text, model=model, **kept, **small, **options))
    return Path(f"{model}.resume").read_bytes()


def resume_case(data: bytes, folder: Path) -> bool:
    """A resume file, and where it is accepted two steps more."""
    calls = count()
    model = folder / "r.st"
    Path(f"{model}.resume").write_bytes(data)
    model.unlink(missing_ok=True)
    stopped: list[bool] = []

    def stop() -> int:
        stopped.append(next(calls) == 2)
        return 2 * stopped[-1]

    refused(lambda: lmtool.resume(model, stop=stop, checkpoint_every=1e9))
    return bool(stopped)


def corpus_seeds(folder: Path) -> list[bytes]:
    """Text, with every trap that the reader knows."""
    text = "\n".join(LINES).encode()
    odd = "Żółw \u2028 \u3000 <EOS>\r\nTodd </s>\n\n<UNK> x\u0085y \U0001f422\n".encode() * 8
    return [text, odd, b"\xef\xbb\xbf" + odd, gzip.compress(text, mtime=0), b"a" * 70_000 + b"\n"]


def said(read: Callable[[Path], Iterable[object]], path: Path) -> str:
    """The message of the one kind of error that may come; empty if all can be read."""
    try:
        for _ in read(path):
            pass
    except lmtool.InputError as error:
        return str(error)
    return ""


def corpus_case(data: bytes, folder: Path) -> bool:
    """A text, in words or in characters."""
    path = folder / "text"
    path.write_bytes(data)
    tokens = ("word", "char")[len(data) % 2]
    settings = TextSettings(tokens=tokens, lower=len(data) % 3 == 0)
    ids = folder / "ids"
    shutil.rmtree(ids, ignore_errors=True)
    ids.mkdir()

    assert said(read_lines, path) == said(read_blocks, path)

    def work() -> None:
        vocabulary, train, valid = prepare([path], None, settings, ids)
        n_blank = sum(not vocabulary.split(line.text) for line in read_lines(path))
        n_lines = sum(1 for _ in read_lines(path)) - n_blank
        assert train.n_lines + valid.n_lines in (n_lines, 2 * n_lines)
        assert len(train.ids) == train.n_lines + train.n_words
        assert int(vocabulary.counts.sum()) == len(train.ids)

    return not refused(work)


def table_seeds(folder: Path) -> list[bytes]:
    """The same table with each of the separators."""
    return [TABLE.replace(b",", separator) for separator in (b",", b"\t", b";")]


def first_line(path: Path) -> str:
    """Of a file that may have none."""
    return next((line.text for line in read_lines(path)), "")


def table_case(data: bytes, folder: Path) -> bool:
    """A CSV or TSV."""
    path = folder / ("t.tsv" if len(data) % 2 else "t.csv")
    path.write_bytes(data)

    def work() -> None:
        assert looks_like_table(path.name, first_line(path))
        looks_like_table("t", first_line(path))
        table = read_table(path)
        for record in table.records:
            assert len(record.values) == len(table.columns)

    return not refused(work)


def arguments_seeds(folder: Path) -> list[bytes]:
    """Command lines, their words separated by NUL."""
    model_seeds(folder)
    common = ["-m", "seed0"]
    train = ["train", "corpus.txt", "-m", "t.st", "--steps", "2", "--overwrite", "--threads", "1"]
    lines = [[*words, *common] for words in COMMANDS]
    lines += [train, ["plan", "corpus.txt", "--steps", "2"], ["--version"], ["train", "--resume"]]
    return ["\0".join(line).encode() for line in lines]


def damaged_words(data: bytes, rng: Rng) -> bytes:
    """Options and values put in, taken out, changed."""
    words = data.split(b"\0")
    options = OPTIONS.get(words[0].decode(), ["--json"])
    for _ in range(int(rng.integers(1, 4))):
        at = int(rng.integers(1, len(words) + 1))
        value = str(one_of(rng, VALUES)).encode("utf-8", "surrogateescape")
        kind = rng.random()
        if kind < 0.5:
            words[at:at] = [one_of(rng, options).encode(), value]
        elif kind < 0.75:
            words[at : at + 1] = [value]
        elif kind < 0.9:
            del words[at : at + 1]
        else:
            words[at:at] = [damaged_bytes(value, rng).replace(b"\0", b"")]
    return b"\0".join(words)


def options_of(command: str) -> list[str]:
    """Those of a command, but for what says how long it may take."""
    from lmtool.cli.app import whole

    dear = {"--steps", "--epochs", "--time", "-n", "--number", "--max-words", "--log"}
    declared = whole(command).params
    flags = {flag for option in declared for flag in option.opts if flag.startswith("-")}
    return sorted(flags - dear - {"--html", "--svg", "--valid", "--help"})


OPTIONS = {
    name: options_of(name)
    for name in ("train", "plan", "score", "sample", "surprisal", "evaluate", "next", "info")
}


def arguments_case(data: bytes, folder: Path) -> bool:
    """A command line, in a folder of its own."""
    words = [word.decode("utf-8", "surrogateescape") for word in data.split(b"\0")]
    return commanded(words, b"Todd met Pete\n") == 0


TARGETS: dict[str, Target] = {
    "model": Target(model_seeds, damaged_tensor_file, model_case),
    "resume": Target(resume_seeds, damaged_tensor_file, resume_case),
    "corpus": Target(corpus_seeds, damaged_bytes, corpus_case),
    "table": Target(table_seeds, damaged_bytes, table_case),
    "labelled": Target(labelled_seeds, damaged_bytes, labelled_case),
    "clips": Target(clips_seeds, damaged_bytes, clips_case),
    "tagged": Target(tagged_seeds, damaged_bytes, tagged_case),
    "parallel": Target(parallel_seeds, damaged_bytes, parallel_case),
    "captions": Target(captions_seeds, damaged_bytes, captions_case),
    "sounds": Target(sounds_seeds, damaged_bytes, sounds_case),
    "manifests": Target(manifests_seeds, damaged_bytes, manifests_case),
    "wordvectors": Target(wordvectors_seeds, damaged_bytes, wordvectors_case),
    "arguments": Target(arguments_seeds, damaged_words, arguments_case),
}
