"""What a caller hands over, checked at the door: to Python a str is a list of letters, too."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

from lmtool.display import counted, quoted
from lmtool.errors import ConfigError, InputError, OptionError, option
from lmtool.settings import Option, checked

if TYPE_CHECKING:
    from lmtool.data.readers.labelled import Record
    from lmtool.data.readers.nbest import NBest
    from lmtool.data.readers.tagged import Tagged
    from lmtool.inference.pairs import Pair
    from lmtool.inference.reading import Ahead
    from lmtool.inference.weights import Weights
    from lmtool.settings import (
        AdaptSettings,
        BleuSettings,
        CompareSettings,
        GradientSettings,
        RescoreSettings,
        SampleSettings,
        SearchSettings,
        SurprisalSettings,
        TraceSettings,
        TranscribeSettings,
    )
    from lmtool.text.sentences import Sentences

    Settings = TypeVar(
        "Settings",
        AdaptSettings,
        SampleSettings,
        SearchSettings,
        SurprisalSettings,
        CompareSettings,
        BleuSettings,
        RescoreSettings,
        TranscribeSettings,
        TraceSettings,
        GradientSettings,
    )


__all__ = [
    "LabelledTexts",
    "PathLike",
    "Paths",
    "References",
    "TaggedTexts",
    "apart",
    "continues",
    "lines",
    "optional",
    "options",
    "paced",
    "pairs",
    "path",
]
__all__ += ["Lists", "beside", "nbest", "of_form", "other_files", "paths", "references", "source"]
__all__ += ["text", "texts", "valid_of", "weights", "whole"]

PathLike: TypeAlias = str | Path
Paths: TypeAlias = PathLike | Sequence[PathLike]
LabelledTexts: TypeAlias = Iterable[tuple[str | Sequence[str], str]]
References: TypeAlias = PathLike | Sequence[Path] | Iterable[str | Sequence[str]]
TaggedTexts: TypeAlias = Iterable[tuple[Sequence[str], Sequence[str]]]
Lists: TypeAlias = PathLike | Sequence[Path] | Iterable[Mapping[str, Any]]

ONE = "for one sentence give [text]"
LISTS, EACH = "a list of str", "one for each word"
AS_SENTENCES = "sentences are given as sentences=[...]"


def text(value: object, name: str = "text") -> str:
    """One sentence. Raises InputError for what is no str."""
    if isinstance(value, str):
        return value
    raise InputError(f"{name}: a str is wanted, not {kind(value)}")


def lines(values: Iterable[str], name: str = "lines", advice: str = ONE) -> Iterator[str]:
    """The lines without their ends; InputError at once for one str, with the index for an item."""
    given = items(values, name, "a list or another iterable of str", advice)
    return (bare(text(line, f"{name}[{index}]")) for index, line in enumerate(given))


def source(given: PathLike | Iterable[str]) -> Iterator[str]:
    """The lines of a file, or the given ones."""
    from lmtool.text.reader import read_lines

    if isinstance(given, str | Path):
        refuse_sentence(given, "lines are given as a list: [text]")
        return (line.text for line in read_lines(given))
    return lines(given, "source", "a str or a Path is a file")


def references(given: References) -> list[list[str]]:
    """The references of each hypothesis, from a file or several, or as they are given.

    "ref.txt"; [Path("ref0.txt"), Path("ref1.txt")]; ["a reference"]; [["one of two", "another"]]
    """
    if isinstance(given, str | Path):
        return [[line] for line in source(given)]
    found = list(items(given, "references", "a path or a list", "a str or a Path is a file"))
    if found and all(isinstance(one, Path) for one in found):
        return beside([str(one) for one in found], [list(source(one)) for one in found])
    return [references_of(one, f"references[{index}]") for index, one in enumerate(found)]


def references_of(value: object, name: str) -> list[str]:
    """One or several."""
    if isinstance(value, str):
        return [value]
    found = items(value, name, "a str or a list of str", "several references are a list")
    return [text(one, f"{name}[{index}]") for index, one in enumerate(found)]


def beside(names: Sequence[str], files: Sequence[list[str]]) -> list[list[str]]:
    """Lines next to each other. Raises InputError where there are not as many in each file."""
    first = len(files[0])
    for name, lines in zip(names, files, strict=True):
        if len(lines) != first:
            sizes = f"{counted(first, 'line')} in {names[0]}, {len(lines):,} in {name}"
            raise InputError(f"{sizes}: each hypothesis needs a line in each file of references")
    return [list(row) for row in zip(*files, strict=True)]


def pairs(values: Iterable[Pair]) -> Iterator[Pair]:
    """Minimal pairs from tuples (good, bad), (good, bad, group), (good, bad, group, line)."""
    given = items(values, "pairs", "a list or another iterable of pairs", "[(good, bad)] is one")
    return (pair(value, f"pairs[{index}]") for index, value in enumerate(given))


def pair(value: object, name: str) -> Pair:
    """One of them."""
    from lmtool.inference.pairs import Pair

    if not isinstance(value, tuple | list) or not 2 <= len(value) <= len(Pair._fields):
        raise InputError(f"{name}: a pair (good, bad) is wanted, not {kind(value)}")
    good, bad, *rest = value
    return Pair(text(good, f"{name}: good"), text(bad, f"{name}: bad"), *rest)


def labelled(
    given: PathLike | LabelledTexts, column: str | None = None, label: str | None = None
) -> Iterator[Record]:
    """The records of a file, ``column`` and ``label`` naming its columns, or of pairs."""
    from lmtool.data.readers.labelled import read_labelled

    if isinstance(given, str | Path):
        refuse_sentence(given, "labelled texts are given as a list: [(label, text)]")
        return read_labelled(given, column, label).records
    if column is not None or label is not None:
        raise ConfigError(f"{option('text')} and {option('label')} name columns of a file")
    found = items(given, "source", "a path or a list of pairs", "[(label, text)] is one")
    return (labelled_text(value, index) for index, value in enumerate(found))


def tagged(
    given: PathLike | TaggedTexts, column: str | None = None, tags: str | None = None
) -> Iterator[Tagged]:
    """The sentences of a file, ``column`` and ``tags`` naming its columns, or of pairs."""
    from lmtool.data.readers.columns import read_tagged

    if isinstance(given, str | Path):
        refuse_sentence(given, "tagged sentences are given as a list: [(words, tags)]")
        return read_tagged(given, column, tags).records
    if column is not None or tags is not None:
        raise ConfigError(f"{option('text')} and {option('tags')} name columns of a file")
    found = items(given, "source", "a path or a list of pairs", "[(words, tags)] is one")
    return (tagged_words(value, index) for index, value in enumerate(found))


def tagged_words(value: object, index: int) -> Tagged:
    """One of them: as many words as tags, one at least."""
    from lmtool.data.readers.tagged import Tagged

    name = f"source[{index}]"
    if not isinstance(value, tuple | list) or len(value) != 2:
        raise InputError(f"{name}: a pair (words, tags) is wanted, not {kind(value)}")
    words, tags = (
        tuple(text(one, f"{name}: {what}") for one in items(part, f"{name}: {what}", LISTS, EACH))
        for part, what in zip(value, ("words", "tags"), strict=True)
    )
    if len(words) != len(tags) or not words:
        raise InputError(f"{name}: {len(words)} words with {len(tags)} tags; each needs one")
    return Tagged(words, tags, index, name)


def labelled_text(value: object, index: int) -> Record:
    """One of them; several labels are a list."""
    from lmtool.data.readers.labelled import Record

    name = f"source[{index}]"
    if not isinstance(value, tuple | list) or len(value) != 2:
        raise InputError(f"{name}: a pair (label, text) is wanted, not {kind(value)}")
    given, said = value
    labels = given if isinstance(given, tuple | list) else [given]
    names = tuple(dict.fromkeys(text(label, f"{name}: label") for label in labels))
    if not text(said, f"{name}: text").strip():
        raise InputError(f"{name}: the text is empty")
    return Record(names, said, index, "source")


def nbest(
    given: Lists,
    form: str | None = None,
    references: PathLike | None = None,
    costs: Paths | None = None,
) -> tuple[list[NBest], str]:
    """The lists of files or of objects, and the format of the first file. Raises InputError."""
    from lmtool.data.readers.nbest import costs_of, list_of, read_nbest, referenced
    from lmtool.text.reader import Line

    several = (
        [given]
        if isinstance(given, str | Path)
        else list(
            items(given, "nbest", "a path or a list of objects", '[{"hyps": [...]}] is one list')
        )
    )
    forms = [form or "jsonl"]
    if several and all(isinstance(one, str | Path) for one in several):
        known = costs_of(paths(costs, "costs"))
        files = [read_nbest(path(one, "nbest"), form, known) for one in several]
        forms, lists = [file.form for file in files], [one for file in files for one in file.lists]
    else:
        lists = [
            list_of(mapping(one, f"nbest[{i}]"), Line("", i, "nbest"))
            for i, one in enumerate(several)
        ]
    if references is not None:
        lists = list(referenced(lists, path(references, "references"), forms[0] == "kaldi"))
    if not lists:
        raise InputError("nbest: no list in it; at least one list of hypotheses is needed")
    return lists, forms[0]


def other_files(nbest: Lists, tune: Lists | None) -> None:
    """Raises ConfigError where weights would be tuned on what they are then used on."""
    from lmtool.text.reader import display_name

    both = [[one] if isinstance(one, str | Path) else one for one in (nbest, tune)]
    if not all(isinstance(one, Sequence) for one in both):
        return
    own, others = ([one for one in some or () if isinstance(one, str | Path)] for some in both)
    known = {*map(os.path.realpath, others)}
    same = next((one for one in own if os.path.realpath(one) in known), None)
    if same is not None:
        message = "the weights would be tuned on the lists that they are then used on"
        raise ConfigError(f"{option('tune')}: {display_name(same)}: {message}; name others")


def of_form(settings: RescoreSettings, form: str) -> RescoreSettings:
    """With what the scores of a format are, where nobody says so."""
    known = "cost" if form == "kaldi" else None
    return replace(settings, score_type=settings.score_type or known)


def weights(given: object, n_models: int, settings: RescoreSettings) -> Weights | None:
    """Weights, as they are or from numbers. Raises OptionError."""
    from lmtool.inference.weights import Weights

    if given is None or isinstance(given, Weights):
        return given
    found = list(items(given, "weights", "a list of numbers", "one for each"))
    if len(found) != n_models + 3:
        wanted = "the recogniser, each model, words and unknown words"
        raise OptionError(f"{option('weights')}: {n_models + 3} numbers are wanted, for {wanted}")
    numbers = [checked("weights", one, float, Option()) for one in found]
    kind = settings.score_type or "total"
    means = kind == "mean" if settings.per_word is None else settings.per_word
    return Weights.of(numbers, means, kind)


def mapping(value: object, name: str) -> Mapping[str, Any]:
    """A list of hypotheses, as JSON has it."""
    if isinstance(value, Mapping):
        return value
    raise InputError(f'{name}: an object {{"hyps": [...]}} is wanted, not {kind(value)}')


def paths(given: Paths | None, name: str, advice: str = "") -> tuple[str, ...]:
    """One path or several, as text; none for None. ``advice`` is for whoever gives a sentence."""
    if given is None:
        return ()
    several = [given] if isinstance(given, str | Path) else given
    found = items(several, name, "a path or a list of paths", "a str or a Path")
    return tuple(path(one, f"{name}[{index}]", advice) for index, one in enumerate(found))


def path(value: object, name: str, advice: str = "") -> str:
    """One path, as text. Raises InputError."""
    if not isinstance(value, str | Path):
        raise InputError(f"{name}: a path is wanted, not {kind(value)}")
    if advice:
        refuse_sentence(value, advice)
    return str(value)


def texts(
    corpus: Paths | None, sentences: Iterable[str] | None, needed: bool = True
) -> tuple[tuple[str, ...], Sentences | None]:
    """What to learn from: files, or sentences. Raises ConfigError for both, and for neither."""
    from lmtool.text.sentences import Sentences

    if (corpus is None) == (sentences is None) and (needed or corpus is not None):
        raise ConfigError("give either corpus=, one file or several, or sentences=, a list of str")
    if sentences is None:
        return paths(corpus, "corpus", AS_SENTENCES), None
    return (), Sentences(lines(sentences, "sentences"))


def valid_of(valid: Paths | None) -> tuple[str, ...]:
    """The files to validate on."""
    return paths(valid, "valid", "valid= takes files alone")


def optional(given: PathLike | None, name: str) -> str | None:
    """A path as text."""
    return None if given is None else path(given, name)


def continues(model: PathLike | None, sentences: Sentences | None, init: bool) -> str:
    """What goes on with a run that was stopped; ``init``: it began with a model in memory."""
    again = f"{', sentences=...' if sentences else ''}{', init=...' if init else ''}"
    return f"lmtool.resume({str(model)!r}{again})"


def whole(value: object, name: str, least: int) -> int:
    """A whole number. Raises OptionError for another, and below ``least``."""
    number: int = checked(name, value, int, Option(at_least=least))
    return number


def paced(threads: object, ahead: object) -> tuple[int, Ahead]:
    """Both, if they are whole numbers from 1 on; ``ahead`` may be a function that is asked."""
    return whole(threads, "threads", 1), ahead if callable(ahead) else whole(ahead, "ahead", 1)


def options(kind: type[Settings], values: Mapping[str, Any]) -> Settings:
    """Settings from keyword options; raises OptionError for an unknown name."""
    unknown = set(values) - {f.name for f in fields(kind)}
    if unknown:
        raise OptionError(f"unknown option {sorted(unknown)[0]!r}: see lmtool.{kind.__name__}")
    return kind(**values)


def apart(kind: type[Settings], values: Mapping[str, Any]) -> tuple[Settings, dict[str, Any]]:
    """Settings from those keyword options that they have, and the other options."""
    known = {field.name for field in fields(kind)}
    own = {name: value for name, value in values.items() if name in known}
    return kind(**own), {name: x for name, x in values.items() if name not in known}


def items(values: object, name: str, wanted: str, advice: str) -> Iterator[Any]:
    """What is in them. Raises InputError where they are one text, or nothing that has items."""
    if isinstance(values, str | bytes) or not isinstance(values, Iterable):
        raise InputError(f"{name}: {wanted} is wanted, not {kind(values)}; {advice}")
    return iter(values)


def bare(line: str) -> str:
    """A line as a file's reader would give it: an open file yields ends, too."""
    return line[:-2] if line.endswith("\r\n") else line.removesuffix("\n")


def refuse_sentence(given: PathLike, advice: str) -> None:
    """Raises InputError where several words name no file."""
    from lmtool.text.reader import STDIN, display_name

    if isinstance(given, Path) or given == STDIN or len(given.split()) < 2:
        return  # the reader says what is wrong with it
    if not os.path.exists(given):
        name = display_name(given)
        raise InputError(f"{name}: there is no such file; check the path (in Python, {advice})")


def kind(value: object) -> str:
    """``the str 'Todd met Pete'``, ``None``, ``an int``."""
    if isinstance(value, str):
        return f"the str {quoted(value)}"
    name = type(value).__name__
    article = "an" if name[0].lower() in "aeiou" else "a"
    return "None" if value is None else f"{article} {name}"
