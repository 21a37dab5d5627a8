"""Ladder 7: the example corpora, and the perplexities that their README promises."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

import lmtool

CORPORA = Path(__file__).parents[1] / "examples" / "corpora"
README = (CORPORA / "README.md").read_text(encoding="utf-8")


def row(name: str) -> list[str]:
    """The corpus's cells in the README's table."""
    line = next(line for line in README.splitlines() if line.startswith(f"| `{name}"))
    return [cell.strip() for cell in line.split("|")[3:-1]]


@pytest.mark.parametrize("name", ["todd_and_pete", "place_names"])
def test_generators_repeat_the_files(name: str, tmp_path: Path) -> None:
    script, again = CORPORA / f"make_{name}.py", tmp_path / "again.txt"
    subprocess.run([sys.executable, script, "--out", again], check=True)
    assert again.read_bytes() == (CORPORA / f"{name}.txt").read_bytes()


@pytest.mark.parametrize(("name", "split"), [("todd_and_pete", str.split), ("place_names", list)])
def test_counts_in_the_readme(name: str, split: object) -> None:
    text = (CORPORA / f"{name}.txt").read_text(encoding="utf-8")
    tokens = [token for line in text.splitlines() for token in split(line)]  # type: ignore[operator]
    counts = (len(text.splitlines()), len(tokens), len(set(tokens)), len(text.encode()))
    assert [int(re.sub(r"\D", "", cell)) for cell in row(name)[:4]] == list(counts)


def test_pairs_are_in_the_words_of_their_corpus() -> None:
    folder = CORPORA.parent / "pairs"
    _, *rows = (folder / "todd_and_pete.tsv").read_text(encoding="utf-8").splitlines()
    known = set((CORPORA / "todd_and_pete.txt").read_text(encoding="utf-8").split())
    used = {word for row in rows for part in row.split("\t")[1:] for word in part.split()}
    assert used <= known
    assert f"{len(rows)} pairs" in (folder / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(("name", "kind"), [("todd_and_pete", "word"), ("place_names", "char")])
def test_expected_perplexities(name: str, kind: str) -> None:
    lm = lmtool.train(CORPORA / f"{name}.txt", tokens=kind)
    result = lm.provenance["result"]
    carried, by_line = re.findall(r"\d+\.\d+", row(name)[4])
    assert result["valid_perplexity"] == pytest.approx(float(carried), rel=0.03)
    assert result["valid_perplexity_sentence"] == pytest.approx(float(by_line), rel=0.03)
    if kind == "word":
        assert lm.score("Todd met Pete").log10_p > lm.score("Toad met Pit").log10_p + 5
        assert lm.score("Toad met Pit").n_oov == 0
