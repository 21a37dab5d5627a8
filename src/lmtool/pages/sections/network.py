"""The network drawn as a loop and unrolled over three steps, with the shapes of its weights."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from lmtool.pages.elements import Element, details, figure, number, said, table
from lmtool.pages.network_drawing import drawn
from lmtool.pages.sections.base import Section
from lmtool.pages.subject import Subject
from lmtool.settings.shared import reader

__all__ = ["SECTION", "Layer", "Network", "Tower"]

Shape = tuple[int, ...]
Shapes = Mapping[str, Shape]
SOURCE, TARGET, FRAMES = "source.embedding.weight", "embedding.weight", "source.weight"
GATES = {"lstm": 4, "gru": 3}
BY = " \u00d7 "


@dataclass(frozen=True, slots=True)
class Layer:
    """What is computed at a step, from what is below it."""

    name: str
    size: int
    weights: str = ""  # shape of what leads here
    loop: str = ""  # shape of what leads from the step before; "" where nothing does
    both: bool = False  # whether steps are read from both ends
    whole: bool = False  # whether all steps lead to one


@dataclass(frozen=True, slots=True)
class Tower:
    """Layers on top of each other, the lowest first; ``steps``: there are several along time."""

    name: str
    layers: tuple[Layer, ...]
    steps: bool = True


@dataclass(frozen=True, slots=True)
class Network:
    """What connects to what."""

    towers: tuple[Tower, ...]
    between: tuple[str, ...]  # how the one before leads to the next
    gates: int  # of a cell, side by side in one matrix
    networks: int  # alike
    parameters: tuple[tuple[str, str, int], ...]  # name, shape, n


def numbers(subject: Subject) -> Network | None:
    """From settings and shapes; None of a model without weights."""
    settings: Any = subject.face.settings
    rows = [(one["name"], tuple(one["shape"]), one["n"]) for one in subject.card["parameters"]]
    build = BUILDERS.get(subject.kind)
    if not rows:
        return None
    K = getattr(settings, "members", 1) or 1
    shapes = {name.removeprefix("0."): shape for name, shape, _ in rows}
    towers, between = build(settings, shapes) if build and hasattr(settings, "layers") else ((), ())
    listed = tuple((name, spelled(shape), n) for name, shape, n in rows)
    return Network(towers, between, GATES.get(getattr(settings, "cell", ""), 1), K, listed)


def spelled(shape: Shape) -> str:
    """(512, 96) -> ``512 x 96``, with the sign of a product."""
    return BY.join(f"{n:,}" for n in shape)


def shape_of(shapes: Shapes, name: str) -> str:
    """The same of a matrix, nothing where it is not there."""
    return spelled(shapes[name]) if name in shapes else ""


def cells(settings: Any, shapes: Shapes, prefix: str, both: bool = False) -> Iterator[Layer]:
    """The recurrent layers of a stack."""
    for layer in range(settings.layers):
        own, states = (f"{prefix}.weight_{end}_l{layer}" for end in ("ih", "hh"))
        if own in shapes:
            loop = shape_of(shapes, states) if 0 not in shapes.get(states, (0,)) else "shifted"
            size = settings.hidden * (1 + both)
            yield Layer(reader(settings), size, shape_of(shapes, own), loop, both)


def words(shapes: Shapes, name: str, what: str) -> Iterator[Layer]:
    """One-hot words and their vectors."""
    if name in shapes:
        yield Layer(what, shapes[name][0])
        yield Layer("vector", shapes[name][1], shape_of(shapes, name))


def outputs(settings: Any, shapes: Shapes, tied: str = TARGET) -> Iterator[Layer]:
    """From the top cell to probabilities of words."""
    if "projection.weight" in shapes:
        yield Layer(
            "projection", shapes["projection.weight"][0], shape_of(shapes, "projection.weight")
        )
    own = "output.weight" if "output.weight" in shapes else tied
    yield Layer("p(next)", shapes["output.bias"][0], shape_of(shapes, own))


Built = tuple[tuple[Tower, ...], tuple[str, ...]]


def language_model(settings: Any, shapes: Shapes) -> Built:
    """Words in, the next one out."""
    layers = (
        *words(shapes, TARGET, "word"),
        *cells(settings, shapes, "rnn"),
        *outputs(settings, shapes),
    )
    return (Tower("", layers),), ()


def tagger(settings: Any, shapes: Shapes) -> Built:
    """Words in, a tag for each out; a chain of tags is a loop, too."""
    own = list(words(shapes, SOURCE, "word"))
    width = next((s[1] for name, s in shapes.items() if name == "encoder.weight_ih_l0"), 0)
    if len(own) == 2 and width > own[1].size:
        own[1] = Layer("vector, letters", width, own[1].weights)
    read = tuple(cells(settings, shapes, "encoder", settings.both))
    chain = next(
        (spelled(s) for name, s in shapes.items() if "between" in name or "transition" in name), ""
    )
    last = Layer("tag", shapes["output.bias"][0], shape_of(shapes, "output.weight"), chain)
    return (Tower("", (*own, *read, last)),), ()


def source(settings: Any, shapes: Shapes) -> tuple[Layer, ...]:
    """What is read: words, or frames and vectors of so many numbers."""
    if FRAMES in shapes:
        E, F = shapes[FRAMES]
        return Layer("numbers", F), Layer("features", E, shape_of(shapes, FRAMES))
    return tuple(words(shapes, SOURCE, "word"))


def classifier(settings: Any, shapes: Shapes) -> Built:
    """A sequence in, one label out."""
    read = tuple(cells(settings, shapes, "encoder", settings.both))
    K, D = shapes["output.weight"]
    pooled = Layer(f"{settings.pool} pool", D, whole=True)
    label = Layer("label", K, shape_of(shapes, "output.weight"), whole=True)
    return (Tower("", (*source(settings, shapes), *read, pooled, label)),), ()


def recogniser(settings: Any, shapes: Shapes) -> Built:
    """Frames in, a token or none at each step out."""
    read = tuple(cells(settings, shapes, "encoder", settings.both))
    last = Layer("p(token)", shapes["output.bias"][0], shape_of(shapes, "output.weight"))
    return (Tower("", (*source(settings, shapes), *read, last)),), ()


def one_step(settings: Any, shapes: Shapes) -> Built:
    """A vector in, one label out."""
    label = Layer("label", shapes["output.bias"][0], shape_of(shapes, "output.weight"))
    read = tuple(Layer("hidden", c.size, c.weights) for c in cells(settings, shapes, "encoder"))
    return (Tower("", (*source(settings, shapes), *read, label), steps=False),), ()


def writer(settings: Any, shapes: Shapes) -> Built:
    """A source in, a text out, whose state begins with what the source says."""
    encoder = cells(settings, shapes, "encoder", settings.both)
    read = Tower("reads", (*source(settings, shapes), *encoder), steps=FRAMES not in shapes)
    looks = settings.attention != "none" and read.steps
    attention = (Layer("attention", settings.embed, "of all that was read"),) if looks else ()
    own = (*words(shapes, TARGET, "word"), *cells(settings, shapes, "decoder"))
    upper = tuple(cells(settings, shapes, "upper"))
    write = Tower("writes", (*own, *attention, *upper, *outputs(settings, shapes)))
    bridge = shape_of(shapes, "bridge.weight")
    return (read, write), (f"the first state, through {bridge}" if bridge else "the first state",)


BUILDERS: dict[str, Callable[[Any, Shapes], Built]] = {
    "language model": language_model,
    "tagger": tagger,
    "classifier": classifier,
    "frame classifier": classifier,
    "vector classifier": one_step,
    "translator": writer,
    "captioner": writer,
    "recogniser": recogniser,
}


def draw(found: Network) -> list[Element]:
    """The pictures and the list of weights."""
    total = sum(n for _, _, n in found.parameters)
    several = f"One of {found.networks} networks alike, whose probabilities are averaged. " * (
        found.networks > 1
    )
    gates = (
        f" A cell has {found.gates} gates, side by side in one matrix." if found.gates > 1 else ""
    )
    caption = (
        f"{several}On the left as a loop with the shapes of its weights, on the right the same "
        f"network unrolled over three steps.{gates}"
    )
    parts = [figure([caption], drawn(found.towers, found.between))] if found.towers else []
    rows = [(said(name), shape, number(n)) for name, shape, n in found.parameters]
    listed = table(("weights", "shape", "numbers"), rows, "Weights", 2)
    return [*parts, details(f"All {number(total)} weights", listed)]


SECTION = Section("network", "Network", numbers, draw, "lmtool info")
