"""What a text is about: ``--given`` of the commands that ask a model for probabilities."""

from typing import Annotated, Any

import typer

__all__ = ["Given", "Row", "about"]

Given = Annotated[
    str | None,
    typer.Option(
        "--given",
        metavar="SOURCE",
        help="What it is about: a text for a translator, a file of vectors for a captioner.",
        show_default=False,
    ),
]
Row = Annotated[
    int | None,
    typer.Option(min=1, metavar="K", help="Which vector of --given.", show_default="the first one"),
]


def about(model: Any, given: str | None, row: int | None) -> Any:
    """The model; one that writes about sources bound to the given one, which it needs.

    Wrong usage for a source where there can be none, and for none where there must be one.
    """
    if not hasattr(model, "given"):
        refused = {"--given": given, "--row": row}
        if name := next((name for name, value in refused.items() if value is not None), None):
            message = f"a {model.kind} writes about nothing; leave it out"
            raise typer.BadParameter(message, param_hint=name)
        return model
    if given is None:
        message = f"a {model.kind} writes about something: say about what"
        raise typer.BadParameter(message, param_hint="--given")
    return model.given(model.source(given, row))
