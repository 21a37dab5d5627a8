"""Writes kingdom.txt: a small world in which a queen is to a woman as a king is to a man.

    python examples/vectors/make_kingdom.py > examples/vectors/kingdom.txt

Who is in a sentence decides his or her, crown or cart, and young or old; all else is chance.
"""

import random
from collections.abc import Iterator

SENTENCES = 3_000
PEOPLE = {  # word -> (his or her, royal or not, young or old)
    "man": ("his", "village", "old"),
    "woman": ("her", "village", "old"),
    "boy": ("his", "village", "young"),
    "girl": ("her", "village", "young"),
    "king": ("his", "palace", "old"),
    "queen": ("her", "palace", "old"),
    "prince": ("his", "palace", "young"),
    "princess": ("her", "palace", "young"),
}
NOUNS = {"his": ("beard", "brother", "uncle"), "her": ("dress", "sister", "aunt")}
PLACES = {
    "village": ("market", "barn", "mill", "field"),
    "palace": ("throne", "court", "crown", "ballroom"),
}
AGES = {"young": ("school", "toys", "lessons"), "old": ("work", "memories", "worries")}
FRUITS = ("apple", "orange", "plum", "pear")
TASTES = ("sweet", "sour", "ripe", "juicy")


def sentence(rng: random.Random) -> str:
    """Somebody, or a fruit."""
    if rng.random() < 0.2:
        fruit, other = rng.sample(FRUITS, 2)
        return f"the {fruit} is {rng.choice(TASTES)} and the {other} is {rng.choice(TASTES)}"
    who = rng.choice([*PEOPLE])
    owner, place, age = PEOPLE[who]
    pronoun = {"his": "he", "her": "she"}[owner]
    ends = [
        f"with {owner} {rng.choice(NOUNS[owner])}",
        f"at the {rng.choice(PLACES[place])}",
        f"after {rng.choice(AGES[age])}",
    ]
    rng.shuffle(ends)
    verb = rng.choice(("sat", "stood", "sang", "slept"))
    return f"the {who} {verb} {ends[0]} and {pronoun} stayed {ends[1]} {ends[2]}"


def sentences() -> Iterator[str]:
    """The same ones each time."""
    rng = random.Random(1)
    return (sentence(rng) for _ in range(SENTENCES))


if __name__ == "__main__":
    print("\n".join(sentences()))
