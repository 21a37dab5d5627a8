"""The cases of ``targets`` under atheris, which follows the branches that an input takes."""

import os
import sys
import tempfile
import warnings
from pathlib import Path

import numpy as np

__all__ = ["fuzz"]


def fuzz(name: str) -> None:
    """Runs until it is stopped or a case fails; arguments are libFuzzer's."""
    import atheris  # only here: the extra fuzz

    with atheris.instrument_imports(include=["lmtool"]):
        from tests.fuzz.targets import TARGETS

    warnings.simplefilter("error")
    target = TARGETS[name]
    work = tempfile.TemporaryDirectory()
    folder = Path(work.name).resolve()
    seeds = target.seeds(folder)
    if corpus := next((word for word in sys.argv[1:] if not word.startswith("-")), None):
        for number, seed in enumerate(seeds):
            (Path(corpus) / f"seed{number}").write_bytes(seed)

    def damaged(data: bytes, most: int, seed: int) -> bytes:
        """Structure first: a random change of bytes would only break the checksum."""
        try:
            return target.damaged(data, np.random.default_rng(seed))[:most]
        except Exception:  # no longer a file whose structure can be damaged
            return bytes(atheris.Mutate(data, most))

    os.chdir(folder)
    one = lambda data: target.case(data, folder)  # noqa: E731  atheris wants one argument
    atheris.Setup(sys.argv, one, custom_mutator=damaged)
    atheris.Fuzz()
