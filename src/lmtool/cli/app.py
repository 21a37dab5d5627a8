"""``lmtool COMMAND ...``: the table of commands.

A new command is one file with a ``run`` function and one line in GROUPS. What a command may
import at the top is typer and this package; numpy, rich and the library wait until it runs.
"""

import inspect
from collections.abc import Callable, Sequence
from typing import Annotated, Any, NamedTuple

import typer

from lmtool._version import __version__
from lmtool.cli import (
    analogy,
    bleu,
    caption,
    classify,
    compare,
    evaluate,
    export,
    gradcheck,
    info,
    mix,
    neighbours,
    next,
    pairs,
    plan,
    play,
    report,
    rescore,
    sample,
    score,
    surprisal,
    tag,
    trace,
    train,
    transcribe,
    translate,
    vectors,
)
from lmtool.cli.guard import AllCommands, OneCommand
from lmtool.cli.terminal import prepare_streams, printing, talk

__all__ = ["COMMANDS", "GROUPS", "app", "main"]


class Command(NamedTuple):
    """What it runs, and an example of it."""

    run: Callable[..., None]
    example: str


GROUPS: dict[str, dict[str, Command]] = {
    "Train": {
        "train": Command(train.run, "lmtool train corpus.txt --time 10m"),
        "plan": Command(plan.run, "lmtool plan corpus.txt --time 10m"),
        "mix": Command(mix.run, "lmtool mix a.safetensors b.safetensors --valid valid.txt -o ab"),
    },
    "Use": {
        "score": Command(score.run, 'lmtool score "Todd met Pete" "Toad met Pit"'),
        "sample": Command(sample.run, 'lmtool sample -n 5 --prompt "Todd met" --temperature 0.8'),
        "next": Command(next.run, 'lmtool next "Todd met" -k 3'),
        "tag": Command(tag.run, 'lmtool tag "Mohan was driving a Maruti"'),
        "translate": Command(translate.run, 'lmtool translate "der Hund sah die Katze" -n 3'),
        "transcribe": Command(transcribe.run, "lmtool transcribe a.wav b.wav --lm lm.safetensors"),
        "caption": Command(caption.run, "lmtool caption -f vectors.npy"),
        "play": Command(play.run, "lmtool play tunes.abc --midi tunes.mid --check"),
        "rescore": Command(rescore.run, "lmtool rescore nbest.jsonl --tune dev.jsonl"),
        "classify": Command(classify.run, 'lmtool classify "a film to remember" -k 3'),
    },
    "Measure": {
        "evaluate": Command(evaluate.run, "lmtool evaluate test.txt"),
        "compare": Command(compare.run, "lmtool compare a.safetensors b.safetensors -f test.txt"),
        "pairs": Command(pairs.run, "lmtool pairs pairs.tsv --by phenomenon"),
        "bleu": Command(bleu.run, "lmtool bleu reference.txt --explain < translation.txt"),
        "surprisal": Command(
            surprisal.run, "lmtool surprisal -f items.csv --text sentence --keep item,condition"
        ),
    },
    "Look inside": {
        "info": Command(info.run, "lmtool info model.safetensors"),
        "report": Command(report.run, "lmtool report model.safetensors -f test.txt -o report.html"),
        "neighbours": Command(neighbours.run, "lmtool neighbours king queen -k 5"),
        "analogy": Command(analogy.run, "lmtool analogy man king woman --explain"),
        "vectors": Command(vectors.run, "lmtool vectors -o words.vec"),
        "trace": Command(trace.run, 'lmtool trace "Todd met Pete" --step 3'),
        "gradcheck": Command(gradcheck.run, 'lmtool gradcheck "Todd met Pete"'),
        "export": Command(export.run, "lmtool export -m model.safetensors --arpa model.arpa"),
    },
}

COMMANDS: dict[str, Command] = {k: v for group in GROUPS.values() for k, v in group.items()}

# ClickException, wherever this typer keeps it
WrongUsage: Any = typer.BadParameter.__mro__[2]


app = typer.Typer(
    name="lmtool",
    cls=AllCommands,
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
    for name, (run, example) in commands.items():
        app.command(
            name,
            cls=OneCommand,
            help=help_text(run),
            epilog=f"Example: {example}",
            rich_help_panel=panel,
        )(run)
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
