"""Words of the phrase book in the forms that sentences need: endings, agreement, verbs.

Hindi's and Marathi's verbs, adjectives and owners agree in gender and number with something else;
words.txt holds the stems, and what is irregular whole.
"""

import random
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple, TypeVar

T = TypeVar("T")
Row = list[list[str]]  # a line of words.txt: fields of forms
Agreement = tuple[int, str, int]  # person, gender, 1 or 2 for several
Agreements = tuple[Agreement, Agreement]  # Hindi, Marathi
Triple = tuple[str, str, str]  # Hindi, Marathi, English


class Person(NamedTuple):
    """Somebody in the forms that sentences need; owners' stems lack their ending."""

    en: tuple[str, str, str]  # subject, object, owner
    hi: tuple[str, str, str, str, str]  # subject, agent, to, with, owner's stem
    mr: tuple[str, str, str, str, str]  # subject, agent, to, owner's stem, stem before an ending
    agree: Agreements
    of: int  # whose the word is: 1 in "my brother", 2 in "you", 3 in "he", 0 in a name


def sections() -> dict[str, list[Row]]:
    """Each section's lines, cut into fields and forms."""
    found: dict[str, list[Row]] = {}
    name = ""
    for line in (Path(__file__).parent / "words.txt").read_text("utf-8").splitlines():
        if line.startswith("["):
            name = line[1 : line.index("]")]
        elif line and not line.startswith("#"):
            mark = ", " if name in ("places", "relations", "times", "joins") else None
            fields = ([form for form in f.strip().split(mark) if form] for f in line.split("|"))
            found.setdefault(name, []).append([*fields])
    return found


WORDS = sections()


def named(row: Row) -> Person:
    """Somebody with a name, to whose forms the case endings are added."""
    en, hi, oblique, gender, mr, stem, other, number = (" ".join(field) for field in row)
    n, ne = int(number), "नी" if number == "2" else "ने"
    return Person(
        (en, en, f"{en} 's"),
        (hi, f"{oblique} ने", f"{oblique} को", f"{oblique} से", f"{oblique} क"),
        (mr, f"{stem}{ne}", f"{stem}{'ना' if n == 2 else 'ला'}", f"{stem}च", stem),
        ((3, gender, n), (3, other, n)),
        int(en.split()[0] in ("my", "our")),
    )


def pronoun(row: Row) -> Person:
    """I, she, they."""
    (subject, object_, owner), hi, mr, (person, gender, n) = row
    agree = (int(person), gender, int(n))
    forms = (*mr, f"{mr[3]}्या")
    return Person((subject, object_, owner), tuple(hi), forms, (agree, agree), agree[0])  # type: ignore[arg-type]


PEOPLE = [named(row) for row in WORDS["people"]]
ANYBODY = [*PEOPLE, *PEOPLE, *(pronoun(row) for row in WORDS["pronouns"])]
WHO = Person(
    ("who", "whom", "whose"),
    ("कौन", "किसने", "किसे", "किससे", "किसक"),
    ("कोण", "कोणी", "कोणाला", "कोणाच", "कोणा"),
    ((3, "m", 1), (3, "m", 1)),
    0,
)


def pick(rng: random.Random, options: Sequence[T]) -> T:
    """One of the options."""
    return options[int(len(options) * rng.random())]


def joined(*parts: str) -> str:
    """The parts that are not empty, one blank between them."""
    return " ".join(part.replace("_", " ") for part in parts if part)


# endings


def hindi(stem: str, agree: Agreement) -> str:
    """के of several men, की of women: the ending of owners and of what is going on."""
    return stem + ("ी" if agree[1] == "f" else "ा" if agree[2] == 1 else "े")


def marathi(stem: str, agree: Agreement) -> str:
    """-ा -ी -े of one, -े -्या -ी of several, by gender."""
    ending = dict(zip("mfn", ["ा", "ी", "े"] if agree[2] == 1 else ["े", "्या", "ी"], strict=True))
    return (stem + ending[agree[1]]).replace("र्या", "ऱ्या")


def to_be(agree: Agreement, past: bool = False) -> tuple[str, str]:
    """``is`` and ``was`` in Hindi and in Marathi."""
    person, _, n = agree
    if past:
        return hindi("थ", agree).replace("थी", "थीं" if n == 2 else "थी"), marathi("होत", agree)
    hi = "हूँ" if (person, n) == (1, 1) else "है" if n == 1 else "हैं"
    return hi, "आहे" if n == 1 else {1: "आहोत", 2: "आहात", 3: "आहेत"}[person]


def is_not(agree: Agreement, past: bool = False) -> str:
    """``is not`` and ``was not`` in Marathi."""
    if past:
        return marathi("नव्हत", agree)
    return "नाहीत" if agree[2] == 2 and agree[0] == 3 else "नाही"


# verbs


def hindi_verb(verb: Row, tense: str, no: bool, agree: Agreement) -> str:
    """The last words of a Hindi clause."""
    root, *would = verb[1][:4]
    *first, root = root.split("_")
    person, gender, n = agree
    not_ = "नहीं" if no else ""
    if tense == "past":
        form = verb[1][4:][(2 if n == 2 else 0) + (gender == "f")]
        return joined(*first, not_, form)
    if tense == "future":
        form = would[2 if n == 2 else 0 if person == 1 else 1]
        return joined(*first, not_, hindi(f"{form}ग", agree))
    form = f"{root} {hindi('रह', agree)}" if tense == "now" else hindi(f"{root}त", agree)
    return joined(*first, not_, form, to_be(agree)[0])


def marathi_verb(verb: Row, tense: str, no: bool, agree: Agreement, done: bool) -> str:
    """The last words of a Marathi clause; ``done``: agreeing with what was done."""
    stem, going, past, *will, about = verb[2]
    person, gender, n = agree
    negation = is_not(agree) if no else ""
    if tense == "now":
        return joined(going, to_be(agree)[1])
    if tense == "future":
        place = {(1, 1): 0, (1, 2): 1, (2, 2): 2, (3, 1): 3, (3, 2): 4}[person, n]
        return joined(about, negation) if no else joined(will[place])
    if tense == "habit":
        several = {1: "तो", 2: "ता", 3: "तात"}[person]
        ending = several if n == 2 else "तो" if gender == "m" else "ते"
        return joined(going, negation) if no else joined(stem + ending)
    if done or person == 3:
        return joined(marathi(past, agree), negation)
    if person == 2:
        return joined(f"{past}ा", "नाहीत") if no else joined(f"{past}ात")
    return joined(past + ("े" if gender == "f" else "ो"), negation)


def english(
    rng: random.Random, who: Person, forms: Sequence[str], tense: str, no: bool, ask: bool
) -> str:
    """Subject and verb: ``Anna did not see``, ``did Anna see``."""
    base, third, ing, past = forms
    person, _, n = who.agree[0]
    he = person == 3 and n == 1
    be = "is" if he else "am" if (person, n) == (1, 1) else "are"
    help_, form = "", past if tense == "past" else third if he else base
    if tense == "now":
        help_, form = be, ing
    elif tense == "future":
        help_, form = ("will", base) if rng.random() < 0.8 else (be, f"going to {base}")
    elif no or ask:
        help_, form = "did" if tense == "past" else "does" if he else "do", base
    start = (help_, who.en[0]) if ask else (who.en[0], help_)
    return joined(*start, "not" * no, form)
