"""Tens of kills; hundreds on demand: python -m tests.faults.kill --kills 1000."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="kills processes that are forked")
def test_killed_runs_end_with_the_same_bytes() -> None:
    command = [sys.executable, "-m", "tests.faults.kill", "--kills", "12", "--seed", "2"]
    path = os.pathsep.join([str(ROOT / "src"), str(ROOT)])
    environment = {**os.environ, "PYTHONPATH": path}
    done = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"^mismatches +0$", done.stdout, re.MULTILINE)
    assert int(re.findall(r"^kills +(\d+)$", done.stdout, re.MULTILINE)[0]) >= 12
