"""``lmtool play``."""

import json
import wave
from pathlib import Path

import pytest

from tests.cli.conftest import Run

WALTZ = "X:1\nT:Todd's Waltz\nM:3/4\nL:1/4\nK:G\n|:GAB|dBG:|G3|]\n"
POLKA = "X:2\nT:Pete's Polka\nM:2/4\nL:1/4\nK:D\nDE|FGA|D2|]\n"
BOTH = f"{WALTZ}\n{POLKA}"


def test_check_says_which_bar_is_wrong(run: Run) -> None:
    result = run("play", "--check", stdin=BOTH)
    assert (result.code, result.err) == (0, "standard input: ABC\n")
    assert result.out.splitlines() == [
        "1 Todd's Waltz: 3 bars, 13 notes",
        "2 Pete's Polka: bar 2 (line 13) is 3/4 long, not 2/4",
        "1 of 2 tunes right (50.0 %)",
    ]


def test_check_as_json(run: Run) -> None:
    lines = run("play", "-", "--check", "--json", stdin=BOTH).out.splitlines()
    first, second, last = map(json.loads, lines)
    assert first["right"] and first["wrong"] == [] and first["title"] == "Todd's Waltz"
    assert second["wrong"] == [{"bar": 2, "line": 13, "length": "3/4", "metre": "2/4"}]
    assert last == {"n_tunes": 2, "n_readable": 2, "n_right": 1, "right": 50.0, "seconds": None}


def test_files_are_written_together(run: Run, tmp_path: Path) -> None:
    (tmp_path / "a.abc").write_text(BOTH)
    midi, wav = tmp_path / "a.mid", tmp_path / "a.wav"
    result = run("play", tmp_path / "a.abc", "--midi", midi, "--wav", wav, "--form", "abc")
    assert (result.code, result.out) == (0, "")
    assert result.err == f"{midi}: 2 tunes, 0:13\n{wav}: 2 tunes, 0:13\n"
    assert midi.read_bytes().startswith(b"MThd")
    with wave.open(str(wav)) as file:
        assert file.getnframes() == int((15 + 4 + 7) / 2 * 22_050 + 0.5 * 22_050)


def test_one_tune_at_a_tempo(run: Run, tmp_path: Path) -> None:
    midi = tmp_path / "a.mid"
    options = ("--tune", 2, "--tempo", 60, "--no-chords", "--json", "--midi", midi)
    result = run("play", *options, stdin=BOTH)
    assert json.loads(result.out)["seconds"] == 7.0
    assert b"Pete's Polka" in midi.read_bytes() and b"Todd" not in midi.read_bytes()


def test_note_tokens(run: Run, tmp_path: Path) -> None:
    wav = tmp_path / "a.wav"
    result = run("play", "--check", "--wav", wav, stdin="60 64 67 | 60 |\n\n72_79\n")
    assert result.out.splitlines()[:2] == ["1: 2 steps, 4 notes", "2: 1 step, 2 notes"]
    assert result.err.startswith("standard input: note tokens\n")
    assert wav.stat().st_size > 22_050


def test_a_tune_a_line_and_back(run: Run) -> None:
    lines = run("play", "--to", "lines", stdin=BOTH)
    assert lines.err == ""
    assert lines.out.splitlines()[0] == WALTZ.strip().replace("\n", ";")
    assert run("play", "--to", "abc", stdin=lines.out).out == f"{BOTH}\n"
    assert run("play", "--check", stdin=lines.out).out.endswith("1 of 2 tunes right (50.0 %)\n")
    assert run("play", "--to", "abc", "--tune", 2, stdin=lines.out).out == f"{POLKA}\n"


def test_a_model_of_tunes_is_trained_sampled_and_played(run: Run, tmp_path: Path) -> None:
    tunes = [WALTZ.replace("GAB", bar).replace("Todd", who) for bar in ("GAB", "BAG", "ABA")
             for who in ("Todd", "Pete", "Anna")]  # fmt: skip
    text, model, midi = (tmp_path / name for name in ("tunes.txt", "m", "a.mid"))
    text.write_text(run("play", "--to", "lines", stdin="\n".join(tunes) * 4).out)
    options = ("--tokens", "char", "--hidden", 64, "--steps", 300, "--batch", 8, "--members", 1,
               "--bptt", 50, "--lr", 0.01, "--dropout", 0)  # fmt: skip
    assert run("train", text, "--quiet", "--valid", text, *options, "-m", model).code == 0
    sampling = ("--prompt", "X:1;T:", "-n", 10, "--seed", 1, "--max-words", 200)
    sample = run("sample", "-m", model, *sampling, "--temperature", 0.5)
    result = run("play", "--check", "--json", "--midi", midi, stdin=sample.out)
    assert result.code == 0 and midi.exists()
    assert json.loads(result.out.splitlines()[-1])["n_right"] >= 8


def test_what_cannot_be_read_is_left_out(run: Run, tmp_path: Path) -> None:
    midi = tmp_path / "a.mid"
    bad = "X:1\nT:\x1b[31m\nK:C\nC?D\x07&\n"
    result = run("play", "--midi", midi, stdin=bad)
    assert result.code == 0 and midi.exists() and "\x1b" not in result.err
    assert "note: tune 1: line 4: '?' is no sign that is read, line 4: " in result.err
    checked = run("play", "--check", stdin=bad).out
    assert checked.startswith("1 \\x1b[31m: line 4: '?'") and "0 of 1 tune right" in checked
    assert "\x1b" not in run("play", "--to", "lines", stdin=bad).out


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "no tune in it"),
        ("words and words\n", "no tune in it"),
        ("X:1\nK:C\nC1000000000\n", "standard input:3: '1000000000' is no length of a note"),
        ("60 64 |\n60 x |\n", "standard input:2: 'x' is no note; write 0 to 127, | or rest"),
        ("X:1\nK:C\nz4\n", "there is no note to play"),
        (b"X:1\nK:C\nC\0\n", "looks binary"),
        ("X:1\nK:C\n" + "Z999|" * 200, "more than a day of music; choose with --tune"),
    ],
)
def test_bad_input_is_one_line_and_no_file(
    text: str | bytes, message: str, run: Run, tmp_path: Path
) -> None:
    result = run("play", "--midi", tmp_path / "a.mid", stdin=text)
    assert result.code == 1 and list(tmp_path.iterdir()) == []
    assert result.err.splitlines()[-1].startswith("lmtool: error: ") and message in result.err
    assert "Traceback" not in result.err


def test_files_that_exist_stay(run: Run, tmp_path: Path) -> None:
    midi = tmp_path / "a.mid"
    midi.write_text("mine")
    result = run("play", "--midi", midi, stdin=WALTZ)
    assert result.code == 1 and midi.read_text() == "mine"
    assert f"{midi}: exists already; pass --overwrite or another name" in result.err
    assert run("play", "--midi", midi, "--overwrite", stdin=WALTZ).code == 0
    assert midi.read_bytes().startswith(b"MThd")
    assert run("play", "--midi", tmp_path, stdin=WALTZ).code == 1
    missing = run("play", "--midi", tmp_path / "no" / "a.mid", stdin=WALTZ)
    assert missing.code == 1 and "there is no folder" in missing.err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "nothing to do"),
        (("--check", "--to", "lines"), "both print"),
        (("--check", "--form", "midi"), "'midi' is not one of abc, notes"),
        (("--to", "midi"), "'midi' is not one of lines, abc"),
        (("--check", "--tune", "0"), "--tune"),
        (("--check", "--tempo", "nan"), "--tempo"),
        (("--to", "lines", "--form", "notes"), "a tune a line already"),
    ],
)
def test_wrong_usage(arguments: tuple[str, ...], message: str, run: Run) -> None:
    result = run("play", *arguments, stdin=WALTZ)
    assert result.code == 2 and message in result.err


def test_a_tune_that_there_is_not(run: Run) -> None:
    result = run("play", "--check", "--tune", 3, stdin=BOTH)
    assert result.code == 1 and "2 tunes in it; --tune counts from 1" in result.err
