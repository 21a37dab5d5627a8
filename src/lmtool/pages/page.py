"""The shell of a page: one file that asks for nothing and runs nothing but our own script.

The policy names style and script by their hashes; no element has a style or a handler of its own,
so that what a model's vocabulary holds can neither run nor load anything.
"""

import base64
import hashlib
import json
import math
import xml.etree.ElementTree as ET
from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from typing import Any, NamedTuple

from lmtool.pages.elements import Child, Element, e, verbatim

__all__ = ["Item", "live", "page", "policy"]


class Item(NamedTuple):
    """What a panel shows of one word, point or row."""

    title: str
    about: str
    rows: Sequence[tuple[str, str, float]]  # name, number, share of a bar


def page(title: str, *content: Child) -> str:
    """A whole document."""
    style, script = asset("style.css"), asset("script.js")
    head = e(
        "head",
        e("meta", charset="utf-8"),
        e("meta", http_equiv="Content-Security-Policy", content=policy(style, script)),
        e("meta", name="viewport", content="width=device-width, initial-scale=1"),
        e("meta", name="color-scheme", content="light dark"),
        e("title", title),
        verbatim("style", style),
    )
    skip = e("a", "Skip to the content", href="#content", class_="skip")
    body = e("body", skip, *content, verbatim("script", script))
    return f"<!DOCTYPE html>\n{written(e('html', head, body, lang='en'))}\n"


def written(element: Element) -> str:
    """As HTML has it."""
    return ET.tostring(element, encoding="unicode", method="html")


def policy(style: str, script: str) -> str:
    """Nothing from anywhere but these two, to the letter."""
    return (
        f"default-src 'none'; script-src 'sha256-{digest(script)}'; "
        f"style-src 'sha256-{digest(style)}'; img-src data:; base-uri 'none'; form-action 'none'"
    )


def digest(text: str) -> str:
    """As a policy writes it."""
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


@cache
def asset(name: str) -> str:
    """A text file that lies beside this one."""
    return (files("lmtool.pages") / name).read_text(encoding="utf-8")


def live(caption: Sequence[Child], items: Sequence[Item], *content: Child) -> Element:
    """A figure with a panel that shows the item of what is pointed at or focused (``data-k``)."""
    return e(
        "figure",
        e("figcaption", *caption),
        e("div", *content, class_="shown"),
        e("div", class_="panel", role="status"),
        verbatim("script", json_of(items), type="application/json"),
        class_="live",
    )


def json_of(items: Sequence[Item]) -> str:
    """JSON that is harmless within HTML: ASCII, no ``<``, ``>`` or ``&``, no NaN."""
    plain = [
        [one.title, one.about, [[name, shown, short(share)] for name, shown, share in one.rows]]
        for one in items
    ]
    text = json.dumps(plain, ensure_ascii=True, allow_nan=False, separators=(",", ":"))
    for sign in "<>&":
        text = text.replace(sign, f"\\u{ord(sign):04x}")
    return text


def short(share: Any) -> float | None:
    """As many digits as a bar has pixels."""
    return round(share, 3) if math.isfinite(share) else None
