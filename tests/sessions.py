"""Runs the commands of a page of documentation, in order, and compares what they print.

    python -m tests.sessions PAGE...            says what a page promises and does not keep
    python -m tests.sessions --update PAGE...   writes down what comes instead

A page runs from a new folder that holds ``examples/`` alone, with an emptied environment.
CONTRIBUTING.md has the rules for blocks: ``console`` is compared, ``sh`` and ``python`` end well.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import NamedTuple

import lmtool

ROOT = Path(__file__).parent.parent
BLOCK = re.compile(
    r"^(?P<setup><!-- setup:\w+ -->\n)?```(?P<language>console|sh|python)(?: (?P<rule>.+))?\n"
    r"(?P<text>(?:.*\n)*?)```$|^<!-- run: (?P<hidden>.+) -->$",
    re.MULTILINE,
)
NUMBER = re.compile(r"(?<![\w.])[-+]?\d+(?:\.\d+)?(?:e[-+]?\d+)?")
BAR = re.compile(r"█+|##+")
SHELL = 'eval "$(cat {0}.in)" > {0}.out 2>&1 < /dev/null; echo $?\n'
PYTHON = """
import contextlib, sys, traceback
names = {"__name__": "__main__"}
for path in map(str.strip, sys.stdin):
    code = 0
    with open(path + ".in") as source, open(path + ".out", "w") as out:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(out):
            try:
                exec(compile(source.read(), "the page", "exec"), names)
            except BaseException:
                traceback.print_exc()
                code = 1
    print(code, flush=True)
"""


@dataclass(frozen=True)
class Block:
    """A fenced block that can run, or a hidden command."""

    language: str  # console, sh, python
    rule: str  # what follows the language: "", "5%", "free", "exit=1", "norun: WHY"
    text: str
    line: int  # of the page, where the fence stands
    start: int  # of the text, in characters
    setup: bool  # of the README, run by .ci/run

    @property
    def reason(self) -> str:
        """Why it does not run; empty where it does."""
        return self.rule.removeprefix("norun:").strip() if self.rule.startswith("norun") else ""

    @property
    def runs(self) -> bool:
        """Neither set-up nor excused."""
        return not (self.setup or self.rule.startswith("norun"))


class Done(NamedTuple):
    """A command that has run."""

    command: str
    expected: list[str]
    printed: list[str]
    wrong: str  # why it is not as the page says; empty where it is


def blocks(content: str) -> Iterator[Block]:
    """All blocks of a page that a reader would type, in order."""
    for found in BLOCK.finditer(content):
        name = "hidden" if found["hidden"] else "text"
        yield Block(
            found["language"] or "sh",
            found["rule"] or "",
            found[name],
            content.count("\n", 0, found.start()) + 1,
            found.start(name),
            bool(found["setup"]),
        )


def exchanges(text: str) -> Iterator[tuple[str, list[str]]]:
    """(command, what it prints) of a console block; ``> `` continues a command."""
    for part in re.split(r"^\$ ", text, flags=re.MULTILINE)[1:]:
        first, *rest = part.splitlines()
        command = [first]
        while rest and rest[0].startswith("> "):
            command.append(rest.pop(0)[2:])
        yield "\n".join(command), rest


class Interpreter:
    """A process that keeps its variables from one command to the next."""

    def __init__(self, command: list[str], request: str, desk: Path):
        self._request, self._files, self._n = request, desk / Path(command[0]).name, 0
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=desk / "page",
            env=environment(desk),
        )

    def __call__(self, source: str) -> tuple[int, list[str]]:
        """Exit status and lines of output."""
        self._n += 1
        path = self._files.with_name(f"{self._files.name}-{self._n}")
        Path(f"{path}.in").write_text(source, encoding="utf-8")
        assert self._process.stdin and self._process.stdout
        self._process.stdin.write(self._request.format(path))
        self._process.stdin.flush()
        code = self._process.stdout.readline()  # nothing where the shell itself has ended
        printed = Path(f"{path}.out").read_text(encoding="utf-8")
        return int(code or self._process.wait() or 1), printed.splitlines()

    def close(self) -> None:
        """Ends the process."""
        self._process.communicate()


class Session:
    """A folder, a shell and a Python for one page."""

    def __enter__(self) -> "Session":
        self._desk = desk = Path(tempfile.mkdtemp())
        for folder in ("page", "home", "bin"):
            (desk / folder).mkdir()
        nothing_made = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / "examples", desk / "page" / "examples", ignore=nothing_made)
        script = desk / "bin" / "lmtool"
        script.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m lmtool "$@"\n', encoding="utf-8")
        script.chmod(0o755)
        self._shell = Interpreter(["bash"], SHELL, desk)
        self._python = Interpreter([sys.executable, "-c", PYTHON], "{}\n", desk)
        return self

    def __exit__(self, *_: object) -> None:
        self._shell.close()
        self._python.close()
        shutil.rmtree(self._desk)

    def run(self, block: Block) -> list[Done]:
        """Each command of a console block; another block is one command."""
        if block.language == "console":
            return [self._compared(*exchange, block.rule) for exchange in exchanges(block.text)]
        python = block.language == "python"
        run = self._python if python else self._shell
        code, printed = run(block.text if python else f"set -e\n{block.text}\nset +e")
        wrong = "\n".join([f"exit status {code}", *printed]) if code else ""
        return [Done(block.text, printed, printed, wrong)]

    def _compared(self, command: str, expected: list[str], rule: str) -> Done:
        wanted = int(match[1]) if (match := re.search(r"exit=(\d+)", rule)) else 0
        code, printed = self._shell(command)
        wrong = ""
        if code != wanted:
            wrong = "\n".join([f"exit status {code} instead of {wanted}", *printed])
        elif not same_lines(without_end(expected), without_end(printed), rule):
            wrong = "\n".join(["the page says", *expected, "what came", *printed])
        return Done(command, expected, printed, wrong)


def environment(desk: Path) -> dict[str, str]:
    """Nothing of the caller's but the system's own paths and the compiled kernels."""
    kept = ("LMTOOL_CACHE_DIR", "SYSTEMROOT", "TMPDIR")
    path = (desk / "bin", Path(sys.executable).parent, os.defpath)
    return {name: os.environ[name] for name in kept if name in os.environ} | {
        "PATH": os.pathsep.join(map(str, path)),
        "PYTHONPATH": str(Path(lmtool.__file__).parents[1]),
        "HOME": str(desk / "home"),
        "XDG_CACHE_HOME": os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"),
        "LC_ALL": "C.UTF-8",
        "COLUMNS": "80",
        "NO_COLOR": "1",
    }


def without_end(lines: list[str]) -> list[str]:
    """Lines without blank ones at the end, which set commands apart on a page."""
    return "\n".join(lines).rstrip().splitlines()


def same_lines(expected: list[str], printed: list[str], rule: str) -> bool:
    """Whether the output is what a page promises; a line ``...`` stands for any lines."""
    if not expected:
        return not printed
    if expected[0] == "...":
        skipped = range(len(printed) + 1)
        return any(same_lines(expected[1:], printed[n:], rule) for n in skipped)
    first = bool(printed) and ("free" in rule.split() or same(expected[0], printed[0], rule))
    return first and same_lines(expected[1:], printed[1:], rule)


def same(expected: str, printed: str, rule: str = "") -> bool:
    """Whether two lines agree: the text but for blanks and lengths of bars, numbers to one unit of
    their last place, or within ``5%`` where the rule says so; whole numbers exactly in any case.
    """
    share = Decimal(match[1]) / 100 if (match := re.search(r"(\d+)%", rule)) else Decimal(0)
    numbers = zip(NUMBER.findall(expected), NUMBER.findall(printed), strict=False)
    return plain(expected) == plain(printed) and all(close(a, b, share) for a, b in numbers)


def plain(line: str) -> str:
    """A line without what may vary."""
    return " ".join(BAR.sub("█", NUMBER.sub("0", line)).split())


def close(expected: str, printed: str, share: Decimal) -> bool:
    """Whether two numbers agree; a share of those with an exponent is one of the logarithm."""
    a, b = Decimal(expected), Decimal(printed)
    if expected.lstrip("+-").isdigit():
        return a == b
    unit = Decimal(1).scaleb(int(a.as_tuple().exponent))
    if share and "e" in expected + printed and a * b > 0:
        return abs(abs(a).log10() - abs(b).log10()) <= share * abs(abs(a).log10())
    return abs(a - b) <= max(share * abs(a), unit)


def failures(page: Path) -> Iterator[str]:
    """One text for each command that does not do what its page says, up to a block that fails."""
    with Session() as session:
        for block in blocks(page.read_text(encoding="utf-8")):
            done = session.run(block) if block.runs else []
            for command, _, _, wrong in done:
                if wrong:
                    yield f"{page.name}:{block.line}: {command}\n{wrong}"
            if block.language != "console" and any(each.wrong for each in done):
                return


def update(page: Path) -> None:
    """Writes what came into the page; exits where a block fails that shows no output."""
    content = page.read_text(encoding="utf-8")
    fresh, end = "", 0
    with Session() as session:
        for block in blocks(content):
            done = session.run(block) if block.runs else []
            if block.language == "console" and block.runs:
                fresh += content[end : block.start] + "".join(map(written, done))
                end = block.start + len(block.text)
            elif any(each.wrong for each in done):
                sys.exit(f"{page}:{block.line}: {done[0].wrong}")
    page.write_text(fresh + content[end:], encoding="utf-8")


def written(done: Done) -> str:
    """A command and its output, as they stand in a page; with ``...`` they stay where they hold."""
    kept = "..." in done.expected and not done.wrong
    apart = [""] * (done.expected[-1:] == [""])  # a blank line before the next command
    shown = done.expected if kept else [*without_end(done.printed), *apart]
    return "\n".join(["$ " + done.command.replace("\n", "\n> "), *shown, ""])


def main(arguments: list[str]) -> int:
    """Checks or updates pages."""
    pages = [Path(name) for name in arguments if name != "--update"]
    if "--update" in arguments:
        for page in pages:
            update(page)
        return 0
    wrong = [text for page in pages for text in failures(page)]
    print(*wrong, sep="\n\n")
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
