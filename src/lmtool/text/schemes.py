"""Tags of phrases: which scheme a file's are of, and the phrases that they say.

A tag is O, outside of all phrases, or a letter with a type (``B-PER``), or the letter alone:

scheme   first  inside  last  alone
IOB2     B      I       I     B
IOB1     I      I       I     I     but first B where the word before ends a phrase of this type
BIOES    B      I       E     S
BIOS     B      I       I     S
BILOU    B      I       L     U
BMES     B      M       E     S
BMEW     B      M       E     W

All are read in the same way, which is conlleval's (Tjong Kim Sang & Buchholz 2000): a phrase begins
at B and S, after O, E and S, and where the type changes. So each sequence of tags says phrases, one
that is out of order as well, and whether a file of B and I alone is IOB1 or IOB2 changes none.
"""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from lmtool.display import counted
from lmtool.errors import InputError
from lmtool.text.labels import in_order, shown

__all__ = ["BIOES", "IOB2", "OUTSIDE", "PLAIN", "SCHEMES", "Found", "Phrase"]
__all__ += ["common", "detect", "of_phrases", "parted", "phrases", "strict_phrases", "written"]

OUTSIDE, PLAIN, IOB2, IOB1, BIOES = "O", "plain", "IOB2", "IOB1", "BIOES"
SCHEMES = {  # first, inside, last, alone; where several fit equally well the first one counts
    IOB2: "BIIB",
    IOB1: "IIII",
    BIOES: "BIES",
    "BIOS": "BIIS",
    "BILOU": "BILU",
    "BMES": "BMES",
    "BMEW": "BMEW",
}
AS_BIOES = {"B": "B", "I": "I", "M": "I", "E": "E", "L": "E", "S": "S", "U": "S", "W": "S"}
TYPED = re.compile(rf"[{''.join(AS_BIOES)}]-.+")


class Phrase(NamedTuple):
    """Words from ``start`` up to ``end``, which is no longer one of them."""

    start: int
    end: int
    type: str  # empty where tags are letters alone


class Found(NamedTuple):
    """What the tags of a file were taken for."""

    scheme: str  # one of SCHEMES, or PLAIN
    names: tuple[str, ...]  # the types of phrases, or the plain tags
    n_mended: int = 0  # tags out of order: they would be others if the phrases were written anew
    stranger: str = ""  # a tag that is of no scheme, where most of them are: so they are plain

    @property
    def phrased(self) -> bool:
        """Whether the tags say phrases."""
        return self.scheme != PLAIN

    def __str__(self) -> str:
        """``tags IOB1, 4 types``, ``tags plain, 45 of them``, ``tags 0 and 1``"""
        if self.names == ("0", "1"):
            return "tags 0 and 1"
        if not self.phrased:
            why = f" ({shown(self.stranger)} is of no scheme)" if self.stranger else ""
            return f"tags plain{why}, {len(self.names):,} of them"
        types = "no types" if self.names == ("",) else counted(len(self.names), "type")
        mended = f", {counted(self.n_mended, 'tag')} out of order" if self.n_mended else ""
        return f"tags {self.scheme}, {types}{mended}"


def detect(sentences: Iterable[Sequence[str]]) -> Found:
    """The scheme of the tags of a whole file: that in which the fewest are out of order."""
    counts = Counter(map(tuple, sentences))
    names = {name for tags in counts for name in tags} - {OUTSIDE}
    typed = {name for name in names if TYPED.fullmatch(name)}
    bare = names <= AS_BIOES.keys() and ("B" in names or not names)
    if typed != names and not bare:
        kept = names | {name for tags in counts for name in tags}
        stranger = min(names - typed) if 2 * len(typed) > len(names) else ""
        return Found(PLAIN, tuple(in_order(kept)), stranger=stranger)
    n_mended, scheme = fewest(counts, {name[0] for name in names})
    return Found(scheme, tuple(in_order({parted(name)[1] for name in names})), n_mended)


def fewest(counts: Counter[tuple[str, ...]], letters: set[str]) -> tuple[int, str]:
    """(tags out of order, the scheme with the fewest of them) among those that have the letters."""
    tried = list[tuple[int, str]]()
    for scheme in [x for x in SCHEMES if letters <= set(SCHEMES[x]) | {"B"}] or SCHEMES:
        n = sum(times * misplaced(tags, scheme) for tags, times in counts.items())
        tried.append((n, scheme))
        if not n:
            break
    return min(tried, key=lambda one: one[0])


def common(files: Iterable[tuple[str, Found]]) -> str:
    """The scheme of several files (path, found), which that of the first one is called.

    Raises InputError where one has phrases and another plain tags.
    """
    path, first = "", Found(IOB2, ())
    for other, found in files:
        if first.names and found.names and first.phrased != found.phrased:
            message = f"{found}, but in {path} {first}"
            raise InputError(f"{other}: {message}; all files need phrases, or none of them")
        path, first = (path, first) if first.names else (other, found)
    return first.scheme


def misplaced(tags: Sequence[str], scheme: str) -> int:
    """How many tags are others once the phrases are written in a scheme."""
    again = written(phrases(tags), len(tags), scheme)
    return sum(a != b for a, b in zip(tags, again, strict=True))


def phrases(tags: Sequence[str]) -> list[Phrase]:
    """The phrases of a sentence, in their order; other letters are read as I.

    [B-PER, I-PER, O, I-LOC] -> [(0, 2, PER), (3, 4, LOC)]
    """
    known = {name: parted(name) for name in set(tags)}
    found, start, before = list[Phrase](), 0, (OUTSIDE, "")
    for place, (letter, kind) in enumerate([*map(known.__getitem__, tags), (OUTSIDE, "")]):
        last, last_kind = before
        turns = letter in "OBS" or last in "OES" or kind != last_kind
        if turns and last != OUTSIDE:
            found.append(Phrase(start, place, last_kind))
        start = place if turns else start
        before = letter, kind
    return found


def strict_phrases(tags: Sequence[str], scheme: str = IOB2) -> list[Phrase]:
    """The phrases of IOB2 or BIOES that are whole: a B, then I of its type, in BIOES then an E; S.

    What goes on without a beginning is none: [I-LOC, B-PER, I-PER] -> [(1, 3, PER)].
    """
    parts = [*map(parted, tags), (OUTSIDE, "")]
    found, start = list[Phrase](), -1  # where the open phrase begins
    for place, (letter, kind) in enumerate(parts):
        goes_on = start >= 0 and letter in "IE" and kind == parts[start][1]
        if scheme == IOB2 and start >= 0 and not goes_on:
            found.append(Phrase(start, place, parts[start][1]))
        if letter == "S" or (letter == "E" and goes_on):
            found.append(Phrase(start if goes_on else place, place + 1, kind))
        opens = letter == "B" or (goes_on and letter == "I")
        start = (start if goes_on else place) if opens else -1
    return found


def written(found: Sequence[Phrase], n: int, scheme: str) -> tuple[str, ...]:
    """The tags of n words that say these phrases: [(0, 2, PER)], 3, BIOES -> (B-PER, E-PER, O)."""
    names, before = [OUTSIDE] * n, Phrase(0, 0, "")
    for phrase in found:
        head, inside, last, only = list(SCHEMES[scheme])
        touches = before.end == phrase.start and before.type == phrase.type and before.end > 0
        if scheme == IOB1 and touches:
            head = only = "B"

        length = phrase.end - phrase.start
        letters = only if length == 1 else head + inside * (length - 2) + last
        tail = f"-{phrase.type}" if phrase.type else ""
        names[phrase.start : phrase.end] = [letter + tail for letter in letters]
        before = phrase
    return tuple(names)


def of_phrases(name: str) -> bool:
    """Whether a tag can say a phrase: O, B-PER, U; not NNP."""
    return name == OUTSIDE or name in AS_BIOES or TYPED.fullmatch(name) is not None


def parted(name: str) -> tuple[str, str]:
    """(its letter in BIOES, its type): U-PER -> (S, PER), B-a-b -> (B, a-b), O -> (O, '')."""
    letter, _, kind = name.partition("-")
    return (OUTSIDE, "") if name == OUTSIDE else (AS_BIOES.get(letter, "I"), kind)
