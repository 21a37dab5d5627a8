"""Runs that must not begin: beside another one, over an interrupted one, or as another one."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from lmtool.errors import ModelFileError, option
from lmtool.files import locked, remove_leftovers
from lmtool.kinds import Material
from lmtool.training.request import Given, Request
from lmtool.training.resume import Saved, path_of

__all__ = [
    "alone",
    "corpus_of",
    "refuse_interrupted",
    "refuse_other_data",
    "refuse_other_options",
]


@contextmanager
def alone(model: str | None) -> Iterator[None]:
    """Raises ModelFileError where another process trains the same model."""
    if model is None or not Path(model).parent.is_dir():
        yield
        return
    with ExitStack() as held:
        try:
            free = held.enter_context(locked(Path(model)))
        except OSError as error:
            message = f"{model}: cannot be written ({error.strerror or error})"
            raise ModelFileError(message) from None
        if not free:
            message = "another process is training this model; wait for it, or name another file"
            raise ModelFileError(f"{model}: {message}")
        for path in (Path(model), path_of(model)):
            remove_leftovers(path)
        yield


def corpus_of(model: str, request: Request, given: Given) -> tuple[str, ...]:
    """The files to read again; none where sentences are given. Raises ModelFileError."""
    if given.sentences is not None:
        return ()
    if not (given.corpus or request.corpus):
        message = f"give the sentences again: lmtool.resume({model!r}, sentences=...)"
        raise ModelFileError(f"{model}: cannot be resumed: it learns from no file; {message}")
    return given.corpus or request.corpus


def refuse_interrupted(model: str, overwrite: bool) -> None:
    """Raises ModelFileError where starting anew would lose a run."""
    if path_of(model).exists() and not overwrite:
        ways = f"{option('resume')} goes on with it, {option('overwrite', True)} starts anew"
        raise ModelFileError(f"{model}: a run of this model was interrupted: {ways}")


def refuse_other_data(model: str, saved: Saved, material: Material) -> None:
    """Raises ModelFileError where the text or the vocabulary changed."""
    for name, now in material.fingerprints.items():
        if saved.data.get(name) != now:
            message = (
                f"the {name} is not the one that the run began with; put it back, or start anew"
            )
            raise ModelFileError(f"{model}: cannot be resumed: {message}")


def refuse_other_options(model: str, request: Request, options: dict[str, Any]) -> None:
    """Raises ModelFileError where an option differs from the run's."""
    kept = asdict(request.text) | asdict(request.network) | asdict(request.recipe)
    for name, value in options.items():
        if name != "threads" and kept.get(name) != value:
            message = f"{option(name)} was {kept.get(name)}, not {value}"
            raise ModelFileError(f"{model}: cannot be resumed: {message}; leave it out")
