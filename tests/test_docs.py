"""The documentation cannot drift: pages are fresh, links lead somewhere, errors are explained."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from lmtool.cli.app import COMMANDS, whole
from lmtool.cli.signals import HANDLED
from tests.sessions import blocks, exchanges

ROOT = Path(__file__).parent.parent
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("examples/**/*.md")])
ERRORS = {"InputError", "ModelFileError", "ConfigError", "TrainingError", "BadParameter"}
ERRORS |= {"InterruptionError", "OptionError"}
MESSAGE = "MISSING"  # a constant that ends up in an error

in_pages = pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))


def text(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def code(page: Path, language: str) -> list[str]:
    """What a page says in a language; of a console the commands alone."""
    found = [b for b in blocks(page.read_text(encoding="utf-8")) if b.language == language]
    if language != "console":
        return [block.text for block in found]
    return [command for block in found for command, _ in exchanges(block.text)]


def headings(page: Path) -> list[str]:
    """The headings of a page; of the changelog the versions alone, whose parts are the same."""
    prose = re.sub(r"^```.*?^```$", "", page.read_text(encoding="utf-8"), flags=re.DOTALL | re.M)
    return re.findall(r"^## .*" if page.name == "CHANGELOG.md" else r"^#+ .*", prose, re.MULTILINE)


def test_the_page_of_commands_is_fresh() -> None:
    command = [sys.executable, str(ROOT / "docs/make_cli_page.py"), "--check"]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr


def test_a_stale_page_of_commands_is_noticed(tmp_path: Path) -> None:
    script = tmp_path / "make_cli_page.py"
    script.write_text(text("docs/make_cli_page.py"), encoding="utf-8")
    (tmp_path / "cli.md").write_text(text("docs/cli.md") + "more\n", encoding="utf-8")
    command = [sys.executable, str(script), "--check"]
    assert subprocess.run(command, capture_output=True, check=False).returncode == 1


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_is_documented(name: str) -> None:
    assert f"`lmtool {name}" in text("README.md")
    assert f"\n## {name}\n" in text("docs/cli.md")
    assert f"lmtool {name}" in text("docs/quickstart.md")


@pytest.mark.parametrize("name", COMMANDS)
def test_the_page_lists_the_options_that_the_parser_takes(name: str) -> None:
    section = re.split(r"^## ", text("docs/cli.md"), flags=re.MULTILINE)
    (own,) = (part for part in section if part.startswith(f"{name}\n"))
    listed = {
        flag for item in re.findall(r"^- `(-[^`]*)`", own, re.MULTILINE) for flag in flags(item)
    }
    command = whole(name)
    parsed = {flag for option in command.params for flag in [*option.opts, *option.secondary_opts]}
    assert listed == {flag for flag in parsed if flag.startswith("-")} - {"--help", "-h"}


def flags(item: str) -> list[str]:
    """``-m, --model FILE`` -> [-m, --model]; ``--tie/--no-tie`` -> both."""
    return re.findall(r"(?:^|[\s/])(--?[a-z][a-z-]*)", item)


@in_pages
def test_links_lead_somewhere(page: Path) -> None:
    targets = re.findall(r"\]\(([^)#\s]+)[^)]*\)", page.read_text(encoding="utf-8"))
    local = [target for target in targets if "://" not in target]
    assert [target for target in local if not (page.parent / target).exists()] == []


@in_pages
def test_python_compiles(page: Path) -> None:
    for block in code(page, "python"):
        if page.name != "architecture.md":  # contracts, not programs
            compile(block, str(page), "exec")


@in_pages
def test_command_lines_name_commands_and_options_that_exist(page: Path) -> None:
    known = text("docs/cli.md")
    written = [*code(page, "sh"), *code(page, "console")]
    if page.name == "peers.md":
        written += re.findall(r"`(lmtool [^`]*)`", page.read_text(encoding="utf-8"))
    lines = [line.split("#")[0] for block in written for line in block.splitlines()]
    calls = [call for line in lines for call in re.findall(r"\blmtool (\S+)([^|&>]*)", line)]
    for name, arguments in calls:
        assert name in COMMANDS, name
        section = known.split(f"\n## {name}\n")[1].split("\n## ")[0]
        for flag in flags(re.sub(r'"[^"]*"', "", arguments)):
            assert re.search(rf"`[^`]*(?<![a-z-]){flag}\b[^`]*`", section), f"{name} {flag}"


def test_the_readme_leads_to_every_page() -> None:
    missing = [
        page.name for page in ROOT.glob("docs/*.md") if f"docs/{page.name}" not in text("README.md")
    ]
    assert missing == []


@in_pages
def test_no_heading_stands_twice(page: Path) -> None:
    found = headings(page)
    assert found
    assert [heading for heading in found if found.count(heading) > 1] == []


def test_exit_codes_are_those_of_the_code_and_listed_once() -> None:
    listed = re.findall(r"^\| (\d+) \| \w", text("docs/cli.md").split("\n## ")[0], re.MULTILINE)
    assert list(map(int, listed)) == sorted({0, 1, 2} | {128 + number for number in HANDLED})
    elsewhere = [page for page in PAGES if page.name != "cli.md"]
    again = re.compile(r"\bcodes?\W+(?:\w+ )?(?:2|129|130|143)\b|\b(?:129|130|143) (?:after|where)")
    assert [page.name for page in elsewhere if again.search(page.read_text(encoding="utf-8"))] == []


@pytest.mark.parametrize(
    ("name", "ends"), [("run", "--max-words 20"), ("test", "&& pytest -n auto --dist worksteal")]
)
def test_ci_finds_the_two_commands_of_the_readme(name: str, ends: str) -> None:
    marked = re.findall(
        rf"^<!-- setup:{name} -->\n```sh\n((?:.+\n)+)```$", text("README.md"), re.MULTILINE
    )
    assert len(marked) == 1
    *lines, last = marked[0].splitlines()
    assert all(line.endswith(" &&") for line in lines)  # what fails ends it
    start = "python3 -m venv .venv && . .venv/bin/activate && pip install "
    assert marked[0].startswith(start) and last.endswith(ends)
    assert ".venv/" in text(".gitignore")


@cache
def raised() -> tuple[tuple[str, str], ...]:
    """(place, strings of the function around it) for each error that lmtool raises on purpose."""
    return tuple(raising())


def raising() -> Iterator[tuple[str, str]]:
    """The same, one by one."""
    for path in sorted((ROOT / "src").rglob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for statement in tree.body:
            if isinstance(statement, ast.Assign) and ast.unparse(statement.targets[0]) == MESSAGE:
                yield f"{path.name}:{MESSAGE}", ast.literal_eval(statement.value)
        for function in ast.walk(tree):
            if isinstance(function, ast.FunctionDef) and ERRORS & set(errors_in(function)):
                yield f"{path.name}:{function.name}", "\n".join(strings_in(function))


def errors_in(function: ast.FunctionDef) -> Iterator[str]:
    for node in ast.walk(function):
        if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call):
            yield ast.unparse(node.exc.func).split(".")[-1]


def strings_in(function: ast.FunctionDef) -> Iterator[str]:
    for statement in function.body[ast.get_docstring(function) is not None :]:
        for node in ast.walk(statement):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                yield node.value


def explained() -> list[str]:
    """The phrases in the headings of the page of errors."""
    headings = re.findall(r"^## (`.*)$", text("docs/troubleshooting.md"), re.MULTILINE)
    return [phrase for heading in headings for phrase in re.findall(r"`([^`]+)`", heading)]


@pytest.mark.parametrize(
    ("place", "strings"), [pytest.param(*case, id=case[0]) for case in raised()]
)
def test_every_error_has_a_heading(place: str, strings: str) -> None:
    assert any(phrase in strings for phrase in explained()), f"{place}: {strings}"


@pytest.mark.parametrize("phrase", explained())
def test_every_heading_is_an_error(phrase: str) -> None:
    assert any(phrase in strings for _, strings in raised())
