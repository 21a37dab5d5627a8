"""``lmtool vectors``: the words' vectors for other programs, and how good they are."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lmtool.cli.inputs import STDIN, once
from lmtool.cli.nearest import Matrix, Metric, say_matrix
from lmtool.cli.options import MODEL, Json, ModelPath
from lmtool.cli.render import cut, decimals, json_line, say, table
from lmtool.cli.terminal import printing, talk

if TYPE_CHECKING:
    from lmtool.inference.vectors import AnalogyResult, Section, SimilarityResult

__all__ = ["run"]


def run(
    output: Annotated[
        str, typer.Option("-o", "--output", metavar="FILE|-", help="Where the vectors go.")
    ] = STDIN,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the file.")] = False,
    analogies: Annotated[
        str | None,
        typer.Option(metavar="FILE|-", help="Questions of four words: how many are answered?"),
    ] = None,
    similarity: Annotated[
        str | None,
        typer.Option(metavar="FILE|-", help="Pairs with ratings: do the vectors agree?"),
    ] = None,
    counts: Annotated[
        str | None,
        typer.Option(metavar="FILE|-", help="A text; vectors counted in it stand beside."),
    ] = None,
    metric: Metric = "cosine",
    matrix: Matrix = None,
    model: ModelPath = MODEL,
    as_json: Json = False,
) -> None:
    """Write the words' vectors as word2vec's text, or measure them by questions or ratings.

    FILE.npy is an array with a row for each line of FILE.words. --json is for the results of
    --analogies and --similarity.
    """
    tests = [path for path in (analogies, similarity) if path is not None]
    once([*tests, *([] if counts is None else [counts])])
    if counts is not None and not tests:
        raise typer.BadParameter("needs --analogies or --similarity", param_hint="--counts")
    if tests and (output != STDIN or overwrite):
        flag = "--overwrite" if output == STDIN else "--output"
        name = "--analogies" if analogies is not None else "--similarity"
        raise typer.BadParameter(f"{flag} and {name} contradict each other")
    if as_json and not tests:
        raise typer.BadParameter("needs --analogies or --similarity", param_hint="--json")

    from lmtool import api
    from lmtool.inference.vectors import word2vec

    loaded = api.load_vectors(model)
    known = loaded.embeddings_of(matrix)
    say_matrix(known)
    beside = None if counts is None else loaded.counted(counts, matrix=matrix)
    how: dict[str, Any] = {"metric": metric, "matrix": matrix, "beside": beside}
    results: list[tuple[str, AnalogyResult | SimilarityResult]] = []
    if analogies is not None:
        results.append((analogies, loaded.analogies(analogies, **how)))
    if similarity is not None:
        results.append((similarity, loaded.similarity(similarity, **how)))
    for path, result in results:
        say(json_line({"file": path} | result.to_dict()) if as_json else shown(result))
    if tests:
        return
    if output == STDIN:
        with printing():
            sys.stdout.writelines(word2vec(known))
        return
    for path in loaded.save_vectors(output, overwrite, matrix=matrix):
        talk(f"vectors   {path} ({Path(path).stat().st_size / 1e6:z.1f} MB)")


def shown(result: "AnalogyResult | SimilarityResult") -> str:
    """For people."""
    return "\n".join(lines_of(result))


def lines_of(result: "AnalogyResult | SimilarityResult") -> Iterator[str]:
    """A table or a line, then what is beside it."""
    from lmtool.inference.vectors import SimilarityResult

    if isinstance(result, SimilarityResult):
        rho = "-" if result.spearman is None else decimals(result.spearman, 4)
        yield f"Spearman {rho} ({result.metric})"
        yield covered(result.coverage, result.n, result.n_pairs, "pairs")
        yield "one-hot vectors: all words are equally far apart, so they agree with no rating"
        if other := result.baselines.get("counts"):
            agreed = other["spearman"]
            value = "-" if agreed is None else decimals(agreed, 4)
            yield f"vectors by counting: Spearman {value}"
        return
    rows = [*map(row_of, result.sections)]
    total = ["total", percent(result.accuracy), str(result.n_right), str(result.n)]
    heads = ["section", f"accuracy ({result.metric})", "right", "asked", "questions"]
    yield table(heads, [*rows, [*total, str(result.n_questions)]])
    yield ""
    yield covered(result.coverage, result.n, result.n_questions, "questions")
    chance = percent(result.baselines["one_hot"]["accuracy"])
    yield f"one-hot vectors: all words are equally far apart, so a guess is right in {chance}"
    if counted := result.baselines.get("counts"):
        yield f"vectors by counting: right in {percent(counted['accuracy'])}"


def row_of(section: "Section") -> list[str]:
    """One row of the table."""
    counts = (section.n_right, section.n, section.n_questions)
    return [cut(section.section or "-"), percent(section.accuracy), *map(str, counts)]


def percent(share: float | None) -> str:
    """0.5 -> 50.00 %; nothing for None."""
    return "-" if share is None else f"{decimals(100 * share)} %"


def covered(share: float, n: int, n_all: int, things: str) -> str:
    """How much was asked."""
    return f"coverage {percent(share)}: all words are known in {n:,} of {n_all:,} {things}"
