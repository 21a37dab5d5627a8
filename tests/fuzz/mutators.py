"""Damage: to bytes, to JSON, to tensor files whose checksum is put right afterwards."""

import copy
import json
import math
import struct
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from lmtool import tensor_file

__all__ = ["damaged_bytes", "damaged_tensor_file"]

Rng = np.random.Generator
Parts = tuple[dict[str, Any], dict[str, Any], bytes]  # card, entries, data


def nested(depth: int) -> Any:
    """[[[...]]]"""
    value: Any = 0
    for _ in range(depth):
        value = [value]
    return value


SCALARS: tuple[Any, ...] = (
    None, True, False, 0, -1, 1, 2, 3, 0.5, -0.0, 10**6, 10**9, 10**12, 2**31, 2**63, 2**64, 10**30,
    10**4000, 1e308, 1e-320, math.nan, math.inf, -math.inf,
)  # fmt: skip
TEXTS = (
    "", "a", "-", "\x1b[2J", "\ud800", "\u2028", "x" * 10_000, "lstm", "gru", "rnn", "relu", "tanh",
    "char", "word", "full", "sampled", "classes", "sgd", "adam", "document", "sentence", "F32",
    "I32", "I64", "U8", "F64", "BOOL", "vocabulary", "counts", "subword", "split",
    "a\nb", "/etc/passwd", "none",
)  # fmt: skip
SHAPES: tuple[Any, ...] = (
    [], {}, [[]], [{}], [1, {"a": 2}], [{"name": [1]}, {"name": {}}], {"name": "x"}, [0],
    [0, 10**30], [{"a": 1}, {"b": 2}], [{"step": "\x1b[2J", "\x1b]0;x": 1}],
    [2**40, 2**20], [1] * 70, [-1, -1],
)  # fmt: skip
TOKENS = (
    b"\x1b[31m",
    b"<EOS>",
    b"<UNK>",
    b"",
    b" ",
    b"\xff",
    b"\xed\xa0\x80",
    b"Todd",
    b"\n",
    b"\0",
)
NUMBERS = (0.0, math.nan, math.inf, 1e38, -3e38, 1e-45, 100.0, 1e6)
TAGS = (
    b"PK\3\4", b"\x1f\x8b", b"\x80\x04", b"%PDF-", b"\0\0\0\0{", b"\xef\xbb\xbf", b"\xff\xfe",
    b"\0", b"\n", b"\r\n", b"\r", b'"', b";", b",", b"\t", b"\xe9",
)  # fmt: skip


def one_of(rng: Rng, choices: Sequence[Any]) -> Any:
    """Any of them."""
    return choices[int(rng.integers(len(choices)))]


def weird(rng: Rng) -> Any:
    """A value that nobody expects."""
    made: Sequence[Callable[[], Any]] = (
        lambda: one_of(rng, SCALARS),
        lambda: one_of(rng, TEXTS),
        lambda: copy.deepcopy(one_of(rng, SHAPES)),
        lambda: nested(int(one_of(rng, (10, 49, 60, 100)))),
        lambda: int(rng.integers(-10, 2000)),
    )
    return one_of(rng, made)()


def damaged_bytes(data: bytes, rng: Rng) -> bytes:
    """Flipped, cut, doubled, inserted, mixed up: one to four times."""
    for _ in range(int(rng.integers(1, 5))):
        at, other = (int(rng.integers(len(data) + 1)) for _ in range(2))
        data = one_of(rng, CUTS)(data, at, other, int(rng.integers(1, 17)), rng)
    return data


CUTS: tuple[Callable[[bytes, int, int, int, Rng], bytes], ...] = (
    lambda data, at, other, n, rng: data[:at] + rng.bytes(n) + data[at + n :],
    lambda data, at, other, n, rng: data[:at],
    lambda data, at, other, n, rng: data[:at] + data[at + n :],
    lambda data, at, other, n, rng: data[:at] + data[other : other + n] + data[at:],
    lambda data, at, other, n, rng: data[:at] + bytes(one_of(rng, TAGS)) + data[at:],
    lambda data, at, other, n, rng: data[:at] + bytes(one_of(rng, TOKENS)) * n + data[at:],
)


def damaged_tensor_file(data: bytes, rng: Rng) -> bytes:
    """Damaged bytes, or a damaged card or tensor under a checksum that fits where one can."""
    if rng.random() < 0.15:
        return damaged_bytes(data, rng)
    card, entries, body = taken_apart(data)
    for _ in range(int(rng.integers(1, 4))):
        card, entries, body = one_of(rng, DAMAGES)((card, entries, body), rng)
    return put_together(card, entries, body, rng)


def taken_apart(data: bytes) -> Parts:
    """Card, entries by name, and the bytes behind the header."""
    (size,) = struct.unpack("<Q", data[:8])
    header = json.loads(data[8 : 8 + size])
    return json.loads(header.pop("__metadata__")["lmtool"]), header, data[8 + size :]


def put_together(card: dict[str, Any], entries: dict[str, Any], body: bytes, rng: Rng) -> bytes:
    """A file; its checksum fits if there can be one, but for every tenth."""
    if rng.random() < 0.9:
        card = signed(card, entries, body)
    header = json.dumps({"__metadata__": {"lmtool": json.dumps(card)}, **entries})
    if rng.random() < 0.03:
        header = header.replace("{", '{"counts": 1, "counts": 2, ', 1)
    if rng.random() < 0.03:
        deep = int(one_of(rng, (500, 3000, 100_000)))
        header = header.replace("{", '{"deep": ' + "[" * deep + "]" * deep + ", ", 1)
    raw = header.encode("utf-8", "surrogatepass")
    return struct.pack("<Q", len(raw)) + raw + body


def signed(card: dict[str, Any], entries: dict[str, Any], body: bytes) -> dict[str, Any]:
    """The card with a checksum that fits, where the tensors can be read."""
    rest = {name: value for name, value in card.items() if name != "checksum"}
    try:
        tensors = {name: tensor_file.tensor(memoryview(body), e) for name, e in entries.items()}
        return {**rest, "checksum": tensor_file.checksum(tensors, rest)}
    except Exception:  # then it is refused before its checksum is looked at
        return card


def places(value: Any) -> list[tuple[Any, Any]]:
    """(container, key) of every part of a JSON value."""
    pairs = list(value.items()) if isinstance(value, dict) else []
    pairs = list(enumerate(value)) if isinstance(value, list) else pairs
    own = [(value, key) for key, _ in pairs]
    return own + [place for _, part in pairs for place in places(part)]


def with_odd_value(parts: Parts, rng: Rng) -> Parts:
    """Something in the card is another value, or gone, or more."""
    card = copy.deepcopy(parts[0])
    try:
        container, key = one_of(rng, places(card))
    except (RecursionError, ValueError):  # damaged enough
        return parts
    kind = rng.random()
    if kind < 0.7:
        container[key] = weird(rng)
    elif kind < 0.85:
        del container[key]
    elif isinstance(container, dict):
        container[one_of(rng, TEXTS)] = weird(rng)
    return card, parts[1], parts[2]


def with_odd_provenance(parts: Parts, rng: Rng) -> Parts:
    """What info shows is anything."""
    card = dict(parts[0])
    names = ("curve", "parameters", "model", "n_bytes", "result", "\x1b[2J", "text")
    if "provenance" in card:
        card["provenance"] = {one_of(rng, names): weird(rng) for _ in range(3)}
    return card, parts[1], parts[2]


def with_odd_entry(parts: Parts, rng: Rng) -> Parts:
    """A tensor's type, shape or place is another."""
    entries = copy.deepcopy(parts[1])
    name = one_of(rng, list(entries)) if entries else "counts"
    entry = entries.get(name)
    kind = rng.random()
    if kind < 0.2 or not isinstance(entry, dict):
        entries[name] = weird(rng)
    elif kind < 0.4:
        entries[one_of(rng, TEXTS)] = entries.pop(name)
    elif kind < 0.6:
        shape = entry.get("shape")
        total = math.prod(shape) if isinstance(shape, list) and len(shape) < 9 else 0
        entry["shape"] = one_of(rng, ([total], [1, total], [total, 1], [0, 10**30], [], [2**63]))
    else:
        entry[one_of(rng, ("dtype", "shape", "data_offsets"))] = weird(rng)
    return parts[0], entries, parts[2]


def with_odd_numbers(parts: Parts, rng: Rng) -> Parts:
    """Some bytes of a tensor are others: random, or numbers that nobody expects."""
    _, entries, body = parts
    try:
        start, stop = entries[one_of(rng, list(entries))]["data_offsets"]
        n = int(rng.integers(1, max(2, (stop - start) // 4)))
        at = start + 4 * int(rng.integers(max(1, (stop - start) // 4)))
        long = np.array(one_of(rng, (2**62, -1, 2**63 - 1, 0)), np.int64).tobytes()
        short = np.float32(one_of(rng, NUMBERS)).tobytes()
        new = one_of(rng, (rng.bytes(8), short * n, long * n))[: stop - at]
    except (LookupError, TypeError, ValueError):  # damaged before
        return parts
    return parts[0], entries, body[:at] + new + body[at + len(new) :]


def with_other_weights(parts: Parts, rng: Rng) -> Parts:
    """Every weight is as large, or a hundred times as large, ..., as it was."""
    _, entries, body = parts
    try:
        start, stop = entries[one_of(rng, list(entries))]["data_offsets"]
        factor = np.float32(one_of(rng, (100.0, 1e6, 1e20, 0.0, -1.0)))
        with np.errstate(all="ignore"):
            new = (np.frombuffer(body[start:stop], "<f4") * factor).astype("<f4").tobytes()
    except (LookupError, TypeError, ValueError):
        return parts
    return parts[0], entries, body[:start] + new + body[stop:]


def with_odd_words(parts: Parts, rng: Rng) -> Parts:
    """Another vocabulary, often one with as many tokens."""
    card, entries, body = parts
    try:
        start, stop = entries["vocabulary"]["data_offsets"]
        tokens = body[start:stop].split(b"\n")
        tokens[int(rng.integers(len(tokens)))] = one_of(rng, TOKENS) + rng.bytes(1).hex().encode()
        new = b"\n".join(tokens) if rng.random() < 0.8 else damaged_bytes(body[start:stop], rng)
        moved = copy.deepcopy(entries)
        for name, entry in moved.items():
            offsets = entry["data_offsets"]
            more = len(new) - (stop - start)
            entry["data_offsets"] = [x + more * (x >= stop) for x in offsets]
            if name == "vocabulary":
                entry["data_offsets"], entry["shape"] = [start, start + len(new)], [len(new)]
    except (LookupError, TypeError, ValueError):
        return parts
    return card, moved, body[:start] + new + body[stop:]


DAMAGES: tuple[Callable[[Parts, Rng], Parts], ...] = (
    with_odd_value,
    with_odd_provenance,
    with_odd_entry,
    with_odd_numbers,
    with_other_weights,
    with_odd_words,
)
