"""Settings refuse what cannot be meant; their fields, the keywords and the flags are the same."""

import dataclasses
import itertools
import pickle
import re
from collections.abc import Callable, Iterator
from typing import Any, get_args, get_type_hints

import numpy as np
import pytest

import lmtool
from lmtool import errors
from lmtool.cli.app import main
from lmtool.cli.options import flag
from lmtool.data.resets import CONTEXTS
from lmtool.data.windows import LAYOUTS
from lmtool.errors import LmtoolError, OptionError, option
from lmtool.kinds import KINDS as MODELS
from lmtool.nn.cells import CELLS
from lmtool.nn.cells.rnn import ACTIVATIONS
from lmtool.nn.outputs import LABELLINGS, OUTPUTS, TAGGINGS
from lmtool.nn.pool import POOLS
from lmtool.settings import (
    PAIRS,
    READS,
    WRITES,
    BleuSettings,
    ClassifierSettings,
    CompareSettings,
    FrameSettings,
    ModelSettings,
    RecogniserSettings,
    RescoreSettings,
    SampleSettings,
    SearchSettings,
    SurprisalSettings,
    TaggerSettings,
    TextSettings,
    TrainSettings,
    TranscribeSettings,
    VectorSettings,
    WordVectorSettings,
    declared,
    in_seconds,
    keywords,
    pair_of,
    refuse_foreign,
)
from lmtool.settings.classifier import NO_CELL
from lmtool.text.tokenizers import TOKENIZERS
from lmtool.training.optimizers import OPTIMIZERS
from tests.refused import refused

KINDS = (
    TextSettings,
    ModelSettings,
    ClassifierSettings,
    FrameSettings,
    VectorSettings,
    TaggerSettings,
    RecogniserSettings,
    TrainSettings,
    SurprisalSettings,
    SampleSettings,
    SearchSettings,
    TranscribeSettings,
    CompareSettings,
    BleuSettings,
    RescoreSettings,
)
FOLLOWED = ("softmax", "labelling", "tagging")  # no options: they follow the output or the labels
OF_ONE_STEP = ("both", "pool", "window")  # of a vector, which has no order
FIELDS = [(kind, name) for kind in KINDS for name in declared(kind)]


def is_text(hint: Any) -> bool:
    """Whether a value is text, or text or None."""
    return str in (hint, *get_args(hint))


def wrong_values() -> Iterator[Any]:
    """(settings class, field, a value that it cannot have)."""
    for kind, name in FIELDS:
        _, hint, known = declared(kind)[name]
        for value in ("200", 1.5, float("nan"), float("inf"), -1, [], b"", object()):
            if known is not None and not (is_text(hint) and isinstance(value, str)):
                is_number = "int" in str(hint) or "float" in str(hint)
                unbounded = is_number and isinstance(value, int | float) and "float" in str(hint)
                if not (unbounded and known.admits(value)):
                    yield pytest.param(kind, name, value, id=f"{name}-{value!r:.12}")
        if known is not None and known.choices:
            yield pytest.param(kind, name, "another", id=f"{name}-another")


@pytest.mark.parametrize(("kind", "name", "value"), list(wrong_values()))
def test_what_cannot_be_meant_is_refused(kind: Any, name: str, value: Any) -> None:
    with refused(OptionError, match=f"^{name}: must be ") as caught:
        kind(**{name: value})
    assert "\n" not in str(caught.value) and len(str(caught.value)) < 160


@pytest.mark.parametrize(("kind", "name"), FIELDS)
def test_every_field_is_an_option_of_the_command_line_or_follows_one(kind: Any, name: str) -> None:
    _, _, known = declared(kind)[name]
    one_step = kind is VectorSettings and name in OF_ONE_STEP
    assert (known is None) == (name in FOLLOWED or one_step)
    assert known is None or known.help.endswith(".")


def test_numbers_of_numpy_become_pythons() -> None:
    settings = TrainSettings(batch=np.int64(3), dropout=np.float32(0.5))  # type: ignore[arg-type]
    assert (type(settings.batch), type(settings.dropout)) == (int, float)


def test_two_budgets_are_one_too_many() -> None:
    with pytest.raises(OptionError, match="epochs and seconds: give only one"):
        TrainSettings(epochs=1, seconds=3)


@pytest.mark.parametrize(
    ("kind", "name", "table"),
    [
        (TextSettings, "tokens", TOKENIZERS),
        (ModelSettings, "cell", CELLS),
        (ModelSettings, "activation", ACTIVATIONS),
        (ClassifierSettings, "cell", {*CELLS, NO_CELL}),
        (ClassifierSettings, "activation", ACTIVATIONS),
        (ClassifierSettings, "pool", POOLS),
        (FrameSettings, "cell", {*CELLS, NO_CELL}),
        (FrameSettings, "pool", POOLS),
        (VectorSettings, "cell", {"rnn", NO_CELL}),
        (TaggerSettings, "cell", CELLS),
        (TaggerSettings, "activation", ACTIVATIONS),
        (RecogniserSettings, "cell", CELLS),
        (TrainSettings, "output", {*OUTPUTS, *TAGGINGS, *LAYOUTS, "counts"}),
        (TrainSettings, "optimizer", OPTIMIZERS),
        (TrainSettings, "context", CONTEXTS),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_choices_are_those_of_the_tables(kind: Any, name: str, table: Any) -> None:
    _, _, known = declared(kind)[name]
    assert known is not None and set(known.choices) == set(table)


@pytest.mark.parametrize(
    ("typed", "kinds", "more"),
    [
        (
            keywords.TrainingKeywords,
            (
                TextSettings,
                ModelSettings,
                ClassifierSettings,
                FrameSettings,
                TaggerSettings,
                RecogniserSettings,
                WordVectorSettings,
                TrainSettings,
            ),
            {"time"},
        ),
        (keywords.SurprisalKeywords, (SurprisalSettings,), set()),
        (keywords.SampleKeywords, (SampleSettings,), set()),
        (keywords.SearchKeywords, (SearchSettings,), set()),
        (keywords.TranscribeKeywords, (TranscribeSettings,), set()),
        (keywords.CompareKeywords, (CompareSettings,), set()),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_keywords_are_the_fields(typed: Any, kinds: tuple[Any, ...], more: set[str]) -> None:
    hints = {name: hint for kind in kinds for name, hint in get_type_hints(kind).items()}
    own = get_type_hints(typed)
    assert {name: own[name] for name in hints} == hints
    assert set(own) - set(hints) == more


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90", 90), ("90s", 90), ("10m", 600), ("1h30m", 5400), (".5h", 1800), ("1d", 86400)],
)
def test_spans_of_time(text: str, seconds: float) -> None:
    assert in_seconds(text) == seconds


@pytest.mark.parametrize("text", ["", "m", "3x", "-1s", "1 h", "1e3", "nan"])
def test_no_spans_of_time(text: str) -> None:
    with pytest.raises(OptionError, match=r"^time: .* is no span of time"):
        in_seconds(text)


def test_time_is_another_name_of_seconds() -> None:
    with pytest.raises(OptionError, match="epochs and seconds"):
        lmtool.train("corpus.txt", time="10m", epochs=1)
    with pytest.raises(OptionError, match="no span of time"):
        lmtool.plan("corpus.txt", time="soon")


def all_errors(kind: type[LmtoolError] = LmtoolError) -> Iterator[type[LmtoolError]]:
    """The whole tree."""
    yield kind
    for child in kind.__subclasses__():
        yield from all_errors(child)


@pytest.mark.parametrize("kind", list(all_errors()), ids=lambda kind: kind.__name__)
def test_every_error_survives_a_pool_of_processes(kind: Callable[..., LmtoolError]) -> None:
    more = (2,) if kind is errors.InterruptionError else ()
    error = kind(f"{option('overwrite', True)} was meant", *more)
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is kind and again.__dict__ == error.__dict__
    assert str(again) == str(error) == "overwrite=True was meant"
    assert again.spelled(flag) == "--overwrite was meant"


@pytest.mark.parametrize(
    ("named", "in_python", "on_the_command_line"),
    [
        (option("hidden"), "hidden", "--hidden"),
        (option("min_count"), "min_count", "--min-count"),
        (option("seconds"), "seconds", "--time"),
        (option("frequency", False), "frequency=False", "--no-frequency"),
        (option("oov", "spell"), "oov='spell'", "--oov spell"),
        (option("k"), "k", "-k"),
    ],
)
def test_options_are_named_as_their_reader_writes_them(
    named: str, in_python: str, on_the_command_line: str
) -> None:
    error = OptionError(f"{named}: no")
    assert str(error) == f"{in_python}: no"
    assert error.spelled(flag) == f"{on_the_command_line}: no"


def wrong_usage() -> Iterator[Any]:
    """Command lines with a value beyond a bound, for each option that has bounds or choices."""
    calls: dict[Any, tuple[str, ...]] = {
        SurprisalSettings: ("surprisal", "Todd"),
        SampleSettings: ("sample",),
        SearchSettings: ("translate", "x"),
        CompareSettings: ("compare", "a", "b", "-f", "c"),
        BleuSettings: ("bleu", "ref"),
        RescoreSettings: ("rescore", "x"),
    }
    for kind, name in FIELDS:
        field, hint, known = declared(kind)[name]
        if known is None or "bool" in str(hint):
            continue
        value = "another" if known.choices else "-1"
        words = (*calls.get(kind, ("train", "corpus.txt")), f"{flag(name)}={value}")
        if known.choices or not known.admits(-1):
            yield pytest.param(words, id=f"{words[0]} {field.name}")


@pytest.mark.parametrize("words", list(wrong_usage()))
def test_a_value_beyond_its_bounds_is_wrong_usage(
    words: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(list(words)) == 2
    out, err = capsys.readouterr()
    name = words[-1].split("=")[0]
    assert out == "" and err.count("\n") == 1
    assert name in err and f"(see lmtool {words[0]} --help)" in err


def test_settings_are_frozen_and_hashable() -> None:
    for kind in KINDS:
        assert hash(kind()) == hash(kind())
        with pytest.raises(dataclasses.FrozenInstanceError):
            setattr(kind(), next(iter(declared(kind))), 1)


def test_pairs_are_those_of_the_kinds() -> None:
    said = {(pair.reads, pair.writes): (pair.name, pair.settings) for pair in PAIRS}
    assert said == {pair: (kind.name, kind.settings) for pair, kind in MODELS.items()}
    assert ClassifierSettings().labelling in LABELLINGS


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ({}, ("nothing", "text")),
        ({"writes": "text"}, ("nothing", "text")),
        ({"reads": "nothing"}, ("nothing", "text")),
        ({"writes": "label"}, ("text", "label")),
        ({"reads": "text", "writes": "label"}, ("text", "label")),
    ],
    ids=str,
)
def test_what_is_read_follows_what_is_written(given: Any, meant: tuple[str, str]) -> None:
    pair = pair_of(**given)
    assert (pair.reads, pair.writes) == meant


UNKNOWN = [
    (reads, writes)
    for reads in (*READS, "speech")
    for writes in (*WRITES, "poems")
    if (reads, writes) not in MODELS
]


@pytest.mark.parametrize(("reads", "writes"), UNKNOWN)
def test_a_pair_without_a_kind_is_refused(
    reads: str, writes: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with refused(OptionError, match="no model does that; must be one of") as caught:
        pair_of(reads, writes)
    assert all(f"{pair.reads} to {pair.writes}" in str(caught.value) for pair in PAIRS)
    assert main(["train", "corpus.txt", "--reads", reads, "--writes", writes]) == 2
    err = capsys.readouterr().err
    assert "--reads" in err and err.count("\n") == 1


LEARNT = (TextSettings, *(pair.settings for pair in PAIRS), TrainSettings)


def takers(name: str) -> list[str]:
    """The kinds of model that take an option of LEARNT."""
    if name in declared(TrainSettings):
        known = declared(TrainSettings)[name][2]
        return list(known.kinds if known else ()) or [pair.name for pair in PAIRS]
    return [
        pair.name
        for pair in PAIRS
        for kind in pair.takes
        if name in declared(kind) and declared(kind)[name][2] is not None
    ]


def foreign() -> Iterator[Any]:
    """(pair, name, a value that is not the default) for each option that the pair does not take."""
    for pair, kind in itertools.product(PAIRS, LEARNT):
        for name, (field, hint, known) in declared(kind).items():
            if known is not None and pair.name not in takers(name):
                is_switch = bool in (hint, *get_args(hint))
                other = "0:6:3" if is_text(hint) else not field.default if is_switch else 3
                values = known.choices or (other, 4)
                value = next(x for x in values if x != field.default)
                yield pytest.param(pair, name, value, id=f"{pair.name} {name}")


@pytest.mark.parametrize(("pair", "name", "value"), list(foreign()))
def test_an_option_of_another_kind_is_wrong_usage(
    pair: Any, name: str, value: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(
        OptionError, match=f"^{name}: a {pair.name} .* does not take it; "
    ) as caught:
        refuse_foreign(pair, {name: value})
    said = " and ".join(f"a {taker}" for taker in takers(name))
    assert said and str(caught.value).endswith(f"; it is for {said}")
    given = [flag(name, str(value))] if isinstance(value, bool) else [flag(name), str(value)]
    assert main(["train", "x", "--reads", pair.reads, "--writes", pair.writes, *given]) == 2
    out, err = capsys.readouterr()
    assert out == "" and err.count("\n") == 1
    assert err.startswith(f"lmtool: error: {flag(name)}: a {pair.name} (reads {pair.reads}")


def test_a_window_has_no_weights_from_state_to_state() -> None:
    with pytest.raises(OptionError, match=r"^weight_drop: cell='window' has no weights from state"):
        refuse_foreign(PAIRS[0], {"cell": "window", "weight_drop": 0.1})
    refuse_foreign(PAIRS[0], {"cell": "window", "weight_drop": 0.0})


def test_the_foreign_options_are_the_expected_ones() -> None:
    named = {param.id for param in foreign()}
    assert named >= {"classifier tie", "classifier bptt", "language model both"}
    assert named >= {"frame classifier tokens", "vector classifier both", "classifier mirror"}


@pytest.mark.parametrize("pair", PAIRS, ids=lambda pair: pair.name)
def test_what_all_kinds_take_is_no_ones_own(pair: Any) -> None:
    refuse_foreign(pair, dict.fromkeys(("batch", "lr", "embed"), 3))
    known = [known for kind in LEARNT for known in declared(kind).values()]
    fields = [field for field, _, option in known if option is not None]
    usual = {field.name: field.default for field in reversed(fields)}
    differ = {field.name for field in fields if field.default != usual[field.name]}
    refuse_foreign(pair, {name: x for name, x in usual.items() if name not in differ})


def test_help_lists_the_choices_that_differ_by_kind(capsys: pytest.CaptureFixture[str]) -> None:
    main(["train", "--help"])
    said = " ".join(re.sub("[│]", " ", capsys.readouterr().out).split())
    for name, (_, _, known) in declared(TrainSettings).items():
        if known is not None and known.choices_of:
            assert set(known.choices_of) == set(known.kinds) and known.help in said, name
            assert set(known.choices) == {c for some in known.choices_of.values() for c in some}
            assert set(re.findall(r"\w+", known.help)) >= set(known.choices)


def of_another_pair() -> Iterator[Any]:
    """(pair, name, a choice that is there for other pairs alone)."""
    for pair in PAIRS:
        for name, (_, _, known) in declared(TrainSettings).items():
            own = (known and known.choices_of and known.choices_of.get(pair.name)) or ()
            for choice in known.choices if known and own else ():
                if choice not in own:
                    yield pytest.param(pair, name, choice, own, id=f"{pair.name} {name} {choice}")


@pytest.mark.parametrize(("pair", "name", "choice", "own"), list(of_another_pair()))
def test_a_choice_of_another_pair_is_wrong_usage(
    pair: Any, name: str, choice: str, own: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    expected = f"must be one of {', '.join(own)} for a {pair.name} (reads {pair.reads}, "
    with pytest.raises(OptionError, match=f"^{name}: {re.escape(expected)}.*not {choice}$"):
        refuse_foreign(pair, {name: choice})
    words = ["train", "x", "--reads", pair.reads, "--writes", pair.writes, flag(name), choice]
    assert main(words) == 2
    err = capsys.readouterr().err
    assert err.startswith(f"lmtool: error: {flag(name)}: {expected}") and err.count("\n") == 1


@pytest.mark.parametrize("name", ["cell", "activation", "pool"])
def test_help_lists_the_choices_of_any_kind(
    name: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    main(["train", "--help"])
    listed = re.search(rf"--{name} +(\S+)", capsys.readouterr().out)
    options = [declared(kind)[name][2] for kind in LEARNT if name in declared(kind)]
    assert listed and set(listed[1].split("|")) == {c for o in options if o for c in o.choices}
