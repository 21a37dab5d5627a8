"""``lmtool gradcheck``: are the gradients that a model learns by right?"""

from collections.abc import Callable, Iterator
from dataclasses import asdict
from itertools import islice
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lmtool.cli.options import MODEL, Json, ModelPath, settings, takes
from lmtool.cli.render import cut, decimals, json_line, number, paragraph, say, table
from lmtool.display import counted
from lmtool.errors import InputError
from lmtool.settings import GradientSettings

if TYPE_CHECKING:
    from lmtool.inference.gradients import GradientCheck, ParameterCheck

__all__ = ["run"]


@takes(GradientSettings)
def run(
    text: Annotated[
        str, typer.Argument(metavar="[TEXT]", help="What the model reads, or writes.")
    ] = "",
    given: Annotated[
        str | None,
        typer.Option(
            "--given",
            metavar="SOURCE",
            help="What is read: a text for a translator, a file of vectors or frames.",
            show_default=False,
        ),
    ] = None,
    row: Annotated[
        int | None,
        typer.Option(min=1, metavar="K", help="Which of --given.", show_default="the first one"),
    ] = None,
    target: Annotated[
        str,
        typer.Option(
            metavar="NAMES",
            help="Tags between blanks, or labels between commas.",
            show_default="the first one, for all",
        ),
    ] = "",
    model: ModelPath = MODEL,
    as_json: Json = False,
    **values: Any,
) -> None:
    """Compare the gradients of a model of any kind with differences of its loss, in float64.

    Each number of a parameter is moved up and down by --epsilon; of a large one those with the
    largest gradients and others that are drawn, and all of them at once along a random direction.
    Nothing is dropped out or smoothed. The exit code is 1 where a parameter differs.
    """
    wanted = settings(GradientSettings, values)

    from lmtool import api

    face = api.load(model)
    source = given if given is None else source_of(face, given, row)
    result = api.gradcheck(face, text, given=source, target=target, **asdict(wanted))
    if as_json:
        say(json_line({"model": str(model)} | result.to_dict()))
    else:
        say("\n".join((head(result), rows(result), verdict(result))))
    if not result.passed:
        raise typer.Exit(1)


def source_of(face: Any, given: str, row: int | None) -> Any:
    """A text, or what stands in a row of a file, for a model that reads files. InputError."""
    read = rows_of(face)
    if read is None:
        if row is not None:
            message = f"a {face.kind} reads no file of vectors or frames; leave it out"
            raise typer.BadParameter(message, param_hint="--row")
        return given
    found = next(islice(read(given), (row or 1) - 1, None), None)
    if found is None:
        raise InputError(f"{given}: there is no row {row or 1} in it")
    return found


def rows_of(face: Any) -> Callable[[str], Iterator[Any]] | None:
    """What reads files of vectors, frames or recordings; None where a text is read."""
    if hasattr(face, "takes"):
        return lambda path: (piece.frames for take in face.takes(path) for piece in take.read()[:1])
    reads_text = getattr(face, "reads", "") == "text"
    return None if reads_text else getattr(face, "clips", None)


def head(result: "GradientCheck") -> str:
    """What is checked, and how."""
    own = f"network {result.member} of {result.n_members}; " * (result.n_members > 1)
    target = f", target {cut(result.target)}" if result.target else ""
    about = f"{result.kind}{target}; {own}float64, central differences, epsilon"
    loss = f"L = {decimals(result.loss, 4)}, {counted(result.n_targets, 'target')}"
    return paragraph(f"{about} {number(result.epsilon)}; {loss}")


def rows(result: "GradientCheck") -> str:
    """A row a parameter; those that differ stand out."""
    headers = ("parameter", "shape", "checked", "|gradient|", "largest difference", "relative", "")
    wrong = [k for k, one in enumerate(result.parameters) if not one.passed]
    return table(headers, [cells(one) for one in result.parameters], 2, wrong)


def cells(one: "ParameterCheck") -> tuple[str, ...]:
    """A row."""
    kinks = f", {counted(one.kinks, 'kink')}" * bool(one.kinks)
    return (
        one.name,
        " x ".join(map(str, one.shape)),
        f"{one.checked} of {one.n}{kinks}",
        number(one.norm, 4),
        number(one.largest_difference, 2),
        number(one.relative, 2),
        "" if one.passed else "DIFFERS",
    )


def verdict(result: "GradientCheck") -> str:
    """The worst number, and whether all is well."""
    wrong = [one for one in result.parameters if not one.passed]
    one = max(wrong or result.parameters, key=lambda each: each.relative)
    place = f"{one.name}[{', '.join(map(str, one.worst))}]"
    numbers = f"analytic {number(one.analytic)}, numeric {number(one.numeric)}"
    if wrong:
        n = f"{len(wrong)} of {counted(len(result.parameters), 'parameter')}"
        said = f"FAILED: the gradients of {n} differ"
    else:
        said = f"passed: all below {number(result.limit)}"
    return (
        paragraph(f"worst: {number(one.relative, 2)}, at {place}: {numbers}")
        + f"\n{paragraph(said)}"
    )
