"""Translators and captioners of real networks: company changes no bit; P is what is forced."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lmtool import __file__ as package
from lmtool import model_file
from lmtool.data.readers.clips import Clip
from lmtool.data.standard import Standardisation
from lmtool.inference.conditional import Captioner, Parts, Translator, VectorParts
from lmtool.inference.translate import score_given, translate, translate_lines
from lmtool.kinds import KINDS
from lmtool.models.predictor import Conditional
from lmtool.nn.parameters import Parameters
from lmtool.settings import SearchSettings, TextSettings
from lmtool.settings.conditional import CaptionerSettings, TranslatorSettings
from lmtool.text.vocabulary import Vocabulary

WORDS = ["der", "Hund", "sah", "die", "Katze", "in", "München"]
LINES = ["der Hund sah", "", "die Katze", "Zork", "der Hund sah die Katze in München", "in"]
SETTINGS = SearchSettings(n=3, max_length=7)


def random_weights(settings: Any, parts: Any, reads: str) -> Parameters:
    """Large enough that every probability is its own."""
    parameters = Parameters(KINDS[reads, "text"].shapes(settings, parts))
    rng = np.random.default_rng(4)
    parameters.flat[:] = rng.normal(0, 0.5, parameters.flat.size)
    return parameters


@pytest.fixture(scope="module", params=["after", "between", "none"])
def translator(request: pytest.FixtureRequest) -> Conditional:
    """One that knows a few words."""
    settings = TranslatorSettings(cell="gru", embed=6, hidden=8, members=1, attention=request.param)
    known = Vocabulary.build([" ".join(WORDS)], TextSettings())
    written = Vocabulary.build(["the dog saw a cat"], TextSettings())
    parts = Parts(known, written)
    return Translator(settings, parts, random_weights(settings, parts, "text"), {})


@pytest.fixture(scope="module")
def captioner() -> Conditional:
    """Of four numbers."""
    settings = CaptionerSettings(embed=6, hidden=8, members=1)
    written = Vocabulary.build(["the dog saw a cat"], TextSettings())
    parts = VectorParts(Standardisation.of([np.eye(4)]), written)
    return Captioner(settings, parts, random_weights(settings, parts, "vector"), {})


def clips() -> list[Clip]:
    rows = np.random.default_rng(0).normal(size=(3, 1, 4)).astype(np.float32)
    return [Clip((), row, n, "v.npy") for n, row in enumerate(rows, 1)]


def check(model: Conditional, sources: list[Any]) -> None:
    alone = [translate(model, source, SETTINGS) for source in sources]
    assert list(translate_lines(model, sources, SETTINGS, threads=2)) == alone
    assert list(translate_lines(model, sources[::-1], SETTINGS, ahead=2)) == alone[::-1]
    pairs = [
        (source, each)
        for source, one in zip(sources, alone, strict=True)
        for each in one.hypotheses
        if each.tokens
    ]
    assert len(pairs) > 3
    forced = score_given(model, [(s, " ".join(each.tokens)) for s, each in pairs], threads=2)
    assert [one.log10_p for one in forced] == [each.log10_p for _, each in pairs]


def test_translations(translator: Conditional) -> None:
    check(translator, LINES)


def test_captions(captioner: Conditional) -> None:
    check(captioner, clips())


def test_words_are_copied_where_there_is_attention(translator: Conditional) -> None:
    found = [translate(translator, line, SETTINGS) for line in LINES]
    several = [each for one in found for each in one.hypotheses]
    looks = several[0].attention is not None
    assert all("<UNK>" not in each.text for each in several)
    assert any("<UNK>" in each.tokens for each in several) == looks


@pytest.fixture(scope="module")
def saved(translator: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Its file."""
    path = tmp_path_factory.mktemp("translator") / "de-en"
    model_file.save(translator, path)
    return path


def environment(path: Path) -> dict[str, str]:
    """Of a process that finds the model."""
    return {**os.environ, "PYTHONPATH": str(Path(package).parents[1]), "LMTOOL_MODEL": str(path)}


def test_numba_is_never_loaded(saved: Path) -> None:
    program = (
        "import sys; from lmtool.cli.app import main; code = main(['translate', 'der Hund']);"
        "sys.exit(code or 3 * ('numba' in sys.modules))"
    )
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, capture_output=True, env=environment(saved), check=False)
    assert (done.returncode, done.stderr) == (0, b"")


def test_a_dialogue(saved: Path) -> None:
    """Each answer comes before the next line is written."""
    command = [sys.executable, "-m", "lmtool", "translate", "-v"]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment(saved)
    ) as process:
        assert process.stdin and process.stdout
        for line in (b"der Hund\n", b"\n", b"die Katze\n"):
            process.stdin.write(line)
            process.stdin.flush()
            assert (process.stdout.readline() == b"\n") == (line == b"\n")
        process.stdin.close()
        assert process.stdout.read() == b""
    assert process.returncode == 0
