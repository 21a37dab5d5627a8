"""The command line as a process of its own: streams, encodings, imports."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from lmtool import __file__ as package
from lmtool.cli.app import help_text
from lmtool.cli.commands import COMMANDS, run_of


def lmtool(
    *arguments: object, environment: dict[str, str] | None = None
) -> tuple[int, bytes, bytes]:
    """``python -m lmtool`` in a clean environment: exit code, stdout, stderr."""
    done = subprocess.run(
        [sys.executable, "-m", "lmtool", *map(str, arguments)],
        input=b"",
        capture_output=True,
        env={**os.environ, "PYTHONPATH": str(Path(package).parents[1]), **(environment or {})},
        check=False,
    )
    return done.returncode, done.stdout, done.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ("--help",),
        ("score", "Todd met Pete"),
        ("sample",),
        ("next", "Todd"),
        ("info",),
        ("evaluate", "-"),
    ],
    ids=lambda arguments: arguments[0],
)
def test_numba_is_never_loaded(arguments: tuple[str, ...], model: Path) -> None:
    program = (
        "import sys; from lmtool.cli.app import main; code = main(sys.argv[1:]);"
        "sys.exit(code or 3 * ('numba' in sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, *arguments],
        input=b"Todd met Pete\n",
        capture_output=True,
        env={
            **os.environ,
            "PYTHONPATH": str(Path(package).parents[1]),
            "LMTOOL_MODEL": str(model),
        },
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_importing_the_commands_loads_nothing_heavy() -> None:
    program = (
        "import sys, lmtool.cli.app;"
        "print(*{'numpy', 'numba', 'rich', 'lmtool.api'} & set(sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        env={**os.environ, "PYTHONPATH": str(Path(package).parents[1])},
        check=True,
    )
    assert done.stdout.split() == []


@pytest.mark.parametrize("encoding", ["ascii", "cp1252", "utf-8"])
def test_narrow_encodings(encoding: str, model: Path) -> None:
    word = "żółw→\U0001f422"
    environment = {"PYTHONIOENCODING": encoding, "PYTHONUTF8": "0"}
    for form in ("table", "jsonl", "srilm"):
        code, out, err = lmtool(
            "score", "-m", model, "--format", form, word, environment=environment
        )
        assert (code, err) == (0, b"")
        assert (word.encode() in out) == (encoding == "utf-8")
        out.decode(encoding)


def test_a_reader_that_goes_away_is_no_error(model: Path) -> None:
    command = [sys.executable, "-m", "lmtool", "sample", "-m", str(model), "-n", "2000"]
    environment = {**os.environ, "PYTHONPATH": str(Path(package).parents[1])}
    with subprocess.Popen(
        [*command, "--seed", "1"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment,
    ) as process:
        assert process.stdout and process.stderr
        process.stdout.readline()
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 0


def test_a_dialogue(model: Path) -> None:
    """Each answer comes before the next line is written, also where a line has begun."""
    command = [sys.executable, "-m", "lmtool", "score", "-m", str(model)]
    environment = {**os.environ, "PYTHONPATH": str(Path(package).parents[1])}
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment
    ) as process:
        assert process.stdin and process.stdout

        def write(text: bytes) -> None:
            assert process.stdin
            process.stdin.write(text)
            process.stdin.flush()

        write(b"Todd\n")
        assert process.stdout.readline().startswith(b"text\t")
        assert process.stdout.readline().startswith(b"Todd\t")
        write(b"Pete met Todd\n\nthe sea was c")
        assert process.stdout.readline().startswith(b"Pete met Todd\t")
        process.stdout.readline()
        write(b"alm\n")
        assert process.stdout.readline().startswith(b"the sea was calm\t")
        process.stdin.close()
        assert process.stdout.read() == b""
    assert process.returncode == 0


def test_nothing_to_score(model: Path) -> None:
    assert lmtool("score", "-m", model)[:2] == (
        0,
        b"text\tlog10_p\tp\tperplexity\tn_words\tn_oov\n",
    )


def test_bad_input_leaves_no_traceback(tmp_path: Path) -> None:
    code, out, err = lmtool("score", "-m", tmp_path / "missing", "Todd")
    assert (code, out) == (1, b"")
    assert err.startswith(b"lmtool: error: ") and b"Traceback" not in err


def test_closed_streams_are_no_error(model: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": str(Path(package).parents[1])}
    command = f"'{sys.executable}' -m lmtool score -m '{model}' Todd <&- >&-"
    done = subprocess.run(["sh", "-c", command], capture_output=True, env=environment, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")


def loaded(arguments: tuple[str, ...], model: Path) -> set[str]:
    """The modules that a command has imported when it is done."""
    program = (
        "import sys; from lmtool.cli.app import main; main(sys.argv[1:]);"
        "print('\\n', *sys.modules, file=sys.stderr)"
    )
    environment = {**os.environ, "PYTHONPATH": str(Path(package).parents[1])}
    done = subprocess.run(
        [sys.executable, "-c", program, *arguments],
        capture_output=True,
        env={**environment, "LMTOOL_MODEL": str(model)},
        check=True,
    )
    return set(done.stderr.decode().split())


def test_help_imports_no_command(model: Path) -> None:
    found = loaded(("--help",), model)
    assert not found & {"numpy", "numba", "lmtool.settings", "lmtool.api"}
    assert not found & {f"lmtool.cli.{name}" for name in COMMANDS}


def test_score_imports_what_scores_alone(model: Path) -> None:
    found = loaded(("score", "Todd met Pete"), model)
    assert "lmtool.inference.score" in found
    assert not found & {"numba", "rich", "lmtool.training", "lmtool.audio", "lmtool.pages"}
    assert {name for name in found if name.startswith("lmtool.faces.")} == {
        f"lmtool.faces.{name}" for name in ("card", "language_model", "predicting", "worded")
    }
    assert not found & {f"lmtool.kinds.{name}" for name in ("tagger", "translator", "classifier")}


@pytest.mark.parametrize("name", COMMANDS)
def test_the_table_says_how_the_help_begins(name: str) -> None:
    assert help_text(run_of(name)).split("\n\n")[0] == COMMANDS[name].headline
