"""The training curve: what validations said, and which step's weights were kept."""

import math
from dataclasses import dataclass
from typing import Any

from lmtool.pages import svg
from lmtool.pages.elements import Element, details, e, figure, number, table
from lmtool.pages.sections.base import Section
from lmtool.pages.subject import Subject

__all__ = ["SECTION", "Training"]

BESIDE = ("step", "epoch", "best", "seconds")  # in a point, what is no measure
MOST = 1_000  # points, as many as a model file keeps
SPREAD = 4  # the largest value is so many times the smallest: a logarithmic axis
NAMES = {"f1": "F1", "bleu": "BLEU", "wer": "word error rate"}
FALLS = ("perplexity", "loss", "wer", "cer")


@dataclass(frozen=True, slots=True)
class Training:
    """A measure over steps."""

    measure: str
    points: tuple[tuple[int, float], ...]  # (step, value)
    kept: int  # which of them


def numbers(subject: Subject) -> Training | None:
    """From the card; None where the file says nothing that can be drawn."""
    curve = subject.claimed("curve")
    listed = curve[:MOST] if isinstance(curve, list) else []
    rows = [one for one in listed if isinstance(one, dict)]
    names = [name for name in (rows[0] if rows else ()) if name not in BESIDE]
    points = [point(one, names[0]) for one in rows] if names else []
    known = [(x, best) for x, best in points if x is not None]
    if not known:
        return None
    kept = max((k for k, (_, best) in enumerate(known) if best), default=len(known) - 1)
    return Training(str(names[0]), tuple(x for x, _ in known), kept)


def point(one: dict[str, Any], name: str) -> tuple[tuple[int, float] | None, bool]:
    """(step, value), if these are numbers, and whether it was the best so far."""
    step, value = one.get("step"), one.get(name)
    good = isinstance(step, int) and isinstance(value, int | float) and math.isfinite(value)
    return ((int(step or 0), float(value or 0)) if good else None), one.get("best") is True


def draw(found: Training) -> list[Element]:
    """A curve of several points; of one a sentence."""
    name, said = NAMES.get(found.measure, found.measure.replace("_", " ")), found.points[found.kept]
    if len(found.points) == 1:
        return [e("p", f"One validation, after {number(said[0])} steps: {name} {number(said[1])}.")]
    first, values = found.points[0], [y for _, y in found.points]
    way = "falls" if said[1] < first[1] else "rises"
    caption = (
        f"Validation {name} {way} from {number(first[1])} to {number(said[1])}; "
        f"the weights of step {number(said[0])} are kept."
    )
    logarithmic = (
        min(values) > 0
        and max(values) > SPREAD * min(values)
        and found.measure.split("_")[0] in FALLS
    )
    drawn = svg.curve(found.points, found.kept, caption, logarithmic)
    scale = e("small", f" {name[0].upper()}{name[1:]} over steps{', logarithmic' * logarithmic}.")
    rows = [(number(x), number(y, 5)) for x, y in found.points]
    return [
        figure([caption, scale], drawn),
        details("Numbers", table(("step", name), rows, "Validations", 0)),
    ]


SECTION = Section("training", "Training", numbers, draw, "lmtool info --json")
