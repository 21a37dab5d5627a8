"""Writes gestures.jsonl and gestures_valid.jsonl: what a fingertip draws in the air.

A clip is a list of frames [x, y], some 20 to 50 of them. Six gestures, each drawn somewhere else,
larger or smaller, slanted, faster here and slower there, with a pause before and after it and a
shaking hand. Where it is drawn, how large and when says nothing about what it is; only its course
does, and for two pairs only its direction in time: a circle one way or the other, a tick (down,
then far up) or the same line from its other end, a hook. Some hands stop in the middle of a
gesture, and 3 % of the clips were labelled by mistake.

python examples/frames/make_gestures.py [--folder FOLDER]
"""

import argparse
import json
import math
import random
from bisect import bisect
from collections.abc import Callable
from itertools import accumulate, pairwise
from pathlib import Path

SEED, N_TRAIN, N_VALID = 11, 300, 150
SLIPS = 0.03  # clips that were labelled by mistake
CUT = 0.15  # clips whose end is missing
SHAKE = 0.07  # of the size

Point = tuple[float, float]
Course = Callable[[float], Point]  # 0 .. 1 -> where the finger is


def through(*corners: Point) -> Course:
    """Straight lines from corner to corner, as fast on each of them."""
    sides = list(pairwise(corners))
    ends = list(accumulate(math.dist(*side) for side in sides))

    def place(t: float) -> Point:
        k = min(bisect(ends, t * ends[-1]), len(sides) - 1)
        (x, y), (to_x, to_y) = sides[k]
        left = (ends[k] - t * ends[-1]) / math.dist(*sides[k])
        return to_x - left * (to_x - x), to_y - left * (to_y - y)

    return place


def circle(turns: int) -> Course:
    """From the right; counter-clockwise where turns > 0."""

    def place(t: float) -> Point:
        angle = 2 * math.pi * turns * t
        return math.cos(angle), math.sin(angle)

    return place


TICK: tuple[Point, ...] = ((-1.0, 0.3), (-0.4, -0.8), (1.0, 1.0))
GESTURES: dict[str, Course] = {
    "circle": circle(-1),
    "counter": circle(1),
    "tick": through(*TICK),
    "hook": through(*reversed(TICK)),
    "zigzag": through((-1, -0.5), (-0.5, 0.5), (0, -0.5), (0.5, 0.5), (1, -0.5)),
    "square": through((-0.8, 0.8), (0.8, 0.8), (0.8, -0.8), (-0.8, -0.8), (-0.8, 0.8)),
}
CLOSED = ("circle", "counter", "square")  # begin anywhere


def drawn(label: str, rng: random.Random) -> list[list[float]]:
    """The frames of one clip."""
    course, start = GESTURES[label], rng.random() if label in CLOSED else 0.0
    x0, y0, size = rng.gauss(0, 2), rng.gauss(0, 2), rng.uniform(0.4, 1.6)
    slant, squeeze = rng.gauss(0, 0.5), rng.uniform(0.6, 1.4)
    n, bend = rng.randint(14, 30), rng.uniform(0.5, 2.0)
    before, after = rng.randint(0, 20), rng.randint(0, 20)
    end = rng.uniform(0.6, 0.9) if rng.random() < CUT else 1.0
    times = [0.0] * before + [end * (i / (n - 1)) ** bend for i in range(n)] + [end] * after
    frames = []
    for t in times:
        x, y = course((start + t) % 1.0 if start else t)
        y *= squeeze
        turned = (
            x * math.cos(slant) - y * math.sin(slant),
            x * math.sin(slant) + y * math.cos(slant),
        )
        shaken = [at + SHAKE * rng.gauss(0, 1) for at in turned]
        frames.append([round(x0 + size * shaken[0], 2), round(y0 + size * shaken[1], 2)])
    return frames


def clip(rng: random.Random) -> dict[str, object]:
    """A label and its frames."""
    label = rng.choice(list(GESTURES))
    frames = drawn(label, rng)
    return {
        "label": rng.choice(list(GESTURES)) if rng.random() < SLIPS else label,
        "frames": frames,
    }


def main() -> None:
    """Writes both files."""
    parser = argparse.ArgumentParser(description="Draw the gestures.")
    parser.add_argument("--folder", type=Path, default=Path(__file__).parent)
    folder, rng = parser.parse_args().folder, random.Random(SEED)
    for name, n in (("gestures.jsonl", N_TRAIN), ("gestures_valid.jsonl", N_VALID)):
        lines = (json.dumps(clip(rng), separators=(",", ":")) + "\n" for _ in range(n))
        (folder / name).write_text("".join(lines), "utf-8")


if __name__ == "__main__":
    main()
