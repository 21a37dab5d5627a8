"""The page of contracts says what is so: files, names and parameters are those of the code."""

import importlib
import inspect
import re
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs/architecture.md").read_text(encoding="utf-8")
CONTRACTS = PAGE.split("```python\n")[1].split("```")[0]
CALL = re.compile(r"(?<![\w.])(\w+\.|\.)?([A-Za-z_]\w*)\(((?:[^()]|\([^()]*\))*)\)")


def module(path: str) -> ModuleType:
    """``text/reader.py`` -> its module; ``nn/cells/<name>.py`` -> what says what a cell is."""
    name = path.removesuffix(".py").replace("<name>", "base").replace("/", ".")
    return importlib.import_module(f"lmtool.{name}")


def lines() -> Iterator[tuple[str, str]]:
    """(file, line) for each line of the contracts that speaks of one."""
    folder, path = "", ""
    for line in CONTRACTS.splitlines():
        if heading := re.match(r"# (\S+/)(?:\s|$)", line):
            folder, path = heading[1], ""
        elif heading := re.match(r"# (\S+\.py)\b", line):
            folder, path = "", heading[1]
        elif folder and (entry := re.match(r"(\w+\.py)\b", line)):
            path = folder + entry[1]
        if path:
            yield path, line


def calls() -> Iterator[tuple[str, str, list[str]]]:
    """(file, dotted name, parameters) for each thing that the contracts call."""
    owner = ""
    for path, line in lines():
        for before, name, inside in CALL.findall(line):
            if inside and name[0].isupper() and line.startswith(name):
                owner = name
            of = owner if before == "." or line.startswith(f"  {name}(") else before.rstrip(".")
            yield path, f"{of}.{name}".lstrip("."), parameters(inside)
            owner = name if name[0].isupper() and ")." in line else owner


def parameters(inside: str) -> list[str]:
    """``x (B, I), state=None, ...`` -> [x, state, ...]."""
    bare = inside
    while (fewer := re.sub(r"\([^()]*\)|\[[^\[\]]*\]|\{[^{}]*\}", "", bare)) != bare:
        bare = fewer
    parts = [part.strip() for part in bare.split(",")]
    return [part if part == "..." else re.split(r"[ :=]", part)[0] for part in parts if part]


def found(path: str, name: str) -> Any:
    """What the contract names; None where the code has no such thing."""
    thing: Any = module(path)
    for part in name.split("."):
        declared = getattr(thing, "__annotations__", {})
        thing = getattr(thing, part, declared.get(part))
    return thing


@pytest.mark.parametrize("path", sorted({*re.findall(r"\b[\w/]+\.py\b", PAGE)}))
def test_files_are_there(path: str) -> None:
    assert list((ROOT / "src/lmtool").rglob(path)), path


@pytest.mark.parametrize(
    ("path", "name", "given"), [pytest.param(*call, id=f"{call[0]}:{call[1]}") for call in calls()]
)
def test_what_is_called_has_these_parameters(path: str, name: str, given: list[str]) -> None:
    thing = found(path, name)
    assert thing is not None, f"{path} has no {name}"
    if not inspect.isfunction(thing) and not inspect.isclass(thing):
        return  # a field that holds a function: its docstring says what it takes
    declared = inspect.signature(thing).parameters
    own = [p for p in declared if p != "self"]
    named = [p for p in given if p != "..."]
    assert [p for p in own if p in named] == named
    required = [p for p in own if declared[p].default is inspect.Parameter.empty]
    assert "..." in given or set(required) <= set(named)


def test_enough_is_checked() -> None:
    assert len(list(calls())) > 50


def test_imports_are_those_of_the_contract() -> None:
    contract = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    layers = re.findall(r'^    "([a-z_| ]+)",', contract.split("layers = [")[1], re.MULTILINE)
    order = re.search(r"^`(cli > [^`]*)`", PAGE, re.MULTILINE)
    assert (
        order and [part.strip("() ") for part in " ".join(order[1].split()).split(" > ")] == layers
    )
