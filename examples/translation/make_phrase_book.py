"""Writes phrases.hi, phrases.mr and phrases.en, and phrases_valid.*: line n of each says the same.

A sentence is one clause or two with a word between them. A clause says what somebody does, has,
likes or wants, what something is like, where it is, or asks for that. English puts the verb after
its subject, Hindi and Marathi put it last:

    Anna did not buy the red car yesterday .       subject  verb   object  time
    ऐना ने कल लाल गाड़ी नहीं ख़रीदी ।                   subject  time   object  verb
    ऐनाने काल लाल गाडी विकत घेतली नाही .

Their verbs agree with the subject in gender, number and person, but in the past with what was done,
and then the subject is an agent (ने); owners, adjectives and "was" agree, too, Marathi's with three
genders; words before a postposition are oblique. Each language draws among its own synonyms, places
for the time and words that may be left out (``a large car``; ``एक``), so no translation is the only
one. The words are in words.txt. A validation sentence is never one of the training sentences.

python examples/translation/make_phrase_book.py [--folder FOLDER]
"""

import argparse
import random
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from grammar import (
    ANYBODY,
    WHO,
    WORDS,
    Agreements,
    Person,
    Row,
    Triple,
    english,
    hindi,
    hindi_verb,
    is_not,
    joined,
    marathi,
    marathi_verb,
    pick,
    to_be,
)

SEED, N_TRAIN, N_VALID = 13, 3600, 300
JOINED = 0.35  # sentences of two clauses
HERE = Path(__file__).parent
LANGUAGES = ("hi", "mr", "en")
SEVERAL = ("two दो दोन", "three तीन तीन", "four चार चार", "five पाँच पाच", "many कई अनेक")
NONE = ("", "", "")

VERBS = {row[0][0]: row for row in WORDS["verbs"]}
HAVE, LIKE, WANT = ("have has having had", "like likes liking liked", "want wants wanting wanted")
PLEASE = ("give दीजिए द्या", "show दिखाइए दाखवा", "send भेजिए पाठवा")
PLACES = {"go": 1, "come": 2, "live": 0, "work": 0}  # the form that each takes
SUBJECT = ("go", "come", "live", "meet")  # agree with it in the past, too
WORK: Agreements = (3, "m", 1), (3, "n", 1)  # the noun in "does work"; also क्या and काय
QUESTION_WORDS = {"what": ("क्या", "काय", "what"), "where": ("कहाँ", "कुठे", "where")}
ASKED = {
    "what": ["see", "buy", "sell", "read", "write", "eat", "drink", "draw"],
    "where": ["go", "live", "work"],
}


class Thing(NamedTuple):
    """Something, or several, or what cannot be counted."""

    noun: Row
    text: Triple
    agree: Agreements


# what is spoken of


def thing(
    rng: random.Random,
    names: Sequence[str] = (),
    owners: Sequence[Person] = (),
    known: float = 0.6,
    how: float = 0.4,
) -> Thing:
    """One thing, with one of the owners or without, or several; ``known``: how often not any."""
    noun = pick(rng, [row for row in WORDS["things"] if not names or row[0][0] in names])
    counts, chance = len(noun[0]) > 1, rng.random()
    if counts and chance < 0.3:
        return phrase(rng, noun, 2, tuple(pick(rng, SEVERAL).split()), how)
    if owners and chance > 0.7:
        return phrase(rng, noun, 1, NONE, how, pick(rng, owners))
    if not counts or chance < 0.35:
        return phrase(rng, noun, 1 + counts, NONE, how)
    a = ("a", *(("एक", "एक") if rng.random() < 0.7 else ("", "")))
    return phrase(rng, noun, 1, ("the", "", "") if rng.random() < known else a, how)


def kind(rng: random.Random) -> Thing:
    """Things of a kind, all of them."""
    noun = pick(rng, WORDS["things"])
    return phrase(rng, noun, len(noun[0]), NONE, 0.4)


def phrase(
    rng: random.Random,
    noun: Row,
    n: int,
    start: Sequence[str],
    how: float,
    of: Person | None = None,
) -> Thing:
    """A noun behind what stands before it, in forms that agree."""
    agree = (3, noun[2][0], n), (3, noun[4][0], n)
    if of:
        start = of.en[2], hindi(of.hi[4], agree[0]), marathi(of.mr[3], agree[1])
    adjective = described(rng, noun, agree) if rng.random() < how else NONE
    places = (0, start[0], adjective[2]), (1, start[1], adjective[0]), (3, start[2], adjective[1])
    en, hi, mr = (joined(*words, noun[place][n - 1]) for place, *words in places)
    return Thing(noun, (hi, mr, an(en)), agree)


def an(text: str) -> str:
    """a apple -> an apple"""
    return f"an{text[1:]}" if text.startswith("a ") and text[2] in "aeiou" else text


def described(rng: random.Random, noun: Row | None, agree: Agreements) -> Triple:
    """An adjective that suits a noun, in the forms that agree; of none: in oblique ones."""
    suits = "drinks" if noun and len(noun[0]) == 1 else "things"
    en, hi, (mr,), _ = pick(rng, [row for row in WORDS["adjectives"] if suits in row[3]])
    oblique = noun is None
    form = hi[1 if agree[0][1] == "f" else 2 if oblique or agree[0][2] == 2 else 0]
    if mr.endswith("-"):
        mr = marathi(mr[:-1], (3, "f", 2) if oblique else agree[1])
    return form, mr, pick(rng, en)


def landmark(rng: random.Random) -> Triple:
    """``on the old table``: Hindi has a postposition, Marathi an ending, both an oblique noun."""
    (en, (hi,), (mr,), (names,)) = pick(rng, WORDS["relations"])
    name = pick(rng, names.split())
    ((_, (noun,), (gender,), (stem,)),) = [r for r in WORDS["landmarks"] if r[0] == [name]]
    feminine: Agreements = (3, gender, 2), (3, "f", 2)
    words, chance = ("", "", ""), rng.random()
    if chance < 0.35:
        owner = pick(rng, ANYBODY)
        words = hindi(owner.hi[4], feminine[0]), f"{owner.mr[3]}्या", owner.en[2]
    elif chance < 0.65:
        words = described(rng, None, feminine)
    en_ = joined(pick(rng, en), "the" * (chance >= 0.35), words[2], name)
    return joined(words[0], noun, hi), joined(words[1], stem + mr), en_


def time(rng: random.Random, tense: str) -> Triple:
    """When, or nothing."""
    rows = [row for row in WORDS["times"] if tense in row[3][0].split()]
    if not rows or rng.random() < 0.5:
        return NONE
    en, hi, mr, _ = pick(rng, rows)
    return pick(rng, hi), pick(rng, mr), pick(rng, en)


def place(rng: random.Random, form: int) -> Triple:
    """At, to or from somewhere: forms 0, 1 and 2."""
    en, hi, mr = pick(rng, WORDS["places"])
    return hi[form], mr[form], en[form]


def others(who: Person, owners: bool = False) -> list[Person]:
    """Who is somebody else, so that no word for oneself is needed (अपना, आपला)."""
    person = who.agree[0][0]
    named = person == 3 and not owners
    return [one for one in ANYBODY if one.en != who.en and (named or one.of != person)]


# clauses


def actions(rng: random.Random, who: Person, verb: Row) -> tuple[Triple, Agreements]:
    """What stands between subject and verb, in English after it; what a past verb agrees with."""
    name, names = verb[0][0], verb[3]
    if name in PLACES:
        return place(rng, PLACES[name]), WORK if name == "work" else who.agree
    somebody = pick(rng, others(who))
    if name == "meet":
        where = place(rng, 0) if rng.random() < 0.4 else NONE
        hi, mr = joined(where[0], somebody.hi[3]), joined(where[1], somebody.mr[2])
        return (hi, mr, joined(somebody.en[1], where[2])), who.agree
    _, (hi, mr, en), agree = thing(rng, names, others(who, owners=True))
    if name in ("give", "show", "send"):
        ens = (somebody.en[1], en) if rng.random() < 0.6 else (en, "to", somebody.en[1])
        return (joined(somebody.hi[2], hi), joined(somebody.mr[2], mr), joined(*ens)), agree
    if rng.random() < 0.25:
        where = place(rng, 0)
        return (joined(where[0], hi), joined(where[1], mr), joined(en, where[2])), agree
    return (hi, mr, en), agree


def doing(rng: random.Random, ask: str = "") -> Triple:
    """Somebody does something, or who does, whether somebody does, what and where."""
    who = WHO if ask == "who" else pick(rng, ANYBODY)
    verb = VERBS[pick(rng, ASKED.get(ask, [*VERBS]))]
    tense = pick(rng, ("now", "past", "past", "future", "habit"))
    no = not ask and tense != "now" and rng.random() < 0.25
    middle, agree = actions(rng, who, verb)
    if ask in QUESTION_WORDS:
        middle, agree = QUESTION_WORDS[ask], WORK
    by = tense == "past" and verb[0][0] not in SUBJECT
    agree = agree if by else who.agree
    when = time(rng, tense)
    hi = hindi_verb(verb, tense, no, agree[0])
    mr = marathi_verb(verb, tense, no, agree[1], by)
    start = english(rng, who, verb[0], tense, no, ask not in ("", "who"))
    after = (middle[2], start) if ask in QUESTION_WORDS else (start, middle[2])
    first = not ask and rng.random() < 0.2
    en = joined(when[2] if first else "", *after, "" if first else when[2])
    if ask == "who":
        last = joined(when[1], middle[1], who.mr[by], mr)
        return joined(when[0], middle[0], who.hi[by], hi), last, en
    last = ordered(rng, who.mr[by], when[1], middle[1], mr)
    return ordered(rng, who.hi[by], when[0], middle[0], hi), last, en


def ordered(rng: random.Random, who: str, when: str, *rest: str) -> str:
    """The time after the subject or before it."""
    return joined(*((who, when) if rng.random() < 0.6 else (when, who)), *rest)


def having(rng: random.Random, ask: str = "") -> Triple:
    """Somebody has something; how many."""
    who, past = pick(rng, ANYBODY), rng.random() < 0.3
    no = not ask and rng.random() < 0.2
    _, (hi, mr, en), agree = thing(rng)
    if ask == "how many":
        noun = pick(rng, [row for row in WORDS["things"] if len(row[0]) > 1])
        _, (hi, mr, en), agree = phrase(rng, noun, 2, ("how many", "", "किती"), 0.4)
        hi = f"{hindi('कितन', agree[0])} {hi}"
    tense = "past" if past else "habit"
    start = english(rng, who, HAVE.split(), tense, no, bool(ask))
    has = to_be(agree[0], past)[0], is_not(agree[1], past) if no else to_be(agree[1], past)[1]
    words = (en, start) if ask == "how many" else (start, en)
    where = f"{who.hi[4]}े पास", f"{who.mr[4]}कडे"
    hindi_ = joined(where[0], hi, "नहीं" * no, has[0])
    return hindi_, joined(where[1], mr, has[1]), joined(*words)


def wishing(rng: random.Random, ask: str = "") -> Triple:
    """Somebody likes or wants something."""
    who, no = pick(rng, ANYBODY), not ask and rng.random() < 0.25
    likes = rng.random() < 0.5
    _, (hi, mr, en), (one, two) = kind(rng) if likes else thing(rng)
    start = english(rng, who, (LIKE if likes else WANT).split(), "habit", no, bool(ask))
    if likes:
        last = joined("पसंद", "नहीं" * no, to_be(one)[0])
        verb = "आवडतात" if two[2] == 2 else "आवडतो" if two[1] == "m" else "आवडते"
        verb = joined("आवडत", is_not(two)) if no else verb
    else:
        last = joined("नहीं" * no, "चाहिए")
        verb = joined("नको" if no else marathi("हव", two), to_be(two)[1])
    return joined(who.hi[2], hi, last), joined(who.mr[2], mr, verb), joined(start, en)


def being(rng: random.Random, ask: str = "") -> Triple:
    """Something is like this, or somewhere; where it is."""
    past, no = rng.random() < 0.3, not ask and rng.random() < 0.2
    here = ask != "where" and rng.random() < 0.5
    how = 0.4 if here or ask == "where" else 0.0
    noun, (hi, mr, en), agree = thing(rng, owners=ANYBODY, known=1, how=how)
    said = landmark(rng) if here else described(rng, noun, agree)
    if ask == "where":
        said = QUESTION_WORDS[ask]
    be = to_be(agree[0], past)[0], is_not(agree[1], past) if no else to_be(agree[1], past)[1]
    is_ = ("were" if past else "are") if agree[0][2] == 2 else "was" if past else "is"
    words = (en, is_, "not" * no, said[2])
    if ask:
        words = (said[2], is_, en, "") if ask == "where" else (is_, en, said[2], "")
    return joined(hi, said[0], "नहीं" * no, be[0]), joined(mr, said[1], be[1]), joined(*words)


def asking(rng: random.Random) -> Triple:
    """Please do this."""
    en, hi, mr = pick(rng, PLEASE).split()
    somebody = pick(rng, [one for one in ANYBODY if one.agree[0][0] != 2])
    _, (what, other_, en_), _ = thing(rng, VERBS[en][3])
    please = pick(rng, ("कृपया", "")), pick(rng, ("कृपया", ""))
    return (
        joined(please[0], somebody.hi[2], what, hi),
        joined(please[1], somebody.mr[2], other_, mr),
        joined("please", en, somebody.en[1], en_),
    )


QUESTIONS = (
    (doing, "who"), (doing, "what"), (doing, "where"), (doing, "yes"), (doing, "yes"),
    (having, "how many"), (having, "yes"), (wishing, "yes"), (being, "where"), (being, "yes"),
)  # fmt: skip


# sentences


def statement(rng: random.Random) -> Triple:
    """A clause that tells something."""
    return pick(rng, (doing, doing, doing, having, wishing, being, being))(rng)


def question(rng: random.Random) -> Triple:
    """A clause that asks for something."""
    make, ask = pick(rng, QUESTIONS)
    hi, mr, en = make(rng, ask)
    return (f"क्या {hi}", f"{mr} का", en) if ask == "yes" else (hi, mr, en)


def sentence(rng: random.Random) -> Triple:
    """One or two clauses and what ends them."""
    chance = rng.random()
    if chance < JOINED:
        ens, his, mrs = pick(rng, WORDS["joins"])
        one, two = statement(rng), statement(rng)
        words = pick(rng, his), pick(rng, mrs), pick(rng, ens)
        comma = "," * (words[2] != "and")
        both = [joined(*parts) for parts in zip(one, (comma,) * 3, words, two, strict=True)]
        return ended(both[0], both[1], both[2])
    if chance < JOINED + 0.15:
        hi, mr, en = question(rng)
        return f"{hi} ?", f"{mr} ?", f"{en} ?"
    return ended(*(asking(rng) if chance > 0.95 else statement(rng)))


def ended(hi: str, mr: str, en: str) -> Triple:
    """Each with its full stop."""
    return f"{hi} ।", f"{mr} .", f"{en} ."


def distinct(rng: random.Random, n: int) -> list[Triple]:
    """n sentences, of which no two are the same in any of the languages."""
    made: list[Triple] = []
    known: tuple[set[str], ...] = (set(), set(), set())
    while len(made) < n:
        one = sentence(rng)
        if not any(text in texts for text, texts in zip(one, known, strict=True)):
            made.append(one)
            for text, texts in zip(one, known, strict=True):
                texts.add(text)
    return made


def main() -> None:
    """Writes the six files."""
    parser = argparse.ArgumentParser(description="Write the phrase book.")
    parser.add_argument("--folder", type=Path, default=HERE)
    folder = parser.parse_args().folder
    made = distinct(random.Random(SEED), N_TRAIN + N_VALID)
    for name, part in (("phrases", made[:N_TRAIN]), ("phrases_valid", made[N_TRAIN:])):
        for language, texts in zip(LANGUAGES, zip(*part, strict=True), strict=True):
            lines = "".join(f"{text}\n" for text in texts)
            (folder / f"{name}.{language}").write_bytes(lines.encode())


if __name__ == "__main__":
    main()
