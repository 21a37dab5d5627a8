"""What an installation costs at start-up, and that its metadata tell the truth."""

import importlib.metadata
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

import lmtool

ROOT = Path(__file__).parent.parent


def python(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments], capture_output=True, text=True, encoding="utf-8", check=False
    )


def imported(*arguments: str) -> set[str]:
    """The top-level modules that a Python process imports."""
    result = python("-X", "importtime", *arguments)
    assert result.returncode == 0, result.stderr
    lines = [line for line in result.stderr.splitlines() if line.startswith("import time:")]
    return {line.rsplit("|", 1)[1].strip().split(".")[0] for line in lines}


def project() -> Any:
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("model")
    (folder / "text").write_text("Todd met Pete\nPete met Todd\n", encoding="utf-8")
    lmtool.train(folder / "text", model=folder / "model", steps=1, hidden=4)
    return str(folder / "model")


def test_import_lmtool_is_light() -> None:
    heavy = {"numpy", "numba", "typer", "rich", "safetensors", "threadpoolctl"}
    assert not heavy & imported("-c", "import lmtool")


def test_help_loads_neither_numpy_nor_numba() -> None:
    assert not {"numpy", "numba", "safetensors"} & imported("-m", "lmtool", "--help")


@pytest.mark.parametrize(
    "arguments",
    [("score", "Todd met Pete"), ("sample", "--seed", "1"), ("next", "Todd"), ("info",)],
    ids=lambda arguments: arguments[0],
)
def test_a_trained_model_is_used_without_numba(arguments: tuple[str, ...], model: str) -> None:
    modules = imported("-m", "lmtool", *arguments, "-m", model)
    assert "numpy" in modules
    assert not {"numba", "llvmlite", "scipy", "torch"} & modules


def test_evaluate_works_without_numba(model: str, tmp_path: Path) -> None:
    (tmp_path / "text").write_text("Todd met Todd\n", encoding="utf-8")
    arguments = ("evaluate", str(tmp_path / "text"), "-m", model)
    assert "numba" not in imported("-m", "lmtool", *arguments)


def test_the_version_is_one() -> None:
    result = python("-m", "lmtool", "--version")
    assert result.stdout == f"lmtool {lmtool.__version__}\n"
    assert project()["dynamic"] == ["version"]


def test_the_changelog_knows_the_version() -> None:
    assert lmtool.__version__ in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


def test_an_installation_agrees_with_the_sources() -> None:
    try:
        installed = importlib.metadata.version("lmtool")
    except importlib.metadata.PackageNotFoundError:
        pytest.skip("run from the sources, not installed")
    assert installed == lmtool.__version__


def test_every_dependency_says_why() -> None:
    lines = (ROOT / "pyproject.toml").read_text(encoding="utf-8").splitlines()
    for requirement in project()["dependencies"]:
        (line,) = (line for line in lines if f'"{requirement}"' in line)
        assert "#" in line, line


def test_every_dependency_is_imported_by_the_package() -> None:
    sources = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "src").rglob("*.py"))
    for requirement in project()["dependencies"]:
        name = requirement.split(">=")[0]
        assert f"import {name}" in sources or f"from {name}" in sources, name


def test_types_are_announced() -> None:
    assert (ROOT / "src/lmtool/py.typed").exists()
