"""``lmtool play``: a text of music to sound, and do its bars add up?"""

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import typer

from lmtool.cli.inputs import STDIN, note
from lmtool.cli.options import Json, choice
from lmtool.cli.render import clock, json_line, say
from lmtool.cli.terminal import harmless, talk
from lmtool.display import counted
from lmtool.errors import InputError, option

if TYPE_CHECKING:
    from lmtool.music.tune import Tune

__all__ = ["run"]

Lines = Iterator[tuple[int, str]]
FORMS = {"abc": "ABC", "notes": "note tokens"}
WRITTEN = ("lines", "abc")
NAMED = 3  # wrong bars and faults that a line tells


class Text(NamedTuple):
    """What is read."""

    lines: Lines  # numbered
    form: str  # of FORMS
    path: str  # for messages


def run(
    file: Annotated[
        str, typer.Argument(metavar="[FILE|-]", help="ABC or note tokens.", show_default="stdin")
    ] = STDIN,
    midi: Annotated[Path | None, typer.Option(metavar="FILE", help="Write a MIDI file.")] = None,
    wav: Annotated[Path | None, typer.Option(metavar="FILE", help="Write a sound file.")] = None,
    check: Annotated[
        bool, typer.Option("--check", help="Say which bars do not add up, a tune a line.")
    ] = False,
    to: Annotated[
        str | None,
        typer.Option(
            metavar="|".join(WRITTEN),
            help="Print ABC a tune a line, to train on, or as usual.",
            show_default="nothing is printed",
        ),
    ] = None,
    tune: Annotated[
        int | None,
        typer.Option(
            min=1, metavar="K", help="The K-th tune alone.", show_default="all, one after the other"
        ),
    ] = None,
    tempo: Annotated[
        float | None,
        typer.Option(
            min=10,
            max=1000,
            metavar="X",
            help="Beats a minute.",
            show_default="the tune's own; 120 for ABC, 80 for note tokens",
        ),
    ] = None,
    chords: Annotated[bool, typer.Option(help="Play chord symbols, too.")] = True,
    form: Annotated[
        str | None,
        typer.Option(
            metavar="|".join(FORMS),
            help="What the text is.",
            show_default="by its first line, and said",
        ),
    ] = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace files that exist.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Play a text of music: ABC, or note tokens such as "60 64 67 |", from a file or a pipe.

    Tunes are written one after the other; --tune chooses one. --check counts the notes of each bar
    against M:, with pickups and bars that a repeat cuts. What cannot be read is left out, and said.
    A beat is a quarter note, a half in 2/2, a dotted quarter in 6/8. Grace notes and decorations
    are not played.
    """
    if tempo is not None and not 10 <= tempo <= 1000:  # nan is between all bounds
        raise typer.BadParameter("must be from 10 to 1000", param_hint="--tempo")
    refuse_idle(file, midi or wav or check or to, check and to)
    for path in filter(None, (midi, wav)):
        refuse_target(path, overwrite)
    text = opened(file, form)
    if to:
        print_abc(text, choice("--to", to, WRITTEN), tune)
        return
    found = tunes(text, tune)
    if form is None:
        talk(f"{text.path}: {FORMS[text.form]}")
    played = list(checked(found, as_json) if check else found if as_json else noted(found))
    if not played:
        raise InputError(f"{text.path}: no tune in it; give ABC with X: and K:, or note tokens")
    seconds = written(played, midi, wav, tempo, chords) if midi or wav else None
    if check or as_json:
        conclude(played, as_json, seconds)


def refuse_idle(file: str, something: object, both: object) -> None:
    """Wrong usage where there is nothing to read or to do."""
    if both:
        raise typer.BadParameter("--check and --to both print; give one of them")
    if not something:
        message = "nothing to do: give --midi FILE, --wav FILE, --check or --to lines"
        raise typer.BadParameter(message)
    if file == STDIN and sys.stdin.isatty():
        raise typer.BadParameter("nothing to play: name a file", param_hint="FILE")


def refuse_target(path: Path, overwrite: bool) -> None:
    """Raises InputError where a file cannot be written later on."""
    if path.is_dir():
        raise InputError(f"{path}: is a folder; name a file")
    if path.exists() and not overwrite:
        ways = f"pass {option('overwrite', True)} or another name"
        raise InputError(f"{path}: exists already; {ways}")
    if not path.parent.is_dir():
        raise InputError(f"{path}: there is no folder {path.parent}; make it first")


def opened(file: str, form: str | None) -> Text:
    """The file, and what it is. Raises InputError."""
    from lmtool.music.reading import form_of
    from lmtool.text.reader import display_name, read_lines

    lines: Lines = ((line.number, line.text) for line in read_lines(file))
    if form is None:
        found, lines = form_of(lines)
    else:
        found = choice("--form", form, FORMS)
    return Text(lines, found, display_name(file))


def print_abc(text: Text, to: str, chosen: int | None) -> None:
    """The tunes, in lines of their own or one a line."""
    from lmtool.music.abc import folded, written_tunes

    if text.form != "abc":
        raise typer.BadParameter("note tokens are a tune a line already", param_hint="--to")
    for tune in only(written_tunes(text.lines), chosen, text.path):
        whole = folded(tune) if to == "lines" else "".join(f"{line}\n" for _, line in tune)
        say("\n".join(map(harmless, whole.split("\n"))))


def tunes(text: Text, chosen: int | None) -> "Iterator[Tune]":
    """The tunes that are asked for. Raises InputError."""
    from lmtool.music.reading import FORMS as READERS

    return only(READERS[text.form](text.lines, text.path), chosen, text.path)


def only(found: Iterable[Any], chosen: int | None, path: str) -> Iterator[Any]:
    """All, or one of them. Raises InputError for one that there is not."""
    n = 0
    for n, each in enumerate(found, 1):
        if chosen in (None, n):
            yield each
        if chosen == n:
            return
    if chosen is not None:
        raise InputError(f"{path}: {counted(n, 'tune')} in it; {option('tune')} counts from 1")


def noted(found: "Iterable[Tune]") -> "Iterator[Tune]":
    """The same tunes; a note for each that holds what cannot be read."""
    for n, tune in enumerate(found, 1):
        if tune.faults:
            note(f"tune {n}: {told(tune.faults)}; left out")
        yield tune


def checked(found: "Iterable[Tune]", as_json: bool) -> "Iterator[Tune]":
    """The same tunes; a line for each."""
    for n, tune in enumerate(found, 1):
        say(json_line(record(n, tune)) if as_json else in_words(n, tune))
        yield tune


def record(n: int, tune: "Tune") -> dict[str, Any]:
    """A tune as plain values."""
    return {
        "tune": n,
        "line": tune.line,
        "title": tune.title,
        "n_bars": tune.n_bars,
        "n_notes": tune.n_notes,
        "wrong": [bar._asdict() for bar in tune.wrong],
        "faults": list(tune.faults),
        "right": tune.right,
    }


def in_words(n: int, tune: "Tune") -> str:
    """``3 Todd's Waltz: bar 2 (line 9) is 4/4 long, not 3/4``"""
    long = [f"bar {b.bar} (line {b.line}) is {b.length} long, not {b.metre}" for b in tune.wrong]
    told_so = [told(found) for found in (long, tune.faults) if found]
    unit = "bar" if tune.metre else "step"
    size = f"{counted(tune.n_bars, unit)}, {counted(tune.n_notes, 'note')}"
    return f"{n}{' ' * bool(tune.title)}{harmless(tune.title)}: {'; '.join(told_so) or size}"


def told(found: Iterable[str]) -> str:
    """The first of them, and how many more there are."""
    texts = list(found)
    more = [f"{len(texts) - NAMED} more"] if len(texts) > NAMED else []
    return harmless(", ".join([*texts[:NAMED], *more]))


def written(
    played: "list[Tune]", midi: Path | None, wav: Path | None, tempo: float | None, chords: bool
) -> float:
    """Writes the files, each whole or not at all; how many seconds they last. Raises InputError."""
    from lmtool.music.midi import midi_bytes
    from lmtool.music.tune import perform

    performance = perform(played, tempo, chords)
    if not any(performance.voices):
        raise InputError("there is no note to play; --check says what is wrong")
    contents: list[tuple[Path, bytes]] = []
    if midi:
        contents.append((midi, midi_bytes(performance)))
    if wav:
        from lmtool.music.sound import wav_bytes

        contents.append((wav, wav_bytes(performance)))
    for path, content in contents:
        put(path, content)
        talk(f"{path}: {counted(len(played), 'tune')}, {clock(performance.duration)}")
    return performance.duration


def put(path: Path, content: bytes) -> None:
    """Raises InputError."""
    from lmtool.files import write_atomically

    try:
        write_atomically(path, content)
    except OSError as error:
        raise InputError(f"{path}: cannot be written ({error.strerror})") from error


def conclude(played: "list[Tune]", as_json: bool, seconds: float | None) -> None:
    """How many of the tunes are right."""
    n_right = sum(tune.right for tune in played)
    share = 100 * n_right / len(played)
    if as_json:
        counts = {
            "n_tunes": len(played),
            "n_readable": sum(not tune.faults for tune in played),
            "n_right": n_right,
            "right": share,
            "seconds": seconds,
        }
        say(json_line(counts))
    else:
        say(f"{n_right} of {counted(len(played), 'tune')} right ({share:z.1f} %)")
