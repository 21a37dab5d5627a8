# ruff: noqa: RUF001
"""Words apart from punctuation, so that ``day!`` is the word ``day`` and ``!``; nothing is lost.

Whether a token stands close to the one before it or behind it follows from its spelling: closing
punctuation and English clitics lean to the left, opening brackets, quotes and French ``l'`` to the
right, words to neither side. Only where a text goes against that habit does a token carry a mark
on that side: ``and/or`` -> ``and`` ``￭/￭`` ``or``, and a comma between blanks is ``￭,``.

    close(a, b) = (a leans right) or (b leans left),   a lean being habit xor mark     (1)

So the tokens of a word between blanks are its own, whatever stands beside it.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from functools import lru_cache

from lmtool.text.escapes import escaped, unescaped
from lmtool.text.specials import NEVER_WORDS

__all__ = ["MARK", "join", "parted", "split_word"]

MARK = "\N{HALFWIDTH BLACK SQUARE}"
REMEMBERED = 1 << 16  # tokens
LEFT, RIGHT, NEITHER = -1, 1, 0
JOINERS = "\u200c\u200d"


class Shapes(dict[int, int]):
    """For ``str.translate``: letters become a, digits 0, marks m, joiners j; all else stays."""

    def __missing__(self, code: int) -> int:
        letter = chr(code)
        category = unicodedata.category(letter)
        if letter in JOINERS:
            shape = "j"
        elif category == "Nd":
            shape = "0"
        elif category[0] == "M":
            shape = "m"
        else:
            shape = "a" if category[0] in "LN" or letter == "_" else letter
        self[code] = ord(shape)
        return self[code]


SHAPES = Shapes()
TOKEN = re.compile(  # over shapes
    r"""(?:a\.){2,}(?![a0mj])                                 # U.S., e.g.
    | [a0mj]+ (?: (?: [-‐‑'’·](?=[a0]) | (?<=0)[.,:/٫٬](?=0) ) [a0mj]+ )*  # well-known, 12:30
    | ([^a0mj])\1* m* (?: j [^a0mj] m* )*                     # !, ..., an emoji of several
    """,
    re.VERBOSE,
)
SPECIALS = re.compile(f"({'|'.join(map(re.escape, sorted(NEVER_WORDS)))})")
APOSTROPHES = "'’"
ELISION = re.compile(  # l'homme, dell'arte
    r"(?:[cdjlmnst]|qu|jusqu|lorsqu|puisqu|quoiqu|un|all|dall|dell|nell|sull)['’]", re.IGNORECASE
)
LEANS_LEFT = re.compile(r"n['’]t|['’](?:s|m|d|re|ve|ll)", re.IGNORECASE)  # don't, Todd's
CLOSING = frozenset(".,;:!?…%°’।॥。、，！？；：؟،؛")
OPENING = frozenset("¿¡#@\"'`")


def split_word(word: str) -> list[str]:
    """The tokens of what stands between blanks, each with the marks that it needs."""
    tokens = list(parted(escaped(word, MARK)))
    habits = [habit(token) for token in tokens]
    left, right = [False] * len(tokens), [False] * len(tokens)
    left[0], right[-1] = habits[0] == LEFT, habits[-1] == RIGHT  # blanks are there
    for i in range(1, len(tokens)):
        if habits[i - 1] != RIGHT and habits[i] != LEFT:
            before = bare_word(tokens[i]) and not bare_word(tokens[i - 1])
            (right if before else left)[i - before] = True
    marked = zip(left, tokens, right, strict=True)
    return [f"{MARK * before}{token}{MARK * after}" for before, token, after in marked]


def parted(word: str) -> Iterator[str]:
    """The tokens of a word without marks, which joined give it again."""
    if word.isalpha() or LEANS_LEFT.fullmatch(word):
        yield word
        return
    for part in SPECIALS.split(word) if "<" in word else (word,):
        if part in NEVER_WORDS:
            yield part
            continue
        for found in TOKEN.finditer(part.translate(SHAPES)):
            token = part[found.start() : found.end()]
            yield from clitics(token) if any(map(token.count, APOSTROPHES)) else (token,)


def clitics(word: str) -> list[str]:
    """``don't`` -> ``do`` ``n't``; ``l'homme`` -> ``l'`` ``homme``; others as they are."""
    start, stop, before, behind = 0, len(word), list[str](), list[str]()
    while n := ending(word, stop):
        behind.append(word[stop - n : stop])
        stop -= n
    while (found := ELISION.match(word, start, stop)) and found.end() < stop:
        before.append(found[0])
        start = found.end()
    return [*before, word[start:stop], *reversed(behind)]


def ending(word: str, stop: int) -> int:
    """The length of the clitic that ends there with something before it; 0 if there is none."""
    return next((n for n in (3, 2) if stop > n and LEANS_LEFT.fullmatch(word, stop - n, stop)), 0)


def habit(token: str) -> int:
    """LEFT, RIGHT or NEITHER: where a token without marks stands close."""
    return habit_of(token if len(token) < 4 else token[:2] + token[-2:])


@lru_cache(REMEMBERED)
def habit_of(token: str) -> int:
    """The same of one that is short: the ends of a long one say it all."""
    first = token[0]
    if first.isalnum() or first in APOSTROPHES:
        if LEANS_LEFT.fullmatch(token):
            return LEFT
        if first.isalnum():
            return RIGHT if token[-1] in APOSTROPHES and token[-2].isalpha() else NEITHER
    category = unicodedata.category(first)
    if first in CLOSING or category in ("Pe", "Pf"):
        return LEFT
    return RIGHT if first in OPENING or category in ("Ps", "Pi", "Sc") else NEITHER


def bare_word(token: str) -> bool:
    """Whether it is a word or a number, rather than punctuation."""
    return token[0].isalnum()


def leaning(token: str) -> tuple[bool, str, bool]:
    """(leans left, what is written, leans right), the marks counted in."""
    before = len(token) > 1 and token[0] == MARK
    after = len(token) > 1 + before and token[-1] == MARK
    bare = token[before : len(token) - after]
    own = habit(bare)
    return before != (own == LEFT), bare, after != (own == RIGHT)


def begins(before: str, token: str) -> bool:
    """Whether a blank comes between two tokens: not (1)."""
    return not (leaning(before)[2] or leaning(token)[0])


def join(tokens: Iterable[str]) -> str:
    """The line; of tokens of ``split_word`` the one that they come from."""
    parts, close = list[str](), True
    for token in filter(None, tokens):
        left, bare, right = leaning(token)
        parts.append(bare if close or left else f" {bare}")
        close = right
    return unescaped("".join(parts), MARK)
