"""Mutates good files and watches what lmtool makes of them.

    python -m tests.fuzz.run --target model --cases 100000 --seed 1

Every case follows from (seed, number): ``--only NUMBER`` repeats one.
"""

import argparse
import random
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from tests.fuzz.cases import CASES, FindingError, guarded, seeds
from tests.fuzz.mutate import mutated

LONGEST = 5.0  # seconds of a case; machines may be busy
TENSORS = ("model", "state")


def main(arguments: Sequence[str] | None = None) -> int:
    """Prints counts and findings; 1 where there are any."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--target", choices=CASES, default="model")
    parser.add_argument("--cases", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", type=int)
    options = parser.parse_args(arguments)
    began = time.monotonic()
    numbers = range(options.cases) if options.only is None else [options.only]
    refused, findings = campaign(options.target, numbers, options.seed)
    seconds = time.monotonic() - began
    print(f"target {options.target}, seed {options.seed}: {len(numbers)} cases, {refused} refused,")
    print(f"{len(findings)} findings, {seconds:.0f} seconds")
    for finding in findings[:20]:
        print(finding)
    return 1 if findings else 0


def campaign(target: str, numbers: Sequence[int], seed: int) -> tuple[int, list[str]]:
    """(how many were refused, what was found)."""
    refused, findings = 0, []
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        good = seeds(target, folder)
        for number in numbers:
            rng = random.Random(f"{target} {seed} {number}")
            data = mutated(rng.choice(good), rng, target in TENSORS)
            began = time.monotonic()
            try:
                refused += guarded(CASES[target], data, folder)
            except FindingError as finding:
                findings.append(f"case {number}: {finding}")
            if time.monotonic() - began > LONGEST:
                findings.append(f"case {number}: {time.monotonic() - began:.1f} seconds")
    return refused, findings


if __name__ == "__main__":
    sys.exit(main())
