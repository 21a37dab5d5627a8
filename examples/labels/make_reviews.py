"""Writes reviews.tsv and reviews_valid.tsv: stars from 1 to 5, a tab, a review from the village.

A reviewer has an opinion of so many stars. It decides how good the points are that come up, how
they are worded, and the verdict. A good point may be worded with a negation (`not bad at all`), a
bad one too (`not worth the money`); `but` gives the last word to what comes after it; the points of
one review differ, and a few reviewers click the star beside the one they mean.

python examples/labels/make_reviews.py [--folder FOLDER]
"""

import argparse
import random
from collections.abc import Sequence
from pathlib import Path

SEED, N_TRAIN, N_VALID = 5, 3000, 800
SLIPS = 0.06  # reviews with the star beside the one that is meant
SPREAD, SURE = 0.5, 0.3  # stars by which a point is off, and a verdict

# what is reviewed: its name, its parts
THINGS = (
    ("the inn by the sea", "the room, the bed, the breakfast, the view"),
    ("the bakery", "the bread, the cake, the coffee, the queue"),
    ("the ferry", "the deck, the captain, the seat, the crossing"),
    ("the kite from the market", "the string, the paper, the tail, the colour"),
    ("the puppet show", "the story, the music, the stage, the ending"),
    ("the boots of the cobbler", "the sole, the leather, the lace, the fit"),
    ("the boat that we hired", "the sail, the oar, the rudder, the cabin"),
    ("the garden of the mill", "the path, the pond, the tea, the bench"),
)

# how good a point is, from awful to wonderful
WORDS = (
    "awful, a disgrace, worse than useless, dreadful, quite horrible",
    "poor, not good, a bit shabby, rather disappointing, not worth the money, dull",
    "all right, fine, neither good nor bad, ordinary, what you would expect, average",
    "good, not bad at all, rather nice, pleasant, better than expected, lovely in its way",
    "wonderful, perfect, nothing short of splendid, the best in the village, a delight",
)
VERDICTS = (
    "never again; avoid it; what a waste; we want our money back; Pete cried all the way home",
    "we would not go back; not again in a hurry; Todd was not happy; could do with more care",
    "it will do; nothing more to say; we might go back; it depends on the day; so so",
    "we liked it; would go back; Pete was happy; a good choice; not a bad day at all",
    "we loved it; go there at once; could not be better; Todd talks of nothing else; a must",
)
FILLERS = (
    "we went with Anna", "it rained that day", "Todd met Pete there", "we came on a Sunday",
    "the dog came along", "it was our first time", "we had read about it", "my aunt told us to go",
)  # fmt: skip
JOINS = ("and", ",", "and")


def pick(rng: random.Random, options: Sequence[str]) -> str:
    """One of the options."""
    return options[int(len(options) * rng.random())]


def near(rng: random.Random, stars: int, spread: float) -> int:
    """A point's worth, from 0 to 4: that of the stars, or beside it."""
    return min(4, max(0, round(rng.gauss(stars - 1, spread))))


def point(rng: random.Random, part: str, worth: int) -> str:
    """``the bread was not bad at all``"""
    return f"{part} was {pick(rng, WORDS[worth].split(', '))}"


def points(rng: random.Random, parts: Sequence[str], stars: int) -> str:
    """Two or three points; after ``but`` comes what weighs more."""
    chosen = rng.sample(list(parts), 2 + int(2 * rng.random()))
    worths = [near(rng, stars, SPREAD) for _ in chosen]
    if rng.random() < 0.3:  # one against the opinion, which gets the last word
        worths = [near(rng, 6 - stars, SPREAD), near(rng, stars, SURE)]
    said = [point(rng, part, worth) for part, worth in zip(chosen, worths, strict=False)]
    against = abs(worths[0] - worths[-1]) > 1
    join = "but" if against else pick(rng, JOINS)
    return f"{' , '.join(said[:-1])} {join} {said[-1]}"


def review(rng: random.Random, stars: int) -> str:
    """A review of someone who means so many stars."""
    name, parts = THINGS[int(len(THINGS) * rng.random())]
    said = [points(rng, parts.split(", "), stars)]
    said.insert(int(2 * rng.random()), pick(rng, FILLERS))
    if rng.random() < 0.75:
        said.append(pick(rng, VERDICTS[near(rng, stars, SURE)].split("; ")))
    return f"{name} : {' . '.join(said)} ."


def rows(rng: random.Random, n: int) -> list[str]:
    """n rows ``stars<TAB>review``; middling opinions are rarer than strong ones."""
    made = []
    for _ in range(n):
        stars = int(pick(rng, "1112233444455555"))
        slip = int(pick(rng, "02")) - 1 if rng.random() < SLIPS else 0
        made.append(f"{min(5, max(1, stars + slip))}\t{review(rng, stars)}")
    return made


def main() -> None:
    """Writes both files, no review of one in the other."""
    parser = argparse.ArgumentParser(description="Write the reviews.")
    parser.add_argument("--folder", type=Path, default=Path(__file__).parent)
    folder, rng = parser.parse_args().folder, random.Random(SEED)
    made = list({row.split("\t")[1]: row for row in rows(rng, 2 * (N_TRAIN + N_VALID))}.values())
    parts = {"reviews.tsv": made[:N_TRAIN], "reviews_valid.tsv": made[N_TRAIN:][:N_VALID]}
    for name, part in parts.items():
        (folder / name).write_text("".join(f"{row}\n" for row in part), "utf-8")


if __name__ == "__main__":
    main()
