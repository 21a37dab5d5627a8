"""A character is reserved for marks; where a text has it itself, it is escaped."""

__all__ = ["escaped", "unescaped"]

ESCAPE = "\N{HALFWIDTH WHITE CIRCLE}"


def escaped(text: str, mark: str) -> str:
    """The same without the mark; ``unescaped`` gives it back."""
    if mark not in text and ESCAPE not in text:
        return text
    return text.replace(ESCAPE, f"{ESCAPE}0").replace(mark, f"{ESCAPE}1")


def unescaped(text: str, mark: str) -> str:
    """The inverse of ``escaped``."""
    if ESCAPE not in text:
        return text
    return text.replace(f"{ESCAPE}1", mark).replace(f"{ESCAPE}0", ESCAPE)
