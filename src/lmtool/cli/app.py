"""``lmtool COMMAND ...``: the table of commands, and where errors meet the user.

A new command is one file with a ``run`` function and one line in COMMANDS. What a command may
import at the top is typer and this package; numpy, rich and the library wait until it runs.

Exit codes: 0 done, 1 the input or the model is at fault, 2 wrong usage or an option's value, 129,
130 and 143 a terminal that closed, Ctrl-C, SIGTERM.
"""

import functools
import inspect
import sys
from collections.abc import Callable, Sequence
from typing import Annotated, Any

import typer

from lmtool._version import __version__
from lmtool.cli import (
    classify,
    compare,
    evaluate,
    info,
    next,
    pairs,
    plan,
    sample,
    score,
    surprisal,
    train,
)
from lmtool.cli.options import flag
from lmtool.cli.terminal import close_stdout, prepare_streams, talk
from lmtool.errors import InterruptionError, LmtoolError, OptionError

__all__ = ["COMMANDS", "app", "main"]

COMMANDS: dict[str, Callable[..., None]] = {
    "train": train.run,
    "plan": plan.run,
    "score": score.run,
    "sample": sample.run,
    "surprisal": surprisal.run,
    "classify": classify.run,
    "evaluate": evaluate.run,
    "compare": compare.run,
    "pairs": pairs.run,
    "next": next.run,
    "info": info.run,
}

# ClickException, wherever this typer keeps it
WrongUsage: Any = typer.BadParameter.__mro__[2]

app = typer.Typer(
    name="lmtool",
    help="Recurrent language models: train on your text, score sentences, sample new ones.",
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def guarded(name: str, command: Callable[..., None]) -> Callable[..., None]:
    """The command with every foreseeable failure turned into one line and an exit code."""

    @functools.wraps(command)
    def run(*args: Any, **kwargs: Any) -> None:
        try:
            prepare_streams()
            command(*args, **kwargs)
            sys.stdout.flush()
        except BrokenPipeError:
            close_stdout()
        except KeyboardInterrupt:
            raise stop("interrupted", 130) from None
        except InterruptionError as error:
            raise stop(error.spelled(flag), 128 + error.signal) from None
        except OptionError as error:
            raise stop(f"error: {error.spelled(flag)} (see lmtool {name} --help)", 2) from None
        except LmtoolError as error:
            raise stop(f"error: {error.spelled(flag)}", 1) from None
        except MemoryError:
            raise stop("error: out of memory: try a smaller model, batch or file", 1) from None
        except OSError as error:
            raise stop(f"error: {reason(error)}", 1) from None

    return run


def stop(message: str, code: int) -> typer.Exit:
    """Says why, and gives the exception that ends the process with this code."""
    talk(f"lmtool: {message}")
    return typer.Exit(code)


def reason(error: OSError) -> str:
    """``FILE: No such file or directory``."""
    parts = (error.filename, error.strerror or str(error))
    return ": ".join(str(part) for part in parts if part)


def show_version(wanted: bool) -> None:
    """Prints the version and ends."""
    if wanted:
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
    """Recurrent language models: train on your text, score sentences, sample new ones."""
    if context.invoked_subcommand is None:
        print(context.get_help())
        raise typer.Exit(2)


def help_text(command: Callable[..., None]) -> str:
    """The docstring with one line per paragraph, so that any terminal can wrap it."""
    paragraphs = (inspect.getdoc(command) or "").split("\n\n")
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in paragraphs)


for name, command in COMMANDS.items():
    app.command(name, help=help_text(command))(guarded(name, command))


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
