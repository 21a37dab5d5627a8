"""Do the bars add up? As they are played, a bar that a repeat sign cuts goes on behind it.

A bar is right where the lengths of its notes sum to the metre. The first one may be a pickup; what
stands before a repeat sign, a double bar or an ending may be short, and so may the last one.
"""

import math
from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction

from lmtool.music.keys import Metre, whole
from lmtool.music.tune import WrongBar
from lmtool.music.voice import Piece

__all__ = ["wrong_bars"]


def wrong_bars(pieces: Sequence[Piece], order: Iterable[Piece]) -> list[WrongBar]:
    """Each wrong bar once; ``order`` is that in which the pieces are played."""
    pickup = bool(pieces) and is_pickup(pieces[0])
    found = {piece.number: (piece, length) for piece, length in misfits(order)}
    return [
        WrongBar(n - pickup, piece.line, written(length, piece.metre), "{}/{}".format(*piece.metre))
        for n, (piece, length) in sorted(found.items())
    ]


def is_pickup(piece: Piece) -> bool:
    """Whether a first piece is one."""
    return piece.length < whole(piece.metre)


def misfits(order: Iterable[Piece]) -> Iterator[tuple[Piece, Fraction]]:
    """Each piece that begins a wrong bar, and how long that bar is."""
    begun, before = Fraction(0), None
    for place, piece in enumerate(order):
        length, full = begun + piece.length, whole(piece.metre)
        short = length < full and (piece.soft or place == 0)
        if full and length != full and not short:
            yield before or piece, begun if before and piece.length == full else length
        goes_on = short and piece.soft and place
        begun, before = (length, before or piece) if goes_on else (Fraction(0), None)


def written(length: Fraction, metre: Metre) -> str:
    """``5/4``, in the metre's own parts where they suffice."""
    parts = math.lcm(metre[1], length.denominator)
    return f"{length.numerator * parts // length.denominator}/{parts}"
