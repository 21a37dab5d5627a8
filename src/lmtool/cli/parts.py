"""``--part I/N``: one share of the files' lines, so that many machines can answer them.

``cat`` of what parts 1 to N print is what one run prints: lines keep their numbers, only part 1
prints the head of a table, and what is a sum over all lines is refused.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import islice
from typing import Annotated, TypeVar

import typer

from lmtool.text.parts import Part, part

__all__ = ["PartOf", "refuse_sums", "written"]

Item = TypeVar("Item")

PartOf = Annotated[
    Part | None,
    typer.Option(
        "--part",
        metavar="I/N",
        parser=part,
        help="Answer only lines that begin in the I-th N-th of the files' bytes.",
    ),
]


def refuse_sums(one: Part | None, asked: Mapping[str, object]) -> None:
    """Wrong usage where something is asked for with a part that is one for all lines."""
    name = next((name for name, value in asked.items() if value), None)
    if one is not None and name is not None:
        message = f"--part and {name} contradict each other: that is one for all lines"
        raise typer.BadParameter(message)


def written(
    write: Callable[[Iterable[Item]], Iterator[str]], results: Iterable[Item], one: Part | None
) -> Iterator[str]:
    """What is printed of the results; behind part 1 without what is printed of none, the head."""
    head = 0 if one is None or one.index == 1 else sum(1 for _ in write(iter(())))
    return islice(write(results), head, None)
