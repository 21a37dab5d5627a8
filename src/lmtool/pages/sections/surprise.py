"""Given lines shaded by surprisal, and texts that the model makes up, shaded by its own doubt."""

from lmtool.pages.elements import Element, e
from lmtool.pages.heat import Heat, finding, heat_of, shaded
from lmtool.pages.sections.base import Section
from lmtool.pages.subject import SHOWN, Subject

__all__ = ["LOOKED_INTO", "SAMPLES"]

EXPECTED = 6  # words instead of each
DRAWN, SEED, LONGEST = 8, 1, 20  # samples, and words of each


def given(subject: Subject) -> Heat | None:
    """Of the texts given, else of the first lines of the file."""
    texts = (subject.texts or subject.records)[:SHOWN]
    return read(subject, list(texts)) if texts else None


def samples(subject: Subject) -> Heat:
    """Drawn as ``lmtool sample`` draws them, then read as any other line."""
    drawn = subject.face.samples(n=DRAWN, seed=SEED, max_words=LONGEST)
    return read(subject, [one.text for one in drawn])


def read(subject: Subject, texts: list[str]) -> Heat:
    """What the model thinks of them, token by token."""
    options = {"top": min(EXPECTED, subject.face.vocabulary.n_tokens), "level": "token"}
    options["frequency"] = False
    read = subject.face.surprisal_lines(texts, threads=subject.threads, **options)
    return heat_of(read, subject.face.vocabulary.tokenizer.separator)


def draw_given(found: Heat) -> list[Element]:
    """The figure."""
    return [shaded(found, [finding(found)])]


def draw_samples(found: Heat) -> list[Element]:
    """The figure."""
    made = f"{DRAWN} texts that the model makes up (seed {SEED})"
    caption = f"{made}, each word shaded by how much it surprised the model itself."
    return [shaded(found, [caption]) if found.lines else e("p", "All samples are empty.")]


COMMAND = f"lmtool surprisal --top {EXPECTED}"
LOOKED_INTO = Section("surprise", "Word by word", given, draw_given, COMMAND, ("language model",))
SAMPLES = Section(
    "samples", "Made by it", samples, draw_samples,
    f"lmtool sample -n {DRAWN} --seed {SEED} --max-words {LONGEST}", ("language model",),
)  # fmt: skip
