"""A few thousand damaged files; as many as wanted: python -m tests.fuzz.run."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.fuzz.targets import TARGETS

READERS = ["corpus", "table", "labelled", "clips", "tagged", "parallel", "captions"]
READERS += ["sounds", "manifests", "wordvectors"]
ROOT = Path(__file__).parents[2]
CASES = {
    "model": 600,
    "resume": 400,
    "corpus": 800,
    "table": 800,
    "labelled": 800,
    "clips": 800,
    "tagged": 800,
    "parallel": 800,
    "captions": 800,
    "sounds": 800,
    "manifests": 600,
    "wordvectors": 800,
    "arguments": 400,
}


@pytest.mark.parametrize("target", TARGETS)
def test_damaged_files_are_used_or_refused_in_one_line(target: str, tmp_path: Path) -> None:
    options = ["--target", target, "--cases", str(CASES[target]), "--keep", str(tmp_path)]
    path = os.pathsep.join([str(ROOT / "src"), str(ROOT)])
    done = subprocess.run(
        [sys.executable, "-m", "tests.fuzz.run", *options],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{CASES[target]} cases" in done.stdout and " 0 faults" in done.stdout


@pytest.mark.parametrize("target", READERS)
def test_cases_are_the_same_everywhere(target: str, tmp_path: Path) -> None:
    seed = TARGETS[target].seeds(tmp_path)[0]
    twice = [TARGETS[target].damaged(seed, np.random.default_rng((1, 5))) for _ in range(2)]
    assert twice[0] == twice[1] != seed


GUIDED = ["model", "resume", *READERS]


@pytest.mark.parametrize("target", GUIDED)
def test_the_coverage_guided_fuzzer_starts(target: str, tmp_path: Path) -> None:
    pytest.importorskip("atheris", reason="a coverage-guided fuzzer, in the extra fuzz")
    command = [sys.executable, "-m", f"tests.fuzz.atheris_{target}", "-runs=50", str(tmp_path)]
    path = os.pathsep.join([str(ROOT / "src"), str(ROOT)])
    environment = {**os.environ, "PYTHONPATH": path}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
