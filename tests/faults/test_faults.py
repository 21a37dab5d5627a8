"""Disks that are full, folders that are closed, files that change, streams that go away."""

import gzip
import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import lmtool as library
from lmtool import files
from lmtool.cli.app import main
from lmtool.text import reader
from lmtool.training import resume
from tests.faults.processes import limited, lmtool, obeyed, one_line

LINES = ("Todd met Pete", "Pete met Todd", "the cat saw the dog", "the dog saw Todd") * 60
TRAIN = ("train", "corpus.txt", "-m", "m.st", "--threads", "1", "--hidden", "24")
LONG = ("--steps", "1000000", "--checkpoint-every", "0.01s", "--optimizer", "sgd", "--lr", "0.0001")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "corpus.txt").write_text("".join(f"{line}\n" for line in LINES))
    return tmp_path


@pytest.fixture
def model(folder: Path) -> Path:
    library.train(folder / "corpus.txt", model=folder / "m.st", steps=20, hidden=12)
    return folder / "m.st"


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize(
    ("kilobytes", "place"),
    [(0, "No usable temporary directory"), (1, "cannot keep ids"), (8, "m.st: cannot be written")],
)
def test_a_disk_full_at_the_model(folder: Path, kilobytes: int, place: str) -> None:
    full = limited(resource.RLIMIT_FSIZE, kilobytes << 10)
    assert place in one_line(lmtool(*TRAIN, "--steps", 3, folder=folder, before=full))
    assert names(folder) == ["corpus.txt"]


def test_a_disk_full_at_the_resume_file(folder: Path) -> None:
    full = limited(resource.RLIMIT_FSIZE, 20 << 10)
    ended = lmtool(
        *TRAIN, "--steps", 300, "--checkpoint-every", "0.01s", folder=folder, before=full
    )
    said = ended.stderr.decode()
    assert said.count("the run could not be saved (File too large); training goes on") == 1
    assert "cannot be written" in one_line(ended)
    assert names(folder) == ["corpus.txt"]


def test_a_disk_full_when_told_to_stop(folder: Path) -> None:
    full = limited(resource.RLIMIT_FSIZE, 20 << 10)
    with running(folder, before=full) as process:
        process.send_signal(signal.SIGTERM)
        _, said = process.communicate(timeout=60)
    assert process.returncode == 143
    assert b"not saved: File too large" in said and b"Traceback" not in said


def test_a_disk_full_at_the_ids(folder: Path) -> None:
    (folder / "corpus.txt").write_text("Todd met Pete\n" * 5000)
    full = limited(resource.RLIMIT_FSIZE, 16 << 10)
    (folder / "temporary").mkdir()
    environment = {"TMPDIR": str(folder / "temporary")}
    ended = lmtool(*TRAIN, folder=folder, before=full, environment=environment)
    assert "cannot keep ids here" in one_line(ended) and "TMPDIR" in one_line(ended)
    assert names(folder / "temporary") == []


def test_a_log_that_is_full_ends_with_a_whole_line(folder: Path) -> None:
    code = (
        "import resource, sys; from lmtool.cli import progress, app\n"
        "whole = progress.Log.__call__\n"
        "def small(log, event):\n"
        "    limits = resource.RLIMIT_FSIZE, (2500, resource.RLIM_INFINITY)\n"
        "    resource.setrlimit(*limits); whole(log, event)\n"
        "    resource.setrlimit(limits[0], (resource.RLIM_INFINITY,) * 2)\n"
        "progress.Log.__call__ = small; sys.exit(app.main(sys.argv[1:]))"
    )
    words = [*TRAIN, "--steps", "400", "--log", "log.jsonl"]
    path = {**os.environ, "PYTHONPATH": str(Path(library.__file__).parents[1])}
    command = [sys.executable, "-c", code, *words]
    ended = subprocess.run(command, cwd=folder, env=path, capture_output=True, check=False)
    said = ended.stderr.decode()
    assert ended.returncode == 0, said
    assert said.count("the log ends here (") == 1 and "training goes on" in said
    assert (folder / "log.jsonl").read_text().endswith("}\n")
    assert (folder / "m.st").exists()


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs a device that is always full")
@pytest.mark.parametrize(
    "words", [("info",), ("score", "Todd met Pete"), ("sample", "--seed", "1")]
)
def test_standard_output_that_is_full(model: Path, words: tuple[str, ...]) -> None:
    with open("/dev/full", "wb") as full:
        ended = lmtool(*words, "-m", model, folder=model.parent, stdout=full)
    assert one_line(ended) == "lmtool: error: standard output: No space left on device"


def test_a_folder_that_is_read_only() -> None:
    with obeyed() as (folder, as_anybody):
        (folder / "corpus.txt").write_text("".join(f"{line}\n" for line in LINES))
        os.chmod(folder, 0o555)
        ended = lmtool(*TRAIN, "--steps", 3, folder=folder, before=as_anybody)
        assert "m.st: cannot be written (Permission denied)" in one_line(ended)
        ended = lmtool(*TRAIN, "--resume", folder=folder, before=as_anybody)
        assert "m.st: cannot be written (Permission denied)" in one_line(ended)
        assert names(folder) == ["corpus.txt"]


def test_a_model_that_may_not_be_read() -> None:
    with obeyed() as (folder, as_anybody):
        (folder / "m.st").write_bytes(b"secret")
        os.chmod(folder / "m.st", 0)
        ended = lmtool("info", "m.st", folder=folder, before=as_anybody)
        assert "m.st: Permission denied" in one_line(ended)


def running(folder: Path, **options: Any) -> "subprocess.Popen[bytes]":
    """A training that has begun."""
    path = {**os.environ, "PYTHONPATH": str(Path(library.__file__).parents[1])}
    command = [sys.executable, "-m", "lmtool", *TRAIN, *LONG]
    preexec = options.get("before")
    process = subprocess.Popen(
        command, cwd=folder, env=path, stderr=subprocess.PIPE, preexec_fn=preexec
    )
    assert process.stderr
    for line in process.stderr:  # the plan, and some steps
        if line.startswith(b"epoch"):
            return process
    raise AssertionError(f"did not begin: {process.wait()}")


def test_two_trainings_at_once(folder: Path) -> None:
    with running(folder) as first:
        try:
            for more in (("--steps", "3"), ("--resume",), ("--overwrite",)):
                ended = lmtool(*TRAIN, *more, folder=folder)
                assert "m.st: another process is training this model" in one_line(ended)
        finally:
            first.kill()
            first.communicate()
    with files.locked(folder / "m.st") as free:
        assert free


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_signals_save_and_say_how_to_go_on(folder: Path, number: signal.Signals) -> None:
    heeded = lambda: signal.signal(number, signal.SIG_DFL)  # noqa: E731  also under nohup or &
    with running(folder, before=heeded) as process:
        process.send_signal(number)
        _, said = process.communicate(timeout=60)
    assert process.returncode == 128 + number
    assert b"lmtool train --resume -m m.st continues it" in said.splitlines()[-1]
    assert names(folder) == ["corpus.txt", "m.st.resume"]
    assert resume.read(folder / "m.st").counters["step"] > 0


def test_a_terminal_that_closes_does_not_stop_nohup(folder: Path) -> None:
    ignored = lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN)  # noqa: E731
    with running(folder, before=ignored) as process:
        process.send_signal(signal.SIGHUP)
        time.sleep(0.5)
        assert process.poll() is None
        process.kill()
        process.communicate()


def test_nobody_reads_what_training_says(folder: Path) -> None:
    command = f"'{sys.executable}' -m lmtool {' '.join(TRAIN)} --steps 200 2>&1 | head -n 1"
    path = {**os.environ, "PYTHONPATH": str(Path(library.__file__).parents[1])}
    ended = subprocess.run(
        ["sh", "-c", command], cwd=folder, env=path, capture_output=True, check=True
    )
    assert (ended.stdout.count(b"\n"), ended.stderr) == (1, b"")
    limit = time.monotonic() + 60
    while not (folder / "m.st").exists() and time.monotonic() < limit:
        time.sleep(0.1)
    assert library.load(folder / "m.st").score("Todd").n_words == 1


@pytest.mark.parametrize("words", ["info", "score Todd", "surprisal Todd", "sample -n 500"])
def test_a_reader_that_reads_one_line(model: Path, words: str) -> None:
    command = f"'{sys.executable}' -m lmtool {words} -m '{model}' | head -n 1"
    path = {**os.environ, "PYTHONPATH": str(Path(library.__file__).parents[1])}
    ended = subprocess.run(["sh", "-c", command], env=path, capture_output=True, check=True)
    said = [line for line in ended.stderr.splitlines() if not line.startswith(b"seed ")]
    assert (ended.stdout.count(b"\n"), said) == (1, [])


@pytest.mark.parametrize("words", ["score", "evaluate -", "train - -m new.st --steps 2"])
def test_standard_input_that_is_closed(model: Path, words: str) -> None:
    command = f"'{sys.executable}' -m lmtool {words} <&-"
    path = {"PYTHONPATH": str(Path(library.__file__).parents[1]), "LMTOOL_MODEL": str(model)}
    environment = {**os.environ, **path}
    ended = subprocess.run(
        ["sh", "-c", command], cwd=model.parent, env=environment, capture_output=True, check=False
    )
    assert ended.returncode in (0, 1) and b"Traceback" not in ended.stderr
    assert not (model.parent / "new.st").exists()


def test_a_text_that_changes_while_it_is_read(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text, blocks = folder / "corpus.txt", reader._blocks

    def replaced(*arguments: Any) -> Iterator[Any]:
        for block in blocks(*arguments):
            (folder / "new").write_bytes(gzip.compress(b"other text\n"))
            (folder / "new").replace(text)
            yield block

    monkeypatch.setattr(reader, "_blocks", replaced)
    assert library.train(text, steps=2, hidden=4).vocabulary.id("Pete") > 1


def test_a_model_that_is_replaced_or_cut_while_it_is_used(model: Path) -> None:
    lm = library.load(model)
    before = lm.score("Todd met Pete")
    with open(model, "r+b") as file:
        file.truncate(100)
    assert lm.score("Todd met Pete") == before
    with pytest.raises(library.ModelFileError, match="cut short"):
        library.load(model)


def test_the_clock_on_the_wall_may_jump(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = library.train(folder / "corpus.txt", steps=40, hidden=8)
    wall = iter(range(10**9, -(10**9), -(10**6)))
    monkeypatch.setattr(time, "time", lambda: float(next(wall)))
    events: list[Any] = []
    jumped = library.train(folder / "corpus.txt", steps=40, hidden=8, on_event=events.append)
    assert (
        jumped.language_model.parameters.flat.tobytes()
        == whole.language_model.parameters.flat.tobytes()
    )
    assert 0 < events[-1].seconds < 60


@pytest.mark.parametrize("name", ["a\nb", "\x1b[2J\x1b]0;x\x07", "with space", "'$(x)'", "-x"])
def test_a_model_with_an_odd_name(
    folder: Path, name: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)
    words = [f"--model={name}", "--steps", "2", "--hidden", "4"]
    assert main(["train", "corpus.txt", *words]) == 0
    assert main(["train", "corpus.txt", *words]) == 1
    assert main(["info", f"--model={name}"]) == 0
    assert main(["score", f"--model={name}x", "Todd"]) == 1
    out, err = capsys.readouterr()
    assert not set(out + err) & set("\x1b\x07") and "Traceback" not in err
    errors = [line for line in err.splitlines() if "error: " in line]
    assert len(errors) == 2 and all(line.startswith("lmtool: error: ") for line in errors)
    assert names(folder) == sorted(["corpus.txt", name])


def test_what_a_killed_write_left_behind_goes_with_the_next_run(folder: Path) -> None:
    ours = [".m.st.abcd_123.tmp", ".m.st.resume.00000000.tmp"]
    others = [".m.st.tmp", ".m.st.2.abcdefgh.tmp", ".other.abcdefgh.tmp", ".m.st.settings"]
    for name in [*ours, *others]:
        (folder / name).write_bytes(b"half")
    library.train(folder / "corpus.txt", model=folder / "m.st", steps=2, hidden=4)
    assert names(folder) == sorted(["corpus.txt", "m.st", *others])
