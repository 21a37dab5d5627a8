"""Writes tunes.abc and chorales.txt: dances of the village, and four voices of its organ.

A dance has eight bars, played twice. The second half mostly says the first one again with another
end. A melody steps along the scale and leaps now and then; where the beat is strong it stands on a
note of the bar's chord. Half of the dances begin with a pickup, which the last bar leaves out; some
end otherwise the second time.

A chorale is a bass on chords of such a kind, and three voices above it, each on that note of the
chord which is nearest to where it was; now and then the highest one passes a note on its way.

python examples/music/make_tunes.py [--folder FOLDER]
"""

import argparse
import random
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple, TypeVar

T = TypeVar("T")

SEED, N_TUNES, N_CHORALES = 3, 700, 160

LETTERS = "CDEFGAB"
CHORDS = {  # on the steps of the scale of each key
    "D": "D Em F#m G A Bm C#dim",
    "G": "G Am Bm C D Em F#dim",
    "A": "A Bm C#m D E F#m G#dim",
    "C": "C Dm Em F G Am Bdim",
    "Am": "Am Bdim C Dm Em F G",
    "Em": "Em F#dim G Am Bm C D",
}
PHRASES = ((0, 0, 3, 4), (0, 5, 3, 4), (0, 3, 0, 4), (0, 4, 5, 3), (0, 2, 3, 4))  # a chord a bar
ENDS = ((0, 3, 4, 0), (5, 3, 4, 0), (0, 0, 4, 0))
LOWEST, HIGHEST = -2, 8  # of a melody, in steps of the scale from the tonic
OWNERS = "Todd's Pete's Anna's Mary's Omar's Lena's The_Baker's The_Miller's The_Toad's The_Fox's"
THINGS = "Fancy Return Morning Journey Delight Kettle Garden Hat Bridge Supper Boat Lantern"


class Dance(NamedTuple):
    """Lengths are in eighths."""

    metre: str
    beats: int  # of a bar
    beat: int  # how long each is
    rhythms: tuple[str, ...]  # of a beat
    pickup: int


DANCES = {
    "Jig": Dance("6/8", 2, 3, ("111", "111", "21", "3"), 1),
    "Reel": Dance("4/4", 2, 4, ("1111", "1111", "211", "22"), 2),
    "Polka": Dance("2/4", 2, 2, ("11", "11", "2"), 1),
    "Waltz": Dance("3/4", 3, 2, ("2", "2", "11"), 2),
}


def pick(rng: random.Random, options: Sequence[T]) -> T:
    """One of the options."""
    return options[int(len(options) * rng.random())]


def one_of(rng: random.Random, options: str) -> str:
    """One of the words."""
    return pick(rng, options.split()).replace("_", " ")


def spelled(key: str, step: int, length: int) -> str:
    """A step of the scale as ABC writes it: 0 in D, two eighths -> ``D2``."""
    octave, letter = divmod(LETTERS.index(key[0]) + step, 7)
    name = LETTERS[letter] if octave < 1 else LETTERS[letter].lower()
    return name + "," * -octave + "'" * (octave - 1) + str(length) * (length > 1)


def nearest(step: int, chord: int) -> int:
    """The step of a chord that is nearest, and not beyond the melody's range."""
    fitting = (n for n in range(LOWEST, HIGHEST + 1) if (n - chord) % 7 in (0, 2, 4))
    return min(fitting, key=lambda n: (abs(n - step), n))


class Bar(NamedTuple):
    """Steps of the scale and their lengths, over a chord."""

    chord: int
    notes: tuple[tuple[int, int], ...]


def drawn(rng: random.Random, dance: Dance) -> str:
    """The rhythm of a bar."""
    return "".join(pick(rng, dance.rhythms) for _ in range(dance.beats))


def bar(rng: random.Random, dance: Dance, chord: int, rhythm: str, step: int) -> Bar:
    """A bar that goes on from a step."""
    notes, now = [], 0
    for length in map(int, rhythm):
        step += int(rng.choice((-2, -1, -1, 1, 1, 2)))
        step = min(max(step, LOWEST), HIGHEST)
        if now % dance.beat == 0:
            step = nearest(step, chord)
        notes.append((step, length))
        now += length
    return Bar(chord, tuple(notes))


def last(rng: random.Random, dance: Dance, pickup: bool, step: int) -> Bar:
    """A bar that comes home."""
    before = pick(rng, dance.rhythms) * (dance.beats - 1)
    left = dance.beat - dance.pickup * pickup
    made = bar(rng, dance, 0, before + str(left) * (left > 0), step)
    home = min((0, 7), key=lambda n: abs(n - step))
    return Bar(0, (*made.notes[:-1], (home, made.notes[-1][1])))


def half(rng: random.Random, dance: Dance, chords: Iterable[int], step: int) -> list[Bar]:
    """Four bars, of which the third may say the first one's rhythm again."""
    made: list[Bar] = []
    for chord in chords:
        rhythm = drawn(rng, dance)
        if len(made) == 2 and rng.random() < 0.7:
            rhythm = "".join(str(length) for _, length in made[0].notes)
        made.append(bar(rng, dance, chord, rhythm, step))
        step = made[-1].notes[-1][0]
    return made


def part(rng: random.Random, dance: Dance, pickup: bool, step: int) -> list[Bar]:
    """Eight bars."""
    first = half(rng, dance, pick(rng, PHRASES), step)
    chords = pick(rng, ENDS)
    fresh = half(rng, dance, chords, first[-1].notes[-1][0])
    second = [*(first[:2] if rng.random() < 0.8 else fresh[:2]), fresh[2]]
    return [*first, *second, last(rng, dance, pickup, fresh[2].notes[-1][0])]


def written(key: str, dance: Dance, made: Bar, before: int | None) -> str:
    """``"D"dfa afd``; a chord that goes on is not named again."""
    text, now = "", 0
    for step, length in made.notes:
        text += " " * (now > 0 and now % dance.beat == 0) + spelled(key, step, length)
        now += length
    name = CHORDS[key].split()[made.chord]
    return text if made.chord == before else f'"{name}"{text}'


def printed(rng: random.Random, key: str, dance: Dance, pickup: bool, bars: list[Bar]) -> str:
    """A part in two lines, between repeat signs."""
    chords = [None, *(made.chord for made in bars)]
    texts = [written(key, dance, *pair) for pair in zip(bars, chords, strict=False)]
    before = spelled(key, bars[0].notes[0][0] - 1, dance.pickup) + "|" if pickup else ""
    end = f"{texts[7]}:|"
    if rng.random() < 0.1:
        again = written(key, dance, last(rng, dance, pickup, bars[6].notes[-1][0]), 4)
        end = f"[1 {texts[7]}:|[2 {again}|]"
    return f"|:{before}{'|'.join(texts[:4])}|\n{'|'.join(texts[4:7])}|{end}\n"


def tune(rng: random.Random) -> str:
    """A dance."""
    name = pick(rng, tuple(DANCES))
    dance, key, pickup = DANCES[name], pick(rng, tuple(CHORDS)), rng.random() < 0.5
    title = f"{one_of(rng, OWNERS)} {name if rng.random() < 0.5 else one_of(rng, THINGS)}"
    body = printed(rng, key, dance, pickup, part(rng, dance, pickup, pick(rng, (0, 2, 4))))
    return f"X:1\nT:{title}\nM:{dance.metre}\nL:1/8\nK:{key}\n{body}"


SCALE = (0, 2, 4, 5, 7, 9, 11)
RANGES = ((50, 64), (57, 71), (62, 78))  # tenor, alto, soprano


def voiced(pitch: int, tones: Sequence[int], low: int, high: int) -> int:
    """The note of a chord in a voice's range that is nearest to where the voice was."""
    return min((n for n in range(low, high + 1) if n % 12 in tones), key=lambda n: abs(n - pitch))


def chorale(rng: random.Random) -> str:
    """Four to six phrases of chords, each a step or two long, the last one three."""
    tonic = rng.choice((0, 2, 5, 7, 9))
    voices, steps = [55, 62, 69 + rng.choice((-2, 0, 2))], list[list[int]]()
    for _ in range(rng.randint(4, 6)):
        chords = [*pick(rng, PHRASES), *pick(rng, ENDS)]
        for place, chord in enumerate(chords, 1):
            tones = [(tonic + SCALE[(chord + third) % 7]) % 12 for third in (0, 2, 4)]
            moved = [n + rng.choice((-2, -1, 0, 1, 2)) for n in voices]
            voices = [voiced(n, tones, *span) for n, span in zip(moved, RANGES, strict=True)]
            bass = 40 + (tones[0] - 40) % 12
            length = 3 if place == len(chords) else rng.choice((1, 1, 1, 2))
            steps += [sorted({bass, *voices}) for _ in range(length)]
    return " ".join(f"{' '.join(map(str, step))} |" for step in steps) + "\n"


def main() -> None:
    """Writes both files, no tune twice."""
    parser = argparse.ArgumentParser(description="Write the tunes and the chorales.")
    parser.add_argument("--folder", type=Path, default=Path(__file__).parent)
    folder, rng = parser.parse_args().folder, random.Random(SEED)
    tunes = dict.fromkeys(tune(rng) for _ in range(N_TUNES))
    chorales = dict.fromkeys(chorale(rng) for _ in range(N_CHORALES))
    (folder / "tunes.abc").write_text("\n".join(tunes), "utf-8")
    (folder / "chorales.txt").write_text("".join(chorales), "utf-8")


if __name__ == "__main__":
    main()
