"""Who is taken for whom: a table in shades, or where it is too large the worst confusions."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from lmtool.pages.elements import Element, e, number, said, scrolling, table
from lmtool.pages.shades import blue

__all__ = ["Confusion", "confusion"]

MOST = 20  # names of a table
WORST = 12  # pairs where there are more
LETTERS = 18  # of a name


@dataclass(frozen=True, slots=True)
class Confusion:
    """Rows are what is so, columns what was given."""

    names: tuple[str, ...]
    counts: tuple[tuple[int, ...], ...]

    @classmethod
    def of(cls, pairs: Iterable[tuple[str, str]]) -> "Confusion":
        """From (so it is, so it was named)."""
        found = Counter(pairs)
        names = tuple(sorted({name for both in found for name in both}))
        return cls(names, tuple(tuple(found[row, column] for column in names) for row in names))

    def wrong(self) -> list[tuple[int, str, str]]:
        """(how many, true, given) of each confusion, the worst first."""
        found = (
            (n, self.names[i], self.names[j])
            for i, row in enumerate(self.counts)
            for j, n in enumerate(row)
            if n and i != j
        )
        return sorted(found, key=lambda one: (-one[0], one[1], one[2]))


def confusion(found: Confusion, things: str) -> list[Element]:
    """A sentence about the worst one, and the table."""
    worst, caption = found.wrong(), f"Confusions of {things}"
    if not worst:
        lead = e("p", "Nothing is taken for anything else.")
    else:
        n, true, given = worst[0]
        both = said(true, LETTERS), " is taken for ", said(given, LETTERS)
        read = ". Rows are what is so, columns what the model says."
        lead = e("p", f"Most often, in {number(n)} {things}, ", *both, read)
    if len(found.names) > MOST:
        rows = [
            (said(true, LETTERS), said(given, LETTERS), number(n))
            for n, true, given in worst[:WORST]
        ]
        return [lead, table(("so it is", "so it was named", things), rows, caption, 2)]
    head = e("tr", e("td"), *(e("th", said(name, LETTERS), scope="col") for name in found.names))
    rows_ = [
        e("tr", e("th", said(name, LETTERS), scope="row", class_="l"),
          *(e("td", number(n) if n else "·", class_=f"b{blue(n / (sum(row) or 1))}") for n in row))
        for name, row in zip(found.names, found.counts, strict=True)
    ]  # fmt: skip
    made = e("table", e("caption", caption, class_="unseen"), e("thead", head), e("tbody", *rows_),
             class_="confusion")  # fmt: skip
    return [lead, scrolling(made, caption)]
