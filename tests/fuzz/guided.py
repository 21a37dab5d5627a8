"""Coverage-guided fuzzing with atheris (the extra ``fuzz``), for as long as one likes.

python -m tests.fuzz.guided model corpus-folder -max_total_time=3600
"""

import sys
import tempfile
from pathlib import Path

from tests.fuzz.cases import CASES, guarded, seeds


def main() -> None:
    """The first argument is the target, the rest are libFuzzer's."""
    import atheris

    target = sys.argv.pop(1)
    folder = Path(tempfile.mkdtemp())
    start = Path(tempfile.mkdtemp())
    for number, data in enumerate(seeds(target, folder)):
        (start / str(number)).write_bytes(data)
    atheris.instrument_all()
    atheris.Setup([*sys.argv, str(start)], lambda data: guarded(CASES[target], data, folder))
    atheris.Fuzz()


if __name__ == "__main__":
    main()
