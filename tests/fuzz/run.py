"""Damages valid files thousands of times and sees that each is used or refused in one line.

    python -m tests.fuzz.run --cases 100000 --target model

Deterministic: case n of a seed is the same everywhere. Each case has a limit of time and, for the
whole process, of memory; every warning is an error. A case that fails is kept in a file.
"""

import argparse
import ctypes
import faulthandler
import os
import sys
import tempfile
import time
import traceback
import warnings
from pathlib import Path

import numpy as np

from tests.fuzz.targets import TARGETS, Target

SECONDS = 20  # of one case
MMAP_THRESHOLD = -3  # of glibc
MEMORY = 256 << 20  # bytes that cases may add: many times the largest file


def limit_memory() -> None:
    """No case can allocate more than MEMORY from here on."""
    try:
        import resource
    except ImportError:  # Windows
        return
    pages = int(Path("/proc/self/statm").read_text().split()[0]) if os.path.exists("/proc") else 0
    limit = pages * os.sysconf("SC_PAGE_SIZE") + MEMORY
    if pages:
        ctypes.CDLL(None).mallopt(MMAP_THRESHOLD, 1 << 16)  # or the heap frays over many cases
        resource.setrlimit(resource.RLIMIT_AS, (limit, resource.RLIM_INFINITY))


def attack(target: Target, name: str, cases: int, seed: int, keep: Path) -> tuple[int, int]:
    """(accepted, failed) of so many cases."""
    accepted = failed = 0
    with tempfile.TemporaryDirectory() as work:
        folder = Path(work).resolve()
        os.chdir(folder)
        seeds = target.seeds(folder)
        for data in seeds:
            assert target.case(data, folder) or name == "arguments", "a valid file is refused"
        limit_memory()
        for n in range(cases):
            rng = np.random.default_rng((seed, n))
            data = target.damaged(seeds[n % len(seeds)], rng)
            faulthandler.dump_traceback_later(SECONDS, exit=True)
            try:
                accepted += target.case(data, folder)
            except Exception:
                failed += 1
                (keep / f"{name}-{seed}-{n}").write_bytes(data)
                print(f"FAULT: {name}, seed {seed}, case {n}: {keep / f'{name}-{seed}-{n}'}")
                traceback.print_exc()
            faulthandler.cancel_dump_traceback_later()
        os.chdir(keep)
    return accepted, failed


def main() -> int:
    """Prints a line per target; 1 where a case failed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--cases", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--target", choices=[*TARGETS, "all"], default="all")
    parser.add_argument("--keep", type=Path, default=Path(tempfile.gettempdir()))
    arguments = parser.parse_args()
    warnings.simplefilter("error")
    names = list(TARGETS) if arguments.target == "all" else [arguments.target]
    failures = 0
    for name in names:
        began = time.monotonic()
        keep = arguments.keep.resolve()
        accepted, failed = attack(TARGETS[name], name, arguments.cases, arguments.seed, keep)
        failures += failed
        print(
            f"{name:10} seed {arguments.seed}: {arguments.cases} cases, {accepted} accepted,"
            f" {failed} faults, {time.monotonic() - began:.0f} s"
        )
    return int(failures > 0)


if __name__ == "__main__":
    sys.exit(main())
