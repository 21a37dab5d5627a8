"""Writes docs/cli.md, the page of commands; with --check, exits with 1 where the page is stale.

The page is built from the declarations behind ``--help``, not from what typer and rich draw, so
that it does not depend on their versions.
"""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple, get_args

from typer.models import ArgumentInfo, OptionInfo
from typer.utils import get_params_from_function

from lmtool.cli.app import help_text
from lmtool.cli.commands import GROUPS, Command, run_of

PAGE = Path(__file__).with_name("cli.md")
HEAD = """\
# Commands

This page is written by `docs/make_cli_page.py` from the declarations behind `--help`.

Standard output is data, standard error is talk. `lmtool --version` prints the version,
`lmtool help COMMAND` what is below, `lmtool --install-completion` makes your shell complete
commands and options with Tab.

| exit code | |
|---|---|
| 0 | done |
| 1 | the input or the model is at fault |
| 2 | wrong usage, or an option's value that cannot be meant |
| 129 | stopped as the terminal closed |
| 130 | stopped by Ctrl-C |
| 143 | stopped by SIGTERM |
"""
PLACEHOLDERS = {int: "N", float: "X", str: "TEXT", Path: "FILE"}


class Parameter(NamedTuple):
    """An argument or option as declared."""

    name: str
    info: ArgumentInfo | OptionInfo
    kind: Any  # int, str | None, ...


def page() -> str:
    """The whole page."""
    commands = [item for group in GROUPS.values() for item in group.items()]
    return "\n".join([HEAD, *contents(), "", *(section(*item) for item in commands)])


def contents() -> Iterator[str]:
    """The commands in their groups."""
    for title, group in GROUPS.items():
        yield f"- {title}: {', '.join(f'[{name}](#{name})' for name in group)}"


def section(name: str, command: Command) -> str:
    """A heading, the synopsis, what the command does, an example, arguments, options by panel."""
    run = run_of(name)
    declared = parameters(run)
    arguments = [p for p in declared if isinstance(p.info, ArgumentInfo)]
    options = [p for p in declared if isinstance(p.info, OptionInfo)]
    synopsis = " ".join(["lmtool", name, *map(spelled, arguments), "[OPTIONS]"])
    lines = [f"## {name}", "", f"`{synopsis}`", "", escaped(help_text(run)), ""]
    lines += [f"Example: `{command.example}`", ""]
    lines += [*map(item, arguments), ""] if arguments else []
    for panel in dict.fromkeys(p.info.rich_help_panel for p in options):
        lines += [f"**{panel or 'Options'}**", ""]
        lines += [*(item(p) for p in options if p.info.rich_help_panel == panel), ""]
    return "\n".join(lines)


def parameters(run: Any) -> list[Parameter]:
    """What a command declares, in order."""
    return [
        Parameter(name, declared.default, declared.annotation)
        for name, declared in get_params_from_function(run).items()
    ]


def flags(parameter: Parameter) -> list[str]:
    """The names of an option, as the parser takes them."""
    plain = "--" + parameter.name.replace("_", "-")
    both = f"{plain}/--no-{plain[2:]}" if parameter.kind is bool else plain
    declared = [name for name in parameter.info.param_decls or () if name.startswith("-")]
    return declared or [both]


def spelled(parameter: Parameter) -> str:
    """``CORPUS...``, ``-n, --number N``, ``--tie/--no-tie``."""
    kinds = get_args(parameter.kind) or (parameter.kind,)
    placeholder = parameter.info.metavar or next(
        (PLACEHOLDERS[kind] for kind in kinds if kind in PLACEHOLDERS), "TEXT"
    )
    if isinstance(parameter.info, OptionInfo):
        names = ", ".join(flags(parameter))
        return names if parameter.kind is bool else f"{names} {placeholder}"
    return (
        placeholder
        if parameter.info.default is ...
        else f"[{placeholder.replace('[', '').replace(']', '')}]"
    )


def item(parameter: Parameter) -> str:
    """``- `--layers N` Cells on top of each other. Default: `1`.``"""
    meaning = escaped(parameter.info.help or "")
    return " ".join([f"- `{spelled(parameter)}`", meaning, *notes(parameter)])


def notes(parameter: Parameter) -> Iterator[str]:
    """Range, default, environment variable."""
    info = parameter.info
    if info.min is not None and info.max is not None:
        yield f"From {info.min} to {info.max}."
    elif info.min is not None:
        yield f"At least {info.min}."
    yield from default(info)
    if info.envvar:
        yield f"`${info.envvar}` changes the default."


def default(info: ArgumentInfo | OptionInfo) -> Iterator[str]:
    """What holds where the option is not given; nothing for a switch that is off."""
    if isinstance(info.show_default, str):
        yield f"Default: {info.show_default}."
    elif info.default is True:
        yield "Default: on."
    elif info.default not in (None, ..., "") and info.default is not False:
        yield f"Default: `{info.default}`."


def escaped(text: str) -> str:
    """Text whose <EOS> Markdown does not take for HTML."""
    return text.replace("<", "\\<")


def main(arguments: list[str]) -> int:
    """Writes the page, or checks it."""
    if arguments == ["--check"]:
        fresh = PAGE.exists() and PAGE.read_text(encoding="utf-8") == page()
        if not fresh:
            print(f"{PAGE}: stale: run python docs/make_cli_page.py", file=sys.stderr)
        return int(not fresh)
    PAGE.write_text(page(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
