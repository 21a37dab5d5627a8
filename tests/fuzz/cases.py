"""One case of each kind: bytes in, and either it works or an LmtoolError of one line comes out.

Whatever else happens (another exception, a warning, a second of work, memory beyond what the bytes
justify) is a finding. The mutating fuzzer (run.py) and the guided one (guided.py) share these.
"""

import io
import json
import struct
import sys
import tracemalloc
import warnings
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from functools import cache
from pathlib import Path

import lmtool
from lmtool import model_file, tensor_file
from lmtool.cli.app import main
from lmtool.settings import TextSettings
from lmtool.text.corpus import prepare
from lmtool.text.tables import read_table
from lmtool.training import resume

__all__ = ["CASES", "FindingError", "guarded"]

SPARE = 24_000_000  # bytes of memory that any case may take
TIMES = 60  # bytes of memory for each byte of a file


class FindingError(AssertionError):
    """Something that must not happen."""


def guarded(case: Callable[[bytes, Path], None], data: bytes, folder: Path) -> bool:
    """Whether the case was refused. Raises FindingError."""
    tracemalloc.start()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            case(data, folder)
    except lmtool.LmtoolError as error:
        if "\n" in str(error):
            raise FindingError(f"more than one line: {error!r}") from error
        return True
    except Exception as error:
        raise FindingError(f"{type(error).__name__}: {error}") from error
    finally:
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        if peak > SPARE + TIMES * len(data):
            raise FindingError(f"{peak} bytes of memory for a file of {len(data)}")
    return False


def model(data: bytes, folder: Path) -> None:
    """A model file, and everything that can be done with it."""
    path = folder / "model"
    path.write_bytes(data)
    lm = lmtool.load(path)
    lm.score("Todd met Zork")
    lm.surprisal("Todd met", top=2, frequency=bool(lm.vocabulary.counts.any()))
    list(lm.sample(n=1, max_words=3, seed=1))
    lm.next("Todd", k=2)
    lm.evaluate(["Todd met"])
    command("info", "-m", str(path))


def state(data: bytes, folder: Path) -> None:
    """A resume file, as far as it can be judged without its corpus."""
    path = folder / "model"
    resume.path_of(path).write_bytes(data)
    saved = resume.read(path)
    if max(saved.job.network.hidden or 0, saved.job.network.embed or 0) < 100:
        lmtool.resume(path, stop=lambda: 2)


def corpus(data: bytes, folder: Path) -> None:
    """A text, as words and as characters."""
    path = folder / "corpus.txt"
    path.write_bytes(data)
    for tokens in ("word", "char"):
        vocabulary, train, valid = prepare(
            [path], None, TextSettings(tokens=tokens, vocab_size=20), folder
        )
        ids = [*train.ids[:50].tolist(), *valid.ids[:50].tolist()]
        assert all(0 <= id_ < vocabulary.n_tokens for id_ in ids)


def table(data: bytes, folder: Path) -> None:
    """A CSV or TSV."""
    path = folder / "table.csv"
    path.write_bytes(data)
    found = read_table(path)
    assert all(len(record.values) == len(found.columns) for record in found.records)


def arguments(data: bytes, folder: Path) -> None:
    """A command line: exit code 0, 1 or 2, and never a traceback."""
    words = data.decode("utf-8", "surrogateescape").split("\0")[:12]
    if words and words[0] in ("train", "plan"):
        words += ["--steps", "1", "-m", str(folder / "new")] if words[0] == "train" else []
    command(*words)


def command(*words: str) -> None:
    """Runs lmtool in this process."""
    said = io.StringIO()
    former, sys.stdin = sys.stdin, io.TextIOWrapper(io.BytesIO(b""))
    try:
        with redirect_stdout(io.StringIO()), redirect_stderr(said):
            code = main(words)
    finally:
        sys.stdin = former
    if code not in (0, 1, 2) or "Traceback" in said.getvalue():
        raise FindingError(f"exit code {code}: {said.getvalue()[-300:]}")


def sealed(header: bytes, rest: bytes) -> bytes:
    """A tensor file with its checksum put right, so that what lies behind it is reached."""
    content = struct.pack("<Q", len(header)) + header + rest
    try:
        whole = json.loads(header)
        card = json.loads(whole["__metadata__"]["lmtool"])
        card.pop("checksum", None)
        _, tensors = tensor_file.parse(memoryview(content), card["format"])
        card["checksum"] = tensor_file.checksum(tensors, card)
        whole["__metadata__"]["lmtool"] = json.dumps(card)
        header = json.dumps(whole).encode()
        return struct.pack("<Q", len(header)) + header + rest
    except Exception:
        return content


@cache
def seeds(kind: str, folder: Path) -> tuple[bytes, ...]:
    """Files of the kind that are good."""
    lines = "Todd met Pete\nPete met Todd\nthe cat saw the dog\n" * 9
    text = folder / "seed.txt"
    text.write_text(lines)
    small = {"hidden": 3, "embed": 2, "batch": 2, "bptt": 4, "steps": 6}
    if kind == "model":
        made = []
        for options in ({}, {"cell": "gru", "layers": 2, "tie": False}, {"output": "classes"}):
            path = folder / "seed"
            lm = lmtool.train(text, **small, **options)  # type: ignore[arg-type]
            model_file.save(lm.language_model, path, overwrite=True)
            made.append(path.read_bytes())
        return tuple(made)
    if kind == "state":
        path, calls = folder / "model", iter(range(3))
        try:
            lmtool.train(text, model=path, stop=lambda: 2 * (next(calls, 9) == 9), **small)  # type: ignore[arg-type]
        except lmtool.InterruptionError:
            return (resume.path_of(path).read_bytes(),)
        raise AssertionError("the run was to be interrupted")
    if kind == "table":
        return (b'item,text\n1,"Todd, ""met"" Pete"\n2,the cat\n', b"a\tb\n1\t2\n")
    if kind == "arguments":
        known = ("score\0Todd met", "next\0Todd\0-k\x003", "sample\0--max-words\x003", "info",
                 "surprisal\0Todd\0--top\x002", "evaluate\0-", "plan\0-", "pairs\0a\0b",
                 "compare\0a\0b\0-f\0-", "score\0--format\0srilm\0--level\0word\0Todd")  # fmt: skip
        return tuple(line.encode() for line in known)
    return (lines.encode(), "é 日本 \u3000\x85 </s> <unk>\r\n\r\n".encode() * 5, b"\x1f\x8b")


CASES: dict[str, Callable[[bytes, Path], None]] = {
    "model": model,
    "state": state,
    "corpus": corpus,
    "table": table,
    "arguments": arguments,
}
