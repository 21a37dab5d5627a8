"""Reports in a real browser, where one is installed: the script runs, and nothing else does."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

import lmtool
from tests.pages.test_report import HOSTILE, hostile

NAMES = ("chromium", "chromium-browser", "google-chrome")
BROWSER = next(filter(None, map(shutil.which, NAMES)), None)
pytestmark = pytest.mark.skipif(BROWSER is None, reason="no Chromium or Chrome is installed")


def test_the_script_runs_and_nothing_else(tmp_path: Path) -> None:
    """Panels are filled; the policy has nothing to complain about; no word became an element."""
    from lmtool import model_file

    model_file.save(hostile(tuple(t for t in HOSTILE if t.split() == [t])), tmp_path / "m")
    page = tmp_path / "page.html"
    found = lmtool.report(tmp_path / "m", text=["</script> <!-- &amp; Todd"])
    page.write_text(found.html(), encoding="utf-8")
    done = subprocess.run(
        [str(BROWSER), "--headless", "--no-sandbox", "--disable-gpu", "--enable-logging=stderr",
         f"--user-data-dir={tmp_path / 'profile'}", "--dump-dom", page.as_uri()],
        capture_output=True, text=True, encoding="utf-8", timeout=120, check=True,
    )  # fmt: skip
    assert "CONSOLE" not in done.stderr
    panels = re.findall(r'<div class="panel" role="status">(.*?)</div>', done.stdout, re.DOTALL)
    assert len(panels) == 3 and all('<p class="of"><bdi>' in panel for panel in panels)
    assert done.stdout.count("<script") == 4 and "<img" not in done.stdout
    assert "<title>m: lmtool report</title>" in done.stdout
