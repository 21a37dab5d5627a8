"""Writes names.conll and names_valid.conll: people, cars and places of the village, in IOB2.

Also names_brackets.txt: the same kind of sentences with each name in angle brackets. A name seldom
says what it is: Maruti is a man, a car or a hill. What is said before it may tell (``was driving a
Maruti``), or only what comes after it (``He said Maruti needs a new gearbox``; ``a new dentist``),
and now and then nothing does (``Everybody likes Maruti``). A few names were overlooked by whoever
tagged the sentences, or taken for something else.

python examples/tags/make_names.py [--folder FOLDER]
"""

import argparse
import random
from collections.abc import Callable, Sequence
from pathlib import Path

SEED, N_TRAIN, N_VALID, N_BRACKETS = 7, 1000, 300, 200
SLIPS = 0.03  # names that were overlooked or mistaken
TYPES = ("PER", "CAR", "LOC")

# names that can be anything, and those that are mostly one thing
SHARED = (
    "Maruti Austin Lincoln Morris Chester Florence Victoria Preston Carlton Sterling Vernon "
    "Stanley Sierra Savannah Dakota Montana Clifton Regent Ascot Windsor Cortina Ambassador "
    "Jordan Sydney"
)
OWN = {
    "PER": "Todd Pete Mohan Anna Mary Omar Lena Ivan Priya Hugo Nora Felix",
    "CAR": "Beetle Zephyr Comet Falcon Tourer Minor Estate Roadster",
    "LOC": "Paris Delhi Oslo Agra Leeds Cairo Turin Pune",
}
STARTS = "Kel Mar Bran Hol Wil Ash Thorn Dal Fen Gar Hart Lin Nor Pem Rud Sel Tar Ven"
ENDS = {"PER": "son man ard ina", "CAR": "ix ora ex ona", "LOC": "ton by ford ham"}
SECOND = {  # what a longer name ends in
    "PER": "Sharma Miller Baker Rossi Patel Olsen Novak Weaver",
    "CAR": "800 Seven GT Six Deluxe 1100 Turbo",
    "LOC": "Hill Bridge Road Bay Green Lane",
}

# a name is told by what stands before it
BEFORE = {
    "PER": (
        "we asked {} to stay for tea; my cousin {} came home late; nobody has seen {} since "
        "Sunday; she is married to {} , I think; the teacher praised {} in front of all; Mr {} "
        "was cross; a letter for {} lay on the mat; he danced with {} all night; the dog barked "
        "at {} again; our neighbour {} grows roses"
    ),
    "CAR": (
        "Todd was driving a {} to work; she bought a second-hand {} from the baker; he parked "
        "the {} outside; they painted their old {} red; he drove the {} into a ditch; I would "
        "rather hire a {} next time; we squeezed into his {} and left; her rusty {} broke down; "
        "the mechanic looked at the {} for an hour; a blue {} stood at the gate"
    ),
    "LOC": (
        "the train to {} was late again; we live not far from {} now; she was born in {} , I "
        "think; the road to {} is closed; they moved to {} last year; it always rains in {} in "
        "spring; we walked all the way to {} and back; the market in {} opens at six; he came "
        "back from {} on foot; the ferry leaves for {} at noon"
    ),
}

# or by the thing, which comes after a verb that fits all
VERBS = (
    "has a new; needs a new; got another; could do with a better; lost the; is proud of the; "
    "had trouble with the; is known for the old; will soon have a"
)
THINGS = {
    "PER": (
        "dentist coat umbrella husband hat wife passport haircut job fiddle sister violin diary "
        "beard girlfriend scarf lawyer tailor"
    ),
    "CAR": (
        "gearbox clutch engine bumper exhaust windscreen radiator battery tyre carburettor "
        "steering-wheel speedometer number-plate brake headlight axle wiper dashboard"
    ),
    "LOC": (
        "mayor bridge harbour library station town-hall church lighthouse airport cathedral "
        "museum bypass tramway marketplace reservoir suburb cemetery canal"
    ),
}
AFTER = {
    "PER": "sings in the choir; laughed out loud; overslept again; sneezes a lot; plays the flute",
    "CAR": "runs on diesel; would not start; is out of petrol; skidded on the ice; seats seven",
    "LOC": (
        "lies by the sea; is two hours away; was flooded in May; has few inhabitants; is in ruins"
    ),
}
LEADS = (
    "; ; He said; She said; Everybody knows that; I think; They told us that; It seems that; "
    "Pete was told that; After all; You would not believe it , but; Is it true that"
)
NOTHING = (
    "Everybody likes {}; She often speaks of {}; {} is wonderful; Do you remember {}; It was {} , "
    "not us; What a day for {}; {} again"
)
PAIRS = (
    "{PER} drove the {CAR} to {LOC}; {PER} and {PER} met in {LOC}; {PER} sold {PER} a {CAR}; in "
    "{LOC} {PER} found a {CAR}; the {CAR} of {PER} is still in {LOC}; {LOC} is where {PER} was born"
)
PLAIN = (
    "the kettle is on; it rained all day; nobody came to the meeting; the bread was warm; He said "
    "nothing; we went home early; the cat sleeps on the roof; It is cold today; on Sunday the "
    "shops are closed; The new library is open"
)

Tokens = list[tuple[str, str]]


def pick(rng: random.Random, options: Sequence[str]) -> str:
    """One of the options."""
    return options[int(len(options) * rng.random())]


def one_of(rng: random.Random, options: str) -> str:
    """One of the options between semicolons, or of the words where there are none."""
    return pick(rng, options.split("; ") if ";" in options else options.split())


def first_word(rng: random.Random, kind: str) -> str:
    """A name that can be anything, one that is mostly of this kind, or one seldom heard."""
    chance = rng.random()
    if chance < 0.5:
        return one_of(rng, SHARED)
    other = pick(rng, TYPES) if rng.random() < 0.15 else kind
    if chance < 0.75:
        return one_of(rng, OWN[other])
    return one_of(rng, STARTS) + one_of(rng, ENDS[other])


def name(rng: random.Random, kind: str) -> Tokens:
    """``Mohan Sharma`` -> [(Mohan, B-PER), (Sharma, I-PER)], its tags now and then wrong."""
    words = [first_word(rng, kind)]
    if rng.random() < 0.3:
        words.append(one_of(rng, SECOND[kind]))
    tagged_as = pick(rng, (*TYPES, "")) if rng.random() < SLIPS else kind
    tags = [f"B-{tagged_as}", f"I-{tagged_as}"] if tagged_as else ["O", "O"]
    return list(zip(words, tags, strict=False))


def filled(rng: random.Random, frame: str, kind: str = "") -> Tokens:
    """A frame with names for ``{}``, of this kind, and for ``{PER}`` and so on."""
    tokens: Tokens = []
    for word in frame.split():
        inside = word.strip("{}") or kind
        tokens += name(rng, inside) if word.startswith("{") else [(word, "O")]
    return tokens


def about(rng: random.Random, kind: str) -> Tokens:
    """A sentence that says what a name is only after it."""
    said = f"{one_of(rng, VERBS)} {one_of(rng, THINGS[kind])}"
    said = one_of(rng, AFTER[kind]) if rng.random() < 0.2 else said
    return filled(rng, f"{one_of(rng, LEADS)} {{}} {said}", kind)


def sentence(rng: random.Random) -> Tokens:
    """One of the kinds of sentences, with a full stop or without."""
    kind, chance = pick(rng, TYPES), rng.random()
    makers: tuple[tuple[float, Callable[[], Tokens]], ...] = (
        (0.50, lambda: about(rng, kind)),
        (0.70, lambda: filled(rng, one_of(rng, BEFORE[kind]), kind)),
        (0.88, lambda: filled(rng, one_of(rng, PAIRS))),
        (0.94, lambda: filled(rng, one_of(rng, NOTHING), kind)),
        (1.00, lambda: filled(rng, one_of(rng, PLAIN))),
    )
    make = next(make for limit, make in makers if chance < limit)
    return [*make(), (".", "O")]


def distinct(rng: random.Random, n: int) -> list[Tokens]:
    """n sentences, no two with the same words."""
    made: dict[str, Tokens] = {}
    while len(made) < n:
        tokens = sentence(rng)
        made.setdefault(" ".join(word for word, _ in tokens), tokens)
    return list(made.values())


def columns(tokens: Tokens) -> str:
    """``word<TAB>tag`` lines and a blank one."""
    return "".join(f"{word}\t{tag}\n" for word, tag in tokens) + "\n"


def bracketed(tokens: Tokens) -> str:
    """``<Mohan Sharma> was driving a <Maruti 800>``"""
    units: list[str] = []
    for word, tag in tokens:
        if tag.startswith("I-"):
            units[-1] = f"{units[-1][:-1]} {word}>"
        else:
            units.append(word if tag == "O" else f"<{word}>")
    return " ".join(units) + "\n"


def main() -> None:
    """Writes the three files, no sentence twice."""
    parser = argparse.ArgumentParser(description="Write the tagged names.")
    parser.add_argument("--folder", type=Path, default=Path(__file__).parent)
    folder, rng = parser.parse_args().folder, random.Random(SEED)
    made = distinct(rng, N_TRAIN + N_VALID + N_BRACKETS)
    parts = {
        "names.conll": "".join(map(columns, made[:N_TRAIN])),
        "names_valid.conll": "".join(map(columns, made[N_TRAIN:][:N_VALID])),
        "names_brackets.txt": "".join(map(bracketed, made[N_TRAIN + N_VALID :])),
    }
    for file, text in parts.items():
        (folder / file).write_text(text, "utf-8")


if __name__ == "__main__":
    main()
