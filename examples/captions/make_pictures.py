"""Draws little pictures, and writes what a model reads of them beside what people say of them.

pictures.npy (n, 135) float16 and captions.tsv are to train on, pictures_valid.npy and
captions_valid.tsv to validate; picture_0.png to picture_5.png are the first ones of these.

A picture is 48 x 48 pixels: on a black, grey or white ground one or two groups of one to three
shapes, each group of its own colour, large or small, beside or above the other one. Light, colours
and places vary, and each pixel is off by chance. Four people describe each picture; they leave out
the size or the ground at times, begin with either group and have words of their own.

The vector comes from the pixels alone. Each pixel is shared out among seven colours, four of shapes
and three of grounds, by how near it is to them; maps (7, 48, 48). Of each shape's colour follow

    where it is      the mean of its map in each of 4 x 4 fields     16 numbers
                     how far it is from each side of the picture      4
    how much         the share of pixels, and of each piece           2
    how many         (convex - concave corners of map > 1/2) / 4:
                     how much of a first, a second, a third piece     3
    which shape      its edges by direction, 8 of them, as shares     8

and of each ground the share of pixels: 4 (16 + 4 + 2 + 3 + 8) + 3 = 135 numbers.

python examples/captions/make_pictures.py [--folder FOLDER]
"""

import argparse
import math
import random
import struct
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

SEED, N_TRAIN, N_VALID, N_SHOWN = 17, 1000, 100, 6
SIZE, FINE = 48, 2  # pixels a side; points drawn for each, a side
GAP = 0.06  # between shapes of a group, of 1
NOISE, TINT = 14, 18  # by which a pixel and a colour are off, of 255
COLOURS = {
    "red": (215, 40, 45),
    "green": (45, 160, 65),
    "blue": (45, 80, 210),
    "yellow": (235, 215, 50),
}
GROUNDS = {"black": (15, 15, 20), "grey": (128, 128, 128), "white": (245, 245, 240)}
SHAPES = {
    "circle": ("circle", "circles"),
    "square": ("square", "squares"),
    "triangle": ("triangle", "triangles"),
}
RADII = {"small": 0.08, "large": 0.13}
SIZES = {"small": ("small", "small", "little"), "large": ("large", "large", "big")}
NUMBERS = ("a", "two", "three")

Array = NDArray[Any]
Box = tuple[float, float, float, float]  # left, top, right, bottom, of 1


class Group(NamedTuple):
    """Some shapes that are alike."""

    n: int
    size: str
    colour: str
    shape: str
    box: Box


class Scene(NamedTuple):
    """One group and where it is, or two and where the first is: left of the second, or above."""

    ground: str
    groups: tuple[Group, ...]
    place: str


PLACES: dict[str, Box] = {
    "in the middle": (0.12, 0.12, 0.88, 0.88),
    "on the left": (0.0, 0.0, 0.45, 1.0),
    "on the right": (0.55, 0.0, 1.0, 1.0),
    "at the top": (0.0, 0.0, 1.0, 0.45),
    "at the bottom": (0.0, 0.55, 1.0, 1.0),
}
SIDES = {"left": ("on the left", "on the right"), "above": ("at the top", "at the bottom")}


def pick(rng: random.Random, options: Sequence[Any]) -> Any:
    """One of the options."""
    return options[int(len(options) * rng.random())]


def scene(rng: random.Random) -> Scene:
    """What a picture shows."""

    def group(place: str, colour: str) -> Group:
        how = pick(rng, [*RADII]), colour, pick(rng, [*SHAPES])
        return Group(1 + int(3 * rng.random()), *how, PLACES[place])

    colours = rng.sample([*COLOURS], 2)
    ground = pick(rng, [*GROUNDS])
    if rng.random() < 0.25:
        place = pick(rng, [*PLACES])
        return Scene(ground, (group(place, colours[0]),), place)
    relation = pick(rng, [*SIDES])
    return Scene(ground, tuple(map(group, SIDES[relation], colours)), relation)


# pictures


def inside(shape: str, x: Array, y: Array) -> Array:
    """Whether points are within a shape of radius 1 around 0; y runs down."""
    found: dict[str, Array] = {
        "circle": x * x + y * y < 1,
        "square": np.maximum(abs(x), abs(y)) < 0.85,
        "triangle": (y < 0.75) & (2 * abs(x) < 0.95 * (y + 1)),
    }
    return found[shape]


def centres(rng: random.Random, group: Group) -> list[tuple[float, float]]:
    """Where the shapes of a group are, none on another."""
    left, top, right, bottom = group.box
    margin = RADII[group.size] + 0.01
    while True:
        xs = [rng.uniform(left + margin, right - margin) for _ in range(group.n)]
        ys = [rng.uniform(top + margin, bottom - margin) for _ in range(group.n)]
        points = list(zip(xs, ys, strict=True))
        pairs = ((p, q) for i, p in enumerate(points) for q in points[:i])
        apart = 2 * RADII[group.size] + GAP
        if all(max(abs(p[0] - q[0]), abs(p[1] - q[1])) > apart for p, q in pairs):
            return points


def tinted(rng: random.Random, colour: tuple[int, int, int]) -> Array:
    """Nearly the colour."""
    return np.array([value + rng.uniform(-TINT, TINT) for value in colour])


def picture(rng: random.Random, noise: np.random.Generator, shown: Scene) -> Array:
    """(48, 48, 3) uint8"""
    n = SIZE * FINE
    y, x = (np.mgrid[:n, :n] + 0.5) / n
    drawn = np.broadcast_to(tinted(rng, GROUNDS[shown.ground]), (n, n, 3)).copy()
    for group in shown.groups:
        radius, colour = RADII[group.size], tinted(rng, COLOURS[group.colour])
        for a, b in centres(rng, group):
            drawn[inside(group.shape, (x - a) / radius, (y - b) / radius)] = colour
    pixels = drawn.reshape(SIZE, FINE, SIZE, FINE, 3).mean((1, 3)) * rng.uniform(0.85, 1.0)
    pixels += noise.integers(-NOISE, NOISE + 1, pixels.shape)
    return np.asarray(np.clip(np.rint(pixels), 0, 255), np.uint8)


# what a model reads


def memberships(pixels: Array) -> Array:
    """(7, 48, 48): how much each pixel is of each colour; sums to 1 over the colours."""
    known = np.array([*COLOURS.values(), *GROUNDS.values()], np.float64)
    far = ((pixels[None].astype(np.float64) - known[:, None, None]) ** 2).sum(3) / 3000
    near = 1 / (1 + far * far)
    return np.asarray(near / near.sum(0))


def smooth(x: Array) -> Array:
    """(C, 46, 46): means of 3 x 3 pixels."""
    rows = x[:, :-2] + x[:, 1:-1] + x[:, 2:]
    return np.asarray((rows[:, :, :-2] + rows[:, :, 1:-1] + rows[:, :, 2:]) / 9)


def pieces(x: Array) -> Array:
    """(C,): convex minus concave corners, a quarter of each: pieces minus holes, near enough."""
    dark = (x > 0.5).astype(np.int64)
    four = dark[:, :-1, :-1] + dark[:, 1:, :-1] + dark[:, :-1, 1:] + dark[:, 1:, 1:]
    return np.asarray(((four == 1).sum((1, 2)) - (four == 3).sum((1, 2))) / 4)


def directions(x: Array) -> Array:
    """(C, 8): shares of the edges that run in each direction."""
    across, down = x[:, 1:-1, 2:] - x[:, 1:-1, :-2], x[:, 2:, 1:-1] - x[:, :-2, 1:-1]
    turns = [math.pi * k / 8 for k in range(8)]
    along = np.stack([abs(math.cos(a) * across + math.sin(a) * down) for a in turns])
    strength = np.where(along.max(0) > 0.1, along.max(0), 0)
    turn = along.argmax(0)
    shares = np.stack([(strength * (turn == k)).sum((1, 2)) for k in range(8)], 1)
    return np.asarray(shares / (strength.sum((1, 2))[:, None] + 1))


def sides(x: Array) -> Array:
    """(C, 4): the share of rows or columns before it from the left, the right, above and below."""
    dark = x > 0.5
    across, down = np.asarray(dark.any(1)), np.asarray(dark.any(2))
    ways = [across, across[:, ::-1], down, down[:, ::-1]]
    return np.stack([way.argmax(1) / way.shape[1] for way in ways], 1)


def features(pixels: Array) -> Array:
    """(135,) float16, in steps of 1/256 so that they are the same wherever they are made."""
    maps = memberships(pixels)
    shapes, share = maps[: len(COLOURS)], maps.mean((1, 2))
    soft = smooth(shapes)
    fields = shapes.reshape(len(COLOURS), 4, SIZE // 4, 4, SIZE // 4).mean((2, 4))
    n = pieces(soft)[:, None]
    counts = np.clip(n - [0, 1, 2], 0, 1)
    each = share[: len(COLOURS)] / np.maximum(n[:, 0], 1)
    parts = fields, sides(soft), 10 * share, 20 * each, counts, 2 * directions(soft)
    flat = np.concatenate([np.ravel(part) for part in parts])
    return np.asarray(np.rint(flat * 256) / 256, np.float16)


def png(pixels: Array) -> bytes:
    """The picture as a PNG."""
    rows = b"".join(b"\0" + row.tobytes() for row in pixels)
    head = struct.pack(">IIBBBBB", SIZE, SIZE, 8, 2, 0, 0, 0)

    def chunk(name: bytes, data: bytes) -> bytes:
        check = struct.pack(">I", zlib.crc32(name + data))
        return struct.pack(">I", len(data)) + name + data + check

    parts = chunk(b"IHDR", head), chunk(b"IDAT", zlib.compress(rows, 9)), chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


# captions


def named(rng: random.Random, group: Group) -> str:
    """``two small red circles``"""
    size = pick(rng, SIZES[group.size]) if rng.random() < 0.75 else ""
    words = [size, group.colour, SHAPES[group.shape][group.n > 1]]
    text = " ".join(word for word in words if word)
    number = "an" if group.n == 1 and text[0] in "aeiou" else NUMBERS[group.n - 1]
    return f"{number} {text}"


def between(rng: random.Random, relation: str) -> tuple[bool, str]:
    """Whether the second group is named first, and what stands between them."""
    if relation == "left":
        options = (False, "to the left of"), (False, "left of"), (True, "to the right of")
    else:
        options = (False, "above"), (False, "above"), (True, "below")
    return pick(rng, (*options, (False, "and"))) if rng.random() < 0.9 else (False, "beside")


def caption(rng: random.Random, shown: Scene) -> str:
    """What somebody says of a picture."""
    names = [named(rng, group) for group in shown.groups]
    text = f"{names[0]} {shown.place}"
    if len(names) > 1:
        turned, words = between(rng, shown.place)
        text = f" {words} ".join(reversed(names) if turned else names)
    if rng.random() < 0.15:
        text = f"there {'is' if text.startswith(('a ', 'an ')) else 'are'} {text}"
    return f"{text} on {shown.ground}" if rng.random() < 0.6 else text


def main() -> None:
    """Writes vectors, captions and a few pictures."""
    parser = argparse.ArgumentParser(description="Draw the pictures.")
    parser.add_argument("--folder", type=Path, default=Path(__file__).parent)
    folder, rng = parser.parse_args().folder, random.Random(SEED)
    noise = np.random.default_rng(SEED)
    for end, n in (("", N_TRAIN), ("_valid", N_VALID)):
        lines, vectors = [], []
        for i in range(n):
            shown = scene(rng)
            pixels = picture(rng, noise, shown)
            vectors.append(features(pixels))
            lines += [f"{i}#{k}\t{caption(rng, shown)}\n" for k in range(4)]
            if end and i < N_SHOWN:
                (folder / f"picture_{i}.png").write_bytes(png(pixels))
        np.save(folder / f"pictures{end}.npy", np.stack(vectors))
        (folder / f"captions{end}.tsv").write_bytes("".join(lines).encode())


if __name__ == "__main__":
    main()
