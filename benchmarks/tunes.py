"""Do tunes in ABC parse? What ``lmtool play --check`` says of each, and what ``abc2midi`` says.

``python -m benchmarks.tunes FILE...``: tunes as they stand in a file, or a line each as they are
sampled. abc2midi (Debian's ``abcmidi``, on ``PATH``) writes MIDI for nearly everything; counted is
what it says on the way. Without it its columns are left out.
"""

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

LMTOOL = (sys.executable, "-m", "lmtool", "play", "--form", "abc")
ABC2MIDI = "abc2midi"


def main() -> None:
    """A line a file: of how many tunes, and the shares in per cent."""
    for path in map(Path, sys.argv[1:]):
        found = map(json.loads, played(path, "--check", "--json"))
        checked = [one for one in found if "tune" in one]  # the last one counts them
        shares = {"bars add up": [not one["wrong"] for one in checked]}
        shares["right"] = [one["right"] for one in checked]
        if shutil.which(ABC2MIDI):
            said = list(map(complaints, played(path, "--to", "lines")))
            shares["abc2midi: no error"] = ["Error" not in one for one in said]
            shares["and no bar of another length"] = [
                "Error" not in one and "time units while" not in one for one in said
            ]
        print(f"{path}: {len(checked)} tunes", *map(shown, shares.items()), sep="; ")


def played(path: Path, *options: str) -> list[str]:
    """The lines that ``lmtool play`` prints of a file; it exits 1 where a tune is wrong."""
    done = subprocess.run((*LMTOOL, str(path), *options), capture_output=True, text=True)
    return done.stdout.splitlines()


def complaints(tune: str) -> str:
    """What abc2midi says of a tune in one line."""
    with TemporaryDirectory() as folder:
        file = Path(folder, "tune.abc")
        file.write_text("\n".join(unfolded(tune)) + "\n", encoding="utf-8")
        command = (ABC2MIDI, str(file), "-o", str(Path(folder, "tune.mid")))
        done: Any = subprocess.run(command, capture_output=True, text=True)
        return str(done.stdout + done.stderr)


def unfolded(tune: str) -> Iterator[str]:
    """The lines of a tune that are joined by ``;``."""
    return (line for line in tune.split(";") if line.strip())


def shown(share: tuple[str, list[bool]]) -> str:
    """``bars add up 88.9 %``."""
    name, right = share
    return f"{name} {sum(right) / max(1, len(right)):.1%}".replace("%", " %")


if __name__ == "__main__":
    main()
