"""Options: those that several commands share, and those that settings declare."""

import inspect
import itertools
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer

import lmtool.settings
from lmtool.errors import OptionError
from lmtool.settings import Option, declared, in_seconds

__all__ = ["MODEL", "Json", "ModelPath", "Threads", "choice", "flag", "seconds", "settings"]
__all__ += ["layout", "said", "takes"]

MODEL = Path("model.safetensors")
PLACEHOLDERS: dict[Any, str] = {int: "N", float: "X", str: "TEXT"}
LAST = ("model", "as_json")  # options that every command has, after its own
NAMED_SO = {"model": "-m", "k": "-k", "n": "-n"}  # where the flag is not the name

Settings = TypeVar("Settings")

ModelPath = Annotated[
    Path,
    typer.Option("-m", "--model", metavar="FILE", envvar="LMTOOL_MODEL", help="The model file."),
]
Threads = Annotated[
    int | None,
    typer.Option(
        min=1,
        metavar="N",
        help="Changes the time, never a digit.",
        show_default="one a core",
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON, one object per result.")]


def choice(option: str, value: str, allowed: Iterable[str]) -> str:
    """The value, if it is a name in the table; wrong usage otherwise."""
    names = list(allowed)
    if value not in names:
        raise typer.BadParameter(f"{value!r} is not one of {', '.join(names)}", param_hint=option)
    return value


def layout(form: str | None, as_json: bool, default: str, allowed: Iterable[str]) -> str:
    """The name of the layout that is asked for; wrong usage where two are, or an unknown one."""
    if as_json and form not in (None, "jsonl"):
        raise typer.BadParameter(f"--json and --format {form} contradict each other")
    return choice("--format", "jsonl" if as_json else form or default, allowed)


def seconds(text: str) -> float:
    """A span of time, ``1h30m`` -> 5400.0; wrong usage for what is none."""
    try:
        return in_seconds(text)
    except OptionError:
        raise typer.BadParameter(f"{text!r} is no span of time: write 90s, 10m or 2h") from None


def ngram(text: str) -> int | str:
    """An order, ``5``, or the name of a file."""
    digits = text.removeprefix("-")
    return int(text) if digits.isascii() and digits.isdigit() and len(digits) < 10 else text


# fields whose text the command line takes apart itself: their type there, and what does it
PARSED: dict[str, tuple[Any, Callable[[str], Any]]] = {
    "seconds": (float | None, seconds),
    "ngram": (str | None, ngram),
}


def flag(name: str, value: str | None = None) -> str:
    """An option of the library as the command line writes it: "tie", "False" -> ``--no-tie``."""
    known = (declared(kind).get(name) for kind in every_kind())
    own = next((option.flag for _, _, option in filter(None, known) if option), None)
    words = (own or name).replace("_", "-")
    if value == "False":
        return f"--no-{words}"
    plain = NAMED_SO.get(name, f"--{words}")
    return plain if value in (None, "True") else f"{plain} {value}"


def every_kind() -> Iterator[type]:
    """All settings; their files are imported for it."""
    named = (name for name in lmtool.settings.__all__ if name.endswith("Settings"))
    return (getattr(lmtool.settings, name) for name in named)


def settings(kind: Callable[..., Settings], values: dict[str, Any]) -> Settings:
    """Settings from a command's options of the same names."""
    names: Any = declared(kind)
    return kind(**{name: value for name, value in values.items() if name in names})


def said(called: typer.Context, values: dict[str, Any]) -> dict[str, Any]:
    """Those of a command's options that the command line holds."""
    return {k: x for k, x in values.items() if is_said(called.get_parameter_source(k))}


def is_said(source: Any) -> bool:
    """Whether it is click's COMMANDLINE, wherever this typer keeps it."""
    return source is not None and source.name == "COMMANDLINE"


def takes(*kinds: type) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Gives a command the options of settings, before LAST, in place of its ``**values``."""

    def replaced(command: Callable[..., None]) -> Callable[..., None]:
        own = list(inspect.signature(command).parameters.values())[:-1]
        place = next(i for i, parameter in enumerate(own) if parameter.name in LAST)
        parameters = [*own[:place], *from_fields(kinds), *own[place:]]
        described: Any = command
        described.__signature__ = inspect.Signature(
            [p.replace(kind=p.KEYWORD_ONLY) for p in parameters]
        )
        command.__annotations__ = {p.name: p.annotation for p in parameters} | {"return": None}
        return command

    return replaced


def from_fields(kinds: Iterable[type]) -> Iterator[inspect.Parameter]:
    """A parameter for typer for each field that has an Option; those of one name are one."""
    for name, (field, hint, option) in united(kinds).items():
        given = typer_option(name, hint, field.default, option)
        annotation: Any = Annotated[PARSED.get(name, (hint,))[0], given]
        kind = inspect.Parameter.KEYWORD_ONLY
        yield inspect.Parameter(name, kind, default=field.default, annotation=annotation)


def united(kinds: Iterable[type]) -> dict[str, tuple[Any, Any, Option]]:
    """The fields of several settings by name; choices are those of any."""
    known: dict[str, tuple[Any, Any, Option]] = {}
    for name, (field, hint, option) in itertools.chain(*(declared(k).items() for k in kinds)):
        if option is not None and name in known:
            first = known[name][2]
            choices = tuple(dict.fromkeys((*first.choices, *option.choices)))
            known[name] = field, hint, replace(first, choices=choices)
        elif option is not None:
            known[name] = field, hint, option
    return known


def typer_option(name: str, hint: Any, default: Any, option: Option) -> Any:
    """What typer needs to know of a field; the settings check the bounds."""
    plain = f"--{(option.flag or name).replace('_', '-')}"
    bounds = f" {option.bounds.capitalize()}." if option.bounds else ""
    kinds = (*getattr(hint, "__args__", ()), hint)
    placeholder = next((PLACEHOLDERS[kind] for kind in kinds if kind in PLACEHOLDERS), None)
    words: dict[str, Any] = {
        "help": option.help + bounds,
        "rich_help_panel": option.panel,
        "metavar": option.metavar or "|".join(option.choices) or placeholder,
    }
    if option.shown:
        words["show_default"] = option.shown
    if name in PARSED:
        words["parser"] = PARSED[name][1]
    if option.choices:
        words["autocompletion"] = lambda: list(option.choices)
    switch = default is True or (bool in kinds and (default is None or bool(option.shown)))
    both = f"{plain}/--no-{plain[2:]}" if switch else plain
    return typer.Option(*filter(None, (NAMED_SO.get(name), both)), **words)
