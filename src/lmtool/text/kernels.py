"""The kernels that number the words of a text, and leave out what is no line.

The words stand one after another as UTF-8 in ``arena``; word n is arena[starts[n] : starts[n + 1]].
``slots`` (size, 2) is a hash table with linear probing: key of the word, then 2 n, plus 1 if the
word is longer than 8 bytes; 0 where empty. The key of a short word is its bytes, so that it is
found by one look at the table; that of a long one is a hash, and its bytes are compared. Hash and
place are keyed by ``secret``, so that no text can be written whose words all meet in one slot.
"""

from typing import Any

import numpy as np

from lmtool.kernel_cache import compiler

__all__ = ["move_slots", "number_words", "tidy"]

kernel = compiler(__file__)

FLAGS: dict[str, Any] = {"nogil": True, "error_model": "numpy"}
WITHIN = FLAGS | {"forceinline": True}  # calls with arrays cost more than the loops
LF = 10
SHORT = 8  # bytes
LETTER, WHITE, UNSURE = 0, 1, 2
KIND = np.full(256, LETTER, np.uint8)  # of a byte; white space is that of str.split
KIND[[9, 10, 11, 12, 13, 28, 29, 30, 31, 32]] = WHITE
KIND[[0xC2, 0xE1, 0xE2, 0xE3]] = UNSURE  # first byte of a letter or of wide white space
BYTE, HALF, ONE = np.uint64(8), np.uint64(32), np.uint64(1)


@kernel(**WITHIN)
def white(text: Any, at: int) -> int:
    """The bytes of the white space character at ``at``, whose first byte is UNSURE; else 0."""
    if text[at] == 0xC2:  # U+0085, U+00A0
        return 2 if text[at + 1] == 0x85 or text[at + 1] == 0xA0 else 0
    code = (text[at] & 15) << 12 | (text[at + 1] & 63) << 6 | (text[at + 2] & 63)
    general = 0x2000 <= code <= 0x200A or 0x2028 <= code <= 0x2029
    single = code == 0x1680 or code == 0x202F or code == 0x205F or code == 0x3000
    return 3 if general or single else 0


@kernel(**WITHIN)
def mixed(x: Any, secret: Any) -> Any:
    """64 bits that all depend on all bits of x, keyed by two odd numbers (2,)."""
    x = (x ^ x >> HALF) * secret[0]
    x = (x ^ x >> HALF) * secret[1]
    return x ^ x >> HALF


@kernel(**WITHIN)
def read_word(text: Any, at: int, secret: Any) -> Any:
    """(end, key) of the word that begins at ``at``."""
    begin, key, hashed = at, np.uint64(0), np.uint64(0)
    while at < text.shape[0]:
        kind = KIND[text[at]]
        if kind == WHITE or (kind == UNSURE and white(text, at)):
            break
        key = key << BYTE | np.uint64(text[at])
        at += 1
        if at - begin & SHORT - 1 == 0:
            hashed = mixed(hashed ^ key, secret)
    return at, key if at - begin <= SHORT else mixed(hashed ^ key, secret) + np.uint64(at - begin)


@kernel(**FLAGS)
def number_words(
    text: Any, at: int, n: int, secret: Any, slots: Any, starts: Any, arena: Any, out: Any
) -> tuple[int, int, int]:
    """The numbers of the words of text[at:], 0 for a line's end: (where it stopped, n, len).

    ``n`` numbers are taken. It stops early where a new word finds no room in starts or arena.
    """
    length, last = 0, np.uint64(slots.shape[0] - 1)
    while at < text.shape[0]:
        kind = KIND[text[at]]
        space = 1 if kind == WHITE else white(text, at) if kind == UNSURE else 0
        if space:
            if text[at] == LF:
                out[length] = 0
                length += 1
            at += space
            continue
        end, key = read_word(text, at, secret)
        long = np.uint64(end - at > SHORT)
        slot = mixed(key, secret) & last
        while slots[slot, 1]:  # not a function of its own: three times slower
            entry = slots[slot, 1]
            if slots[slot, 0] == key and entry & ONE == long:
                if not long:
                    break
                start, stop = starts[np.int64(entry >> ONE)], starts[np.int64(entry >> ONE) + 1]
                i = 0
                while i < end - at and start + i < stop and text[at + i] == arena[start + i]:
                    i += 1
                if i == end - at and start + i == stop:
                    break
            slot = slot + ONE & last
        if not slots[slot, 1]:
            stop = starts[n] + end - at
            if n + 1 == starts.shape[0] or stop > arena.shape[0]:
                break
            for i in range(end - at):
                arena[starts[n] + i] = text[at + i]
            slots[slot, 0], slots[slot, 1] = key, np.uint64(2 * n) | long
            n += 1
            starts[n] = stop
        out[length] = np.int32(slots[slot, 1] >> ONE)
        length += 1
        at = end
    return at, n, length


@kernel(**FLAGS)
def move_slots(old: Any, secret: Any, slots: Any) -> None:
    """Enters what ``old`` holds into larger, empty ``slots``."""
    last = np.uint64(slots.shape[0] - 1)
    for i in range(old.shape[0]):
        if old[i, 1]:
            slot = mixed(old[i, 0], secret) & last
            while slots[slot, 1]:
                slot = slot + ONE & last
            slots[slot, 0], slots[slot, 1] = old[i, 0], old[i, 1]


@kernel(**FLAGS)
def tidy(numbers: Any, marks: Any) -> int:
    """Moves what stays of whole lines (T,) to the front, in place; how much that is.

    A 0 ends a line. One of ``marks`` right before it goes, and then the end of an empty line.
    """
    length = begun = 0
    for i in range(numbers.shape[0]):
        if numbers[i]:
            numbers[length] = numbers[i]
            length += 1
            continue
        if length > begun:
            for mark in marks:
                if numbers[length - 1] == mark:
                    length -= 1
                    break
        if length > begun:
            numbers[length] = 0
            length += 1
        begun = length
    return length
