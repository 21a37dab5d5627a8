"""``lmtool trace``: what happens at each step, and where its gradient comes from."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lmtool.cli.options import MODEL, Json, settings, takes
from lmtool.cli.render import cut, json_line, say
from lmtool.cli.trace_looks import LETTERS, Named, one, side_by_side
from lmtool.errors import InputError
from lmtool.settings import TraceSettings

if TYPE_CHECKING:
    from lmtool.api import Model
    from lmtool.inference.trace import Trace

__all__ = ["run"]


@takes(TraceSettings)
def run(
    text: Annotated[str, typer.Argument(metavar="TEXT", help="A sentence; quote it.")],
    model: Annotated[
        list[Path] | None,
        typer.Option(
            "-m",
            "--model",
            metavar="FILE",
            envvar="LMTOOL_MODEL",
            help="A language model; several stand side by side.",
            show_default=str(MODEL),
        ),
    ] = None,
    as_json: Json = False,
    **values: Any,
) -> None:
    """Show a sentence's way through a language model, step by step, every product with its shapes.

    A step reads a word x_t as a row of the embedding E, makes a_t of it and of a_{t-1}, and p_t of
    a_t; L_t = -ln p_t[y_t]. Vectors are rows, W_a = [W_aa; W_ax], and both ways to write the
    product are computed and compared.

    With --back T, the gradient of L_T as a sum with a term for each step before it: its norm, the
    norm of the product of Jacobians, its share of the sum (together 100 %; one below 0 works
    against it), and whether the sum is what training computes. Several -m compare cells.
    """
    wanted = settings(TraceSettings, values)
    paths = model or [MODEL]
    if len(paths) > len(LETTERS):
        message = f"at most {len(LETTERS)} models can stand side by side"
        raise typer.BadParameter(message, param_hint="--model")

    from lmtool import api

    loaded: list[Model] = [api.load_for("trace", path) for path in paths]
    traces = [
        (str(p), lm.trace(text, **asdict(wanted))) for p, lm in zip(paths, loaded, strict=True)
    ]
    if as_json:
        say("\n".join(json_line(record(*named)) for named in traces))
    elif wanted.back is not None and len(traces) > 1:
        refuse_other_tokens(traces)
        say("\n".join(side_by_side(traces)))
    else:
        say("\n\n".join(block(named, wanted.all, len(traces) > 1) for named in traces))


def record(name: str, trace: "Trace") -> dict[str, Any]:
    """The result with its model."""
    return {"model": name, "kind": "language model"} | trace.to_dict()


def block(named: Named, whole: bool, several: bool) -> str:
    """One model, under its name where there are several."""
    name, trace = named
    return f"{cut(name)}\n" * several + "\n".join(one(trace, whole))


def refuse_other_tokens(traces: Sequence[Named]) -> None:
    """Raises InputError where two models read the sentence in other pieces."""
    pieces = [[term.input for term in trace.back.terms] for _, trace in traces if trace.back]
    for (name, _), own in zip(traces, pieces, strict=True):
        if own != pieces[0]:
            first = traces[0][0]
            message = f"{first} and {name} read the sentence in other tokens"
            raise InputError(f"{message}; give each its own lmtool trace")
