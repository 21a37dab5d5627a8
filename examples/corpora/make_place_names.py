"""Writes place_names.txt: invented place names, one a line, from syllables of five regions.

python examples/corpora/make_place_names.py [--out FILE]
"""

import argparse
import random
from collections.abc import Sequence
from pathlib import Path

SEED, N_NAMES = 11, 3000

# region: beginnings, middles, endings
REGIONS = (
    ("Bram Ost Hol Wen Ash Kel Thorn Mar Eld Gris", "e er en in a", "ford ham wick by stead mere"),
    ("Val Mont Ro Cor San Bel Lu Tre Ca Fior", "a o i e", "sina vento lino razzo nova piano"),
    ("Kar Tu Vil Hei Sal Ra Jor Pel Ai No", "ma la ka ri ve", "nen joki lahti vaara koski niemi"),
    ("Dro Bre Zel Kra Ple Sto Mir Vo Sla Gor", "ba ve li no da", "vice grad nik slav ov ska"),
    ("Pen Tre Lan Car Llo Aber Ros Bod Nan Gwy", "y e wy a o", "gwyn coed mawr dwr afon bryn"),
)


def pick(rng: random.Random, options: Sequence[str]) -> str:
    """One of the options."""
    return options[int(len(options) * rng.random())]


def name(rng: random.Random) -> str:
    """Beginning, up to two middles, ending."""
    starts, middles, ends = (part.split() for part in REGIONS[int(len(REGIONS) * rng.random())])
    middle = "".join(pick(rng, middles) for _ in range(int(3 * rng.random())))
    return pick(rng, starts) + middle + pick(rng, ends)


def names() -> list[str]:
    """N_NAMES different names in the order in which they turned up."""
    rng = random.Random(SEED)
    found: dict[str, None] = {}
    while len(found) < N_NAMES:
        found[name(rng)] = None
    return list(found)


def main() -> None:
    """Writes the corpus."""
    parser = argparse.ArgumentParser(description="Write the corpus of place names.")
    default = Path(__file__).parent / "place_names.txt"
    parser.add_argument("--out", type=Path, default=default)
    parser.parse_args().out.write_text("".join(f"{line}\n" for line in names()), "utf-8")


if __name__ == "__main__":
    main()
