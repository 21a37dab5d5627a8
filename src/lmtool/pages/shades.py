"""The shades of pages and of the terminal: paper to brick for surprise, white to blue for shares.

Luminance falls from each to the next, so that they stand apart without colours and in grey print.
"""

__all__ = ["BLUES", "HEAT", "INK", "LIGHT_INK", "STEP", "blue", "heat", "ink"]

STEP = 2.5  # bits a shade
HEAT = ("#ffffff", "#fff3e0", "#ffe0b8", "#ffc78a", "#ffa860", "#f9823f", "#e45a2c", "#b93424")
BLUES = (
    "#ffffff", "#dfedf5", "#bfdcec", "#9fcae2", "#80b8d8", "#60a7cf", "#4095c5", "#2084bc",
    "#0072b2",
)  # fmt: skip
INK, LIGHT_INK = "#000000", "#ffffff"  # light on the last shade alone: contrast is 4.5 at least


def heat(bits: float) -> int:
    """The shade of a word: 6.1 -> 2."""
    return min(max(0, int(bits / STEP)), len(HEAT) - 1)


def blue(share: float) -> int:
    """The shade of a share between 0 and 1."""
    return min(max(0, int(share * len(BLUES))), len(BLUES) - 1)


def ink(shade: int, of: tuple[str, ...] = HEAT) -> str:
    """What is read on it."""
    return LIGHT_INK if shade == len(of) - 1 else INK
