"""Writes todd_and_pete.txt: short related stories, one sentence a line, words apart by spaces.

A small grammar walks people through a village: who is where and who owns what carry over from
sentence to sentence. Between the stories stand hand-written ones. Only the standard library, and
only ``random.Random.random``, whose stream is the same in every version of Python.

    python examples/corpora/make_todd_and_pete.py [--out FILE]
"""

import argparse
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

HERE = Path(__file__).parent
SEED, STORIES = 7, 900

MEN = ("Todd", "Pete", "Tom", "Sam", "Ned", "Hugo")
WOMEN = ("Anna", "Mary", "Ruth", "Ella", "Nora", "Lily")
PLACES = (
    "market",
    "mill",
    "river",
    "bakery",
    "school",
    "garden",
    "bridge",
    "station",
    "library",
    "harbour",
    "farm",
    "inn",
)
THINGS = (
    "book",
    "basket",
    "kite",
    "lamp",
    "hat",
    "letter",
    "drum",
    "boat",
    "key",
    "map",
    "blanket",
    "clock",
    "cup",
    "rope",
    "ladder",
)
COLOURS = ("red", "blue", "green", "yellow", "white", "old", "new", "small", "big")
ANIMALS = ("dog", "cat", "horse", "goat", "hen", "duck", "toad", "fox", "donkey", "goose")
FOODS = ("bread", "soup", "apples", "cheese", "cake", "honey", "plums", "fish")
WEATHER = ("sunny", "cold", "windy", "rainy", "warm", "foggy")
MOODS = ("happy", "tired", "hungry", "proud", "sad", "quiet")


@dataclass
class Village:
    """What is true at this moment of a story."""

    rng: random.Random
    people: list[str]
    place: str
    owner: dict[str, str] = field(default_factory=dict)

    def pick(self, options: Sequence[str]) -> str:
        """One of the options, the first ones more often."""
        return options[int(len(options) * self.rng.random() ** 1.5)]

    def thing(self) -> str:
        """Something with a colour."""
        return f"{self.pick(COLOURS)} {self.pick(THINGS)}"


def he(name: str) -> str:
    """The pronoun."""
    return "he" if name in MEN else "she"


def his(name: str) -> str:
    """The possessive."""
    return "his" if name in MEN else "her"


def meeting(v: Village) -> Iterator[str]:
    """Two people meet."""
    a, b = v.people
    yield v.pick(
        (f"{a} met {b}", f"{a} met {b} at the {v.place}", f"{b} met {a} near the {v.place}")
    )
    yield v.pick(
        (
            f"{a} said hello to {b}",
            f"{b} was glad to see {a}",
            f"they talked about the {v.pick(ANIMALS)}",
        )
    )


def walking(v: Village) -> Iterator[str]:
    """The day begins."""
    a, _ = v.people
    yield f"it was a {v.pick(WEATHER)} day"
    yield v.pick(
        (
            f"{a} walked to the {v.place}",
            f"{a} went to the {v.place} with {his(a)} {v.pick(ANIMALS)}",
        )
    )


def gift(v: Village) -> Iterator[str]:
    """Something changes hands."""
    a, b = v.people
    thing = v.owner.pop(a, None) or v.thing()
    yield v.pick((f"{a} had a {thing}", f"{a} found a {thing} near the {v.place}"))
    yield f"{a} gave the {thing} to {b}"
    v.owner[b] = thing
    yield v.pick(
        (
            f"now {b} had the {thing}",
            f"{b} put the {thing} in {his(b)} basket",
            f"{he(b)} thanked {a}",
        )
    )


def eating(v: Village) -> Iterator[str]:
    """A meal."""
    a, b = v.people
    food = v.pick(FOODS)
    yield v.pick((f"{a} was {v.pick(MOODS)}", f"{a} was hungry"))
    yield v.pick((f"{b} brought some {food}", f"{b} bought {food} at the {v.pick(PLACES)}"))
    yield v.pick((f"they ate the {food} together", f"{a} and {b} ate the {food} at the {v.place}"))


def animal(v: Village) -> Iterator[str]:
    """Something happens with an animal."""
    a, b = v.people
    beast, other = v.pick(ANIMALS), v.pick(ANIMALS)
    yield v.pick((f"a {beast} sat near the {v.place}", f"the {beast} of {b} ran away"))
    yield v.pick(
        (f"{a} saw the {beast} first", f"the {beast} followed {a} to the {v.pick(PLACES)}")
    )
    yield v.pick((f"the {beast} was afraid of the {other}", f"{b} called the {beast} and it came"))


def parting(v: Village) -> Iterator[str]:
    """The day ends."""
    a, b = v.people
    yield v.pick((f"{a} and {b} went home", f"{b} went home and {a} stayed at the {v.place}"))
    yield v.pick(
        (
            f"{he(a)} was {v.pick(MOODS)} that evening",
            f"it had been a good day for {b}",
            f"{a} slept well that night",
        )
    )


MIDDLES: tuple[Callable[[Village], Iterator[str]], ...] = (gift, eating, animal)


def story(rng: random.Random) -> Iterator[str]:
    """Six to ten sentences about two people."""
    v = Village(rng, [], "")
    names = [*MEN, *WOMEN]
    first = v.pick(("Todd", "Pete", "Anna", *names))
    second = v.pick([name for name in ("Pete", "Todd", "Mary", *names) if name != first])
    v.people, v.place = [first, second], v.pick(PLACES)
    yield from walking(v)
    yield from meeting(v)
    for _ in range(1 + int(2 * rng.random())):
        yield from MIDDLES[int(len(MIDDLES) * rng.random())](v)
    yield from parting(v)


def corpus() -> Iterator[str]:
    """All lines: generated stories, a hand-written paragraph after every twentieth."""
    rng = random.Random(SEED)
    text = (HERE / "todd_and_pete_handwritten.txt").read_text(encoding="utf-8")
    paragraphs = [paragraph.splitlines() for paragraph in text.strip().split("\n\n")]
    for number in range(STORIES):
        yield from story(rng)
        if number % 20 == 19:
            yield from paragraphs[number // 20 % len(paragraphs)]


def main() -> None:
    """Writes the corpus."""
    parser = argparse.ArgumentParser(description="Write the corpus of Todd and Pete.")
    parser.add_argument("--out", type=Path, default=HERE / "todd_and_pete.txt")
    parser.parse_args().out.write_text("".join(f"{line}\n" for line in corpus()), "utf-8")


if __name__ == "__main__":
    main()
