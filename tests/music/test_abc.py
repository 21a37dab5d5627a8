"""ABC: what is heard, which bars are wrong, what is left out and what is refused."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lmtool.errors import InputError
from lmtool.music.abc import folded, read_abc, written_tunes
from lmtool.music.tune import Tune

HEAD = "X:1\nM:4/4\nL:1/4\nK:C\n"


def numbered(text: str) -> list[tuple[int, str]]:
    return list(enumerate(text.split("\n"), 1))


def tunes(text: str) -> list[Tune]:
    return list(read_abc(numbered(text), "a.abc"))


def heard(music: str, head: str = HEAD) -> list[tuple[int, float]]:
    """(pitch, length in quarters) of the first voice, one after the other."""
    (tune,) = tunes(head + music)
    assert not tune.faults
    return [(note.pitch, float(note.length * 4)) for note in tune.voices[0]]


def pitches(music: str, head: str = HEAD) -> list[int]:
    return [pitch for pitch, _ in heard(music, head)]


@pytest.mark.parametrize(
    ("music", "expected"),
    [
        ("C,CcC'c'", [48, 60, 72, 72, 84]),
        ("^C C | C", [61, 61, 60]),  # up to the bar line
        ("_B =B ^^F __A", [70, 71, 67, 67]),
        ("^cC", [73, 61]),  # in all octaves
        ("[CEG]2", [60, 64, 67]),
        ("C-C D-|D", [60, 62]),
        ("^C-|C", [61]),  # a tie takes its accidental along
        ("C-D", [60, 62]),
        ("{cde}C !trill!D ~E .F uG (AB) +fermata+c", [60, 62, 64, 65, 67, 69, 71, 72]),
        ('"Am"C "^slowly"D "hey"E', [60, 62, 64]),
        ("[K:D]F [L:1/8]C", [66, 61]),
        ("C % D\nE", [60, 64]),
        ("w: la la\nC", [60]),
        ("C\\\nD", [60, 62]),
    ],
)
def test_pitches(music: str, expected: list[int]) -> None:
    assert pitches(music) == expected


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ("C", [60, 62, 64, 65, 67, 69, 71]),
        ("D", [61, 62, 64, 66, 67, 69, 71]),
        ("Eb", [60, 62, 63, 65, 67, 68, 70]),
        ("Am", [60, 62, 64, 65, 67, 69, 71]),
        ("F#min", [61, 62, 64, 66, 68, 69, 71]),
        ("D dorian", [60, 62, 64, 65, 67, 69, 71]),
        ("Gmix", [60, 62, 64, 65, 67, 69, 71]),
        ("E Phr", [60, 62, 64, 65, 67, 69, 71]),
        ("F lydian", [60, 62, 64, 65, 67, 69, 71]),
        ("B loc", [60, 62, 64, 65, 67, 69, 71]),
        ("C ionian", [60, 62, 64, 65, 67, 69, 71]),
        ("A aeo clef=bass", [60, 62, 64, 65, 67, 69, 71]),
        ("HP", [61, 62, 64, 66, 67, 69, 71]),
        ("none", [60, 62, 64, 65, 67, 69, 71]),
        ("C ^f _b", [60, 62, 64, 66, 67, 69, 70]),
    ],
)
def test_keys(key: str, expected: list[int]) -> None:
    assert pitches("CDEFGAB", f"X:1\nK:{key}\n") == expected


@pytest.mark.parametrize(
    ("music", "expected"),
    [
        ("C2 C/ C// C3/2 C/4 C", [2, 0.5, 0.25, 1.5, 0.25, 1]),
        ("C>D C<D C>>D", [1.5, 0.5, 0.5, 1.5, 1.75, 0.25]),
        ("(3CDE F", [2 / 3, 2 / 3, 2 / 3, 1]),
        ("(3:2:2CD E", [2 / 3, 2 / 3, 1]),
        ("(2CD", [1.5, 1.5]),
        ("(3C>DE", [1, 1 / 3, 2 / 3]),
        ("[C2E2]2", [4, 4]),
    ],
)
def test_lengths(music: str, expected: list[float]) -> None:
    assert [length for _, length in heard(music)] == pytest.approx(expected)


@pytest.mark.parametrize(
    ("head", "length"),
    [("M:3/4", 1 / 2), ("M:2/4", 1 / 4), ("M:C|", 1 / 2), ("L:1/16", 1 / 4), ("M:none", 1 / 2)],
)
def test_the_unit_follows_the_metre(head: str, length: float) -> None:
    assert heard("C", f"X:1\n{head}\nK:C\n") == [(60, length)]


@pytest.mark.parametrize(
    ("music", "expected"),
    [
        ("|:C:|D", "CCD"),
        ("C:|D:|", "CCDD"),  # back to the end of the last repeat
        ("C||D:|", "CDD"),  # or to a double bar
        ("|:C||D:|", "CDCD"),  # but not where the beginning is marked
        ("|:C|1D:|2E|]", "CDCE"),
        ("|:C|[1 D:|[2 E||F:|", "CDCEFF"),
        ("|:C|[1,3 D:|[2 E:|", "CDCECD"),
        ("|:C::D:|", "CCDD"),
        ("|:C:||:D:|", "CCDD"),
        ("C|D", "CD"),
    ],
)
def test_repeats(music: str, expected: str) -> None:
    assert [chr(ord("C") + (p - 59) // 2) for p in pitches(music)] == list(expected)


@pytest.mark.parametrize(
    ("music", "wrong"),
    [
        ("CDEF|GABc|C4|]", []),
        ("G|CDEF|G3|]", []),  # a pickup, and what it leaves to the end
        ("CDEF|G3|C4|]", [(2, "3/4")]),
        ("CDEF|G5|C4|]", [(2, "5/4")]),
        ("CDEF|G7/2|C4|]", [(2, "7/8")]),
        ("G|CDEF|GA|C3|]", [(2, "2/4")]),
        ("G|:CDEF|GAB:|", [(2, "3/4")]),  # the pickup is not in the repeat
        ("|:G|CDEF|GAB:|", []),
        ("|:G|CDEF|GA:|C4|", [(2, "2/4")]),
        ("|:C2|CDEF|GA:|:BA|CDEF|C2:|", []),
        ("M:3/4\nCDE|\nM:2/4\nCD|\nM:none\nCDEFG|", []),
        ("CDEF|\nP:B\nGA|CDEF|", [(2, "2/4")]),
        ("z4|Z|x4|CDEF", []),
    ],
)
def test_bars(music: str, wrong: list[tuple[int, str]]) -> None:
    (tune,) = tunes(HEAD + music)
    assert [(bar.bar, bar.length) for bar in tune.wrong] == wrong
    assert tune.right == (not wrong)


def test_a_bar_is_named_by_its_line_and_metre() -> None:
    (tune,) = tunes("X:1\nT:Jig\nM:6/8\nL:1/8\nK:G\nGAB c2d|\nGAB c2|G6|]\n")
    assert tune.wrong == ((2, 7, "5/8", "6/8"),)
    assert (tune.title, tune.line, tune.n_bars, tune.metre) == ("Jig", 1, 3, (6, 8))
    assert tune.beat == Fraction(3, 8)


@pytest.mark.parametrize(
    ("field", "metre", "expected"),
    [
        ("Q:1/4=90", "4/4", 90),
        ("Q:1/2=60", "4/4", 120),
        ('Q:"Allegro" 3/8=100', "6/8", 100),
        ("Q:160", "4/4", 80),  # in units: eighths
        ("Q:fast", "4/4", None),
        ("Q:1/4=0", "4/4", None),
    ],
)
def test_tempi(field: str, metre: str, expected: float | None) -> None:
    (tune,) = tunes(f"X:1\nM:{metre}\nL:1/8\n{field}\nK:C\nC")
    assert tune.tempo == expected


def test_chord_symbols_sound_to_the_next_one() -> None:
    (tune,) = tunes(HEAD + '"C"C2"G7"D2|E4|"Am"A4|')
    assert [(float(n.start * 4), float(n.length * 4), n.pitch) for n in tune.chords] == [
        *((0, 2, p) for p in (48, 52, 55)),
        *((2, 2, p) for p in (55, 59, 62, 65)),
        *((4, 4, p) for p in (55, 59, 62, 65)),
        *((8, 4, p) for p in (57, 60, 64)),
    ]


def test_voices() -> None:
    (tune,) = tunes(HEAD + "V:1\nC4|D4|\nV:2\nE4|F4|\n[V:1]G4|\n")
    assert [[n.pitch for n in voice] for voice in tune.voices] == [[60, 62, 67], [64, 65]]
    assert tune.length == 3


def test_a_tune_ends_at_a_blank_line_or_the_next_one() -> None:
    text = "words\n\nX:1\nK:C\nC\n\nmore words\n\nX:2\nK:C\nD\nX:3\nK:C\nE\n"
    found = tunes(text)
    assert [(t.line, t.voices[0][0].pitch) for t in found] == [(3, 60), (9, 62), (12, 64)]


def test_a_tune_in_a_line_is_the_same_tune() -> None:
    text = "X:1\nT:a; b\nM:3/4\nK:G\nGAB|;c3|\\\n% why; not\nd3|\n\nX:1\nK:C\nC\n"
    lines = [folded(tune) for tune in written_tunes(numbered(text))]
    first = r"X:1;T:a\u003b b;M:3/4;K:G;GAB|c3|\;% why not;d3|"
    assert lines == [first, "X:1;K:C;C"]
    again = tunes("\n".join(lines))
    assert [t.voices for t in again] == [t.voices for t in tunes(text)]
    assert [t.line for t in again] == [1, 2]


def test_what_a_sample_was_cut_to_is_read() -> None:
    (tune,) = tunes("X:1;M:2/4;L:1/4;K:C;CD|C ...")
    assert tune.right and tune.n_notes == 3


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        (HEAD + "C?D", "line 5: '?' is no sign that is read"),
        (HEAD + 'C"D', "line 5: '\"' is no sign that is read"),
        (HEAD + "C\x1b", r"line 5: '\x1b' is no sign that is read"),
        ("X:1\nM:waltz\nK:C\nC", "line 2: M:waltz is no metre"),
        ("X:1\nL:8\nK:C\nC", "line 2: L:8 is no length"),
        ("X:1\nK:H\nC", "line 2: K:H is no key"),
        ("X:1\nCDE\nK:C\nC", "line 2: music before K:, which ends the header"),
        ("X:1\nK:C", "no notes"),
        ("X:1\nT:a", "no notes"),
    ],
)
def test_faults_are_left_out(text: str, fault: str) -> None:
    (tune,) = tunes(text)
    assert tune.faults[0] == fault and not tune.right


@pytest.mark.parametrize(
    ("music", "message"),
    [
        ("C1000000000", "a.abc:5: '1000000000' is no length of a note"),
        ("C0", "'0' is no length"),
        ("C/0", "'/0' is no length"),
        ("C/999", "'/999' is no length"),
        ("C" + "/" * 99, "is no length"),
        ("C" + "9" * 5000, "is no length"),
        ("z9999", "is no length"),
        ("[CE]9999", "is no length"),
        ("C" * 200_001, "a.abc:1: a tune of more than 200,000 characters"),
        ("|:" + "C" * 30_000 + ":|", "a.abc:1: a tune of more than 50,000 notes"),
        ("".join(f"[V:{n}]C" for n in range(20)), "more than 15 voices"),
    ],
    ids=lambda text: text[:12],
)
def test_what_no_music_is(music: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        tunes(HEAD + music)


SIGNS = [*"CDEFGABcdefgabz|:[]()-><\"'^_=,/0123456789 .~!+{}%;\\$&*ymXKMLVQw\x00\x1b\n\u00e9\u2028"]
WORDS = [
    "|:",
    ":|",
    "::",
    "[1",
    "[2",
    "(3",
    '"G7"',
    "{cd}",
    "[CEG]",
    "A>B",
    "[K:D]",
    "[M:3/4]",
    ":",
]
HEADS = ["X:1\n", "M:6/8\n", "L:1/8\n", "K:D\n", "K:", "V:1\n", "P:A\n", "Q:1/4=90\n", "\n\n"]


@given(st.lists(st.sampled_from([*SIGNS, *WORDS, *HEADS]), max_size=60).map("".join))
def test_no_text_breaks_the_reader(text: str) -> None:
    for given_text in (HEAD + text, text):
        try:
            found = tunes(given_text)
        except InputError as error:
            assert "\n" not in str(error)
            continue
        for tune in found:
            assert all(
                0 <= note.pitch <= 127 and note.length > 0 for v in tune.voices for note in v
            )
            assert all(note.start + note.length <= tune.length for v in tune.voices for note in v)


@given(st.text(max_size=200))
def test_nor_does_any_other(text: str) -> None:
    for given_text in (HEAD + text, "X:1" + text):
        try:
            tunes(given_text)
        except InputError as error:
            assert "\n" not in str(error)


def test_agrees_with_abc2midi() -> None:
    symusic = pytest.importorskip("symusic", reason="symusic, which holds abc2midi, is absent")
    text = (
        "X:1\nT:a\nM:6/8\nL:1/8\nK:A\n|:E|ABc ^def|g>ag =gfe|(3abc'e2 A3|[1 B6-:|[2 B5|]\n"
        "|:_B,|C2D [EGc]3|F3/2G/A/ z3-|A6|]\n"
    )
    (tune,) = tunes(text)
    score = symusic.Score.from_abc(text)
    theirs = sorted((round(48 * n.time / score.tpq), n.pitch) for n in score.tracks[0].notes)
    ours = sorted((round(48 * n.start * 4), n.pitch) for n in tune.voices[0])
    assert ours == theirs
