"""The commands of the pages do what the pages say; and what does not hold is noticed."""

import re
from pathlib import Path

import pytest

from tests import sessions
from tests.sessions import ROOT, Session, blocks, exchanges, failures, same, same_lines

PAGES = ("README.md", "docs/quickstart.md", "docs/lecture.md", "docs/python.md", "docs/numbers.md")
EXCUSED = {"README.md": 1, "docs/quickstart.md": 3}  # blocks that do not run, each with a reason

in_pages = pytest.mark.parametrize("page", PAGES)


@in_pages
def test_a_page_does_what_it_says(page: str) -> None:
    if wrong := "\n\n".join(failures(ROOT / page)):
        pytest.fail(wrong, pytrace=False)


@in_pages
def test_excuses_are_counted_and_have_reasons(page: str) -> None:
    excused = [block for block in found(page) if block.rule.startswith("norun")]
    assert len(excused) == EXCUSED.get(page, 0)
    assert all(block.reason for block in excused)


@in_pages
def test_rules_are_known(page: str) -> None:
    known = re.compile(r"norun: \S.*|(\d+%|free|exit=\d+)( exit=\d+)?|")
    assert [block.rule for block in found(page) if not known.fullmatch(block.rule)] == []
    assert all(block.language == "console" for block in found(page) if "%" in block.rule)


@in_pages
def test_no_block_of_commands_hides_under_another_name(page: str) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    fences = re.findall(r"^```(\w*).*\n((?:.*\n)*?)```$", text, re.MULTILINE)
    others = [body for language, body in fences if language not in ("console", "sh", "python")]
    assert [body for body in others if re.search(r"^(\$ )?lmtool ", body, re.MULTILINE)] == []


def test_only_the_readme_has_set_up() -> None:
    marked = {page: sum(block.setup for block in found(page)) for page in PAGES}
    assert marked == {"README.md": 2} | dict.fromkeys(PAGES[1:], 0)


def test_the_five_perplexities_follow_from_the_factors() -> None:
    page = (ROOT / "docs/numbers.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\d\t\S+\t(\S+)\t\d\t(\S+)$", page, re.MULTILINE)
    factors = [(token, float(value)) for token, value in rows]
    assert len(factors) == 8
    for without, n in (((), 8), (("<EOS>",), 6), (("<UNK>",), 7), (("<EOS>", "<UNK>"), 5)):
        total = sum(value for token, value in factors if token not in without)
        assert f"| {total:.4f} | {n} " in page
        perplexity = 10 ** (-total / n)
        assert f"10^{-total / n:.4f} = {perplexity:#.3g}" in page or f"= {perplexity:.2f} |" in page


@pytest.mark.parametrize(
    ("expected", "printed", "rule"),
    [
        ("P = 0.00424  (3 words)", "P =  0.00425 (3 words)", ""),
        ("██ 0.5", "████ 0.5", ""),
        ("log10 P = -2.3729", "log10 P = -2.3728", ""),
        ("2.05e-17", "2.06e-17", ""),
        ("perplexity 100.0", "perplexity 104.9", "5%"),
        ("odds 1.0e+10", "odds 2.0e+10", "5%"),
        ("Todd met Pete", "Ruth saw", "free"),
    ],
)
def test_lines_that_agree(expected: str, printed: str, rule: str) -> None:
    assert same_lines([expected], [printed], rule)


@pytest.mark.parametrize(
    ("expected", "printed", "rule"),
    [
        ("P = 0.00424  (3 words)", "P = 0.00426  (3 words)", ""),
        ("P = 0.00424  (3 words)", "P = 0.00424  (4 words)", "50%"),
        ("P = 0.00424", "Q = 0.00424", "5%"),
        ("2.05e-17", "2.05e-18", ""),
        ("perplexity 100.0", "perplexity 105.1", "5%"),
        ("-0.5", "0.5", "50%"),
        ("1e-10", "-1e-10", "50%"),
        ("a 1", "a 1 2", ""),
    ],
)
def test_lines_that_differ(expected: str, printed: str, rule: str) -> None:
    assert not same(expected, printed, rule)


def test_an_ellipsis_stands_for_any_lines() -> None:
    assert same_lines(["a", "...", "d"], ["a", "b", "c", "d"], "")
    assert same_lines(["...", "d"], ["d"], "")
    assert not same_lines(["a", "...", "d"], ["a", "b", "c"], "")
    assert not same_lines(["a"], ["a", "b"], "free")


def test_a_command_may_take_several_lines() -> None:
    text = "$ for n in 1 2\n> do echo $n\n> done\n1\n2\n\n$ true\n"
    assert list(exchanges(text)) == [
        ("for n in 1 2\ndo echo $n\ndone", ["1", "2", ""]),
        ("true", []),
    ]


PAGE = """\
<!-- run: export WORD=here -->

```console
$ echo $WORD; ls
wrong
```

```console exit=3
$ printf 'a\\nb\\n'; (exit 3)
...
b
```

```sh norun: never ends
sleep 1000
```

```python
import os

word = os.getcwd()
```

```python
open("made.txt", "w").write(word)
```

```console
$ test "$(cat made.txt)" = "$PWD"
```
"""


@pytest.fixture
def page(tmp_path: Path) -> Path:
    path = tmp_path / "page.md"
    path.write_text(PAGE, encoding="utf-8")
    return path


def test_what_a_page_does_not_keep_is_said_and_updated(page: Path) -> None:
    (failure,) = failures(page)
    assert failure.splitlines() == [
        "page.md:3: echo $WORD; ls",
        *("the page says", "wrong", "what came", "here", "examples"),
    ]
    assert sessions.main([str(page)]) == 1
    assert sessions.main(["--update", str(page)]) == 0
    assert page.read_text(encoding="utf-8") == PAGE.replace("wrong", "here\nexamples")
    assert sessions.main([str(page)]) == 0


@pytest.mark.parametrize("block", ["```sh\nfalse\ntrue\n```\n", "```python\n1 / 0\n```\n"])
def test_a_block_that_fails_ends_the_page(tmp_path: Path, block: str) -> None:
    page = tmp_path / "page.md"
    page.write_text(f"{block}\n{block}", encoding="utf-8")
    (failure,) = failures(page)
    assert "page.md:1:" in failure and "exit status 1" in failure
    with pytest.raises(SystemExit):
        sessions.main(["--update", str(page)])


def test_another_exit_status_is_a_failure(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("```console free\n$ false\n```\n", encoding="utf-8")
    assert [failure.splitlines()[1] for failure in failures(page)] == ["exit status 1 instead of 0"]


def test_nothing_of_the_caller_reaches_a_page(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LMTOOL_MODEL", "elsewhere")
    (block,) = blocks('```console\n$ echo "$LMTOOL_MODEL"; [ "$HOME" = ~ ]; ls\n\nexamples\n```\n')
    with Session() as session:
        assert [done.wrong for done in session.run(block)] == [""]


def found(page: str) -> list[sessions.Block]:
    return list(blocks((ROOT / page).read_text(encoding="utf-8")))
