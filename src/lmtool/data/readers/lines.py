"""What readers of one record a line share: refusals with the form wanted, JSON, names in it."""

import json
from collections.abc import Iterable
from typing import Any, NoReturn

from lmtool.errors import InputError
from lmtool.text.reader import Line

__all__ = ["LONGEST_JSON", "holds_text", "names", "parsed", "refuse", "whole"]

LONGEST_JSON = 1 << 24  # characters of a line: values take many times the memory of their text


def holds_text(line: Line) -> bool:
    """Whether the line is not blank."""
    return bool(line.text) and not line.text.isspace()


def refuse(line: Line, form: str, message: str) -> NoReturn:
    """Raises InputError, with the form that a line must have."""
    raise InputError(f"{line.path}:{line.number}: {message}; a line is: {form}")


def parsed(line: Line, form: str, spelled: bool = True) -> dict[str, Any]:
    """The object of a line; numbers stay as they are ``spelled``, or become numbers."""
    kinds: dict[str, Any] = {"parse_int": str, "parse_float": str} if spelled else {}
    if len(line.text) > LONGEST_JSON:
        refuse(line, form, f"longer than {LONGEST_JSON >> 20} Mi characters")
    try:
        value = json.loads(line.text, **kinds)
    except (ValueError, RecursionError) as error:
        reason = f"{error.msg} at {error.colno}" if isinstance(error, json.JSONDecodeError) else ""
        refuse(line, form, f"not JSON ({reason or 'nested too deep'})")
    return value if isinstance(value, dict) else refuse(line, form, "not an object")


def names(values: Iterable[Any], line: Line, form: str, noun: str) -> list[str]:
    """Names out of JSON, each a text, a number, true or false: [1.0, True] -> ["1.0", "true"]."""
    spelled = [str(v).lower() if isinstance(v, bool) else v for v in values]
    if wrong := [v for v in spelled if not isinstance(v, str)]:
        kind = "null" if wrong[0] is None else type(wrong[0]).__name__
        kind = str(wrong[0]) if isinstance(wrong[0], float) else kind  # nan, inf, -inf
        refuse(line, form, f"a {noun} is neither text nor number: {kind}")
    return spelled


def whole(text: str, line: Line, form: str) -> str:
    """A text out of JSON, in which escapes can hide what no text file holds."""
    if "\0" in text:
        refuse(line, form, "looks binary (a NUL character)")
    try:
        text.encode()
    except UnicodeEncodeError as error:
        refuse(line, form, f"half a character, U+{ord(text[error.start]):04X}")
    return text
