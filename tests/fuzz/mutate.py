"""Small damage to bytes, and to the JSON inside tensor files."""

import json
import random
import struct
from typing import Any

from tests.fuzz.cases import sealed

__all__ = ["mutated"]

ODD = (
    b"\0", b"\xff", b"\xed\xa0\x80", b"\n", b"\r", b'"', b",", b"\t", b"\x1b[2J", b"[" * 2000,
    b"9" * 5000, b"NaN", b"1e999", b"-1", b"\xe2\x80\xa8", b"\xef\xbb\xbf", b"../", b"--",
)  # fmt: skip
VALUES: tuple[Any, ...] = (
    None, True, -1, 0, 1, 2**31, 2**63, 2**70, 10**400, 0.5, 1e308, "", "x", "\n\x1b", [], {}, [[]],
    [0, 0], {"a": 1}, "lstm", "F32", "I64", "U8",
)  # fmt: skip


def mutated(data: bytes, rng: random.Random, tensors: bool) -> bytes:
    """The data with one to four changes; in a tensor file often where only a forger would."""
    if tensors and rng.random() < 0.6:
        return forged(data, rng)
    for _ in range(rng.randint(1, 4)):
        data = changed(data, rng)
    return data


def changed(data: bytes, rng: random.Random) -> bytes:
    """One change somewhere."""
    at = rng.randrange(len(data) + 1)
    stop = min(len(data), at + rng.choice((1, 2, 8, 64, len(data))))
    kind = rng.randrange(5)
    if kind == 0 and at < len(data):
        return data[:at] + bytes([data[at] ^ 1 << rng.randrange(8)]) + data[at + 1 :]
    if kind == 1:
        return data[:at] + data[stop:]
    if kind == 2:
        return data[:at] + rng.choice(ODD) + data[at:]
    if kind == 3:
        return data[:at] + data[at:stop] * 2 + data[stop:]
    return data[:at] + rng.randbytes(rng.choice((1, 4, 30))) + data[stop:]


def forged(data: bytes, rng: random.Random) -> bytes:
    """A change to the header, the card or the tensors, under a checksum that fits."""
    (size,) = struct.unpack("<Q", data[:8])
    header, rest = json.loads(data[8 : 8 + size]), data[8 + size :]
    card = json.loads(header["__metadata__"]["lmtool"])
    for _ in range(rng.randint(1, 3)):
        kind = rng.randrange(4)
        if kind == 0:
            alter(card, rng)
        elif kind == 1:
            alter({name: entry for name, entry in header.items() if name != "__metadata__"}, rng)
        elif kind == 2:
            alter(header, rng)
        elif rest:
            at = rng.randrange(len(rest))
            some = rng.choice((b"\0\0\xc0\x7f", b"\xff" * 8, b"\n\n", b"\x80", b"\0" * 8))
            rest = rest[:at] + some + rest[at + len(some) :]
    if isinstance(header.get("__metadata__"), dict):
        header["__metadata__"]["lmtool"] = json.dumps(card)
    return sealed(json.dumps(header).encode(), rest)


def alter(tree: Any, rng: random.Random) -> None:
    """Replaces, removes or adds one value somewhere in a tree of JSON."""
    while True:
        keys = list(tree) if isinstance(tree, dict) else list(range(len(tree)))
        if not keys:
            return
        key = rng.choice(keys)
        below = tree[key]
        if isinstance(below, dict | list) and below and rng.random() < 0.8:
            tree = below
            continue
        kind = rng.randrange(4)
        if kind == 0:
            del tree[key]
        elif kind == 1 and isinstance(tree, dict):
            tree[rng.choice(("", "more", "\n"))] = rng.choice(VALUES)
        else:
            tree[key] = rng.choice(VALUES)
        return
