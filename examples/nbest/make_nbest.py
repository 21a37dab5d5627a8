"""Writes dev.jsonl and test.jsonl: what a poor recogniser hears in the last lines of the corpus.

python examples/nbest/make_nbest.py [--out FOLDER]

Each word may be taken for one that sounds alike. How much worse that one fits the sound is drawn
for each place, and below 0 it fits better; a hypothesis is the better the less it loses in sum.
"""

import argparse
import json
import random
from itertools import product
from pathlib import Path

SEED, N_LINES, N_BEST, N_PLACES = 17, 300, 5, 4
HERE = Path(__file__).parent
CORPUS = HERE.parent / "corpora" / "todd_and_pete.txt"
FILES = ("dev.jsonl", "test.jsonl")  # half of the lines each

# what is said: what it sounds like
ALIKE = {
    "Todd": "Toad;toad;tod", "Pete": "Pit;pit;beat", "met": "mat;meant", "Tom": "time;Todd",
    "Sam": "some;same", "Ned": "net;Nate", "Anna": "and a;an", "Nora": "nor a", "Ruth": "roof;root",
    "Mary": "merry;marry", "Hugo": "you go", "Lily": "really", "the": "a;that", "a": "the;her",
    "to": "two;too", "went": "when;want", "at": "had;and", "was": "were;what's", "near": "in here",
    "mill": "meal;mile", "hen": "ten;then", "her": "here;the", "inn": "in", "red": "read;wet",
    "blue": "blew", "see": "sea", "night": "knight", "book": "brook", "goat": "coat;got",
    "cat": "cut;cap", "fox": "folks", "duck": "dark", "dog": "dock", "ate": "eight;hate",
    "ran": "rain", "farm": "form", "sunny": "Sunday;sun he", "his": "is", "and": "an;in",
    "day": "they", "had": "at;have", "home": "whom", "bread": "bred", "horse": "house",
    "river": "reader", "bakery": "bake a tea", "market": "mark it", "walked": "worked",
    "stayed": "state", "brought": "bought", "saw": "so", "sat": "sad", "cold": "called",
}  # fmt: skip
MEAN, SPREAD = 1.3, 1.5  # of the loss


def heard(rng: random.Random, sentence: str) -> tuple[list[str], list[float]]:
    """The best hypotheses and their scores, falling."""
    words = sentence.split()
    places = [place for place, word in enumerate(words) if word in ALIKE]
    rng.shuffle(places)
    ways = [[(word, 0.0)] for word in words]
    for place in sorted(places[:N_PLACES]):
        others = ALIKE[words[place]].split(";")
        ways[place] += [(other, -rng.gauss(MEAN, SPREAD)) for other in others]
    sound = -2.5 * len(words) + rng.gauss(0, 1)
    found = [
        (" ".join(word for word, _ in way), round(sound + sum(loss for _, loss in way), 3))
        for way in product(*ways)
    ]
    best = sorted(found, key=lambda one: -one[1])[:N_BEST]
    return [text for text, _ in best], [score for _, score in best]


def records() -> list[str]:
    """A list a line, as JSON."""
    rng = random.Random(SEED)
    lines = CORPUS.read_text("utf-8").splitlines()[-N_LINES:]
    rows = []
    for number, line in enumerate(lines, 1):
        hyps, scores = heard(rng, line)
        rows.append({"id": f"line{number}", "hyps": hyps, "scores": scores, "ref": line})
    return [json.dumps(row) for row in rows]


def main() -> None:
    """Writes both files."""
    parser = argparse.ArgumentParser(description="Write the n-best lists.")
    parser.add_argument("--out", type=Path, default=HERE)
    folder, rows = parser.parse_args().out, records()
    for index, name in enumerate(FILES):
        half = rows[index * N_LINES // 2 : (index + 1) * N_LINES // 2]
        (folder / name).write_text("".join(f"{row}\n" for row in half), "utf-8")


if __name__ == "__main__":
    main()
