"""Pieces of words by byte-pair merges (Gage 1994; Sennrich et al. 2016), over characters.

A word between blanks begins as MARK and its letters. Learning joins, again and again, the two
neighbouring pieces that stand side by side most often in the text,

    (a, b) = argmax_{a, b} sum_w n(w) |{i : w_i = a, w_{i+1} = b}|,   ab a new piece      (1)

ties by code points. Letters, digits and punctuation are never joined to each other: ``day!`` is
``day`` and ``!``. A word is cut by doing the same merges to it, the earliest one first. Counts
of pairs are kept up where a merge changes them, and a heap holds them: of its entries, those that
no longer agree with the counts are put right when they come up.
"""

import heapq
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Callable, Container, Iterable, Iterator, Mapping
from functools import lru_cache
from itertools import pairwise

from lmtool.text.escapes import escaped, unescaped
from lmtool.text.specials import NEVER_WORDS

__all__ = ["LEAST", "MARK", "Merges", "begins", "cutter", "join", "learn", "parse"]
__all__ += ["spelled", "verified"]

MARK = "\N{LOWER ONE EIGHTH BLOCK}"  # a word begins here
LEAST = 2  # times that a pair is seen before it is joined
JOINERS = "\u200c\u200d'\u2019-"  # within words
LONGEST = 100  # characters that are cut at once; a longer word comes in parts

Merges = tuple[tuple[str, str], ...]  # the earliest first
Pair = tuple[int, int]  # of pieces, numbered as they are learnt


def learn(counts: Mapping[str, int], n_pieces: int, min_count: int) -> tuple[list[str], Merges]:
    """(pieces, merges) of words, each with its count; at most ``n_pieces``, beside MARK.

    The characters seen ``min_count`` times, the most frequent first, then what is merged.
    """
    counts = {word: n for word, n in counts.items() if word not in NEVER_WORDS}
    letters: Counter[str] = Counter()
    for word, n in counts.items():
        for letter in marked(word):
            letters[letter] += n
    letters.pop(MARK, None)
    frequent = ((-n, letter) for letter, n in letters.items() if n >= min_count)
    kept = [letter for _, letter in heapq.nsmallest(n_pieces, frequent)]
    known = [MARK, *kept] if kept else []
    learner = Learner(known, counts)
    merges = tuple(learner.merged(n_pieces, max(LEAST, min_count)))
    return learner.pieces, merges


def marked(word: str) -> str:
    """What is cut: MARK stands in it at its beginning alone."""
    return MARK + escaped(word, MARK)


class Learner:
    """Words as pieces, and how often each pair of pieces is side by side."""

    def __init__(self, known: list[str], counts: Mapping[str, int]) -> None:
        self.pieces = [*known]
        self._number = {piece: n for n, piece in enumerate(known)}
        self._words = list[list[int]]()
        self._n = list[int]()
        self._counts: defaultdict[Pair, int] = defaultdict(int)
        self._where: defaultdict[Pair, list[int]] = defaultdict(list)  # words, some of them stale
        self._gone = set[Pair]()
        for word, n in counts.items():
            text = marked(word)
            for start, stop in spans(text, self._number):
                self._add([self._number[letter] for letter in text[start:stop]], n)
        self._heap = [self._entry(pair) for pair in self._counts]
        heapq.heapify(self._heap)

    def merged(self, n_pieces: int, least: int) -> Iterator[tuple[str, str]]:
        """(1), until there are so many pieces or no pair is seen so often."""
        while len(self.pieces) <= n_pieces and self._heap:
            entry = heapq.heappop(self._heap)
            pair = entry[3], entry[4]
            n = self._counts.get(pair, 0)
            if n != -entry[0]:
                if n >= least:
                    heapq.heappush(self._heap, self._entry(pair))
                continue
            if n < least:
                return
            if entry[1] + entry[2] not in NEVER_WORDS:
                self._merge(*pair)
                yield entry[1], entry[2]

    def _add(self, word: list[int], n: int) -> None:
        if len(word) < 2:
            return
        for pair in pairwise(word):
            self._counts[pair] += n
            self._where[pair].append(len(self._words))
        self._words.append(word)
        self._n.append(n)

    def _entry(self, pair: Pair) -> tuple[int, str, str, int, int]:
        a, b = pair
        return -self._counts[pair], self.pieces[a], self.pieces[b], a, b

    def _merge(self, a: int, b: int) -> None:
        """Makes one piece of two wherever they stand side by side."""
        joined = self.pieces[a] + self.pieces[b]
        c = self._number.setdefault(joined, len(self.pieces))
        if c == len(self.pieces):
            self.pieces.append(joined)
        grown = set[Pair]()
        for place in self._where.pop((a, b)):
            self._merge_in(place, a, b, c, grown)
        self._gone.add((a, b))
        self._counts.pop((a, b), None)
        for pair in grown - self._gone:
            heapq.heappush(self._heap, self._entry(pair))

    def _merge_in(self, place: int, a: int, b: int, c: int, grown: set[Pair]) -> None:
        word, n, counts = self._words[place], self._n[place], self._counts
        i = 0
        while i < len(word) - 1:
            if word[i] == a and word[i + 1] == b:
                word[i : i + 2] = [c]
                if i:
                    counts[word[i - 1], a] -= n
                    self._grow((word[i - 1], c), n, place, grown)
                if i + 1 < len(word):
                    counts[b, word[i + 1]] -= n
                    self._grow((c, word[i + 1]), n, place, grown)
            i += 1

    def _grow(self, pair: Pair, n: int, place: int, grown: set[Pair]) -> None:
        self._counts[pair] += n
        self._where[pair].append(place)
        grown.add(pair)


def spans(text: str, known: Container[str]) -> Iterator[tuple[int, int]]:
    """Where runs of known characters of one sort begin and end, each of at most LONGEST."""
    start = 0
    while start < len(text):
        stop = start
        while stop < len(text) and stop < start + LONGEST and text[stop] in known:
            if stop > start and apart(text[stop - 1], text[stop]):
                break
            stop += 1
        if stop > start:
            yield start, stop
        start = max(stop, start + 1)


@lru_cache(1 << 16)
def apart(a: str, b: str) -> bool:
    """Whether neighbours are of two sorts; MARK belongs to what comes next."""
    return a != MARK and sort(a) != sort(b)


def sort(letter: str) -> str:
    """L of letters, with the marks on them and what joins them, N of digits, else P."""
    category = unicodedata.category(letter)[0]
    return "L" if category in "LM" or letter in JOINERS else "N" if category == "N" else "P"


def cutter(tokens: Iterable[str], merges: Merges) -> Callable[[str], list[str]]:
    """Word -> its pieces; a run of unknown characters is one, and a special."""
    known = frozenset(token for token in tokens if len(token) == 1)
    ranks = {pair: rank for rank, pair in enumerate(merges)}

    def cut(word: str) -> list[str]:
        if word in NEVER_WORDS:
            return [MARK, word]
        text, pieces, end = marked(word), list[str](), 0
        for start, stop in spans(text, known):
            if start > end:
                pieces.append(text[end:start])
            pieces += merged(text[start:stop], ranks)
            end = stop
        return [*pieces, text[end:]] if end < len(text) else pieces

    return cut


def merged(letters: str, ranks: Mapping[tuple[str, str], int]) -> list[str]:
    """The pieces of known characters: the earliest merge first, each wherever it can be done."""
    word, last = [*letters], len(ranks)
    while len(word) > 1:
        pairs = [*pairwise(word)]
        found = [ranks.get(pair, last) for pair in pairs]
        rank = min(found)
        if rank == last:
            break
        a, b = pairs[found.index(rank)]
        word = together(word, a, b)
    return word


def together(word: list[str], a: str, b: str) -> list[str]:
    """The pair as one piece, from the left."""
    done, i = list[str](), 0
    while i < len(word):
        both = i + 1 < len(word) and word[i] == a and word[i + 1] == b
        done.append(a + b if both else word[i])
        i += 1 + both
    return done


def begins(before: str, token: str) -> bool:
    """Whether a word begins at the second token; MARK alone is no word yet."""
    return token != MARK and (token.startswith(MARK) or before == MARK)


def join(tokens: Iterable[str]) -> str:
    """The line that tokens spell; words without a letter leave no trace."""
    return unescaped(" ".join(filter(None, "".join(tokens).split(MARK))), MARK)


def spelled(merges: Merges) -> str:
    """What ``parse`` reads."""
    return "\n".join(map(" ".join, merges))


def parse(text: str) -> Merges:
    """A merge a line, two pieces with a blank between them. Raises ValueError."""
    lines = text.split("\n") if text else []
    pairs = [tuple(line.split(" ")) for line in lines]
    if any(len(pair) != 2 for pair in pairs):
        raise ValueError("its merges are damaged")
    return tuple((pair[0], pair[1]) for pair in pairs)


def verified(merges: Merges, tokens: Iterable[str]) -> bool:
    """Whether ``learn`` can have made both: each merge of pieces there are, each piece by one."""
    wanted = set(tokens)
    made = {token for token in wanted if len(token) == 1}
    if (wanted and MARK not in wanted) or len(set(merges)) < len(merges):
        return False
    for a, b in merges:
        if a not in made or b not in made or MARK in b:
            return False
        made.add(a + b)
    return made == wanted
