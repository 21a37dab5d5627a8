"""``lmtool COMMAND ...``: the commands of the table, each read when it is called."""

import inspect
from collections.abc import Callable, Sequence
from typing import Annotated, Any

import typer
import typer.main

from lmtool._version import __version__
from lmtool.cli.commands import COMMANDS, GROUPS, run_of
from lmtool.cli.guard import AllCommands, OneCommand
from lmtool.cli.terminal import prepare_streams, printing, talk

__all__ = ["COMMANDS", "GROUPS", "app", "help_text", "main", "whole"]


# ClickException, wherever this typer keeps it
WrongUsage: Any = typer.BadParameter.__mro__[2]


class Listed(AllCommands):
    """Commands by their headlines; the one that is called becomes whole."""

    def resolve_command(self, *args: Any) -> Any:
        """Its name, the command, the other words."""
        name, command, rest = super().resolve_command(*args)
        return name, whole(name) if name in COMMANDS else command, rest


def whole(name: str) -> Any:
    """A command with its options, as typer makes it."""
    alone = typer.Typer(add_completion=False)
    example = f"Example: {COMMANDS[name].example}"
    run = run_of(name)
    alone.command(name, cls=OneCommand, help=help_text(run), epilog=example)(run)
    return typer.main.get_command(alone)


app = typer.Typer(
    name="lmtool",
    cls=Listed,
    help="Recurrent sequence models on ordinary CPUs: train on your text, score, sample, label.",
    epilog="lmtool help COMMAND shows the options of a command, and an example.",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def show_version(wanted: bool) -> None:
    """Prints the version and ends."""
    if wanted:
        with printing():
            print(f"lmtool {__version__}")
        raise typer.Exit()


@app.callback(invoke_without_command=True)
def lmtool(
    context: typer.Context,
    version: Annotated[
        bool,
        typer.Option("--version", callback=show_version, is_eager=True, help="Print the version."),
    ] = False,
) -> None:
    """Recurrent sequence models on ordinary CPUs: train on your text, score, sample, label."""
    if context.invoked_subcommand is None:
        with printing():
            print(context.get_help())
        raise typer.Exit(2)


def show_help(
    command: Annotated[str, typer.Argument(metavar="[COMMAND]", help="Which one.")] = "",
) -> None:
    """Show the options of a command, and an example: as COMMAND --help."""
    raise typer.Exit(main([command, "--help"] if command else ["--help"]))


def help_text(command: Callable[..., None]) -> str:
    """The docstring with one line per paragraph, so that any terminal can wrap it."""
    paragraphs = (inspect.getdoc(command) or "").split("\n\n")
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in paragraphs)


for panel, commands in GROUPS.items():
    for name, command in commands.items():
        app.command(name, help=command.headline, rich_help_panel=panel)(lambda: None)
app.command("help", cls=OneCommand, help=help_text(show_help), hidden=True)(show_help)


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command line; returns the exit code."""
    prepare_streams()
    arguments = None if argv is None else list(argv)
    try:
        return app(args=arguments, prog_name="lmtool", standalone_mode=False) or 0
    except WrongUsage as error:
        context = getattr(error, "ctx", None)
        path = context.command_path if context else "lmtool"
        talk(f"lmtool: error: {error.format_message().rstrip('.')} (see {path} --help)")
        return int(error.exit_code)
    except typer.Abort:
        talk("lmtool: interrupted")
        return 130
