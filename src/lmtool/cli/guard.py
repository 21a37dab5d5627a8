"""Where errors meet the user: one line on stderr and an exit code, for all that a command does.

Exit codes: 0 done, or nobody reads what is printed; 1 the input, the model or a disk is at fault;
2 wrong usage or an option's value; 129, 130 and 143 a terminal that closed, Ctrl-C, SIGTERM.
"""

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup

from lmtool.cli.terminal import STATUS, close_stdout, prepare_streams, printing, talk
from lmtool.errors import InterruptionError, LmtoolError, ModelFileError, OptionError

__all__ = ["AllCommands", "OneCommand"]


@contextlib.contextmanager
def guarded(path: Callable[[], str]) -> Iterator[None]:
    """Turns every foreseeable failure into one line and an exit code; ``path``: of the command."""
    try:
        yield
    except BrokenPipeError:
        close_stdout()
        raise typer.Exit() from None
    except KeyboardInterrupt:
        raise stop("interrupted", 130) from None
    except InterruptionError as error:
        raise stop(error.spelled(flag), 128 + error.signal) from None
    except OptionError as error:
        raise stop(f"error: {error.spelled(flag)} (see {path()} --help)", 2) from None
    except LmtoolError as error:
        raise stop(f"error: {error.spelled(flag)}", 1) from None
    except MemoryError:
        raise stop("error: out of memory: try a smaller model, batch or file", 1) from None
    except OSError as error:
        raise stop(f"error: {reason(error)}", 1) from None
    finally:
        STATUS.clear()


class OneCommand(TyperCommand):
    """A command whose help is printed as everything is: see ``printing``."""

    def make_context(self, *args: Any, **extra: Any) -> Any:
        """Reads the options; ``--help`` prints."""
        with printing():
            return super().make_context(*args, **extra)

    def invoke(self, ctx: Any) -> Any:
        """Runs the command; an error of a model file says how the command was given it."""
        try:
            return super().invoke(ctx)
        except ModelFileError as error:
            error.args = (with_source(error, ctx),)
            raise


def with_source(error: ModelFileError, context: Any) -> str:
    """The message, with the argument or the variable that names the model."""
    given = [(str(context.params[p.name]), p) for p in context.command.params if p.expose_value]
    named = (p for value, p in given if str(error).startswith(f"{value}: "))
    place = next(named, None)

    def spell(name: str, value: str | None) -> str:
        if name == "model" and name not in context.params and place is not None:
            is_option = place.param_type_name == "option"
            return place.opts[0] if is_option else f"the argument {place.metavar}"
        return flag(name, value)

    message = error.spelled(spell)
    if place is None or context.get_parameter_source(place.name).name != "ENVIRONMENT":
        return message
    return f"{message}; ${place.envvar} names it"


class AllCommands(TyperGroup):
    """The command line, where errors end."""

    def make_context(self, *args: Any, **extra: Any) -> Any:
        """Reads the first word; ``--help`` and ``--version`` print."""
        with guarded(lambda: "lmtool"), printing():
            return super().make_context(*args, **extra)

    def invoke(self, ctx: Any) -> Any:
        """Runs a command."""
        with guarded(lambda: f"{ctx.command_path} {ctx.invoked_subcommand or ''}".rstrip()):
            prepare_streams()
            result = super().invoke(ctx)
            with printing():
                return result


def flag(name: str, value: str | None = None) -> str:
    """An option of the library as the command line writes it: only a message needs to know."""
    from lmtool.cli.options import flag

    return flag(name, value)


def stop(message: str, code: int) -> typer.Exit:
    """Says why, and gives the exception that ends the process with this code."""
    talk(f"lmtool: {message}")
    return typer.Exit(code)


def reason(error: OSError) -> str:
    """``FILE: No such file or directory``."""
    parts = (error.filename, error.strerror or str(error))
    return ": ".join(str(part) for part in parts if part)
